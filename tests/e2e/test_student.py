"""Accounts that are not root: a student with the docker group, then an admin with sudo."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from e2e.machine import ROOT, Run, get, live, play, run

pytestmark = pytest.mark.usefixtures("deployed")

ACCOUNT = "classvm-student"
PASSWORD = "correct horse"  # noqa: S105 - of an account that the test makes and removes


@dataclass(frozen=True)
class Student:
    """An account of this machine and its clone of the project."""

    clone: Path

    def make(self, *words: str) -> Run:
        """Run make in the clone, as the student, in a login shell."""
        command = f"cd {self.clone} && make {' '.join(words)}"
        return run("su", "--login", ACCOUNT, "--command", command)

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace the first match of a regular expression in a file of the clone."""
        path = self.clone / name
        changed, count = re.subn(old, new, path.read_text(), count=1)
        assert count == 1, f"{name} does not match {old}"
        path.write_text(changed)

    def change_message(self, message: str) -> None:
        """Let the clone's app answer with another message, whatever it was before."""
        self.edit("service/src/hello.py", r'("message": ")[^"]*', rf"\g<1>{message}")


@pytest.fixture(scope="module")
def student(deployed: Run) -> Iterator[Student]:
    """Return a student with a new clone on the provisioned machine."""
    assert deployed.code == 0
    run("userdel", "--remove", ACCOUNT)
    made = run("useradd", "--create-home", "--shell", "/bin/bash", "--groups", "docker", ACCOUNT)
    assert made.code == 0, made.text
    clone = Path(f"~{ACCOUNT}").expanduser() / "classvm"
    # Like `git clone`, but with changes that are not committed yet.
    shutil.copytree(
        ROOT,
        clone,
        symlinks=True,
        ignore=shutil.ignore_patterns(".venv", "__pycache__", ".*_cache", ".hypothesis"),
    )
    run("chown", "--recursive", f"{ACCOUNT}:", str(clone))
    yield Student(clone)
    assert run("userdel", "--remove", ACCOUNT).code == 0
    assert play("deploy").code == 0


def test_a_student_releases_a_changed_line(student: Student) -> None:
    before = live()
    student.change_message("Student here")
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
    assert "needs an admin: the roles have changed" in deploy.last_line
    assert live()["Id"] == before["Id"]
    student.edit("roles/docker/defaults/main.yml", "20m", "10m")


def test_a_student_cannot_provision_a_bare_machine(student: Student) -> None:
    before = live()
    deploy = student.make("deploy", "ARGS='-e classvm_state_dir=/var/lib/elsewhere'")
    assert deploy.code != 0
    assert "needs an admin: this host was never provisioned" in deploy.last_line
    assert live()["Id"] == before["Id"]


def test_without_the_docker_group_the_engine_is_out_of_reach(student: Student) -> None:
    before = live()
    assert run("gpasswd", "--delete", ACCOUNT, "docker").code == 0
    deploy = student.make("deploy")
    assert deploy.code != 0
    assert "out of reach: this account is not in the docker group. An admin" in deploy.last_line
    assert live()["Id"] == before["Id"]


def test_an_admin_is_asked_for_the_sudo_password(student: Student) -> None:
    before = live()
    assert run("usermod", "--append", "--groups", "sudo", ACCOUNT).code == 0
    assert run("sh", "-c", f"echo '{ACCOUNT}:{PASSWORD}' | chpasswd").code == 0
    deploy = student.make("deploy", "</dev/null")
    assert deploy.code != 0
    assert "needs a password, and there is no terminal to ask for it" in deploy.last_line
    assert live()["Id"] == before["Id"]


def test_an_admin_deploys_without_the_docker_group(student: Student) -> None:
    file = student.clone / "password"
    file.write_text(PASSWORD)
    student.change_message("Admin here")

    deploy = student.make("deploy", f"ARGS='--become-password-file {file}'")
    assert deploy.code == 0, deploy.text
    assert "Admin here" in get("/e222/hello")
