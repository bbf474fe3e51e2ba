"""What the present account may do on a host."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import shutil
from typing import Any, Dict, FrozenSet, Iterable, Optional, Sequence, Tuple

from . import command

ADMIN_GROUPS = ("sudo", "wheel", "admin")
# What sudo says with `Defaults requiretty`.
WANTS_TERMINAL = "must have a tty"
SUDO = ("sudo", "--non-interactive")
# Its members may use the engine.
ENGINE_GROUP = "docker"
# Its members may ask the host program, through sudo, about their service.
STUDENT_GROUP = "classvm"


def described() -> Dict[str, Any]:
    """Return what this account may do on the host, as the module `classvm_account_info` documents it."""
    own_name, own_groups = name(), groups()
    own_privilege = privilege(sorted(own_groups))
    return {
        "account": own_name,
        "privilege": own_privilege,
        "obstacle": obstacle() if own_privilege == "none" else "",
        "engine_access": os.geteuid() == 0 or ENGINE_GROUP in own_groups,
        "release_only": own_privilege == "none" and asks_by_sudo(own_groups),
        "password_hint": without_password(own_name, own_groups, listed_groups(own_name)),
    }


def asks_by_sudo(groups: Iterable[str]) -> bool:
    """Tell whether an account of these groups reaches the engine through the host program alone."""
    own = frozenset(groups)
    return STUDENT_GROUP in own and ENGINE_GROUP not in own and os.geteuid() != 0


def name() -> str:
    """Return the account's login name, or its number where it has none."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def groups() -> FrozenSet[str]:
    """Return the names of the groups of this login."""
    return group_names([*os.getgroups(), os.getegid()])


def listed_groups(account: str) -> FrozenSet[str]:
    """Return the groups in the system's list, which the next login of an account will have."""
    try:
        return group_names(os.getgrouplist(account, pwd.getpwnam(account).pw_gid))
    except KeyError:
        return frozenset()


def group_names(numbers: Iterable[int]) -> FrozenSet[str]:
    """Return the names of groups; one that the system does not list has none."""
    names = set()
    for number in numbers:
        with contextlib.suppress(KeyError):
            names.add(grp.getgrgid(number).gr_name)
    return frozenset(names)


def without_password(account: str, here: Iterable[str], listed: Iterable[str]) -> str:
    """Return how an account with sudo uses the engine without a password, or "" where it does.

    Args:
        account: its name.
        here: groups of this login.
        listed: groups of the next login.

    """
    if ENGINE_GROUP in here:
        return ""
    if ENGINE_GROUP in listed:
        return (
            f"{account} is in the {ENGINE_GROUP} group, but this login began before that:"
            " log out and in again, and no password is asked for."
        )
    return (
        f"To be asked for no password any more: sudo usermod -aG {ENGINE_GROUP} {account},"
        " then log out and in again."
    )


def privilege(groups: Sequence[str]) -> str:
    """Return how this account can become root: "root", "sudo", "password" or "none".

    Args:
        groups: names of the account's groups.

    """
    if os.geteuid() == 0:
        return "root"
    if shutil.which("sudo") is None:
        return "none"
    tried = command.run([*SUDO, "true"])
    if tried.code == 0:
        return "sudo"
    # A password does not help there.
    if WANTS_TERMINAL in tried.err:
        return "none"
    return "password" if set(groups) & set(ADMIN_GROUPS) else "none"


def obstacle() -> str:
    """Return what keeps an account from sudo that may use it otherwise, or ""."""
    if os.geteuid() == 0 or shutil.which("sudo") is None:
        return ""
    if WANTS_TERMINAL not in command.run([*SUDO, "true"]).err:
        return ""
    return (
        "sudo there wants a terminal (requiretty), which Ansible has without pipelining:"
        ' run the command with ARGS="-e ansible_pipelining=false"'
    )


def root_argv(privilege: str) -> Optional[Tuple[str, ...]]:
    """Return the words that make a command root's, or None where this account cannot be root.

    Args:
        privilege: as ``privilege`` returns it. An account that has to type a password cannot.

    """
    return {"root": (), "sudo": SUDO}.get(privilege)
