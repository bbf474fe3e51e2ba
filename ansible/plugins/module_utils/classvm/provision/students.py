"""Let the accounts of students ask about their service: as members of a group that sudo knows, or of the engine's."""

from __future__ import annotations

import contextlib
import grp
import json
import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import List, Sequence, Set, Tuple

from ..base import account, command, installed, state
from ..base.errors import ClassvmError

RELEASE_ONLY, DOCKER_GROUP = "release_only", "docker_group"
SUDOERS = Path("/etc/sudoers.d/classvm")
SUDOERS_MODE = 0o440
# In the state folder: which accounts were put into the engine's group here. Others are there by an admin's hand.
RECORD = "students.json"
SECURE_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Files:
    """What is written.

    Attributes:
        sudoers: the drop-in of sudo.
        record: which accounts were put into the engine's group here; "" on a host without a state folder.

    """

    sudoers: Path = SUDOERS
    record: str = ""

    @classmethod
    def here(cls) -> Files:
        """Return those of this host."""
        state_dir = installed.state_dir()
        return cls(record=os.path.join(state_dir, RECORD) if state_dir else "")


@dataclass(frozen=True)
class Desired:
    """Who may ask, and how.

    Attributes:
        accounts: names of the students' accounts.
        access: ``RELEASE_ONLY``, or ``DOCKER_GROUP``: as good as root.
        commands: the command lines that sudo allows, word by word.
        engine_users: accounts that an admin lets use the engine: they stay in its group.

    """

    accounts: Sequence[str]
    access: str
    commands: Sequence[Sequence[str]]
    engine_users: Sequence[str] = ()

    @property
    def in_engine_group(self) -> Set[str]:
        """The students that shall be in the engine's group."""
        return set(self.accounts) if self.access == DOCKER_GROUP else set()

    @property
    def rules(self) -> str:
        """The text of sudo's drop-in, "" where none is needed."""
        if not self.accounts or self.access != RELEASE_ONLY:
            return ""
        group, program = account.STUDENT_GROUP, self.commands[0][0]
        allowed = ", \\\n    ".join(" ".join(words) for words in self.commands)
        return (
            "# Written by classvm, anew with each `make provision`. No word may be added to these commands.\n"
            f'Defaults!{program} env_reset, !setenv, !requiretty, secure_path="{SECURE_PATH}"\n'
            f"%{group} ALL=(root) NOPASSWD: \\\n    {allowed}\n"
        )


def missing(desired: Desired, files: Files) -> List[str]:
    """Return what is not as desired, a phrase each.

    Raises:
        ClassvmError: an account does not exist, or shall both be and not be in the engine's group.

    """
    require_accounts(desired.accounts)
    both = set(desired.accounts) & set(desired.engine_users) - desired.in_engine_group
    if both:
        raise ClassvmError(
            f"{min(both)} is named by `students`, who may not use the engine, and by `docker_users`, who may",
            fix="Take it out of one of them, then run `make provision`.",
        )
    found = [f"{name} into {group}" for name, group in _joining(desired)]
    found += [f"{name} out of {group}" for name, group in _leaving(desired, files)]
    if _text(files.sudoers) != desired.rules:
        found.append(str(files.sudoers))
    if recorded(files) - desired.in_engine_group:
        found.append(files.record)
    return found


def install(desired: Desired, files: Files) -> None:
    """Put the accounts into their group, and the rules into their place once `visudo` has found them valid.

    Raises:
        ClassvmError: the rules are not valid, or a program failed.

    """
    if desired.accounts:
        command.check(["groupadd", "--system", "--force", account.STUDENT_GROUP])
    # Before anybody joins the group.
    _write(desired.rules, files.sudoers)
    joining, leaving = _joining(desired), _leaving(desired, files)
    put = recorded(files) | {name for name, group in joining if group == account.ENGINE_GROUP}
    # Before anybody joins: a run that is killed has put nobody there unseen.
    _record(put, files)
    for name, group in joining:
        command.check(["usermod", "--append", "--groups", group, name])
    for name, group in leaving:
        command.check(["gpasswd", "--delete", name, group])
    _record(put & desired.in_engine_group, files)


def recorded(files: Files) -> Set[str]:
    """Return the accounts that were put into the engine's group here."""
    try:
        found = json.loads(state.read(files.record) or "[]") if files.record else []
    except (ValueError, RecursionError):
        return set()
    return set(map(str, found)) if isinstance(found, list) else set()


def _record(names: Set[str], files: Files) -> None:
    if names != recorded(files):
        state.write_atomically(files.record, json.dumps(sorted(names)) + "\n")


def require_accounts(names: Sequence[str]) -> None:
    """Make sure that accounts exist, and are not root's.

    Raises:
        ClassvmError: one does not.

    """
    for name in names:
        try:
            number = pwd.getpwnam(name).pw_uid
        except KeyError:
            raise ClassvmError(
                f"The account {name} of `students` does not exist on this host",
                fix=f"Make it with `sudo adduser {name}`, or correct `students`.",
            ) from None
        if number == 0:
            raise ClassvmError(f"{name} of `students` is root", fix="Correct `students`.")


def _joining(desired: Desired) -> List[Tuple[str, str]]:
    group = account.ENGINE_GROUP if desired.access == DOCKER_GROUP else account.STUDENT_GROUP
    present = members(group)
    return [(name, group) for name in desired.accounts if name not in present]


def _leaving(desired: Desired, files: Files) -> List[Tuple[str, str]]:
    """Return who leaves which group.

    Of the students' one, all others; of the engine's, those who were put there, and students who may not be there.
    """
    students = set(desired.accounts) - desired.in_engine_group
    put = recorded(files) - desired.in_engine_group - set(desired.engine_users)
    engine = members(account.ENGINE_GROUP) & (put | students)
    found = [(name, account.STUDENT_GROUP) for name in members(account.STUDENT_GROUP) - students]
    return sorted([*found, *((name, account.ENGINE_GROUP) for name in engine)])


def members(group: str) -> Set[str]:
    """Return the accounts that a group lists."""
    with contextlib.suppress(KeyError):
        return set(grp.getgrnam(group).gr_mem)
    return set()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def _write(rules: str, sudoers: Path) -> None:
    if not rules:
        with contextlib.suppress(FileNotFoundError):
            sudoers.unlink()
        return
    # sudo skips a file whose name has a dot: it does not count until it is renamed.
    new = sudoers.with_name(f"{sudoers.name}.new")
    with contextlib.suppress(FileNotFoundError):
        new.unlink()
    descriptor = os.open(str(new), os.O_WRONLY | os.O_CREAT | os.O_EXCL, SUDOERS_MODE)
    with open(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), SUDOERS_MODE)
        file.write(rules)
    checked = command.run(["visudo", "--check", "--quiet", "--file", str(new)])
    if checked.code:
        new.unlink()
        raise command.CommandError(
            checked,
            f"The rules for {sudoers} were refused by visudo",
            fix="Nothing was changed; `sudo visudo --check` tells whether sudo has another problem.",
        )
    new.replace(sudoers)
