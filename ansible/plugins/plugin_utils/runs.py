"""What several plugins need to know of the run that they are a part of."""

from __future__ import annotations

import os
from typing import NoReturn

from ansible.inventory.manager import split_host_pattern
from ansible.utils.display import Display

from ..module_utils.classvm.output import answer


def end(why: str) -> NoReturn:
    """End a run that cannot begin, in the way in which it was asked to answer."""
    Display().display(answer.refusal(why, os.environ))
    # Ansible itself would go on, or say it in words of its own.
    raise SystemExit(1)


def limited_to(limit: str) -> list[str]:
    """Return the hosts and groups to which a limit restricts a run.

    What it leaves out ("!name") may be missing; a file of names ("@file") is left to Ansible, which
    knows "localhost" without any inventory.
    """
    names = [word.lstrip("&") for word in split_host_pattern(limit) if word[0] not in "!@"]
    return [name for name in names if name != "localhost"]
