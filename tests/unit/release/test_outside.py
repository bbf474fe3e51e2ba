"""What `make status` says of a service, and of its host."""

from __future__ import annotations

import dataclasses
import http.server
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest
from classvm.release import finishing, outside
from classvm.release.outside import Asked
from classvm.release.status import (
    ABSENT,
    DEGRADED,
    EDGE_DOWN,
    STOPPED,
    UNHEALTHY,
    UP,
    Status,
)
from free_ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

URL = "http://vm-148-1:11000/"
CURRENT: dict[str, Any] = {"problems": [], "guard": "loaded", "unseen": ""}
UP_STATUS = Status(UP, "r1", "2026-01-02T03:04:05Z", 11000)
REPAIRED = " `make deploy` repairs it"
OFF = "`make maintenance off`"
LINE = f"release r1 at {URL} since 2026-01-02 03:04:05 UTC"


class Answering(http.server.BaseHTTPRequestHandler):
    """Answers 503, as HAProxy does during maintenance."""

    def do_HEAD(self) -> None:
        """Answer."""
        self.send_response(503)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def answering() -> Iterator[int]:
    """Return the port of a server that answers."""
    with http.server.HTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_any_answer_will_do(answering: int) -> None:
    assert outside.ask("127.0.0.1", answering) == Asked(f"http://127.0.0.1:{answering}/")


def test_a_closed_port_is_told() -> None:
    assert outside.ask("127.0.0.1", free_port()).silence == "Connection refused"


def test_a_port_that_accepts_and_is_silent_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside, "ANSWER_SECONDS", 0.1)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        assert outside.ask("127.0.0.1", silent.getsockname()[1]).silence == "timed out"


def said(silence: str = "", provision: Mapping[str, Any] = CURRENT, **changes: Any) -> str:
    status = dataclasses.replace(UP_STATUS, **changes)
    return outside.sentence(status, Asked(URL, silence), provision)


def test_of_a_service_that_is_up_nothing_else_is_said() -> None:
    assert said() == f"up, {LINE}"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"state": ABSENT, "release": ""}, "absent; `make deploy` brings it up"),
        ({"state": STOPPED}, "stopped, release r1; `make start` starts it"),
        ({"state": UNHEALTHY}, f"unhealthy, {LINE}; `make logs` may tell why"),
        (
            {"state": DEGRADED, "problems": ["memory is not 1g", "b"]},
            f"degraded, {LINE}; memory is not 1g, b; `make deploy` repairs it",
        ),
        (
            {"maintenance": True},
            f"in maintenance: every client gets 503 until {OFF}; behind it up, {LINE}",
        ),
        (
            {"maintenance": True, "state": STOPPED},
            f"stopped, release r1; `make start` starts it; maintenance is on, which {OFF} ends",
        ),
        (
            {"restarts": 1},
            f"up, {LINE}; it ended and was started again once, `make logs` may tell why",
        ),
        (
            {"restarts": 3},
            f"up, {LINE}; it ended and was started again 3 times, `make logs` may tell why",
        ),
        (
            {"state": STOPPED, "edge": EDGE_DOWN},
            "stopped, release r1; `make start` starts it; HAProxy does not hold the port;"
            + REPAIRED,
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_command(changes: dict[str, Any], sentence: str) -> None:
    assert said(**changes) == sentence


def test_a_port_that_does_not_answer_from_outside_is_said() -> None:
    assert said("No route to host") == (
        f"degraded, {LINE}; it answers on its host, but not from here (No route to host):"
        " look for a firewall between"
    )


def test_where_the_host_itself_gets_no_answer_no_firewall_is_looked_for() -> None:
    changes: dict[str, Any] = {"state": DEGRADED, "problems": ["nothing answers on port 11000"]}
    assert "firewall" not in said("timed out", **changes)


@pytest.mark.parametrize(
    ("provision", "remark"),
    [
        (
            {"problems": ["a is missing", "b"]},
            "the provision is not current: a is missing, b; `make deploy` renews it",
        ),
        (
            {"unseen": "whether the guard is loaded"},
            "not checked: whether the guard is loaded (only root can tell)",
        ),
    ],
)
def test_what_is_wrong_with_the_host_is_said(provision: dict[str, Any], remark: str) -> None:
    told: dict[str, Any] = {**CURRENT, **provision}
    assert said(provision=told) == f"up, {LINE}; {remark}"


@pytest.mark.parametrize(
    ("swap", "remark"),
    [
        ({"finishing": True}, "the swap is finished in the background"),
        ({"taken_back": "release r2 ended"}, "release r2 ended; correct it, then `make deploy`"),
    ],
)
def test_what_became_of_a_swap_is_said(swap: dict[str, Any], remark: str) -> None:
    told = {**finishing.NOTHING, **swap}
    assert outside.sentence(UP_STATUS, Asked(URL), CURRENT, told) == f"up, {LINE}; {remark}"
    found = outside.facts(UP_STATUS, Asked(URL), CURRENT, told)
    assert {name: found[name] for name in told} == told
    assert found["state"] == UP


@pytest.mark.parametrize(
    ("status", "silence", "state", "answers"),
    [
        (UP_STATUS, "", UP, True),
        (UP_STATUS, "timed out", DEGRADED, False),
        (dataclasses.replace(UP_STATUS, state=UNHEALTHY), "timed out", UNHEALTHY, False),
        (dataclasses.replace(UP_STATUS, state=STOPPED), "", STOPPED, None),
        (dataclasses.replace(UP_STATUS, state=DEGRADED, port=0), "", DEGRADED, None),
        (Status(), "", ABSENT, None),
    ],
)
def test_a_program_gets_the_same(
    status: Status, silence: str, state: str, answers: bool | None
) -> None:
    provision = {"problems": ["a"], "guard": "missing", "unseen": "b"}
    found = outside.facts(status, Asked(URL, silence), provision)
    assert (found["state"], found["answers"], found["url"]) == (state, answers, URL)
    assert [found[name] for name in ("provision", "guard", "not_checked")] == [
        ["a"],
        "missing",
        "b",
    ]
    assert any(silence in one for one in found["problems"]) == bool(silence)
