"""Which locks a program gets that goes on when this process is killed."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from classvm.base import held_locks, locks


def test_a_client_gets_the_locks_that_are_held_and_no_others(tmp_path: Path) -> None:
    assert held_locks.descriptors() == ()
    with locks.held(str(tmp_path)) as lock, locks.held(str(tmp_path), "lock-build") as other:
        assert held_locks.descriptors() == (lock.fileno(), other.fileno())
    assert held_locks.descriptors() == ()


OF_A_PROCESS_OF_ITS_OWN = """
import os, sys
sys.path.insert(0, sys.argv[1])
from classvm.base import background, command, held_locks, locks

def work():
    with open(sys.argv[2] + "/told.new", "w") as told:
        # Descriptors as high as those of a busy caller: nobody else has these numbers by chance.
        done = command.run(["ls", "/proc/self/fd"], keep=held_locks.descriptors())
        told.write(f"{done.code} {len(held_locks.descriptors())}")
    os.rename(sys.argv[2] + "/told.new", sys.argv[2] + "/told")

taken = [os.open(os.devnull, os.O_RDONLY) for _ in range(50)]
with locks.held(sys.argv[2], "lock-build"), locks.held(sys.argv[2]) as lock:
    background.run(work, keep=[lock.fileno()])
"""


def test_a_process_of_its_own_hands_on_the_lock_that_it_keeps_and_no_other(tmp_path: Path) -> None:
    """A descriptor that is closed there cannot be handed on: no program would start."""
    packages = str(Path(held_locks.__file__).parents[2])
    words = [sys.executable, "-I", "-c", OF_A_PROCESS_OF_ITS_OWN, packages, str(tmp_path)]
    subprocess.run(words, check=True, timeout=20)
    told = tmp_path / "told"
    deadline = time.monotonic() + 10
    while not told.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert told.read_text() == "0 1"
