"""A student has no sudo, only the docker group, and a clone of their own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from machine import ROOT, Run, get, live, play, run

pytestmark = pytest.mark.usefixtures("deployed")

ACCOUNT = "classvm-student"


@dataclass(frozen=True)
class Student:
    """An account of this machine and its clone of the project."""

    clone: Path

    def make(self, *words: str) -> Run:
        """Run make in the clone, as the student, in a login shell."""
        command = f"cd {self.clone} && make {' '.join(words)}"
        return run("su", "--login", ACCOUNT, "--command", command)

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text in the clone."""
        path = self.clone / name
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new, 1))


@pytest.fixture(scope="module")
def student(deployed: Run) -> Iterator[Student]:
    """Return a student with a fresh clone on the provisioned machine."""
    assert deployed.code == 0
    run("userdel", "--remove", ACCOUNT)
    made = run("useradd", "--create-home", "--shell", "/bin/bash", "--groups", "docker", ACCOUNT)
    assert made.code == 0, made.text
    clone = Path(f"~{ACCOUNT}").expanduser() / "classvm"
    # As `git clone` would, with what is not committed yet.
    shutil.copytree(
        ROOT,
        clone,
        ignore=shutil.ignore_patterns(".venv", "__pycache__", ".*_cache", ".hypothesis"),
    )
    run("chown", "--recursive", f"{ACCOUNT}:", str(clone))
    yield Student(clone)
    assert run("userdel", "--remove", ACCOUNT).code == 0
    assert play("deploy").code == 0


def test_a_student_releases_a_changed_line(student: Student) -> None:
    before = live()
    student.edit("service/src/hello.py", "Hello", "Student here, hello")
    deploy = student.make("deploy")
    assert deploy.code == 0, deploy.text
    assert "operations verified" in deploy.last_line
    assert live()["Id"] != before["Id"]
    assert "Student here" in get("/e222/hello")


def test_a_student_is_told_what_needs_an_admin(student: Student) -> None:
    before = live()
    student.edit("roles/docker/defaults/main.yml", "10m", "20m")
    deploy = student.make("deploy")
    assert deploy.code != 0
    assert "needs an admin: the roles or their variables have changed" in deploy.last_line
    assert live()["Id"] == before["Id"]
    student.edit("roles/docker/defaults/main.yml", "20m", "10m")


def test_without_the_docker_group_no_engine_answers(student: Student) -> None:
    before = live()
    assert run("gpasswd", "--delete", ACCOUNT, "docker").code == 0
    deploy = student.make("deploy")
    assert deploy.code != 0
    assert "needs an admin: this account is not in the docker group" in deploy.last_line
    assert live()["Id"] == before["Id"]
