"""Tell whether a host still is as its last provision left it, so that a redeploy can skip that.

The record says what the provision was; the host itself says what is left of it.
"""

from __future__ import annotations

import contextlib
import grp
import hashlib
import json
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence

from ..base import command, installed, state
from ..base.docker import NOT_IN_GROUP, Docker
from ..base.edge import Edge
from . import engine, guard, haproxy, students
from .fingerprint_parts import Fingerprint

RECORD = "provision.json"
OWNER, GROUP = 0, "docker"
FOLDER_MODE, FILE_MODE = 0o2775, state.FILE_MODE
# The rights of accounts that are neither a file's owner nor in its group.
OTHERS = 0o007
# In the place of the digest of a file that this account may not read.
NOT_READABLE = "not readable"


@dataclass(frozen=True)
class Account:
    """What the account that asks may do.

    Attributes:
        may_provision: whether it could become root. Whoever could not has the VM as an admin
            chose to provision it: their own inventory's variables do not count.
        as_root: words before a command that make it root's; None where that needs a password or
            is not allowed.

    """

    may_provision: bool = True
    as_root: Optional[Sequence[str]] = ()


def why_stale(
    docker: Docker,
    state_dir: str,
    desired: str,
    base_image: str,
    account: Account = Account(),
) -> str:
    """Return why a host needs its provision (again), or "" when it does not.

    Args:
        docker: the host's engine, asked with whatever right the account has.
        state_dir: the host's state folder.
        desired: fingerprint of the provision that the control node describes.
        base_image: name of the base image; "" asks nothing.
        account: what this account may do.

    """
    return next(filter(None, _reasons(docker, state_dir, desired, base_image, account)), "")


def problems(
    docker: Docker, state_dir: str, desired: str, base_image: str, as_root: Optional[Sequence[str]]
) -> List[str]:
    """Return all reasons for which a host needs its provision again, for a person who only looks.

    The values of variables do not count: who looks has not read those of all roles.

    Args:
        docker: as for `why_stale`.
        state_dir: the same.
        desired: the same.
        base_image: the same.
        as_root: words before a command that make it root's, None where this account cannot be root.

    """
    account = Account(may_provision=False, as_root=as_root)
    return list(filter(None, _reasons(docker, state_dir, desired, base_image, account)))


def _reasons(
    docker: Docker,
    state_dir: str,
    desired: str,
    base_image: str,
    account: Account,
) -> Iterator[str]:
    """Yield what is wrong, or "", from what is cheap to what is not."""
    yield state_problem(state_dir)
    record = read_record(state_dir)
    yield _record_problem(record, desired, account)
    if not record:  # that is reason enough for all the rest
        return
    yield _file_problem(record.get("files", {}), account.as_root)
    if account.as_root is not None:
        yield guard.problem(account.as_root)
    problem = docker.engine_problem()
    if problem == NOT_IN_GROUP:  # `unseen` names what could not be asked
        return
    yield problem
    if problem:
        return
    yield engine.problem(docker)
    if base_image and not docker.image(base_image):
        yield f"the base image {base_image} is missing"
    yield haproxy.problem(Edge.load(state_dir))


def unseen(docker: Docker, account: Account) -> str:
    """Return what only root could tell of this host, or "" when everything was asked."""
    if account.as_root is not None:
        return ""
    if docker.engine_problem() == NOT_IN_GROUP:
        return "whether the engine is as it should be"
    return "whether the guard is loaded" if guard.Files().rules.exists() else ""


def _record_problem(record: Dict[str, Any], desired: str, account: Account) -> str:
    if not record:
        return "this host was never provisioned"
    recorded = Fingerprint.parsed(str(record.get("fingerprint", "")))
    wanted = Fingerprint.parsed(desired)
    if recorded.roles != wanted.roles:
        return "the roles have changed since this host was provisioned"
    # Who cannot provision asks the program that is here: the two agree on a protocol.
    if account.may_provision and recorded.program != wanted.program:
        return "the host program has changed since this host was provisioned"
    if account.may_provision and recorded.variables != wanted.variables:
        return "the roles' variables have changed since this host was provisioned"
    return ""


# --- The files of the provision -----------------------------------------------------------------


def digests() -> Dict[str, str]:
    """Return the digest of each file of the provision that is there, by its path."""
    paths = [*guard.watched(), *haproxy.watched(), engine.UNIT_LINK, students.SUDOERS]
    paths += map(Path, installed.watched())
    return {str(path): digest for path in paths for digest in filter(None, [_digest(path)])}


def _digest(path: Path) -> str:
    try:
        content = os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
    except FileNotFoundError:
        return ""
    except PermissionError:
        return NOT_READABLE
    return hashlib.sha256(content).hexdigest()


def _file_problem(recorded: Dict[str, str], as_root: Optional[Sequence[str]]) -> str:
    present = digests()
    for path in sorted({*recorded, *present}):
        found = present.get(path, "")
        if found == NOT_READABLE:
            if as_root is None:
                continue
            found = _digest_as_root(path, as_root)
        if recorded.get(path, "") == found:
            continue
        changed = f"{path} has changed since this host was provisioned"
        return changed if found else f"{path} is missing"
    return ""


def _digest_as_root(path: str, as_root: Sequence[str]) -> str:
    """Return the digest of a file that this account may not read, "" where there is none."""
    done = command.run([*as_root, "sha256sum", path])
    return done.out.partition(" ")[0] if done.code == 0 else ""


# --- The state folder ---------------------------------------------------------------------------


def state_problem(state_dir: str) -> str:
    """Return what is wrong with the rights of the state folder or of a file in it, or ""."""
    wrong = next(iter(misplaced(state_dir)), None)
    if wrong is None:
        return ""
    status = os.stat(wrong)
    mode = f"{stat.S_IMODE(status.st_mode):04o}"
    is_open = wrong != state_dir and state.is_private(wrong) and status.st_mode & OTHERS
    reason = "other accounts can read it" if is_open else f"the group {GROUP} cannot use it"
    if not _may_own(status):
        reason = f"its owner is not in the group {GROUP}"
    return f"{wrong} has owner {status.st_uid}, group {status.st_gid} and mode {mode}: {reason}"


def misplaced(state_dir: str) -> List[str]:
    """Return the state folder and those of its files that have other rights than they should."""
    try:
        group = grp.getgrnam(GROUP).gr_gid
        status = os.stat(state_dir)
    except (KeyError, FileNotFoundError):  # before the first provision
        return []
    if (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) != (OWNER, group, FOLDER_MODE):
        return [state_dir]
    found = []
    for entry in os.scandir(state_dir):
        with contextlib.suppress(FileNotFoundError):  # a deploy replaces files meanwhile
            status = entry.stat(follow_symlinks=False)
            is_well = not stat.S_ISREG(status.st_mode) or _has_rights(entry.path, status, group)
            if not is_well or not _may_own(status):
                found.append(entry.path)
    return found


def _has_rights(path: str, status: os.stat_result, group: int) -> bool:
    too_open = state.is_private(path) and status.st_mode & OTHERS
    needed = state.file_mode(path)
    return status.st_gid == group and status.st_mode & needed == needed and not too_open


def _may_own(status: os.stat_result) -> bool:
    """Tell whether a file belongs to root or to a member of the group: the owner may write it in any case."""
    if _is_owner(status):
        return True
    try:
        owner = pwd.getpwuid(status.st_uid)
        group = grp.getgrnam(GROUP)
    except KeyError:
        return False
    return owner.pw_name in group.gr_mem or owner.pw_gid == group.gr_gid


def _is_owner(status: os.stat_result) -> bool:
    return status.st_uid == OWNER


def repair_state(state_dir: str) -> None:
    """Give the state folder and its files to root and to the docker group. Needs root."""
    while True:
        wrong = misplaced(state_dir)
        if not wrong:
            return
        for path in wrong:
            os.chown(path, OWNER, grp.getgrnam(GROUP).gr_gid, follow_symlinks=False)
            if not os.path.islink(path):
                os.chmod(path, FOLDER_MODE if os.path.isdir(path) else state.file_mode(path))


# --- The record ---------------------------------------------------------------------------------


def read_record(state_dir: str) -> Dict[str, Any]:
    """Return the record; {} where there is none, or a power cut left no legible one."""
    try:
        record = json.loads((Path(state_dir) / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def write_record(state_dir: str, desired: str) -> None:
    """Remember that the provision with this fingerprint is complete, and what it left here."""
    record = Path(state_dir) / RECORD
    new = record.with_suffix(".new")
    content = {"fingerprint": desired, "files": digests()}
    new.write_text(json.dumps(content) + "\n", encoding="utf-8")
    new.chmod(FILE_MODE)
    new.replace(record)
