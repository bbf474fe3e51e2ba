"""The service's Makefile, with a script in place of Docker: why an engine cannot be used."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
import tree

if TYPE_CHECKING:
    from pathlib import Path

MAKEFILE = "service/Makefile"
TEMPLATE = "tools/app_template/app/Makefile.jinja"
NO_ENGINE = "Cannot connect to the Docker daemon. Is the docker daemon running?"
REFUSED = "permission denied while trying to connect to the Docker daemon socket"


def make(folder: Path, target: str, docker: str, listed: str = "users") -> tuple[int, str]:
    """Run a target where the Docker client is a script; return the exit status and the errors."""
    programs = {"docker": docker, "id": f'[ "$1" = -un ] && echo alice || echo {listed}'}
    for name, script in programs.items():
        program = folder / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    done = subprocess.run(
        ["make", "--no-print-directory", "-C", str(tree.ROOT / "service"), target],
        env={"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(folder)},
        capture_output=True,
        check=False,
        text=True,
    )
    said = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    return done.returncode, "\n".join(said)


@pytest.mark.parametrize("target", ["lock", "lock-check", "docker-all"])
@pytest.mark.parametrize(
    ("error", "listed", "cause"),
    [
        (NO_ENGINE, "users docker", "No Docker engine answers"),
        ("sh: docker: not found", "users", "No Docker engine answers"),
        (REFUSED, "users", "runs, but this login may not use it: sudo usermod -aG docker alice"),
        (REFUSED, "users docker", "this login began before alice joined the docker group"),
    ],
)
def test_why_the_engine_cannot_be_used_is_said_in_one_line(
    target: str, error: str, listed: str, cause: str, tmp_path: Path
) -> None:
    code, said = make(tmp_path, target, f"echo '{error}' >&2; exit 1", listed)
    assert code != 0
    assert cause in said
    assert "\n" not in said


def test_an_engine_that_answers_is_no_error(tmp_path: Path) -> None:
    assert make(tmp_path, "engine", "echo 1 >&2") == (0, "")


def rule(text: str) -> str:
    """Return the rule of the target `engine`."""
    return text[text.index("\nengine:") :].split("\n\n", 1)[0]


def test_a_new_app_has_the_same_rule() -> None:
    assert rule(tree.read(tree.ROOT / MAKEFILE)) == rule(tree.read(tree.ROOT / TEMPLATE))
