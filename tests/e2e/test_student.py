"""Accounts that are not root: a student with the docker group, then an admin with sudo."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest
from e2e.machine import ROOT, Run, common_defaults, get, live, play, run, settle
from pseudo_terminal import PseudoTerminal, terminal

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
        done = run("su", "--login", ACCOUNT, "--command", command)
        settle(common_defaults()["classvm_state_dir"])
        return done

    def terminal(self) -> AbstractContextManager[PseudoTerminal]:
        """Open a terminal in which the student has logged in."""
        return terminal("su", "--login", ACCOUNT, cwd=Path("/"))

    def password_file(self, password: str) -> Path:
        """Return a file of the clone with a password, which the student can read."""
        file = self.clone / "password"
        file.write_text(password)
        shutil.chown(file, ACCOUNT)
        return file

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


@pytest.fixture(scope="module")
def admin(student: Student) -> Student:
    """Return the same account with sudo and a password, but without the docker group."""
    run("gpasswd", "--delete", ACCOUNT, "docker")
    for words in (
        ("usermod", "--append", "--groups", "sudo", ACCOUNT),
        ("sh", "-c", f"echo '{ACCOUNT}:{PASSWORD}' | chpasswd"),
    ):
        done = run(*words)
        assert done.code == 0, done.text
    return student


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


@pytest.mark.parametrize("target", ["lab-up", "reset", "verify"])
def test_a_student_is_told_at_once_what_needs_root(target: str, student: Student) -> None:
    refused = student.make(target)
    assert refused.code != 0
    assert "root" in refused.last_line
    assert "on localhost" in refused.last_line or "verify" in refused.last_line
    assert len([line for line in refused.text.splitlines() if "root" in line]) == 1


def test_without_the_docker_group_the_engine_is_out_of_reach(student: Student) -> None:
    before = live()
    assert run("gpasswd", "--delete", ACCOUNT, "docker").code == 0
    deploy = student.make("deploy")
    assert deploy.code != 0
    assert "out of reach: this account is not in the docker group. An admin" in deploy.last_line
    assert live()["Id"] == before["Id"]


def test_an_admin_is_asked_for_the_sudo_password(admin: Student) -> None:
    before = live()
    deploy = admin.make("deploy", "</dev/null")
    assert deploy.code != 0
    assert "needs a password, and there is no terminal to ask for it" in deploy.last_line
    assert live()["Id"] == before["Id"]


def test_the_password_is_asked_on_the_terminal_though_the_output_is_piped(
    admin: Student,
) -> None:
    with admin.terminal() as screen:
        screen.type(f"cd {admin.clone}; make status | tail -1; echo end''ed\n")
        shown = screen.wait_for(f"sudo password of {ACCOUNT} on localhost: ")
        # Without a password in the future: once, before the first question.
        assert shown.count("sudo usermod -aG docker") == 1
        screen.type("wrong\n")
        assert f"That is not the password of {ACCOUNT}" in screen.wait_for("localhost: ")
        screen.type(f"{PASSWORD}\n")
        shown = screen.wait_for("ended")
    assert "classvm: localhost: up" in shown
    assert "password" not in shown
    assert PASSWORD not in screen.shown


def test_no_process_survives_the_terminal_on_which_it_asks(admin: Student) -> None:
    with admin.terminal() as screen:
        screen.type(f"cd {admin.clone}; make status | tail -1\n")
        screen.wait_for("sudo password of")
        screen.hang_up()
        deadline = time.monotonic() + 10
        while "ansible-playbook" in (left := run("ps", "-o", "args=", "-u", ACCOUNT).text):
            assert time.monotonic() < deadline, left
            time.sleep(0.2)


def test_one_password_is_enough_for_a_deploy_that_provisions(admin: Student) -> None:
    before = live()
    with admin.terminal() as screen:
        # The dry run provisions, releases and checks, and changes nothing.
        options = "ARGS='--check -e classvm_state_dir=/var/lib/elsewhere'"
        screen.type(f"cd {admin.clone}; make deploy {options}; echo end''ed\n")
        shown = screen.wait_for("sudo password of")
        assert "usermod" not in shown
        screen.type(f"{PASSWORD}\n")
        shown = screen.wait_for("ended", seconds=300)
    assert "sudo password of" not in shown
    assert live()["Id"] == before["Id"]


def test_a_wrong_password_of_a_file_is_said_in_one_line(admin: Student) -> None:
    file = admin.password_file("wrong")
    status = admin.make("status", f"ARGS='--become-password-file {file}'")
    assert status.code != 0
    assert status.last_line.endswith(
        "The sudo password is wrong on this host. Correct it, then run the command again"
    )


def test_an_admin_deploys_without_the_docker_group(admin: Student) -> None:
    file = admin.password_file(PASSWORD)
    admin.change_message("Admin here")

    deploy = admin.make("deploy", f"ARGS='--become-password-file {file}'")
    assert deploy.code == 0, deploy.text
    assert "Admin here" in get("/e222/hello")
