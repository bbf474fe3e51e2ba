"""Find out in which container, and on which Linux, this process runs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

OS_RELEASE = Path("/etc/os-release")
MOUNTS = Path("/proc/self/mountinfo")
CGROUPS = Path("/proc/self/cgroup")

# Docker mounts the file with the host name into the container. The directory
# it comes from is named after the container.
ID_IN_MOUNTS = re.compile(r"/containers/([0-9a-f]{64})/hostname /etc/hostname ")

# With version 1 of control groups, the container is also in the group's name.
ID_IN_CGROUPS = re.compile(r"/docker[/-]([0-9a-f]{64})")


def find_id(mounts: Path = MOUNTS, cgroups: Path = CGROUPS) -> str | None:
    """Return the id of the container, 64 hexadecimal digits.

    None means that the kernel shows no sign of a Docker container.
    """
    match = ID_IN_MOUNTS.search(_read(mounts)) or ID_IN_CGROUPS.search(_read(cgroups))
    return match.group(1) if match else None


def find_distribution(os_release: Path = OS_RELEASE) -> str | None:
    """Return name and version of the Linux distribution, None if unknown.

    Source: ``/etc/os-release``, see its manual page os-release(5).
    """
    for line in _read(os_release).splitlines():
        name, _, value = line.partition("=")
        if name == "PRETTY_NAME":
            # Values are quoted as in a shell.
            return " ".join(shlex.split(value))
    return None


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
