"""Why an app failed, as its log tells."""

from __future__ import annotations

import pytest
from classvm.release import last_words, log
from fake_engine import RELEASE_SPEC, Engine

FRAME = '  File "/service/src/a.py", line 7, in get'
FOREIGN = '  File "/opt/venv/lib/python3.7/site-packages/flask/app.py", line 2, in f'
TRACEBACK = ["Traceback (most recent call last):", FOREIGN, FRAME, "    x", "ValueError: no"]


@pytest.fixture
def engine() -> Engine:
    engine = Engine()
    engine.put(RELEASE_SPEC.live, RELEASE_SPEC)
    return engine


def test_the_apps_own_code_comes_first(engine: Engine) -> None:
    engine.log = TRACEBACK
    said = last_words.read(engine, RELEASE_SPEC.live)
    assert said.cause == "ValueError: no (src/a.py:7)"
    assert said.details.splitlines() == [
        "In the app's own code:",
        '  File "src/a.py", line 7, in get',
        "    x",
        "ValueError: no",
        "Log:",
        "last words of classvm/lab:r2",
        *TRACEBACK,
    ]
    assert said.explain("it ended") == "it ended: ValueError: no (src/a.py:7)"
    assert said.explain("it ended\nmore").splitlines()[1] == "more"


def test_without_a_traceback_the_end_of_the_log_has_to_do(engine: Engine) -> None:
    engine.log = [f"line {number}" for number in range(100)]
    said = last_words.read(engine, RELEASE_SPEC.live)
    assert said.cause == ""
    assert said.explain("it ended") == "it ended"
    first, *rest = said.details.splitlines()
    assert first == "Its last log lines:"
    assert rest == engine.log[-last_words.LAST_LINES :]


def test_what_never_ran_has_no_log(engine: Engine) -> None:
    assert last_words.read(engine, "nobody").details == "It never ran, so there is no log."
    assert last_words.of_requests(engine, "nobody", {("GET", "/")}) == []


def test_an_empty_log_is_said(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "read", lambda *_, **__: "")
    assert last_words.read(engine, RELEASE_SPEC.live).details == "Its log is empty."


def test_the_log_of_some_requests(engine: Engine) -> None:
    asked = '"GET /bad HTTP/1.1" 500'
    engine.log = ['"GET /good HTTP/1.1" 200', *TRACEBACK, asked, "more"]
    shown = last_words.of_requests(engine, RELEASE_SPEC.live, {("GET", "/bad")})
    assert shown[0] == "In the app's own code:"
    assert shown[-len(TRACEBACK) - 1 :] == ["Log:", *TRACEBACK]
    assert last_words.of_requests(engine, RELEASE_SPEC.live, {("GET", "/ugly")}) == []


def test_the_exception_that_a_request_met(engine: Engine) -> None:
    engine.log = [*TRACEBACK, '"GET /bad HTTP/1.1" 500', '"GET /good HTTP/1.1" 200']
    raised = last_words.exception_of(engine, RELEASE_SPEC.live, ("GET", "/bad"))
    assert raised.startswith(TRACEBACK[-1])
    assert raised.endswith(")")
    assert last_words.exception_of(engine, RELEASE_SPEC.live, ("GET", "/good")) == ""
    assert last_words.exception_of(engine, "nobody", ("GET", "/bad")) == ""


REFUSED = [
    "http://127.0.0.1:8080/bad validation error: 'message' is a required property",
    "Failed validating 'required' in schema:",
    "    {'components': {'schemas': {}},",
    "     'required': ['message']}",
    "On instance:",
    "    {'massage': 'Hello, world!'}",
    '"GET /bad HTTP/1.1" 500',
]


def test_an_answer_that_the_lab_s_app_did_not_let_out(engine: Engine) -> None:
    engine.log = ["the response violates master.yml: no `message`", '"GET /bad HTTP/1.1" 500']
    assert last_words.exception_of(engine, RELEASE_SPEC.live, ("GET", "/bad")) == (
        "the answer breaks the schema: no `message`"
    )


def test_an_answer_that_the_framework_did_not_let_out(engine: Engine) -> None:
    engine.log = REFUSED
    assert last_words.exception_of(engine, RELEASE_SPEC.live, ("GET", "/bad")) == (
        "the answer breaks the schema: 'message' is a required property"
    )
    shown = last_words.of_requests(engine, RELEASE_SPEC.live, {("GET", "/bad")})
    assert shown[-3:] == [REFUSED[0], *REFUSED[4:6]]


def test_the_same_traceback_is_shown_once() -> None:
    said = [*TRACEBACK, "between", *TRACEBACK]
    assert last_words.without_repeats(said) == [*TRACEBACK, "between"]
    assert last_words.shown(said, "/service").count("In the app's own code:") == 1


def test_what_is_shown_is_bounded() -> None:
    said: list[str] = []
    for number in range(200):
        said += [*TRACEBACK[:-1], f"ValueError: {number}"]
    shown = last_words.shown(said, "/service").splitlines()
    assert len(shown) < last_words.SHOWN_LINES + 20
    assert shown[-1] == "ValueError: 199"


def test_a_traceback_without_own_code_is_only_in_the_log() -> None:
    said = [TRACEBACK[0], FOREIGN, "OSError"]
    assert last_words.shown(said, "/service").splitlines() == ["Log:", *said]
    assert last_words.shown([], "/service") == ""
