"""Which hosts can be verified, and what is live there."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import survey
import verify
from classvm.image import image_labels
from classvm.release.history import LIVE, ROLLED_BACK
from infra import expected

if TYPE_CHECKING:
    from collections.abc import Callable

CONTENT = "files as deployed"


class Host(SimpleNamespace):
    """What a host should be."""

    name = "a"
    container = "classvm-lab"
    is_local = is_behind_edge = False
    edge = SimpleNamespace(map="/state/edge.map")
    service_dir = Path("/clone/service")
    source = SimpleNamespace(packed=SimpleNamespace(content=CONTENT))

    def __getitem__(self, name: str) -> str:
        """Return a variable."""
        return {"service_name": "lab", "classvm_state_dir": "/state"}[name]


GOOD_HOST: dict[str, object] = {"rc": 0, "stdout": f"classvm-lab running {CONTENT}\n"}
LATER: dict[str, object] = {"rc": 0, "stdout": "classvm-lab running other files\n"}


def surveyed(
    monkeypatch: pytest.MonkeyPatch, answers: dict[str, dict[str, object]], evidence: str = ""
) -> survey.Survey:
    """Look at hosts that answer so."""

    def ask(words: list[str]) -> dict[str, Any]:
        first = any(survey.SURVEY in word for word in words)
        return answers if first else {words[1]: {"stdout": evidence}}

    monkeypatch.setattr(expected, "ask", ask)
    monkeypatch.setattr(expected, "read", lambda *_: {host: Host(name=host) for host in answers})
    return survey.survey(verify.parse([]))


@pytest.mark.parametrize(
    ("answer", "cause", "fix"),
    [
        (
            {"unreachable": True, "msg": "No route\nto host"},
            "cannot be reached: No route to host",
            "`make doctor INVENTORY=class.yml LIMIT=b`",
        ),
        ({"rc": 0, "stdout": f"{survey.NO_ROOT}\n"}, "can be verified by root only", "make verify"),
        (LATER, "runs another release", "`make deploy INVENTORY=class.yml LIMIT=b`"),
        ({"rc": 0, "stdout": "classvm-lab exited x\n"}, "is stopped", "`make start INV"),
        ({"rc": 0, "stdout": ""}, "has no release", "`make deploy INVENTORY=class.yml LIMIT=b`"),
        ({"rc": 0, "stdout": "classvm-other running x\n"}, "has no release", "`make deploy"),
    ],
)
def test_one_host_that_cannot_be_verified_takes_a_line_and_leaves_the_others(
    answer: dict[str, object], cause: str, fix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLASSVM_INVENTORY", "class.yml")
    found = surveyed(monkeypatch, {"b": answer, "a": GOOD_HOST})
    assert found.hosts == ["a"]
    assert list(found.obstacles) == ["b"]
    assert cause in found.obstacles["b"]
    assert fix in found.obstacles["b"].partition("Next: ")[2]
    assert "\n" not in found.obstacles["b"]


@pytest.mark.parametrize(("is_local", "fix"), [(True, "sudo make verify"), (False, "an account")])
def test_what_needs_root_names_the_command_at_once(
    is_local: bool, fix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Host, "is_local", is_local)
    with pytest.raises(survey.CannotRunError) as refused:
        surveyed(monkeypatch, {"a": {"rc": 0, "stdout": f"{survey.NO_ROOT}\n"}})
    assert fix in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("state", ["running", "paused", "restarting"])
def test_a_host_with_this_release_is_verified(state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: dict[str, dict[str, object]] = {"a": {"stdout": f"classvm-lab {state} {CONTENT}\n"}}
    found = surveyed(monkeypatch, answers)
    assert (found.hosts, found.obstacles, found.by_rollback) == (["a"], {}, {})


def test_a_host_in_maintenance_is_not_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Host, "is_behind_edge", True)
    found = surveyed(monkeypatch, {"a": GOOD_HOST}, "live blue\nmaintenance off\n")
    assert found.hosts == ["a"]
    with pytest.raises(
        survey.CannotRunError, match=r"a is in maintenance: .*`make maintenance off"
    ):
        surveyed(monkeypatch, {"a": GOOD_HOST}, "live blue\nmaintenance on\n")


def test_without_any_host_to_verify_nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(survey.CannotRunError, match="a cannot be reached: away"):
        surveyed(monkeypatch, {"a": {"unreachable": True, "msg": "away"}})


def evidence(*results: tuple[str, str]) -> str:
    """Return what a host prints whose history is this: releases and results."""
    labels = {image_labels.LABEL_RELEASE: "r1"}
    entries = [
        {"service": "lab", "release": release, "result": result, "image_id": f"image of {number}"}
        for number, (release, result) in enumerate(results)
    ]
    lines = "".join(f"{json.dumps(entry)}\n" for entry in entries)
    return "\n".join(
        base64.b64encode(text.encode()).decode() for text in (json.dumps(labels), lines, "spec")
    )


def test_a_release_that_a_rollback_made_live_is_verified_as_what_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = evidence(("r1", LIVE), ("r2", LIVE), ("r1", ROLLED_BACK))
    found = surveyed(monkeypatch, {"a": LATER}, said)
    assert found.hosts == ["a"]
    live = found.by_rollback["a"]
    assert (live.release, live.image_id, live.spec) == ("r1", "image of 0", "spec")


@pytest.mark.parametrize(
    "said",
    [
        evidence(("r2", LIVE), ("r1", LIVE)),
        evidence(("r1", ROLLED_BACK), ("r2", LIVE)),
        evidence(("r2", ROLLED_BACK)),
        evidence(),
        "\n\n\n",
        "",
    ],
)
def test_any_other_release_is_no_rollback(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(survey.CannotRunError, match="a runs another release than service/"):
        surveyed(monkeypatch, {"a": LATER}, said)


def test_only_the_hosts_that_are_meant_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def ask(words: list[str]) -> dict[str, Any]:
        asked.extend(words)
        return {"b": GOOD_HOST, "a": GOOD_HOST}

    monkeypatch.setattr(expected, "ask", ask)
    monkeypatch.setattr(expected, "read", lambda *_: {})
    found = survey.survey(verify.parse(["-l", "x", "-e", "p=1"]))
    assert (found.hosts, found.obstacles) == (["a", "b"], {})
    assert not asked[asked.index("--args") + 1].startswith("{")  # that would be JSON to Ansible
    assert asked[1] == f"all:!{expected.NEIGHBOURS}"
    assert asked[-4:] == ["--extra-vars", "p=1", "--limit", "x"]


def said_by(script: str) -> str:
    """Return what a script prints."""
    words = ["/bin/sh", "-c", script]
    return subprocess.run(words, capture_output=True, check=True, text=True).stdout


@pytest.mark.parametrize("user", ["root", "sudo", "student"])
def test_the_survey_tells_who_may_look_and_what_runs(
    user: str, program: Callable[..., Path]
) -> None:
    program("id", f"echo {0 if user == 'root' else 1000}")
    program("sudo", 'shift; exec "$@"' if user == "sudo" else "exit 1")
    program("true")
    program("docker", "echo classvm-lab running x")
    expected_ = f"{survey.NO_ROOT}\n" if user == "student" else "classvm-lab running x\n"
    assert said_by(survey.SURVEY) == expected_


def test_the_evidence_of_a_rollback_is_what_the_host_has(program: Callable[..., Path]) -> None:
    program("id", "echo 0")
    program("true")
    program("docker", 'case "$*" in *inspect*) echo "{}" ;; *exec*) echo spec ;; esac')
    # Of three commands the second one fails here: its line is empty.
    lines = said_by(survey.evidence_script(Host())).split("\n")  # type: ignore[arg-type] # as much of it as is read
    assert [base64.b64decode(line).decode() for line in lines[:3]] == ["{}\n", "", "spec\n"]
