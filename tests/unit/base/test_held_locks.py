"""Which locks a program gets that goes on when this process is killed."""

from __future__ import annotations

from pathlib import Path

from classvm.base import held_locks, locks


def test_a_client_gets_the_locks_that_are_held_and_no_others(tmp_path: Path) -> None:
    assert held_locks.descriptors() == ()
    with locks.held(str(tmp_path)) as lock, locks.held(str(tmp_path), "lock-build") as other:
        assert held_locks.descriptors() == (lock.fileno(), other.fileno())
    assert held_locks.descriptors() == ()
