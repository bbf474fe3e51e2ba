from __future__ import annotations

import json

import pytest
from classvm.base.command import Finished
from classvm.base.docker import Docker
from classvm.contract.client import USER_AGENT
from classvm.release import gap, log


def stamped(second: int, line: str) -> str:
    return f"2026-01-01T10:00:{second:02}.500000000Z {line}\n"


def entry(target: str, user_agent: str | None, client: str = "127.0.0.1") -> str:
    """Return a line of the access log, in the lab app's order."""
    return json.dumps(
        {"client": client, "method": "GET", "target": target, "user_agent": user_agent}
    )


class Engine(Docker):
    """An engine with one log."""

    def __init__(self, out: str, err: str = "") -> None:
        self.told = Finished([], 0, out, err)
        self.asked: tuple[str, ...] = ()

    def run(self, *words: str, stdin: bytes | None = None) -> Finished:
        assert stdin is None
        self.asked = words
        return self.told


def test_both_streams_are_in_order_of_time() -> None:
    engine = Engine(stamped(1, "one") + stamped(3, "  three"), stamped(2, "two"))
    assert log.read(engine, "classvm-lab", 9, everything=True) == "one\ntwo\n  three"
    assert engine.asked == ("logs", "--timestamps", "--tail", "9", "classvm-lab")


OWN = [
    entry("/e222/health", None),
    entry("/", "classvm-health"),
    entry("/", gap.USER_AGENT),
    entry("/e222/hello", USER_AGENT),
]
OTHERS = [
    entry("/e222/health", None, client="192.0.2.1"),
    entry("/e222/health", "curl/8"),
    entry("/e222/hello", None),
    "Traceback (most recent call last):",
]


@pytest.mark.parametrize("line", OWN)
def test_what_the_kit_causes_is_left_out(line: str) -> None:
    engine = Engine(stamped(1, line))
    assert log.read(engine, "x", 5, everything=False) == ""
    assert log.read(engine, "x", 5, everything=True) == line


@pytest.mark.parametrize("line", OTHERS)
def test_what_others_cause_is_shown(line: str) -> None:
    assert log.read(Engine(stamped(1, line)), "x", 5, everything=False) == line


def test_the_lines_are_counted_without_those_of_the_kit() -> None:
    out = stamped(1, "one") + stamped(2, "two") + "".join(stamped(3, line) for line in OWN)
    assert log.read(Engine(out), "x", 1, everything=False) == "two"


@pytest.mark.parametrize("end", ["\r", "\x0b", "\x0c", "\x85", "\u2028"])
def test_what_stands_in_a_line_makes_no_line_with_a_stamp_of_the_app_s_own(end: str) -> None:
    """A progress bar prints "\\r"; what follows is neither sorted nor followed by what it says."""
    lines = log.stamped(Finished([], 0, stamped(1, f"10%{end}9999 x") + stamped(2, "two\r"), ""))
    assert lines == [
        (stamped(1, "").split()[0], f"10%{end}9999 x"),
        (stamped(2, "").split()[0], "two"),
    ]
