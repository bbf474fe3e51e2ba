"""The accounts of students: their group, and the rules of sudo."""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from classvm.base import installed
from classvm.base.errors import ClassvmError
from classvm.program import schema, student
from classvm.provision import students
from classvm.provision.students import DOCKER_GROUP, RELEASE_ONLY, Desired, Files

COMMANDS = [
    ["/bin/classvm", "--student", "status", "--json"],
    ["/bin/classvm", "--student", "stop", "--json"],
]
ADA = Desired(["ada"], RELEASE_ONLY, COMMANDS)
ACCOUNTS = {"ada": 1001, "bob": 1002, "root": 0}


@pytest.fixture(autouse=True)
def groups(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Return the members of the groups of the host, by group."""
    found: dict[str, list[str]] = {"docker": []}
    monkeypatch.setattr(pwd, "getpwnam", lambda name: SimpleNamespace(pw_uid=ACCOUNTS[name]))
    monkeypatch.setattr(grp, "getgrnam", lambda name: SimpleNamespace(gr_mem=found[name]))
    return found


@pytest.fixture
def programs(program: Callable[..., Path]) -> dict[str, Path]:
    """Return the files that tell how the host's programs were called."""
    return {name: program(name) for name in ("groupadd", "usermod", "gpasswd", "visudo")}


def called(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def test_a_student_joins_the_group_and_sudo_gets_its_rules(
    programs: dict[str, Path], tmp_path: Path
) -> None:
    sudoers = tmp_path / "classvm"
    assert students.missing(ADA, Files(sudoers)) == ["ada into classvm", str(sudoers)]
    students.install(ADA, Files(sudoers))
    assert called(programs["groupadd"]) == ["--system --force classvm"]
    assert called(programs["usermod"]) == ["--append --groups classvm ada"]
    assert called(programs["visudo"]) == [f"--check --quiet --file {sudoers}.new"]
    assert sudoers.stat().st_mode & 0o7777 == 0o440
    assert sorted(os.listdir(tmp_path)).count("classvm.new") == 0


def test_the_rules_are_whole_command_lines() -> None:
    lines = ADA.rules.splitlines()
    assert lines[1].startswith("Defaults!/bin/classvm env_reset, !setenv")
    assert lines[2:] == [
        "%classvm ALL=(root) NOPASSWD: \\",
        "    /bin/classvm --student status --json, \\",
        "    /bin/classvm --student stop --json",
    ]


def test_the_rules_of_the_host_program_have_no_pattern() -> None:
    """A star would let a student add words; `visudo` would not mind."""
    commands = [student.argv(verb) for verb in schema.VERBS]
    rules = Desired(["ada"], RELEASE_ONLY, commands).rules
    assert not set("*?[]") & set(rules.partition("NOPASSWD")[2])
    assert rules.count("--student") == len(schema.VERBS)


@pytest.mark.usefixtures("programs")
def test_rules_that_sudo_would_not_read_never_count(
    program: Callable[..., Path], tmp_path: Path
) -> None:
    """A mistake in one file of sudo would lock out every admin."""
    program("visudo", "echo syntax error >&2; exit 1")
    sudoers = tmp_path / "sudo" / "classvm"
    sudoers.parent.mkdir()
    with pytest.raises(ClassvmError, match="were refused by visudo"):
        students.install(ADA, Files(sudoers))
    assert list(sudoers.parent.iterdir()) == []


@pytest.mark.usefixtures("programs")
def test_what_is_as_desired_is_left_alone(groups: dict[str, list[str]], tmp_path: Path) -> None:
    groups["classvm"] = ["ada"]
    sudoers = tmp_path / "classvm"
    students.install(ADA, Files(sudoers))
    assert students.missing(ADA, Files(sudoers)) == []


def test_who_is_no_longer_named_leaves(
    groups: dict[str, list[str]], programs: dict[str, Path], tmp_path: Path
) -> None:
    groups["classvm"] = ["ada", "bob"]
    sudoers = tmp_path / "classvm"
    assert "bob out of classvm" in students.missing(ADA, Files(sudoers))
    students.install(ADA, Files(sudoers))
    assert called(programs["gpasswd"]) == ["--delete bob classvm"]


@pytest.mark.parametrize(
    ("access", "joins", "leaves"),
    [
        (DOCKER_GROUP, "--append --groups docker ada", "--delete ada classvm"),
        (RELEASE_ONLY, "--append --groups classvm ada", "--delete ada docker"),
    ],
)
def test_the_access_is_switched(  # noqa: PLR0913, PLR0917 - three of them are cases
    access: str,
    joins: str,
    leaves: str,
    groups: dict[str, list[str]],
    programs: dict[str, Path],
    tmp_path: Path,
) -> None:
    groups["docker" if access == RELEASE_ONLY else "classvm"] = ["ada"]
    groups.setdefault("classvm", [])
    sudoers = tmp_path / "classvm"
    sudoers.write_text("before")
    files = Files(sudoers, str(tmp_path / "record"))
    students.install(Desired(["ada"], access, COMMANDS), files)
    assert called(programs["usermod"]) == [joins]
    assert called(programs["gpasswd"]) == [leaves]
    assert sudoers.exists() is (access == RELEASE_ONLY)


def test_without_students_nothing_is_left(
    groups: dict[str, list[str]], programs: dict[str, Path], tmp_path: Path
) -> None:
    groups["classvm"] = ["ada"]
    sudoers = tmp_path / "classvm"
    sudoers.write_text("before")
    none = Desired([], RELEASE_ONLY, COMMANDS)
    students.install(none, Files(sudoers))
    assert not sudoers.exists()
    assert called(programs["groupadd"]) == []
    groups["classvm"] = []
    assert students.missing(none, Files(sudoers)) == []


def test_an_account_that_is_not_there_is_told() -> None:
    with pytest.raises(ClassvmError, match="The account eve of `students` does not exist"):
        students.missing(Desired(["eve"], RELEASE_ONLY, COMMANDS), Files())
    with pytest.raises(ClassvmError, match="is root"):
        students.missing(Desired(["root"], RELEASE_ONLY, COMMANDS), Files())


# --- Who was put into the docker group ------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Return the files of a host of which nothing is recorded."""
    return Files(tmp_path / "classvm", str(tmp_path / "students.json"))


def test_who_was_put_into_the_docker_group_leaves_it(
    groups: dict[str, list[str]], programs: dict[str, Path], files: Files
) -> None:
    students.install(Desired(["ada"], DOCKER_GROUP, COMMANDS), files)
    assert students.recorded(files) == {"ada"}
    groups["docker"] = ["ada", "admin"]
    none = Desired([], RELEASE_ONLY, COMMANDS)
    assert students.missing(none, files) == ["ada out of docker", files.record]
    students.install(none, files)
    assert called(programs["gpasswd"]) == ["--delete ada docker"]
    groups["docker"] = ["admin"]
    assert students.missing(none, files) == []


@pytest.mark.usefixtures("programs")
def test_who_was_in_the_docker_group_before_stays(
    groups: dict[str, list[str]], files: Files
) -> None:
    groups["docker"] = ["ada"]
    students.install(Desired(["ada"], DOCKER_GROUP, COMMANDS), files)
    assert students.recorded(files) == set()
    assert students.missing(Desired([], RELEASE_ONLY, COMMANDS), files) == []


def test_a_run_that_is_killed_has_recorded_whom_it_puts_there(
    program: Callable[..., Path], programs: dict[str, Path], files: Files
) -> None:
    del programs
    program("usermod", "exit 1")
    with pytest.raises(ClassvmError):
        students.install(Desired(["ada"], DOCKER_GROUP, COMMANDS), files)
    assert students.recorded(files) == {"ada"}


@pytest.mark.usefixtures("programs")
def test_an_account_that_an_admin_names_for_the_engine_stays(
    groups: dict[str, list[str]], files: Files
) -> None:
    students.install(Desired(["ada"], DOCKER_GROUP, COMMANDS), files)
    groups["docker"] = ["ada"]
    desired = Desired([], DOCKER_GROUP, COMMANDS, ["ada"])
    assert students.missing(desired, files) == [files.record]
    students.install(desired, files)
    assert students.missing(desired, files) == []


def test_an_account_cannot_be_in_the_docker_group_and_out_of_it(files: Files) -> None:
    with pytest.raises(ClassvmError, match=r"ada is named by `students`.*and by `docker_users`"):
        students.missing(Desired(["ada"], RELEASE_ONLY, COMMANDS, ["ada"]), files)


@pytest.mark.parametrize("text", ["", "{", "{}", "[" * 100_000])
def test_a_record_that_is_not_legible_names_nobody(text: str, files: Files) -> None:
    Path(files.record).write_text(text)
    assert students.recorded(files) == set()


def test_the_record_is_in_the_state_folder_of_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "state_dir", lambda: "/srv/state")
    assert Files.here().record == "/srv/state/students.json"
    monkeypatch.setattr(installed, "state_dir", lambda: "")
    assert students.recorded(Files.here()) == set()
