"""The candidate: how it is started, and what it has to prove."""

from __future__ import annotations

import dataclasses

import pytest
from classvm.base.errors import ClassvmError
from classvm.release.release_spec import ALWAYS, CANDIDATE_CPU_SHARES, LIVE_CPU_SHARES, NEVER
from fake_engine import (
    BREAKS_CONTRACT,
    CRASHES,
    ENDLESS,
    RELEASE_SPEC,
)
from start_states import (
    World,
    deploy,
    engine_in,
    lines,
    nothing,
    other_release,
)


def test_what_is_tried_is_not_started_again(world: World) -> None:
    engine = engine_in(nothing)
    world(engine)
    deploy(engine)
    made = [words for words in engine.calls if words[0] == "create"]
    assert [words[words.index("--restart") + 1] for words in made] == [NEVER, ALWAYS]
    assert [words[words.index("--cpu-shares") + 1] for words in made] == [
        CANDIDATE_CPU_SHARES,
        LIVE_CPU_SHARES,
    ]


def test_the_candidate_is_invisible_from_outside(world: World) -> None:
    engine = engine_in(nothing)
    world(engine)
    deploy(engine)
    made = [words for words in engine.calls if words[0] == "create"]
    publishes = [words[words.index("--publish") + 1] for words in made]
    assert publishes == ["127.0.0.1::8080", "11000:8080"]


def test_no_contract_means_no_check(world: World) -> None:
    engine = engine_in(nothing, BREAKS_CONTRACT)
    world(engine)
    deploy(engine, dataclasses.replace(RELEASE_SPEC, contract=""))
    assert engine.boxes[RELEASE_SPEC.live].healthy


def test_a_contract_check_that_does_not_end_is_told_and_removed(world: World) -> None:
    engine = engine_in(other_release, ENDLESS)
    world(engine)
    with pytest.raises(ClassvmError, match=r"longer than 120 s .*\(service_contract_seconds\)"):
        deploy(engine)
    assert set(engine.boxes) == {RELEASE_SPEC.live}


def test_a_refused_candidate_names_the_exception_and_its_place(world: World) -> None:
    engine = engine_in(other_release, CRASHES)
    world(engine)
    engine.log = [
        "Traceback (most recent call last):",
        '  File "/service/server.py", line 3, in <module>',
        "    import src.helper",
        "ModuleNotFoundError: No module named 'src.helper'",
    ]
    with pytest.raises(ClassvmError) as refused:
        deploy(engine)
    first, *_, last = str(refused.value).splitlines()
    assert first == (
        "Release r2 was refused: it ended with exit code 3: ModuleNotFoundError: No module named"
        " 'src.helper' (server.py:3)"
    )
    assert last == "The running release was not touched."
    (line,) = lines(engine)
    assert line["reason"] == first
