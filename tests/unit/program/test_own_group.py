"""The group of what works as root for a student: out of the student's reach."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from classvm.program import environment, own_group, pack

if TYPE_CHECKING:
    from collections.abc import Iterator

NOBODY = 65534
PLACES = [own_group.ROOT / place for place in own_group.PLACES]
HERE = next((place for place in PLACES if (place / "cgroup.controllers").exists()), None)
IS_ABLE = HERE is not None and os.geteuid() == 0 and os.access(HERE, os.W_OK)


@pytest.mark.parametrize("place", own_group.PLACES)
def test_the_group_is_made_and_entered(place: str, tmp_path: Path) -> None:
    (tmp_path / place).mkdir(exist_ok=True)
    (tmp_path / place / "cgroup.controllers").touch()
    own_group.enter(tmp_path)
    own_group.enter(tmp_path)
    assert (tmp_path / place / own_group.NAME / "cgroup.procs").read_text() == own_group.ITSELF


def test_a_host_without_such_groups_is_left_alone(tmp_path: Path) -> None:
    own_group.enter(tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "cgroup.controllers").touch()
    (tmp_path / own_group.NAME).touch()  # the group cannot be made
    own_group.enter(tmp_path)


@pytest.fixture
def group_of_nobody() -> Iterator[Path]:
    """Make a group that belongs to an account, as its systemd makes them for its programs."""
    assert HERE is not None
    folder = HERE / f"classvm-test-{os.getpid()}"
    folder.mkdir()
    for path in (folder, *folder.iterdir()):
        os.chown(path, NOBODY, NOBODY)
    yield folder
    (folder / "cgroup.freeze").write_text("0")
    for _ in range(50):
        with contextlib.suppress(OSError):
            folder.rmdir()
            break
        time.sleep(0.1)
    with contextlib.suppress(OSError):  # another process is in it
        (HERE / own_group.NAME).rmdir()


def as_nobody(folder: Path, name: str) -> None:
    words = ["sh", "-c", f"echo 1 > {folder / name}"]
    subprocess.run(words, user=NOBODY, group=NOBODY, extra_groups=[], check=True)


@pytest.mark.skipif(not IS_ABLE, reason="only root can make control groups, where the host lets it")
@pytest.mark.parametrize("name", ["cgroup.freeze", "cgroup.kill"])
@pytest.mark.parametrize(
    ("shield", "goes_on"), [(environment.shield.__name__, True), ("isolate", False)]
)
def test_who_has_started_it_neither_halts_nor_kills_it(
    shield: str, goes_on: bool, name: str, group_of_nobody: Path
) -> None:
    lines = [
        f"import sys; sys.path.insert(0, {str(pack.PACKAGE.parent)!r})",
        "from classvm.program import environment",
        "sys.stdin.readline()",
        f"environment.{shield}()",
        "print('ready', flush=True)",
        "for line in sys.stdin: print(line, end='', flush=True)",
    ]
    with subprocess.Popen(
        [sys.executable, "-c", "\n".join(lines)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        (group_of_nobody / "cgroup.procs").write_text(str(program.pid))
        program.stdin.write("go\n")
        program.stdin.flush()
        assert program.stdout.readline() == "ready\n"
        if not (group_of_nobody / name).exists():
            program.kill()
            pytest.skip(f"this kernel has no {name}")
        as_nobody(group_of_nobody, name)
        time.sleep(0.2)
        with contextlib.suppress(BrokenPipeError):
            os.write(program.stdin.fileno(), b"still here\n")
        said = select.select([program.stdout], [], [], 5 if goes_on else 0.5)[0]
        is_there = bool(said) and program.stdout.readline() == "still here\n"
        program.send_signal(signal.SIGKILL)
        (group_of_nobody / "cgroup.freeze").write_text("0")
    assert is_there is goes_on
