"""Why a release was refused."""

from __future__ import annotations

import pytest
from classvm.release import refusal
from fake_engine import RELEASE_SPEC, Engine


@pytest.fixture
def engine() -> Engine:
    engine = Engine()
    engine.put(RELEASE_SPEC.candidate, RELEASE_SPEC)
    engine.put(RELEASE_SPEC.live, RELEASE_SPEC)
    engine.log = ["Traceback (most recent call last):", '  File "a.py", line 7', "KeyError: 'x'"]
    return engine


def test_the_exception_is_in_the_first_line(engine: Engine) -> None:
    error = refusal.refusal(engine, RELEASE_SPEC, RELEASE_SPEC.candidate, "it ended")
    assert error.cause == "Release r2 was refused: it ended: KeyError: 'x' (a.py:7)"
    assert error.details.endswith(f"KeyError: 'x'\n{refusal.UNTOUCHED}")


def test_one_that_clients_had_reached_says_so(engine: Engine) -> None:
    error = refusal.refusal(engine, RELEASE_SPEC, RELEASE_SPEC.candidate, "it ended", served=True)
    assert error.details.endswith(refusal.SERVED)
    assert refusal.UNTOUCHED not in str(error)


def test_only_a_candidate_leaves_the_running_release_untouched(engine: Engine) -> None:
    error = refusal.refusal(engine, RELEASE_SPEC, RELEASE_SPEC.live, "it ended")
    assert refusal.UNTOUCHED not in str(error)
