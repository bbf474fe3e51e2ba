"""A release and a rollback through the program."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

import pytest
from classvm.base import client, state
from classvm.base.docker import Docker
from classvm.base.errors import ClassvmError
from classvm.program import releasing, resource
from classvm.program.host import Host
from fake_engine import BREAKS_CONTRACT, OLD, RELEASE_SPEC, STATE_DIR, Engine
from program_requests import RELEASE, ROLLBACK, SETTINGS, require_documented
from start_states import engine_in, other_release

HostOf = Callable[[Engine], Host]
SETTINGS_FILE = os.path.join(STATE_DIR, f"{state.SECRET}-lab.json")


@pytest.fixture(autouse=True)
def checker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the contract check be that of the model."""
    monkeypatch.setattr(resource, "checker", lambda _: RELEASE_SPEC.checker_program)
    monkeypatch.setattr(client, "end_orderly", lambda: None)


def test_a_release_goes_live_and_its_settings_are_remembered(host_of: HostOf) -> None:
    engine = engine_in(other_release)
    answer = releasing.release(host_of(engine), RELEASE)
    require_documented("release", answer)
    assert (answer["changed"], answer["release"], answer["replaced"]) == (True, "r2", "r1")
    assert engine.serving() == "r2"
    assert json.loads(engine.files[SETTINGS_FILE]) == SETTINGS


def test_a_second_time_nothing_changes(host_of: HostOf) -> None:
    host = host_of(Engine())
    releasing.release(host, RELEASE)
    answer = releasing.release(host, RELEASE)
    require_documented("release", answer)
    assert answer["changed"] is False


def test_a_refused_release_leaves_everything_as_it_was(host_of: HostOf) -> None:
    engine = engine_in(other_release)
    engine.behaviours[RELEASE_SPEC.image] = BREAKS_CONTRACT
    with pytest.raises(ClassvmError, match="breaks its contract"):
        releasing.release(host_of(engine), RELEASE)
    assert engine.serving() == "r1"
    assert SETTINGS_FILE not in engine.files


def test_a_person_rolls_back_with_the_settings_of_the_last_deploy(host_of: HostOf) -> None:
    engine = Engine()
    host = host_of(engine)
    releasing.release(host, {**RELEASE, "release": "r1"})
    releasing.release(host, RELEASE)
    answer = releasing.roll_back(host, ROLLBACK)
    require_documented("rollback", answer)
    assert engine.serving() == answer["release"] == "r1"
    # It runs as the others did.
    assert releasing.release(host, {**RELEASE, "release": "r1"})["changed"] is False


@pytest.mark.parametrize("verb", ["release", "rollback"])
def test_a_dry_run_changes_nothing(verb: str, host_of: HostOf) -> None:
    engine = Engine()
    host = host_of(engine)
    releasing.release(host, {**RELEASE, "release": "r1"})
    releasing.release(host, {**RELEASE, "release": "r3"})
    before, files = engine.state(), dict(engine.files)
    dry = {"check": True, "diff": True}
    if verb == "release":
        answer = releasing.release(host, {**RELEASE, **dry})
    else:
        answer = releasing.roll_back(host, {**ROLLBACK, **dry})
    require_documented(verb, answer)
    assert answer["changed"] is True
    assert answer["diff"]["before"].startswith("release r3\n")
    assert answer["diff"]["after"].startswith(
        "release r2\n" if verb == "release" else "release r1\n"
    )
    assert (engine.state(), engine.files) == (before, files)


def test_a_dry_run_on_a_bare_host_announces_the_change(
    monkeypatch: pytest.MonkeyPatch, host_of: HostOf
) -> None:
    host = host_of(Engine())
    monkeypatch.setattr(host.docker, "engine_version", lambda: None)
    answer = releasing.release(host, {**RELEASE, "release": "", "check": True, "diff": True})
    require_documented("release", answer)
    assert answer["changed"] is True


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize("check", [True, False])
def test_without_an_engine_the_cause_is_told(check: bool, tmp_path: object) -> None:
    host = Host(str(tmp_path), Docker())
    host.remember("lab", SETTINGS)
    with pytest.raises(ClassvmError, match=r"Docker is not installed.*make provision"):
        releasing.roll_back(host, {**ROLLBACK, "check": check})


def test_the_contract_check_comes_from_the_program_and_only_where_there_is_a_contract() -> None:
    with_contract = releasing.read_spec("lab", SETTINGS, RELEASE)
    assert with_contract.checker_program == RELEASE_SPEC.checker_program
    assert releasing.read_spec("lab", SETTINGS, ROLLBACK).checker_program == ""
    assert OLD.checker_program == with_contract.checker_program


def test_before_the_swap_it_ends_with_the_one_who_waits(
    host_of: HostOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []
    monkeypatch.setattr(client, "end_orderly", lambda: called.append("watched"))
    engine = engine_in(other_release)
    engine.client_has_gone = True
    with pytest.raises(ClassvmError, match="the swap did not begin"):
        releasing.release(host_of(engine), RELEASE)
    assert called == ["watched"]
    assert engine.serving() == "r1"
