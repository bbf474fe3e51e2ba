"""A control group for one build: what its steps use together has a bound.

The engine puts the processes of a build below a group that it is told of (`--cgroup-parent`), by its path in
the kernel's own file system, whichever driver it uses for containers.
Source: the kernel's admin-guide, cgroup-v2.rst and cgroup-v1/.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import time
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple

from ..base.errors import ClassvmError

ROOT = Path("/sys/fs/cgroup")
PREFIX = "classvm-build-"
PERIOD = 100_000
CONTROLLERS = ("memory", "pids", "cpu")
END_SECONDS, PAUSE_SECONDS = 5.0, 0.1


class Share(NamedTuple):
    """What a build may use.

    Attributes:
        memory: bytes.
        pids: processes and threads.
        cpus: processors, such as 1.5.

    """

    memory: int
    pids: int
    cpus: float


@contextlib.contextmanager
def made(share: Share, root: Path = ROOT) -> Iterator[str]:
    """Make a group, and remove it with whatever still runs in it.

    Yields:
        its path below the file system of groups: "/classvm-build-…".

    Raises:
        ClassvmError: this host offers no such groups.

    """
    _remove_old(root)
    name = PREFIX + secrets.token_hex(4)
    try:
        _make(name, share, root)
        yield f"/{name}"
    except OSError as error:
        raise ClassvmError(
            f"What a student builds cannot be bounded on this host: {error}",
            fix="Ask your admin to deploy, or to look at the control groups of the host.",
        ) from error
    finally:
        _end(name, root)


def _make(name: str, share: Share, root: Path) -> None:
    quota = int(share.cpus * PERIOD)
    if _is_unified(root):
        (root / "cgroup.subtree_control").write_text(" ".join(f"+{one}" for one in CONTROLLERS))
        settings = {
            "memory.max": str(share.memory),
            "pids.max": str(share.pids),
            "cpu.max": f"{quota} {PERIOD}",
        }
        _write(root / name, settings, {"memory.swap.max": "0"})
        return
    settings_of: Dict[str, Dict[str, str]] = {
        "memory": {"memory.limit_in_bytes": str(share.memory)},
        "pids": {"pids.max": str(share.pids)},
        "cpu": {"cpu.cfs_period_us": str(PERIOD), "cpu.cfs_quota_us": str(quota)},
    }
    # Of memory and swap together.
    also = {"memory": {"memory.memsw.limit_in_bytes": str(share.memory)}}
    for controller, settings in settings_of.items():
        _write(root / controller / name, settings, also.get(controller, {}))


def _write(folder: Path, settings: Dict[str, str], where_present: Dict[str, str]) -> None:
    """Make a group with settings; a kernel that does not count swap lacks those of it."""
    folder.mkdir()
    for name, value in settings.items():
        (folder / name).write_text(value)
    for name, value in where_present.items():
        with contextlib.suppress(FileNotFoundError, PermissionError):
            (folder / name).write_text(value)


def _is_unified(root: Path) -> bool:
    return (root / "cgroup.controllers").exists()


def _folders(name: str, root: Path) -> List[Path]:
    """Return the folders of groups of that name, which may be a pattern.

    Where there are several hierarchies, the engine makes the group in all of them.
    """
    return [path for path in root.glob(name if _is_unified(root) else f"*/{name}") if path.is_dir()]


def _end(name: str, root: Path) -> None:
    """End what runs in a group, and remove it; the engine has a moment to tidy up by itself."""
    deadline = time.monotonic() + END_SECONDS
    while True:
        left = [folder for folder in _folders(name, root) if not _removed(folder)]
        if not left or time.monotonic() > deadline:
            return
        for folder in left:
            _kill(folder)
        time.sleep(PAUSE_SECONDS)


def _kill(folder: Path) -> None:
    for below, _, _ in os.walk(folder):
        with contextlib.suppress(OSError):
            for number in (Path(below) / "cgroup.procs").read_text().split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(number), signal.SIGKILL)


def _removed(folder: Path) -> bool:
    """Remove a group and those below it; tell whether that worked: one in use stays."""
    with contextlib.suppress(OSError):
        for below, _, _ in os.walk(folder, topdown=False):
            os.rmdir(below)
    return not folder.is_dir()


def _remove_old(root: Path) -> None:
    """Remove the groups that killed runs have left; another one's build goes on."""
    for folder in _folders(f"{PREFIX}*", root):
        _removed(folder)
