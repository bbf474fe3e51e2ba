"""The lines of a log that belong to a request."""

from __future__ import annotations

import json

import pytest
from classvm.release import request_log

BAD = ("GET", "/e222/bad")


def json_line(method: str, target: str, agent: str = "classvm-contract") -> str:
    return json.dumps({"method": method, "target": target, "status": 200, "user_agent": agent})


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        (json_line("GET", "/e222/bad?a=1"), BAD),
        ('127.0.0.1 - - [29/Nov/2026 00:00:00] "GET /e222/bad HTTP/1.1" 500 -', BAD),
        ('127.0.0.1 - - [x] "POST /a?b HTTP/1.1" 201 5 "-" "curl"', ("POST", "/a")),
        ("{not json", None),
        ('{"method": "GET"}', None),
        ("[1]", None),
        ("a print", None),
        ("", None),
    ],
)
def test_lines_of_an_access_log(line: str, asked: tuple[str, str] | None) -> None:
    assert request_log.access(line) == asked


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("GET http://127.0.0.1:8080/e222/bad?a=1", BAD),
        ("GET /e222/bad with a body", BAD),
        ("GET", ("GET", "")),
    ],
)
def test_what_a_report_calls_a_request(text: str, request_: tuple[str, str]) -> None:
    assert request_log.request_of(text) == request_


def test_what_was_printed_before_a_request_was_answered_belongs_to_it() -> None:
    log = [
        "[2026-11-29 00:00:00 +0000] [1] [INFO] Listening at: http://0.0.0.0:8080",
        "starting",
        json_line("GET", "/e222/good"),
        "of good",
        json_line("GET", "/e222/good"),
        "of bad",
        "",
        json_line("HEAD", "/", "classvm-health"),
        json_line("GET", "/e222/health", "health"),
        "of bad, too",
        json_line("GET", "/e222/bad"),
        "of good",
        json_line("GET", "/e222/good"),
        "after all",
    ]
    assert request_log.lines_of(log, {BAD}) == ["of bad", "of bad, too"]


def test_a_health_check_that_fails_is_shown() -> None:
    log = ["why", json_line("GET", "/health")]
    assert request_log.lines_of(log, {("GET", "/health")}) == ["why"]


def test_an_app_that_logs_no_requests_shows_all_it_said() -> None:
    log = ["a", "", "[x] [INFO] noise", "b"]
    assert request_log.lines_of(log, {BAD}) == ["a", "b"]


def test_other_requests_show_nothing() -> None:
    assert request_log.lines_of(["a", json_line("GET", "/good")], {BAD}) == []


EXCEPTION = [
    "[2026-11-29 14:00:25,746] ERROR in app: Exception on /e222/bad [GET]",
    "Traceback (most recent call last):",
    '  File "src/bad.py", line 8, in get',
    "ValueError: bad",
]


@pytest.mark.parametrize("late", range(len(EXCEPTION) + 1))
def test_an_exception_belongs_to_the_request_that_it_names(late: int) -> None:
    """The engine reads each stream by itself. Red before where it read the answer first."""
    answered = json_line("GET", "/e222/bad")
    log = [
        json_line("GET", "/e222/good"),
        "of bad",
        *EXCEPTION[:late],
        answered,
        *EXCEPTION[late:],
        json_line("GET", "/e222/good"),
        "of good",
        json_line("GET", "/e222/good"),
    ]
    assert request_log.lines_of(log, {BAD}) == ["of bad", *EXCEPTION]
    assert request_log.lines_of(log, {("GET", "/e222/good")}) == ["of good"]


def test_an_exception_at_the_end_of_a_log_belongs_to_its_request() -> None:
    log = [json_line("GET", "/e222/bad"), *EXCEPTION]
    assert request_log.lines_of(log, {BAD}) == EXCEPTION


def test_two_exceptions_one_after_the_other_stay_apart() -> None:
    other = [line.replace("bad", "worse") for line in EXCEPTION]
    log = [json_line("GET", "/e222/bad"), *EXCEPTION, *other, json_line("GET", "/e222/worse")]
    assert request_log.lines_of(log, {BAD}) == EXCEPTION
    assert request_log.lines_of(log, {("GET", "/e222/worse")}) == other
