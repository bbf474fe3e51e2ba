"""An account of a student on a class VM, used over SSH as the student would."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from classvm.base import installed
from classvm.program import student
from infra import expected

SECONDS = 120
PROGRAM = installed.HERE.command
SUDO = "sudo -n"
# What an attack leaves where it succeeds: a file for each account as which its code ran.
MARK = "/var/tmp/marked"  # noqa: S108 - each account makes one of its own
MARKING = f"touch {MARK}-$(id -u)"
ROOTS_MARK = f"{MARK}-0"


@dataclass(frozen=True)
class Done:
    """A command that has ended.

    Attributes:
        code: its exit code.
        out: its standard output.
        err: its standard error.

    """

    code: int
    out: str
    err: str

    @property
    def answer(self) -> dict[str, Any]:
        """What the host program has answered; {} where it was not even started."""
        try:
            found = json.loads(self.out)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def error(self) -> str:
        """The word for what has gone wrong, "" for an answer without an error."""
        return str((self.answer["error"] or {}).get("code", "")) if self.answer else "no answer"

    def __str__(self) -> str:
        """Return what it has printed."""
        return f"ended with {self.code}: {self.out[-2000:]}{self.err[-2000:]}"


@dataclass(frozen=True)
class Account:
    """An account of a host.

    Attributes:
        name: its login name.
        ssh: the words before a command that run it there.

    """

    name: str
    ssh: tuple[str, ...]

    def run(self, command: str, stdin: bytes = b"", seconds: float = SECONDS) -> Done:
        """Run a line of the shell there."""
        done = subprocess.run(
            [*self.ssh, command], input=stdin, capture_output=True, timeout=seconds, check=False
        )
        out, err = (text.decode(errors="replace") for text in (done.stdout, done.stderr))
        return Done(done.returncode, out, err)

    def start(self, command: str, *options: str) -> subprocess.Popen[bytes]:
        """Start a line of the shell there, with further options of ssh."""
        pipe = subprocess.PIPE
        words = [self.ssh[0], *options, *self.ssh[1:], command]
        return subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe)

    def ask(self, verb: str, request: Mapping[str, Any] | bytes = b"", before: str = "") -> Done:
        """Ask the host program as a clone does, behind words of the shell such as "cd /; "."""
        sent = request if isinstance(request, bytes) else json.dumps(request).encode()
        return self.run(f"{before}{PROGRAM} {verb} --json", sent)

    def ask_sudo(self, verb: str, sent: bytes = b"", before: str = "", options: str = "") -> Done:
        """Ask by the line that sudo allows, with options of sudo."""
        return self.run(f"{before}{SUDO} {options} {shlex.join(student.argv(verb))}", sent)

    def disconnect(self) -> None:
        """Close the shared connection: the next login has the groups of then."""
        subprocess.run(
            [*self.ssh[:-1], "-O", "exit", self.ssh[-1]], capture_output=True, check=False
        )

    @property
    def groups(self) -> set[str]:
        """The groups of a new login."""
        self.disconnect()
        return set(self.run("id --name --groups").out.split())


def login(name: str, inventory: str, host: str, sockets: str) -> Account:
    """Return an account of a host of the inventory, which lets the key of the lab in."""
    known = expected.in_inventory(inventory, host)
    options = shlex.split(known["ansible_ssh_common_args"])
    shared = ["-o", "ControlMaster=auto", "-o", f"ControlPath={sockets}/%C"]
    words = ["ssh", "-i", known["ansible_ssh_private_key_file"], *options, *shared]
    words += ["-o", "ControlPersist=60", "-o", "BatchMode=yes", "-p", str(known["ansible_port"])]
    return Account(name, (*words, f"{name}@{known['ansible_host']}"))
