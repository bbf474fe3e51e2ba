"""The load and what it counts, against small servers of these tests, without Docker."""

from __future__ import annotations

import json
import math
import socket
import socketserver
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from faults.background import BackgroundProcess
from faults.load import (
    KEPT,
    NEW,
    POST,
    SLOW,
    Load,
    LoadError,
    Paths,
    Record,
    Watch,
    gap_summary,
    percentile,
    summary,
)
from faults.target import on_bridge

PATHS = Paths(page="/page", tally="/tally")
RATES = {NEW: 40.0, KEPT: 40.0, SLOW: 10.0, POST: 40.0}
SECONDS = 0.6
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Answer = Callable[[socket.socket, bytes, int], bool]


class Service:
    """A server that counts the POSTs that it executes, and answers as a function decides.

    Attributes:
        executed: how often each id was posted.
        answer: takes the connection, the request, and its number on that connection; sends, and
            returns whether the connection stays.

    """

    def __init__(self, answer: Answer) -> None:
        self.executed: Counter[str] = Counter()
        self.answer = answer
        service = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                service.serve(self.request)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            request_queue_size = 100

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    def serve(self, connection: socket.socket) -> None:
        number = 0
        while request := read(connection):
            number += 1
            head, _, body = request.partition(b"\r\n\r\n")
            if body:
                self.executed[json.loads(body)["id"]] += 1
            if not self.answer(connection, head, number):
                return


def read(connection: socket.socket) -> bytes:
    """Return one request; b"" after the last one."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line for line in head.split(b"\r\n") if line.startswith(b"Content-Length:")]
    while lengths and len(body) < int(lengths[0].split(b":")[1]):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def good(connection: socket.socket, head: bytes, _: int) -> bool:
    connection.sendall(GOOD)
    return b"Connection: close" not in head


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], Service]]:
    """Start services that end with the test."""
    started = []

    def start(answer: Answer) -> Service:
        started.append(Service(answer))
        return started[-1]

    yield start
    for service in started:
        service.server.shutdown()
        service.server.server_close()


def ask(service: Service, seconds: float = SECONDS) -> Load:
    """Put a service under load for some seconds, and return the load."""
    load = Load("127.0.0.1", service.port, PATHS, lambda: service.executed, RATES)
    load.start()
    time.sleep(seconds)
    load.stop()
    return load


def test_a_good_service_answers_every_request(serve: Callable[[Answer], Service]) -> None:
    service = serve(good)
    load = Load("127.0.0.1", service.port, PATHS, lambda: service.executed, RATES)
    load.start()
    with load.watch() as watch:
        time.sleep(SECONDS)
    load.stop()
    seen = watch.seen
    assert (seen.failures, seen.doubled, seen.lost, seen.retried) == (0, 0, 0, 0), str(seen)
    assert 0.5 * sum(RATES.values()) < seen.requests < 1.5 * sum(RATES.values())
    assert 0 < seen.p50 <= seen.p99 < SECONDS
    assert 0 < seen.gap < SECONDS
    assert {record.kind for record in load.records} == {NEW, KEPT, SLOW, POST}


def test_a_slow_client_waits_for_the_service_only_from_its_last_byte(
    serve: Callable[[Answer], Service],
) -> None:
    slow = [one for one in ask(serve(good), 1.5).records if one.kind == SLOW]
    assert slow
    assert all(one.asked - one.started > 0.5 > one.ended - one.asked for one in slow)


def test_kept_connections_are_used_again(serve: Callable[[Answer], Service]) -> None:
    numbers: list[int] = []

    def count(connection: socket.socket, head: bytes, number: int) -> bool:
        numbers.append(number)
        return good(connection, head, number)

    ask(serve(count))
    assert max(numbers) > 5


def test_an_idle_connection_that_was_closed_is_no_failure(
    serve: Callable[[Answer], Service],
) -> None:
    def close_after_the_first(connection: socket.socket, head: bytes, number: int) -> bool:
        good(connection, head, number)
        return False

    records = ask(serve(close_after_the_first)).records
    assert [one for one in records if one.reason] == []
    assert {one.kind for one in records if one.retried} == {KEPT}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "closed"),
        (b"HTTP/1.1 200", "torn"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", "torn"),
        (b"SSH-2.0\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", "status 503"),
    ],
)
def test_a_bad_answer_is_a_failure(
    serve: Callable[[Answer], Service], answer: bytes, reason: str
) -> None:
    def bad(connection: socket.socket, *_: object) -> bool:
        connection.sendall(answer)
        return False

    reasons = {one.reason for one in ask(serve(bad)).records}
    assert reasons == {reason}


def test_a_post_is_never_sent_a_second_time(serve: Callable[[Answer], Service]) -> None:
    service = serve(lambda *_: False)
    load = ask(service)
    assert service.executed
    assert max(service.executed.values()) == 1
    assert all(one.reason for one in load.records)


def test_a_refused_connection_is_a_failure(serve: Callable[[Answer], Service]) -> None:
    service = serve(good)
    service.server.shutdown()
    service.server.server_close()
    assert {one.reason for one in ask(service).records} == {"refused"}


def test_a_service_that_hangs_gets_no_fewer_requests(
    serve: Callable[[Answer], Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("faults.load.PATIENCE", 1.0)
    release = threading.Event()
    records = ask(serve(lambda *_: release.wait(5)), 1.5).records
    release.set()
    assert {one.reason for one in records} == {"timeout"}
    assert sum(one.kind == NEW for one in records) > 0.5 * RATES[NEW]


def test_the_load_ends_by_itself(
    serve: Callable[[Answer], Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("faults.load.MAX_REQUESTS", 20)
    load = Load("127.0.0.1", serve(good).port, PATHS, rates=RATES)
    load.start()
    with pytest.raises(LoadError, match="has ended"), load.watch():
        time.sleep(SECONDS)
    load.stop()
    assert len(load.records) < 60


# --- What is made of it -------------------------------------------------------------------------


def record(started: float, ended: float, reason: str = "", mark: str = "") -> Record:
    return Record(POST if mark else NEW, started, started, ended, reason, mark)


def test_what_was_executed_twice_or_never_is_counted() -> None:
    records = [
        record(1, 1.1, mark="once"),
        record(2, 2.1, mark="twice"),
        record(3, 3.1, mark="never"),
        record(4, 4.1, "reset", "failed-and-never"),
        record(5, 5.1, "reset", "failed-and-twice"),
    ]
    seen = summary(records, 0, 10, {"once": 1, "twice": 2, "failed-and-twice": 2})
    assert (seen.doubled, seen.lost, dict(seen.failed)) == (2, 1, {"reset": 2})


def test_a_request_that_was_open_at_the_beginning_counts() -> None:
    records = [record(0, 0.5), record(0.9, 1.5, "reset"), record(1.6, 1.7), record(3, 3.1)]
    seen = summary(records, 1, 2, {})
    assert (seen.requests, seen.failures) == (2, 1)


def test_the_gap_is_the_longest_time_without_a_good_answer() -> None:
    records = [record(0, 1), record(1, 2), record(2.5, 3, "reset"), record(4, 4.5), record(5, 6)]
    assert summary(records, 0, 6.2, {}).gap == pytest.approx(2.5)
    assert summary([], 0, 7, {}).gap == 7


def test_it_is_healthy_with_the_first_good_answer_after_the_last_failure() -> None:
    records = [record(0, 1), record(2, 3, "reset"), record(2, 4), record(4.5, 5, "reset")]
    assert summary([*records, record(6, 7), record(7, 8)], 1, 9, {}).healthy_after == 6
    assert math.isinf(summary(records, 1, 9, {}).healthy_after)
    assert summary([record(1, 2)], 1, 9, {}).healthy_after == 0


CUT_TOGETHER = [record(0, 1), record(1, 3, "status 502"), record(2, 4, "torn")]


def test_requests_that_are_cut_by_one_kill_share_a_moment() -> None:
    assert summary(CUT_TOGETHER, 0, 9, {}).apart == 0
    assert summary(CUT_TOGETHER, 0, 9, {}).only_cut_at_one_moment
    assert summary([record(0, 1)], 0, 9, {}).only_cut_at_one_moment


@pytest.mark.parametrize(
    "later",
    [
        record(3.5, 5, "status 502"),  # at a second moment
        record(2, 4, "status 503"),  # HAProxy did not hold it
        record(2, 4, "refused"),
        record(2, 9, "timeout"),
        record(2, 4, "closed"),  # a new connection that is closed without any answer
    ],
    ids=lambda one: f"{one.reason} at {one.started}",
)
def test_another_failure_was_not_cut_by_that_kill(later: Record) -> None:
    assert not summary([*CUT_TOGETHER, later], 0, 9, {}).only_cut_at_one_moment


def test_a_request_that_is_accepted_while_a_process_dies_belongs_to_its_kill() -> None:
    seen = summary([*CUT_TOGETHER, record(3.1, 4, "reset")], 0, 9, {})
    assert seen.apart == pytest.approx(0.1)
    assert seen.only_cut_at_one_moment


def test_percentiles() -> None:
    values = [float(value) for value in range(1, 101)]
    assert [percentile(values, share) for share in (0.5, 0.99, 1)] == [50, 99, 100]
    assert percentile([7.0], 0.99) == 7
    assert math.isnan(percentile([], 0.5))


def test_a_report_of_the_tally_may_come_after_the_answer(serve: Callable[..., Service]) -> None:
    executed: Counter[str] = Counter()
    load = Load("127.0.0.1", serve(good).port, PATHS, lambda: executed, rates=RATES)
    load.start()
    watch = Watch(load)
    time.sleep(SECONDS)
    threading.Timer(0.5, lambda: executed.update(one.id for one in load.records)).start()
    assert executed.total() == 0
    seen = watch.close()
    load.stop()
    assert (seen.lost, seen.requests > 0) == (0, True)


# --- Which address may get the load -------------------------------------------------------------


def test_only_an_address_behind_a_bridge_of_this_machine_gets_the_load() -> None:
    route = {"dst": "192.0.2.7", "dev": "br-1", "prefsrc": "192.0.2.1"}
    assert on_bridge(route, lambda name: name == "br-1") == "192.0.2.1"
    with pytest.raises(AssertionError, match="not behind a bridge"):
        on_bridge(route, lambda _: False)
    with pytest.raises(AssertionError, match="not on a network of this machine"):
        on_bridge({**route, "gateway": "192.0.2.254"}, lambda _: True)


def test_clients_that_have_died_have_not_seen_a_good_service(
    serve: Callable[..., Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Load, "_ask", None)
    load = Load("127.0.0.1", serve(good).port, PATHS, rates=RATES)
    load.start()
    time.sleep(0.3)
    with pytest.raises(LoadError, match="have died"), load.watch():
        pass
    load.stop()


def test_a_background_process_ends_by_itself_or_is_stopped() -> None:
    received: list[str] = []

    def stay(report: Callable[[str], None]) -> None:
        report("first")
        time.sleep(60)

    first = BackgroundProcess(stay, received.append)
    second = BackgroundProcess(lambda report: report("second"), received.append)
    first.start()
    second.start()
    second.join(5)
    first.stop()
    assert sorted(received) == ["first", "second"]


@pytest.mark.parametrize(
    ("gaps", "said"),
    [
        ([0.5, 1.0, 3.0], "1.00 s (median), 3.00 s (maximum)"),
        ([0.5, None, 0.7], "0.60 s (median), 0.70 s (maximum), 1 not seen"),
        ([None, None], "2 not seen"),
    ],
)
def test_gaps_are_summed_up_though_a_busy_host_saw_none(
    gaps: list[float | None], said: str
) -> None:
    assert gap_summary(gaps) == said
