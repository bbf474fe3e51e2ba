"""The machine itself: its system, what the account may do there, and what room there is."""

from __future__ import annotations

import re
import stat
import time
from dataclasses import dataclass
from pathlib import Path
from typing import FrozenSet, Iterable

from ..base import account, host, systems
from ..base.errors import ClassvmError
from .finding import FAIL, OK, PROVISION, WARN, Finding, first_line
from .reading import Run, parse_settings, run

GB = 10**9
MB = 10**6

STATE_MODE = 0o2775

MEMORY_NEEDED = 1 * GB
# A service image unpacks to some 150 MB, and a build needs several times as much.
IMAGES_MEGABYTES, STATE_MEGABYTES = 3000, 50

# The groups of those who release without being root otherwise.
RELEASING = (account.ENGINE_GROUP, account.STUDENT_GROUP)

# How an account becomes root.
BY = {"root": "as root", "sudo": "sudo, no password", "password": "sudo, with password"}

# The year this project began: a clock that shows an earlier one has lost its battery.
FIRST_YEAR = 2024
CLOCK_TOLERANCE = 300  # seconds


def check_system(os_release: str) -> Finding:
    """Check that the roles know this distribution; `os_release` is the text of that file."""
    subject = "operating system"
    settings = parse_settings(os_release)
    name = settings.get("PRETTY_NAME", "unknown")
    found = f"{settings.get('ID', '')}-{settings.get('VERSION_ID', '')}"
    if found in [system.name for system in systems.SUPPORTED]:
        return Finding(OK, subject, name)
    return Finding(FAIL, subject, f"{name} is not supported", f"use a VM with {systems.text()}")


@dataclass(frozen=True)
class User:
    """Who runs the doctor.

    Attributes:
        name: login name, or the number of an account without one.
        privilege: how the account becomes root: "root", "sudo", "password" or "none".
        groups: names of the groups of this login.
        listed_groups: groups in the system's list, which the next login will have.

    """

    name: str
    privilege: str
    groups: FrozenSet[str]
    listed_groups: FrozenSet[str]

    @property
    def may_become_root(self) -> bool:
        """Tell whether apt-get and the like are open to this user, maybe with a password."""
        return self.privilege != "none"

    @property
    def asks_by_sudo(self) -> bool:
        """Tell whether this user reaches the engine through the host program alone."""
        return self.privilege == "none" and account.asks_by_sudo(self.groups)


def current_user() -> User:
    """Return the user who runs this program."""
    name, groups = account.name(), account.groups()
    return User(name, account.privilege(sorted(groups)), groups, account.listed_groups(name))


def check_rights(user: User) -> Finding:
    """Check what `user` may do: provision a VM (install, open ports) or release to one."""
    subject = "rights"
    if user.may_become_root:
        text = f"{user.name} may provision and release ({BY[user.privilege]})"
        return Finding(OK, subject, text)
    if "docker" in user.groups:
        return Finding(
            WARN,
            subject,
            f"{user.name} may release (docker group), but not provision a new VM (no sudo)",
            f"none needed on a provisioned VM; else an administrator: "
            f"sudo usermod -aG sudo {user.name}",
        )
    if user.asks_by_sudo:
        text = f"{user.name} may release, through `classvm`, and nothing else (`students`)"
        return Finding(OK, subject, text)
    if {*RELEASING, "sudo"} & user.listed_groups:
        text = f"{user.name} was added to a group with rights, but after this login"
        return Finding(FAIL, subject, text, "log out and in again")
    return Finding(
        FAIL,
        subject,
        f"{user.name} may neither provision nor release (no sudo, in no group that releases)",
        f"an administrator: name {user.name} in `students`, then `make provision`; "
        "then log out and in again",
    )


def size(number: int) -> str:
    """Return a number of bytes as people write it."""
    return f"{number / GB:.1f} GB" if number >= GB else f"{number / MB:.0f} MB"


def check_disk(subject: str, path: str, megabytes: int, fix: str) -> Finding:
    """Check that the disk which holds a folder, present or to be made, has room and inodes."""
    try:
        host.require_space(path, megabytes)
    except ClassvmError as problem:
        return Finding(FAIL, subject, first_line(problem), fix)
    except OSError as problem:
        return Finding(WARN, subject, f"cannot be measured: {problem}", f"df -h {path}")
    return Finding(OK, subject, f"at least {size(megabytes * MB)} free for {path}")


def check_state_folder(path: Path, user: User) -> Finding:
    """Check that the group docker may write the folder that records the releases."""
    subject = "state folder"
    fix = PROVISION
    try:
        found = path.stat()
    except FileNotFoundError:
        return Finding(OK, subject, f"{path} is not there yet; `make provision` makes it")
    except OSError as problem:
        return Finding(FAIL, subject, f"{path} cannot be looked at: {problem.strerror}", fix)
    mode = stat.S_IMODE(found.st_mode)
    group = next(iter(account.group_names([found.st_gid])), str(found.st_gid))
    if mode == STATE_MODE and group == "docker":
        return Finding(OK, subject, f"{path} belongs to the group docker")
    text = f"{path} has mode {mode:04o} and group {group} instead of {STATE_MODE:04o} and docker"
    return Finding(WARN if user.may_become_root else FAIL, subject, text, fix)


def check_memory(meminfo: str) -> Finding:
    """Check the memory that is available; `meminfo` is the text of /proc/meminfo."""
    subject = "memory"
    found = re.search(r"^MemAvailable:\s+(\d+) kB", meminfo, flags=re.MULTILINE)
    if not found:
        return Finding(WARN, subject, "the kernel does not tell what is available", "free -h")
    available = int(found[1]) * 1024
    if available >= MEMORY_NEEDED:
        return Finding(OK, subject, f"{size(available)} available")
    text = f"{size(available)} available, needs {size(MEMORY_NEEDED)}"
    return Finding(FAIL, subject, text, "ps aux --sort=-rss | head   # and stop what can wait")


def newest_file(folders: Iterable[Path]) -> float:
    """Return when the newest file in these folders changed, in seconds since 1970."""
    times = [file.lstat().st_mtime for folder in folders for file in folder.glob("*")]
    return max(times, default=0)


def check_clock(now: float, newest: float, run: Run = run) -> Finding:
    """Check the clock: apt and TLS refuse what seems to be signed in the future."""
    subject = "clock"
    shown = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(now))
    fix = "sudo timedatectl set-ntp true"
    if time.gmtime(now).tm_year < FIRST_YEAR:
        return Finding(FAIL, subject, f"{shown} is long past", fix)
    if now + CLOCK_TOLERANCE < newest:
        return Finding(FAIL, subject, f"{shown} is older than the files of this checkout", fix)
    # A container has the clock of the machine that runs it, and no right to set it.
    if run(["systemd-detect-virt", "--container", "--quiet"]).code == 0:
        return Finding(OK, subject, f"{shown}, as on the machine that runs this container")
    answer = run(["timedatectl", "show", "--property=NTPSynchronized", "--value"])
    if answer.code == 0 and answer.out.strip() == "no":
        return Finding(WARN, subject, f"{shown}, but no time server keeps it right", fix)
    return Finding(OK, subject, shown)
