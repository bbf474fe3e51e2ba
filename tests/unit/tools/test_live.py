from __future__ import annotations

import io
import time

import live
import pytest
from classvm.output.screens import Lines


def lines_of(monkeypatch: pytest.MonkeyPatch, seconds: float) -> str:
    """Return what is printed while a step goes on."""
    monkeypatch.setattr(live, "TICK_SECONDS", 0.01)
    monkeypatch.setattr("classvm.output.screens.BEAT_SECONDS", 0.05)
    monkeypatch.setattr("classvm.output.screens.QUICK_SECONDS", 0.0)
    printed = io.StringIO()
    with live.Live(Lines(printed, lambda: "12:00:00")) as shown:
        shown.doing("nothing yet")
        shown.step("Verify vm-148-1")
        shown.doing("1 of 2, vm-148-1: the clock is right")
        time.sleep(seconds)
    return printed.getvalue()


def test_a_step_is_told_and_then_how_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, *_ = lines_of(monkeypatch, 0.5).splitlines()
    assert first == "12:00:00 Verify vm-148-1"
    assert second == "12:00:00 still: Verify vm-148-1: 1 of 2, vm-148-1: the clock is right"


def test_nothing_is_printed_after_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "nothing yet" not in lines_of(monkeypatch, 0.0)


def test_what_is_captured_is_shown_all_the_same(capfd: pytest.CaptureFixture[str]) -> None:
    with live.on(io.StringIO()) as shown:
        shown.step("x")
    assert capfd.readouterr() == ("", "")
