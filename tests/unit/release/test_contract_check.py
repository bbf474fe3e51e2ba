"""The contract check of a candidate: how it is run, and what it says."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

import pytest
from classvm.base import progress
from classvm.base.command import Finished
from classvm.base.errors import ClassvmError
from classvm.base.names import CHECK_FOLDER
from classvm.contract import archive, command_line, contract_document
from classvm.release import contract_check, go_live, health
from classvm.release.contract_check import Verdict
from fake_engine import (
    BREAKS_CONTRACT,
    FAILURE,
    FIRST,
    GOOD,
    RELEASE_SPEC,
    REPORT,
    Behaviour,
    Engine,
)
from start_states import World, deploy, engine_in, lines, nothing, other_release

ACCESS = '127.0.0.1 - - [x] "GET /e222/{} HTTP/1.1" {}'
WARNED = {**REPORT, "ok": False, "mode": "warn", "failures": [FAILURE], "first": FIRST}
KIT = dataclasses.replace(
    RELEASE_SPEC,
    contract=contract_document.write("gate", [contract_document.SpecText("a.yml", "openapi: 3")]),
    checker_image="classvm/checker:1",
    checker_program=archive.program(CHECK_FOLDER),
)


def candidate(behaviour: Behaviour = GOOD) -> Engine:
    engine = engine_in(nothing)
    engine.put(RELEASE_SPEC.candidate, RELEASE_SPEC, behaviour=behaviour)
    return engine


def test_it_runs_in_the_candidates_network_in_an_image_of_its_own() -> None:
    engine = candidate()
    assert contract_check.require_contract(engine, KIT) == Verdict()
    words = list(engine.calls[0])
    assert words.pop(words.index("-c") + 1) == KIT.checker_program
    assert " ".join(words) == (
        "run --rm --interactive --pull never --name classvm-lab-check --label classvm.service=lab"
        " --read-only --cap-drop ALL --cpu-shares 1024 --memory 1g --memory-swap 1g"
        " --pids-limit 128 --tmpfs /run/contract"
        " --network container:classvm-lab-candidate --entrypoint python3 classvm/checker:1"
        " -c --contract /dev/stdin --json --url http://127.0.0.1:8080"
        f" --timeout {RELEASE_SPEC.seconds.request:g}"
    )
    assert engine.stdin.decode() == KIT.contract


def test_the_check_understands_its_arguments() -> None:
    argv = contract_check.argv(KIT)
    options = command_line.parse_arguments(argv[argv.index("-c") + 2 :])
    assert options.url == f"http://127.0.0.1:{RELEASE_SPEC.container_port}"
    assert options.timeout == RELEASE_SPEC.seconds.request
    assert options.json
    assert options.contract == "/dev/stdin"


@pytest.mark.parametrize("contract", ["", contract_document.write("gate", [])])
def test_an_app_without_a_spec_has_nothing_to_keep(contract: str) -> None:
    engine = candidate()
    spec = dataclasses.replace(KIT, contract=contract)
    assert contract_check.require_contract(engine, spec) == Verdict()
    assert engine.calls == []


def refused(engine: Engine, spec: Any = KIT) -> list[str]:
    with pytest.raises(ClassvmError) as told:
        contract_check.require_contract(engine, spec)
    return str(told.value).splitlines()


def test_a_broken_contract_names_what_fails_and_only_that() -> None:
    engine = candidate(BREAKS_CONTRACT)
    traceback = ["Traceback (most recent call last):", '  File "/service/a.py", line 1', "E: x"]
    engine.log = [ACCESS.format("hello", 200), *traceback, ACCESS.format("sum?a=1", 200)]
    assert refused(engine) == [
        f"Release r2 breaks its contract: {FIRST} (master.yml:35)",
        "GET /e222/sum",
        "    request:  GET /e222/sum?a=1",
        '    answer:   200 {"resul": 1}',
        "    promise:  'result' is a required property",
        "    place:    master.yml:35",
        "",
        "In the app's own code:",
        '  File "a.py", line 1',
        "E: x",
        "Log:",
        *traceback,
        "",
        "The running release was not touched.",
    ]


def test_behind_a_server_error_stands_the_exception() -> None:
    engine = candidate(BREAKS_CONTRACT)
    engine.log = [
        "Traceback (most recent call last):",
        '  File "/service/a.py", line 1, in get',
        "ValueError: no luck",
        ACCESS.format("sum?a=1", 500),
    ]
    failure = {**FAILURE, "status": 500, "answer": ""}
    told = contract_check.broken(engine, KIT, FIRST, [failure])
    expected = r"Release r2 .*: GET /e222/sum: ValueError: no luck \(.*a\.py:1\)"
    assert re.fullmatch(expected, told.line)
    # Another answer is wrong by itself, whatever was logged beside it.
    assert contract_check.broken(engine, KIT, FIRST, [FAILURE]).cause.endswith(FIRST)


def test_the_history_has_the_first_failure(world: World) -> None:
    engine = engine_in(other_release, BREAKS_CONTRACT)
    world(engine)
    with pytest.raises(ClassvmError):
        deploy(engine, KIT)
    (line,) = lines(engine)
    assert line["reason"] == f"Release r2 breaks its contract: {FIRST} (master.yml:35)"


def test_an_operation_without_an_answer() -> None:
    failure = {**FAILURE, "status": None, "answer": "", "place": ""}
    assert contract_check.described(failure, "http://127.0.0.1:8080") == [
        "GET /e222/sum",
        "    request:  GET /e222/sum?a=1",
        "    answer:   no answer",
        "    promise:  'result' is a required property",
    ]


def test_many_failures_are_bounded() -> None:
    engine = candidate()
    failures = [{**FAILURE, "title": f"GET /{number}"} for number in range(50)]
    told = str(contract_check.broken(engine, KIT, "x" * 5000, failures)).splitlines()
    assert len(told[0]) < 300
    assert "40 more operations fail." in told
    assert "GET /9" in told
    assert "GET /10" not in told


def test_what_is_found_is_no_reason_to_refuse_where_it_is_to_be_told_only(world: World) -> None:
    remark = "not checked, needs credentials: POST /e222/up (master.yml:50)"
    report = {**WARNED, "remarks": [remark]}
    engine = engine_in(other_release, Behaviour(report=report))
    world(engine)
    outcome = deploy(engine, KIT)
    assert outcome.changed
    broken = "contract: GET /e222/sum: 'result' is a required property (master.yml:35)"
    assert outcome.classvm_notes == [broken, remark]
    again = deploy(engine, KIT)
    assert (again.changed, again.classvm_notes) == (False, [])


def test_no_answer_of_the_module_has_a_name_that_ansible_keeps_for_itself() -> None:
    names = {field.name for field in dataclasses.fields(go_live.Outcome)}
    assert not names & {"warnings", "deprecations", "exception", "invocation", "msg", "failed"}


@pytest.mark.parametrize(("mode", "altered"), [("strict", False), ("gate", True), ("warn", True)])
def test_only_a_strict_contract_leaves_the_app_as_it_was(mode: str, *, altered: bool) -> None:
    assert contract_check.verdict({**REPORT, "mode": mode}).altered is altered


@pytest.mark.parametrize(
    ("finished", "reason"),
    [
        (Finished((), 2, "", "a\nclassvm-contract: the document is no JSON\n"), "no JSON"),
        (Finished((), 125, "", "docker: No such image: classvm/checker:1\n"), "No such image"),
        (Finished((), 3, "", "a\nprogress: 1 of 2 operations\n"), "a"),
        (Finished((), 0, "", ""), "it ended with exit code 0"),
        (Finished((), 1, "[]", ""), r"\[\]"),
    ],
)
def test_a_check_that_does_not_come_to_a_report(
    finished: Finished, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = candidate()
    monkeypatch.setattr(engine, "run_within", lambda *_, **__: finished)
    with pytest.raises(ClassvmError, match=f"could not be checked: .*{reason}"):
        contract_check.require_contract(engine, KIT)


def test_a_candidate_that_ends_meanwhile_is_refused_with_its_exit_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = candidate(BREAKS_CONTRACT)
    monkeypatch.setattr(health, "reason_of_end", lambda *_: "it ended with exit code 4")
    assert refused(engine)[0] == (
        "Release r2 was refused: it ended with exit code 4, during its contract check"
    )


def test_how_far_the_check_has_come_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(progress, "say", said.append)
    for line in (f"{command_line.PROGRESS}7 of 10 operations", "a warning of Python's"):
        contract_check.say_progress(line)
    assert said == ["checking its contract: 7 of 10 operations"]
    assert contract_check.PROGRESS == command_line.PROGRESS


def test_modes_are_those_of_the_contract_package() -> None:
    assert contract_check.STRICT == contract_document.STRICT
    assert json.loads(contract_document.write("warn", []))["mode"] == "warn"
