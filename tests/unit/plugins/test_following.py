"""`make logs FOLLOW=1`: playbook and host program themselves; `docker` is a script."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import tree
import yaml
from classvm.base import installed
from classvm.program.pack import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

LIVE = {"Id": "c1", "Name": "/classvm-lab", "Image": "i1", "Config": {}, "NetworkSettings": {}}
DOCKER = """#!/bin/sh
case "$1 $2" in
version*) echo 29.1.3;;
container*) echo '{described}';;
"logs --follow") exec tail --follow --lines=+1 {folder}/log;;
logs*) cat {folder}/log;;
esac
"""
# The host program of this tree, not one that may be installed here; it finds the script `docker`.
PROGRAM = """#!{python}
import sys
sys.path.insert(0, {package!r})
from classvm.base import docker
from classvm.program import command_line, environment
docker.SOCKET = "/nowhere"
environment.isolate = lambda: None
sys.exit(command_line.main())
"""
SHELL = """#!/bin/sh
exec /bin/sh -c "$(printf %s "$2" | sed 's#{installed}#{program}#')"
"""
SECONDS = 60


class Host:
    """A host whose service prints into a file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        programs = folder / "bin"
        programs.mkdir()
        described = json.dumps([{**LIVE, "State": {"Running": True, "ExitCode": 0}}])
        (programs / "docker").write_text(DOCKER.format(described=described, folder=folder))
        package, program = str(PACKAGE.parent), str(programs / "classvm")
        (programs / "classvm").write_text(PROGRAM.format(python=sys.executable, package=package))
        shell = SHELL.format(installed=installed.HERE.command, program=program)
        (programs / "sh").write_text(shell)
        for file in programs.iterdir():
            file.chmod(0o700)
        self.environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
        self.environment["CLASSVM_LOG_FOLDER"] = str(folder / "logs")
        self.lines = 0
        self.prints("first")

    def prints(self, line: str) -> None:
        """Have the service print a line."""
        self.lines += 1
        with open(self.folder / "log", "a", encoding="utf-8") as file:
            file.write(f"2026-01-01T10:00:{self.lines:02}.000000000Z {line}\n")

    def argv(self, *hosts: str) -> list[str]:
        """Return the command that follows its log, in an inventory with these hosts."""
        here = {
            "ansible_connection": "local",
            "ansible_shell_executable": str(self.folder / "bin/sh"),
            "ansible_python_interpreter": sys.executable,
            "common_account": {"engine_access": True, "privilege": "root", "obstacle": ""},
        }
        inventory = self.folder / "hosts.yml"
        inventory.write_text(yaml.safe_dump({"all": {"hosts": dict.fromkeys(hosts, here)}}))
        words = ("ansible/logs.yml", "--inventory", str(inventory))
        return ["ansible-playbook", *words, "--extra-vars", "logs_follow=true"]

    def left(self) -> list[str]:
        """Return the command lines of processes that still have to do with it."""
        found = []
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            found += [words] if str(self.folder) in words else []
        return found


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


@pytest.fixture
def following(host: Host) -> Iterator[subprocess.Popen[str]]:
    """Start to follow the log, and read its first line."""
    with subprocess.Popen(
        host.argv("vm-148-1"),
        cwd=tree.ROOT,
        env=host.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout
        # Whatever hangs, hangs for a while only.
        late = threading.Timer(SECONDS, process.kill)
        late.start()
        assert process.stdout.readline() == "first\n"
        yield process
        late.cancel()
        process.kill()


def assert_nothing_is_left(host: Host) -> None:
    deadline = time.monotonic() + SECONDS
    while host.left():
        assert time.monotonic() < deadline, host.left()
        time.sleep(0.1)


def test_lines_come_at_once_and_ctrl_c_leaves_nothing_behind(
    host: Host, following: subprocess.Popen[str]
) -> None:
    assert following.stdout
    for line in ("second", "third"):
        host.prints(line)
        assert following.stdout.readline() == f"{line}\n"
    following.send_signal(signal.SIGINT)
    assert following.stdout.read() == ""
    assert following.wait(SECONDS) == 130
    assert_nothing_is_left(host)


def test_a_killed_control_process_leaves_nothing_behind(
    host: Host, following: subprocess.Popen[str]
) -> None:
    assert host.left()
    following.kill()
    assert_nothing_is_left(host)


def test_a_reader_that_has_had_enough_ends_it(host: Host, following: subprocess.Popen[str]) -> None:
    assert following.stdout
    following.stdout.close()
    host.prints("second")
    assert following.wait(SECONDS) == 130
    assert_nothing_is_left(host)


@pytest.mark.parametrize(
    ("hosts", "environment", "message"),
    [
        (
            ["vm-148-1", "vm-148-2"],
            {},
            "FOLLOW=1 follows the log of one host, and this run has 2. Name one: LIMIT=vm-148-1",
        ),
        (["vm-148-1"], {"CLASSVM_FORMAT": "json"}, "Leave out FORMAT=json or FOLLOW=1."),
    ],
)
def test_what_cannot_be_followed_is_refused(
    hosts: list[str], environment: dict[str, str], message: str, host: Host
) -> None:
    done = subprocess.run(
        host.argv(*hosts),
        cwd=tree.ROOT,
        env={**host.environment, **environment},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 2
    assert message in done.stdout
