"""Wheels where there are some; source code, and a compiler, only where there are none."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from launched import KIT

if TYPE_CHECKING:
    from pathlib import Path

# In place of Python, which runs pip-compile and pip: each call takes its turn from a folder.
PYTHON = """#!/bin/sh
echo "$@" >> calls
turn=$(ls turns | head -n 1)
test -n "$turn" || exit 0
cat "turns/$turn" >&2
rm "turns/$turn"
case "$turn" in *good) touch requirements.txt ;; *) exit 1 ;; esac
"""
UNKNOWN = """ERROR: No matching distribution found for nothing
Traceback (most recent call last):
  File "pip.py", line 1, in run
    resolve()
pip.DistributionNotFound: nothing
"""
NOT_BUILT = "error: metadata-generation-failed\n"


class Stage:
    """A stage of the Dockerfile, with scripts in place of Python and apt-get."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "turns").mkdir()
        for name in ("lock.sh", "install.sh"):
            shutil.copy(KIT / name, folder)
        self.program("python", PYTHON)
        (folder / "compiler.sh").write_text('echo "compiler $*" >> calls\n')

    def program(self, name: str, text: str) -> None:
        path = self.folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def turns(self, *said: str) -> None:
        """Let calls of Python end well ("") or say an error."""
        for number, text in enumerate(said):
            name = f"{number}-{'bad' if text else 'good'}"
            (self.folder / "turns" / name).write_text(text)

    def run(self, script: str, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", script, *words],
            cwd=self.folder,
            env={"PATH": f"{self.folder}/bin:{os.defpath}", "PIP": "pip"},
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def calls(self) -> list[str]:
        """What was called: "wheels", "source", or as it was written down."""
        said = (self.folder / "calls").read_text().splitlines()
        kinds = {"--only-binary :all:": "wheels", "--prefer-binary": "source"}
        return [next((kind for word, kind in kinds.items() if word in line), line) for line in said]

    @property
    def lock(self) -> str:
        return (self.folder / "requirements.txt").read_text()


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def test_wheels_need_nothing_more(stage: Stage) -> None:
    stage.turns("")
    assert stage.run("lock.sh", "libpq-dev").returncode == 0
    assert stage.calls == ["wheels"]
    assert stage.lock == ""


def test_source_code_without_a_compiler(stage: Stage) -> None:
    stage.turns("no wheel", "")
    assert stage.run("lock.sh").returncode == 0
    assert stage.calls == ["wheels", "source"]
    assert stage.lock == "# built from source code\n"


def test_source_code_with_a_compiler(stage: Stage) -> None:
    stage.turns("no wheel", NOT_BUILT, "")
    assert stage.run("lock.sh", "libpq-dev").returncode == 0
    assert stage.calls == ["wheels", "source", "compiler libpq-dev", "source"]


def test_what_cannot_be_resolved_is_told_without_a_traceback(stage: Stage) -> None:
    stage.turns(UNKNOWN, UNKNOWN)
    done = stage.run("lock.sh")
    assert done.returncode == 1
    assert stage.calls == ["wheels", "source"]
    assert done.stderr == (
        "ERROR: No matching distribution found for nothing\npip.DistributionNotFound: nothing\n"
    )


@pytest.mark.parametrize(
    ("lock", "calls"),
    [
        ("a==1\n", ["wheels"]),
        ("a==1\n# built from source code\n", ["compiler libpq-dev", "source"]),
    ],
)
def test_the_lock_tells_whether_a_compiler_is_needed(
    stage: Stage, lock: str, calls: list[str]
) -> None:
    (stage.folder / "requirements.txt").write_text(lock)
    assert stage.run("install.sh", "libpq-dev").returncode == 0
    *installed, compiled = stage.calls
    assert installed == calls
    assert "compileall" in compiled


def test_files_for_another_python_do_not_matter(stage: Stage) -> None:
    (stage.folder / "requirements.txt").write_text("a==1\n")
    stage.turns("", "SyntaxError")
    done = stage.run("install.sh")
    assert done.returncode == 0
    assert "not for Python 3.7" in done.stdout


def test_a_package_that_cannot_be_installed_ends_the_build(stage: Stage) -> None:
    (stage.folder / "requirements.txt").write_text("a==1\n")
    stage.turns("ERROR: hashes")
    assert stage.run("install.sh").returncode != 0
