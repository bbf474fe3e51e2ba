"""A machine that the checks of the doctor look at: what its programs say, and who asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from classvm.base.command import Finished
from classvm.doctor import machine


def said(text: str, code: int = 0) -> Finished:
    """Return what a program said that ended."""
    return Finished((), code, "" if code else text, text if code else "")


def answers(replies: dict[str, Finished]) -> Callable[[Sequence[str]], Finished]:
    """Return a stand-in for `run`: it knows commands by a word in them, and fails on others."""

    def run(command: Sequence[str]) -> Finished:
        line = " ".join(command)
        known = (reply for word, reply in replies.items() if word in line)
        return next(known, said("not found", 127))

    return run


def user(*groups: str, privilege: str = "none") -> machine.User:
    """Return an ordinary user in these groups."""
    return machine.User("alice", privilege, frozenset(groups), frozenset(groups))
