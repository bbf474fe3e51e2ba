"""The command line, for a person and for a program."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import pytest
from classvm.base import client, progress
from classvm.base.errors import ClassvmError
from classvm.program import command_line, looking, protocol, schema
from classvm.program.host import Host
from fake_engine import Engine
from start_states import engine_in, same_release

pytestmark = pytest.mark.usefixtures("same_process")
Ask = Callable[..., tuple[int, Any]]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Offer ``ask(verb, request)``: what the program answers to a program, and its exit code."""

    def ask(verb: str, request: object = b"") -> tuple[int, Any]:
        text = request if isinstance(request, bytes) else json.dumps(request).encode()
        stdin = SimpleNamespace(buffer=io.BytesIO(text), isatty=lambda: False)
        monkeypatch.setattr("sys.stdin", stdin)
        code = command_line.main([verb, "--json"])
        out = capsys.readouterr().out
        assert out.count("\n") == 1
        return code, json.loads(out)

    return ask


@pytest.fixture
def here(host_of: Callable[[Engine], Host], monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Let this host be one with a live release."""
    engine = engine_in(same_release)
    host = host_of(engine)
    monkeypatch.setattr(Host, "here", lambda _: host)
    monkeypatch.setattr(client, "end_orderly", lambda: None)
    monkeypatch.setattr(command_line, "say_in", lambda *_: None)
    return engine


REQUEST = {"protocol": protocol.PROTOCOL, "service": "lab"}


@pytest.mark.usefixtures("here")
def test_a_program_asks_and_is_answered(ask: Ask) -> None:
    code, answer = ask("status", REQUEST)
    jsonschema.validate(answer, schema.ANSWERS["status"])
    assert (code, answer["status"]["release"]) == (0, "r2")


@pytest.mark.usefixtures("here")
def test_without_a_request_the_plain_question_is_asked(ask: Ask) -> None:
    code, answer = ask("status")
    assert answer["error"]["line"].startswith("This host has no record of its service")
    assert code == protocol.EXIT_CODES[protocol.NOT_PROVISIONED]


@pytest.mark.usefixtures("here")
def test_a_closed_input_is_no_request(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", None)
    code = command_line.main(["status", "--json"])
    assert code == protocol.EXIT_CODES[protocol.NOT_PROVISIONED]
    assert json.loads(capsys.readouterr().out)["error"]["code"] == protocol.NOT_PROVISIONED


@pytest.mark.parametrize(
    ("request_", "word"),
    [
        (b"{", protocol.REQUEST),
        ({**REQUEST, "x": 1}, protocol.REQUEST),
        ({"service": "lab"}, protocol.REQUEST),
        ({**REQUEST, "protocol": protocol.PROTOCOL + 1, "new": 1}, protocol.TOO_OLD),
        ({**REQUEST, "protocol": "1"}, protocol.REQUEST),
    ],
)
@pytest.mark.usefixtures("here")
def test_a_request_that_is_not_understood(request_: object, word: str, ask: Ask) -> None:
    code, answer = ask("status", request_)
    jsonschema.validate(answer, schema.FAILURE)
    assert (code, answer["error"]["code"]) == (protocol.EXIT_CODES[word], word)


@pytest.mark.parametrize(
    ("raised", "word"),
    [
        (ClassvmError("It broke", fix="Mend it."), protocol.FAILED),
        (SystemExit(client.GONE), protocol.INTERRUPTED),
        (KeyboardInterrupt(), protocol.INTERRUPTED),
        (ValueError("a slip"), protocol.DEFECT),
    ],
)
@pytest.mark.usefixtures("here")
def test_whatever_happens_there_is_an_answer(
    raised: BaseException, word: str, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise raised

    monkeypatch.setattr(looking, "tell_status", fail)
    code, answer = ask("status", REQUEST)
    jsonschema.validate(answer, schema.FAILURE)
    assert (code, answer["error"]["code"]) == (protocol.EXIT_CODES[word], word)
    assert ("Traceback" in answer["error"]["details"]) == (word == protocol.DEFECT)


@pytest.mark.usefixtures("here")
def test_a_person_reads_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["status"]) == protocol.EXIT_CODES[protocol.NOT_PROVISIONED]
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("classvm: This host has no record of its service. ")


def test_a_person_s_slip_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["fly"]) == protocol.EXIT_CODES[protocol.REQUEST]
    assert "Read `classvm --help`." in capsys.readouterr().err


def test_help_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        command_line.main(["--help"])
    assert end.value.code == 0
    assert "verify-image" in capsys.readouterr().out


@pytest.mark.usefixtures("here")
def test_an_image_with_problems_is_told_by_the_exit_code(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: dict[str, Any] = {"image": "i", "release": "r2", "problems": []}
    monkeypatch.setattr(looking, "verify_image", lambda *_: found)
    assert ask("verify-image", REQUEST)[0] == 0
    found["problems"] = ["a"]
    assert ask("verify-image", REQUEST)[0] == 1


@pytest.mark.usefixtures("here")
def test_a_log_is_followed_until_there_is_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = [
        {"lines": ["one", "\x1b[2J"], "container": "c1", "stamp": "1"},
        {"lines": [], "container": "c1", "stamp": "1"},
        {"lines": ["two"], "container": "c2", "stamp": "2"},
        {"lines": [], "container": "", "stamp": ""},
    ]
    asked: list[dict[str, Any]] = []

    def tell(_: Host, request: dict[str, Any]) -> dict[str, Any]:
        asked.append(request)
        return answers[len(asked) - 1]

    monkeypatch.setattr(looking, "tell_logs", tell)
    assert command_line.main(["logs", "--follow"]) == 0
    assert capsys.readouterr().out == "one\n\N{REPLACEMENT CHARACTER}[2J\ntwo\n"
    assert [one.get("container") for one in asked] == [None, "c1", "c1", "c2"]


def test_every_verb_has_its_work() -> None:
    for verb in schema.VERBS:
        assert callable(command_line._work_of(verb))


def test_progress_is_said_in_a_new_file_of_the_state_folder(tmp_path: Path) -> None:
    token = "a" * 32
    command_line.say_in(str(tmp_path), token)
    progress.say("unpacking")
    file = tmp_path / "progress" / token
    assert file.read_text().strip() == "unpacking"


def test_progress_never_follows_a_link(tmp_path: Path) -> None:
    target, token = tmp_path / "target", "b" * 32
    target.write_text("mine")
    (tmp_path / "progress").mkdir()
    (tmp_path / "progress" / token).symlink_to(target)
    command_line.say_in(str(tmp_path), token)
    progress.say("not here")
    assert target.read_text() == "mine"


def test_progress_of_killed_runs_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "progress"
    folder.mkdir()
    for name, age in (("old", progress.OLD_SECONDS + 60), ("new", 0)):
        (folder / name).touch()
        time = (folder / name).stat().st_mtime - age
        os.utime(folder / name, (time, time))
    command_line.say_in(str(tmp_path), "c" * 32)
    assert {path.name for path in folder.iterdir()} == {"new", "c" * 32}


def test_no_work_fails_for_progress_that_cannot_be_said(tmp_path: Path) -> None:
    command_line.say_in(str(tmp_path / "gone"), "d" * 32)
    progress.say("to nobody")
