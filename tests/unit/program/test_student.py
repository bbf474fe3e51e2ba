"""What a student may ask who is not root."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from classvm.base import account, command, host, installed
from classvm.base.command import Finished
from classvm.program import command_line, protocol, schema, student
from classvm.program.protocol import REQUEST, RefusedError
from program_requests import SETTINGS, SHORT


@pytest.fixture
def state_dir(tmp_path: Path) -> str:
    """Return the state folder of a host for the service lab."""
    (tmp_path / host.CHOICES).write_text('{"service": "lab"}')
    return str(tmp_path)


# They tell what the account itself may do: through sudo that would be root.
OWN_RIGHT = {"account", "verify-provision"}


def test_a_verb_has_one_command_line() -> None:
    for verb in student.VERBS:
        assert student.argv(verb) == [installed.HERE.command, "--student", verb, "--json"]
    assert set(schema.VERBS) - set(student.VERBS) == OWN_RIGHT


def test_the_own_service_is_asked_about(state_dir: str) -> None:
    for request in (SHORT, {"protocol": 1}, {**SHORT, "state_dir": state_dir}):
        assert student.bounded(state_dir, request) == request


@pytest.mark.parametrize(
    "more",
    [{"service": "other"}, {"state_dir": "/tmp"}, {"state_dir": "/"}, {"service": ""}],  # noqa: S108 - refused
)
def test_what_is_not_a_student_s_is_refused(more: dict[str, Any], state_dir: str) -> None:
    with pytest.raises(RefusedError) as refused:
        student.bounded(state_dir, {**SHORT, **more})
    assert refused.value.code == REQUEST


@pytest.mark.parametrize(
    "member",
    ["release", "settings", "keep_releases", "checker_image", "content", "environment", "base"],
)
def test_most_of_a_release_is_not_a_student_s_to_say(
    member: str, state_dir: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installed, "state_dir", lambda: state_dir)
    with pytest.raises(RefusedError, match=f"'{member}' is not known"):
        command_line.do("release", {"protocol": 1, "contract": "{}", member: 1}, for_student=True)


def test_the_app_stays_on_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = io.BytesIO(b'{"protocol": 1, "contract": "{}"}\nthe app')
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=sent, isatty=lambda: False))
    seen: list[bytes] = []

    def do(verb: str, request: dict[str, Any], *, for_student: bool) -> dict[str, Any]:
        assert (verb, request["contract"], for_student) == ("release", "{}", True)
        seen.append(sent.read())
        return {}

    monkeypatch.setattr(command_line, "do", do)
    monkeypatch.setattr(student, "is_here", lambda: False)
    assert command_line.for_program("release", for_student=True) == 0
    assert seen == [b"the app"]


def test_settings_of_a_student_s_own_do_not_count(state_dir: str) -> None:
    more = {**SHORT, "settings": {**SETTINGS, "limits": {**SETTINGS["limits"], "memory": "64g"}}}
    assert student.bounded(state_dir, more) == SHORT


def test_a_student_does_not_choose_how_long_the_lock_is_held(state_dir: str) -> None:
    assert student.bounded(state_dir, {**SHORT, "health_timeout": 86400}) == SHORT


@pytest.mark.parametrize(
    ("groups", "user", "is_one"),
    [
        ({"classvm"}, 1000, True),
        ({"classvm", "docker"}, 1000, False),
        ({"users"}, 1000, False),
        ({"classvm"}, 0, False),
    ],
)
def test_who_is_a_student(
    groups: set[str], user: int, is_one: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account, "groups", lambda: frozenset(groups))
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert student.is_here() is is_one


def test_sudo_goes_on_without_a_question(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _, words: ran.append(words))
    student.become("status")
    assert ran == [["/usr/bin/sudo", "--non-interactive", *student.argv("status")]]


@pytest.mark.parametrize("error", [None, {"code": "failed", "line": "l", "fix": "", "details": ""}])
def test_a_person_gets_what_sudo_s_program_answers(
    error: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = {"protocol": 1, "error": error}
    sent: list[bytes] = []

    def run(words: list[str], *, stdin: bytes) -> Finished:
        sent.append(stdin)
        return Finished(words, 0, json.dumps(answer), "")

    monkeypatch.setattr(command, "run", run)
    assert student.ask("status", b"{}") == answer
    assert command_line.answered(lambda: student.ask("status", b"{}"))["error"] == error
    assert sent == [b"{}"] * 2


def test_who_may_not_ask_is_told_why(monkeypatch: pytest.MonkeyPatch) -> None:
    said = Finished([], 1, "", "sudo: a password is required\n")
    monkeypatch.setattr(command, "run", lambda *_, **__: said)
    with pytest.raises(RefusedError, match=r"a password is required.*students"):
        student.ask("status", b"{}")


@pytest.mark.usefixtures("same_process")
def test_a_student_s_request_is_bounded_before_its_work(
    state_dir: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installed, "state_dir", lambda: state_dir)
    monkeypatch.setattr(command_line, "_work_of", lambda *_, **__: lambda host, _: vars(host))
    other = {**SHORT, "state_dir": "/else"}
    assert command_line.do("status", other)["state_dir"] == "/else"
    with pytest.raises(RefusedError, match="The state folder of this host is"):
        command_line.do("status", other, for_student=True)
    assert command_line.do("status", SHORT, for_student=True)["state_dir"] == state_dir


@pytest.mark.usefixtures("same_process")
def test_a_student_s_program_becomes_sudo_s(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    became: list[str] = []

    def become(verb: str) -> None:
        became.append(verb)
        raise SystemExit(7)

    monkeypatch.setattr(student, "is_here", lambda: True)
    monkeypatch.setattr(student, "become", become)
    with pytest.raises(SystemExit):
        command_line.main(["status", "--json"])
    assert became == ["status"]
    told: dict[str, Any] = {
        "protocol": protocol.PROTOCOL,
        "error": None,
        "image": "i",
        "problems": [],
    }
    monkeypatch.setattr(student, "ask", lambda *_: told)
    assert command_line.main(["verify-image"]) == 0
    assert capsys.readouterr().out == "classvm: i is what its labels say\n"


@pytest.mark.usefixtures("same_process")
@pytest.mark.parametrize("words", [["account", "--json"], ["account"]])
def test_what_the_account_itself_may_do_is_not_asked_through_sudo(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(student, "is_here", lambda: True)
    for way in ("become", "ask"):
        monkeypatch.setattr(student, way, lambda *_: pytest.fail("sudo was asked"))
    monkeypatch.setattr("sys.stdin", None)
    assert command_line.main(words) == 0
