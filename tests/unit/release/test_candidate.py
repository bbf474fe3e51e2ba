"""The candidate: how it is started, and what it has to prove."""

from __future__ import annotations

import dataclasses

import pytest
from classvm.base.errors import ClassvmError
from classvm.contract import archive, command_line
from classvm.release import candidate, health
from classvm.release.release_spec import ALWAYS, NEVER
from fake_engine import (
    BREAKS_CONTRACT,
    ENDLESS,
    RELEASE_SPEC,
)
from start_states import (
    World,
    deploy,
    engine_in,
    nothing,
    other_release,
)


def test_what_is_tried_is_not_started_again(world: World) -> None:
    engine = engine_in(nothing)
    world(engine)
    deploy(engine)
    made = [words for words in engine.calls if words[0] == "create"]
    assert [words[words.index("--restart") + 1] for words in made] == [NEVER, ALWAYS]
    assert [words[words.index("--cpu-shares") + 1] for words in made] == ["128", "1024"]


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


def test_the_contract_check_runs_in_the_candidates_network() -> None:
    engine = engine_in(nothing)
    engine.put(RELEASE_SPEC.candidate, RELEASE_SPEC)
    candidate.require_contract(engine, RELEASE_SPEC)
    words = list(engine.calls[0])
    assert words.pop(words.index("-c") + 1) == archive.program()
    assert " ".join(words) == (
        "run --rm --interactive --name classvm-lab-check --label classvm.service=lab"
        " --read-only --cap-drop ALL --cpu-shares 128 --tmpfs /run/contract"
        " --network container:classvm-lab-candidate --entrypoint python3 classvm/lab:r2"
        " -c --spec /dev/stdin --url http://127.0.0.1:8080"
        f" --timeout {RELEASE_SPEC.seconds.request:g}"
    )
    # Only the program itself tells whether it knows these options.
    understood = command_line.parse_arguments(words[words.index("--spec") :])
    assert understood.timeout == RELEASE_SPEC.seconds.request


def test_the_contract_check_understands_its_arguments() -> None:
    engine = engine_in(nothing)
    engine.put(RELEASE_SPEC.candidate, RELEASE_SPEC)
    candidate.require_contract(engine, RELEASE_SPEC)
    argv = list(engine.calls[0])
    options = command_line.parse_arguments(argv[argv.index("-c") + 2 :])
    assert options.url == f"http://127.0.0.1:{RELEASE_SPEC.container_port}"
    assert options.timeout == RELEASE_SPEC.seconds.request


def test_a_contract_check_that_does_not_end_is_told_and_removed(world: World) -> None:
    engine = engine_in(other_release, ENDLESS)
    world(engine)
    with pytest.raises(ClassvmError, match=f"longer than {RELEASE_SPEC.seconds.contract:.0f} s"):
        deploy(engine)
    assert set(engine.boxes) == {RELEASE_SPEC.live}


def test_a_candidate_that_ends_during_its_contract_check_is_refused_with_its_exit_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = engine_in(nothing)
    engine.put(RELEASE_SPEC.candidate, RELEASE_SPEC, behaviour=BREAKS_CONTRACT)
    monkeypatch.setattr(health, "reason_of_end", lambda *_: "it ended with exit code 4")
    with pytest.raises(ClassvmError, match="ended with exit code 4, during its contract check"):
        candidate.require_contract(engine, RELEASE_SPEC)
