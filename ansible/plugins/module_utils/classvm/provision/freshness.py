"""Tell whether a host still is as its last provision left it, so that a redeploy can skip that.

The record says what the provision was; the host itself says what is left of it.
"""

from __future__ import annotations

import contextlib
import grp
import hashlib
import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence

from ..base import state
from ..base.docker import NOT_IN_GROUP, Docker
from ..base.edge import Edge
from . import engine, guard, haproxy

RECORD = "provision.json"
OWNER, GROUP = 0, "docker"
FOLDER_MODE, FILE_MODE = 0o2775, state.FILE_MODE
# The rights of accounts that are neither a file's owner nor in its group.
OTHERS = 0o007


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
        base_image: name of the base image.
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
    yield _file_problem(record.get("files", {}))
    if account.as_root is not None:
        yield guard.problem(account.as_root)
    problem = docker.engine_problem()
    if problem == NOT_IN_GROUP:  # `unseen` names what could not be asked
        return
    yield problem
    if problem:
        return
    yield engine.problem(docker)
    yield "" if docker.image(base_image) else f"the base image {base_image} is missing"
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
    recorded = str(record.get("fingerprint", ""))
    if recorded.partition("-")[0] != desired.partition("-")[0]:
        return "the roles have changed since this host was provisioned"
    if account.may_provision and recorded != desired:
        return "the roles' variables have changed since this host was provisioned"
    return ""


# --- The files of the provision -----------------------------------------------------------------


def digests() -> Dict[str, str]:
    """Return the digest of each file of the provision that is there, by its path."""
    paths = [*guard.watched(), *haproxy.watched(), engine.UNIT_LINK]
    return {str(path): digest for path in paths for digest in filter(None, [_digest(path)])}


def _digest(path: Path) -> str:
    try:
        content = os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
    except FileNotFoundError:
        return ""
    except PermissionError:
        return "not readable"
    return hashlib.sha256(content).hexdigest()


def _file_problem(recorded: Dict[str, str]) -> str:
    present = digests()
    for path in sorted({*recorded, *present}):
        if path not in present:
            return f"{path} is missing"
        if recorded.get(path) != present[path]:
            return f"{path} has changed since this host was provisioned"
    return ""


# --- The state folder ---------------------------------------------------------------------------


def state_problem(state_dir: str) -> str:
    """Return what is wrong with the rights of the state folder or of a file in it, or ""."""
    wrong = next(iter(misplaced(state_dir)), None)
    if wrong is None:
        return ""
    status = os.stat(wrong)
    mode = f"{stat.S_IMODE(status.st_mode):04o}"
    is_open = wrong != state_dir and _is_secret(wrong) and status.st_mode & OTHERS
    reason = "other accounts can read it" if is_open else f"the group {GROUP} cannot use it"
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
            if stat.S_ISREG(status.st_mode) and not _has_rights(entry.path, status, group):
                found.append(entry.path)
    return found


def _has_rights(path: str, status: os.stat_result, group: int) -> bool:
    too_open = _is_secret(path) and status.st_mode & OTHERS
    needed = _file_mode(path)
    return status.st_gid == group and status.st_mode & needed == needed and not too_open


def _file_mode(path: str) -> int:
    return state.KEY_MODE if _is_secret(path) else FILE_MODE


def _is_secret(path: str) -> bool:
    """Tell whether a file is the key for secrets, or the beginning of one."""
    return os.path.basename(path).startswith(state.KEY)


def repair_state(state_dir: str) -> None:
    """Give the state folder and its files to the docker group. Needs root."""
    while True:
        wrong = misplaced(state_dir)
        if not wrong:
            return
        for path in wrong:
            os.chown(path, OWNER if path == state_dir else -1, grp.getgrnam(GROUP).gr_gid)
            os.chmod(path, FOLDER_MODE if path == state_dir else _file_mode(path))


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
