"""Helpers of the end-to-end tests: run commands and playbooks, ask Docker, call the service."""

from __future__ import annotations

import contextlib
import fcntl
import json
import re
import shutil
import socket
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from classvm.base import state
from classvm.base.names import container_name
from listen import listen

ROOT = Path(__file__).parents[2]
SERVICE = ROOT / "service"
DEPLOY_SECONDS = 900
# Every address of this machine, and a port that the kernel chooses.
ANYWHERE = ("0.0.0.0", 0)


@dataclass(frozen=True)
class Run:
    """A finished command: its exit code, what it printed, and its longest silence in seconds."""

    code: int
    text: str
    silence: float = 0.0

    @property
    def changed(self) -> int:
        """Sum of the changes in the closing lines of the hosts."""
        return sum(
            int(number) for number in re.findall(r"\b(\d+) changed\)$", self.text, re.MULTILINE)
        )

    @property
    def last_line(self) -> str:
        """The last line that the user reads, without make's own about a failure."""
        lines = [line for line in self.text.splitlines() if line and not line.startswith("make")]
        return lines[-1]


def run(*words: str, cwd: Path = ROOT, seconds: float = DEPLOY_SECONDS) -> Run:
    """Run a command and keep its output, whatever its exit code."""
    heard = listen(words, cwd, seconds)
    text = "".join(heard.lines)
    assert heard.seconds < seconds, f"{words} took too long:\n{text}"
    return Run(heard.code, text, heard.silence)


def docker(*words: str) -> str:
    """Run a Docker command that has to succeed and return its output."""
    done = run("docker", *words)
    assert done.code == 0, done.text
    return done.text.strip()


def play(name: str, *words: str, **variables: object) -> Run:
    """Run one of the playbooks."""
    done = run(
        "ansible-playbook",
        f"ansible/{name}.yml",
        *words,
        *("--extra-vars", json.dumps(variables)),
    )
    settle(str(variables.get("classvm_state_dir", common_defaults()["classvm_state_dir"])))
    return done


def settle(state_dir: str) -> None:
    """Wait until a deploy has ended what it has left to the background."""
    with contextlib.suppress(FileNotFoundError), open(Path(state_dir, state.LOCK)) as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)


def common_defaults() -> dict[str, Any]:
    """Return the variables that several roles share, with their default values."""
    text = (ROOT / "roles/common/defaults/main.yml").read_text()
    return dict(yaml.safe_load(text))


def ports() -> dict[str, int]:
    """Return the two ports of the lab by name."""
    lines = (SERVICE / "ports.env").read_text()
    return {name: int(port) for name, port in re.findall(r"^(\w+)=(\d+)$", lines, re.MULTILINE)}


def live() -> dict[str, Any]:
    """Return Docker's description of the live container."""
    name = container_name(common_defaults()["service_name"])
    described: list[dict[str, Any]] = json.loads(docker("container", "inspect", name))
    return described[0]


def get(path: str) -> str:
    """Return the body of the service's answer."""
    with urllib.request.urlopen(f"http://localhost:{ports()['HOST_PORT']}{path}", timeout=5) as got:
        return str(got.read().decode())


def copy_of_service(folder: Path) -> Path:
    """Return a copy of the service that a test may change."""
    copy = folder / "service"
    shutil.copytree(SERVICE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(ANYWHERE)
        return int(probe.getsockname()[1])
