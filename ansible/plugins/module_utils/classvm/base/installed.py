"""Where the host program lies on a host, and how it finds the state folder of that host.

Apart from both: the provision installs it, and the program itself looks here.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import List

FOLDER = "/usr/local/lib/classvm"


@dataclass(frozen=True)
class Files:
    """The files of the host program. All belong to root.

    Attributes:
        program: the program, one file that Python runs.
        command: link to it from a folder of the PATH.
        state: link to the state folder of this host.

    """

    program: str = f"{FOLDER}/classvm"
    command: str = "/usr/local/bin/classvm"
    state: str = f"{FOLDER}/state"


HERE = Files()


def watched(files: Files = HERE) -> List[str]:
    """Return the files that decide what the host program does."""
    return [files.program, files.command, files.state]


def state_dir(files: Files = HERE) -> str:
    """Return the state folder for which this host was provisioned, "" where it was not."""
    try:
        return os.readlink(files.state)
    except OSError:
        return ""
