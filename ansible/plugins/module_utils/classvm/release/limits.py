"""The limits of a release's container: how Docker is told of each, and how it reports each.

A new limit has its line here, its variable in the role's defaults and argument_specs, and its line
in the dictionary of the role's task; everything between hands the dictionary on as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping

from ..base.errors import ClassvmError

# The least memory that the engine gives to a container.
LEAST_MEMORY = "6m"
UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
# Mount options of /tmp, the only writable folder of the image. Two more are the engine's own:
# /dev/shm, for memory that processes share, gets the same size; in /dev/mqueue, for messages
# between them, the kernel allows each user 800 KiB.
TMPFS = "rw,noexec,nosuid,nodev,size={}"
TMP = "/tmp"  # noqa: S108 - the container's own


@dataclass(frozen=True)
class Limit:
    """One limit.

    Attributes:
        argv: takes the value and returns the arguments of `docker create`.
        host_config: takes the value and returns what `docker container inspect` shows of it, by its
            key of ``HostConfig``.
        takes: takes the value and returns what it has to be, "" where it is.

    """

    argv: Callable[[str], List[str]]
    host_config: Callable[[str], Dict[str, Any]]
    takes: Callable[[str], str]


def in_bytes(size: str) -> int:
    """Return a size in Docker's notation, such as "512m", as a number of bytes.

    Raises:
        ClassvmError: it is not one.

    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([bkmg]?)b?", size.strip().lower())
    if found is None:
        raise ClassvmError(
            f"{size!r} is not a size", fix="Write a number and k, m or g, such as 512m."
        )
    return int(float(found.group(1)) * UNITS[found.group(2)])


def as_count(number: str) -> int:
    """Return a number of things.

    Raises:
        ClassvmError: it is not one.

    """
    if not re.fullmatch(r"\d+", number):
        raise ClassvmError(f"{number!r} is not a number", fix="Write digits alone, such as 128.")
    return int(number)


def _size(value: str) -> str:
    try:
        in_bytes(value)
    except ClassvmError:
        return "a number and k, m or g, such as 512m"
    return ""


def _memory(value: str) -> str:
    too_small = not _size(value) and in_bytes(value) < in_bytes(LEAST_MEMORY)
    return f"{LEAST_MEMORY} or more, such as 512m" if too_small else _size(value)


def _tmpfs(value: str) -> str:
    # For the kernel, 0 means no limit.
    is_none = not _size(value) and in_bytes(value) == 0
    return "more than 0, such as 64m" if is_none else _size(value)


def _count(value: str) -> str:
    try:
        return "" if as_count(value) > 0 else "a number above 0"
    except ClassvmError:
        return "a number above 0"


LIMITS: Dict[str, Limit] = {
    "memory": Limit(
        # Swap is not added to it.
        argv=lambda value: ["--memory", value, "--memory-swap", value],
        host_config=lambda value: {"Memory": in_bytes(value)},
        takes=_memory,
    ),
    "pids": Limit(
        argv=lambda value: ["--pids-limit", value],
        host_config=lambda value: {"PidsLimit": as_count(value)},
        takes=_count,
    ),
    "tmpfs_size": Limit(
        argv=lambda value: ["--tmpfs", f"{TMP}:{TMPFS.format(value)}", "--shm-size", value],
        host_config=lambda value: {
            "Tmpfs": {TMP: TMPFS.format(value)},
            "ShmSize": in_bytes(value),
        },
        takes=_tmpfs,
    ),
}


def argv(limits: Mapping[str, str]) -> List[str]:
    """Return the arguments of `docker create` that set the limits.

    Raises:
        ClassvmError: there is no limit of such a name, or its value is not legible.

    """
    unknown = sorted(limits.keys() - LIMITS.keys())
    if unknown:
        raise ClassvmError(
            f"There is no limit {unknown[0]!r}", fix=f"The limits are {', '.join(sorted(LIMITS))}."
        )
    for name, value in limits.items():
        LIMITS[name].host_config(value)  # or the next deploy could not compare it with the engine's
    return [word for name in sorted(limits) for word in LIMITS[name].argv(limits[name])]


def differences(limits: Mapping[str, str], host_config: Mapping[str, Any]) -> List[str]:
    """Return a phrase for each limit that the engine does not report as it was set.

    Args:
        limits: the desired values; names of other settings are left out.
        host_config: what the engine reports of the container.

    """
    found = []
    for name in sorted(limits.keys() & LIMITS.keys()):
        for key, desired in LIMITS[name].host_config(limits[name]).items():
            reported = host_config.get(key)
            # The engine drops a limit that the kernel cannot set: setting it again would not help.
            if reported and reported != desired:
                found.append(f"{name} is not {limits[name]} (the engine reports {reported})")
    return found
