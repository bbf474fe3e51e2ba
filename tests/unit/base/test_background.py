"""Work that goes on when its caller has ended: nothing of the caller stays open because of it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from classvm.base import background, locks, state

PACKAGES = Path(background.__file__).parents[2]
HEAD = f"""
import json, os, sys, time
sys.path.insert(0, {str(PACKAGES)!r})
from classvm.base import background, locks, progress
told, folder = sys.argv[1:]

def work():
    # One of them has the number that the caller's file of progress had.
    files = [open(told + ".%d" % number, "w") for number in range(8)]
    progress.say("spilled")
    spilled = sum(os.fstat(file.fileno()).st_size for file in files)
    for file in files:
        file.close()
    with open(told + ".new", "w") as file:
        named = {{}}
        for one in os.listdir("/proc/self/fd"):
            try:
                named[one] = os.readlink("/proc/self/fd/" + one)
            except OSError:  # the listing itself
                pass
        found = {{"process": os.getpid(), "session": os.getsid(0), "open": named}}
        json.dump({{**found, "spilled": spilled}}, file)
    os.rename(told + ".new", told)
    time.sleep(60)
"""
RUN = f"""{HEAD}
with locks.held(folder) as lock:
    other = open(told + ".other", "w")
    progress.begin(told + ".progress")
    progress.say("at work")
    background.run(work, keep=[lock.fileno()])
try:
    os.waitpid(-1, 0)
except ChildProcessError:
    print("no child", os.getsid(0))
"""
NO_SECOND_PROCESS = f"""{HEAD}
fork, forks = os.fork, []

def only_one():
    forks.append(1)
    if len(forks) > 1:
        raise BlockingIOError("Resource temporarily unavailable")
    return fork()

os.fork = only_one
try:
    background.run(work)
except OSError:
    print("told")
"""


def run(program: str, folder: Path) -> str:
    """Run a program to its end, and to the end of its output, as SSH does."""
    words = [sys.executable, "-I", "-c", program, str(folder / "told"), str(folder)]
    return subprocess.run(words, check=True, capture_output=True, text=True, timeout=20).stdout


@pytest.fixture
def left(tmp_path: Path) -> Any:
    """Run a program that leaves work behind; yield what it printed and what the work found."""
    said = run(RUN, tmp_path).split()
    told = tmp_path / "told"
    deadline = time.monotonic() + 20
    while not told.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    found = json.loads(told.read_text())
    yield said, found
    with contextlib.suppress(ProcessLookupError):
        os.kill(found["process"], signal.SIGKILL)


def test_the_caller_ends_before_the_work_and_has_no_child(left: Any) -> None:
    said, found = left
    assert said[:2] == ["no", "child"]
    assert found["session"] != int(said[2])
    os.kill(found["process"], 0)


def test_nothing_is_open_but_what_is_kept(left: Any, tmp_path: Path) -> None:
    _, found = left
    own = str(tmp_path / "told.new")
    links = [path for path in found["open"].values() if path != own and "/proc/" not in path]
    assert sorted(set(links)) == [os.devnull, str(tmp_path / state.LOCK)]


def test_progress_is_not_written_into_files_of_its_own(left: Any) -> None:
    _, found = left
    assert found["spilled"] == 0


def test_it_holds_the_lock_until_it_ends(left: Any, tmp_path: Path) -> None:
    _, found = left
    assert locks.is_held(str(tmp_path))
    os.kill(found["process"], signal.SIGKILL)
    with open(tmp_path / state.LOCK, encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert locks.is_held(str(tmp_path))
    assert not locks.is_held(str(tmp_path))


def test_where_nobody_has_ever_worked_nobody_does(tmp_path: Path) -> None:
    assert not locks.is_held(str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_cannot_be_started_is_told(tmp_path: Path) -> None:
    assert run(NO_SECOND_PROCESS, tmp_path) == "told\n"
