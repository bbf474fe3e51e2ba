"""One client cannot hold up the others: its requests take turns, its silence costs nothing."""

from __future__ import annotations

import http.client
import itertools
import json
import resource
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from gunicorn_server import HEALTH, LOOPBACK, serve
from src import guard, spec, turns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gunicorn_server import Server

pytestmark = pytest.mark.alone

BASE = spec.base_path()
HELLO = f"{BASE}/hello"
# Linux answers all of 127.0.0.0/8: each is a client of its own.
GREEDY = "127.0.0.66"
GREEDY_CONNECTIONS = 8
ONE_WORKER = ("--workers", "1")
CROWD, OTHERS = 40, 5
NOWHERE = "/nope"
KERNELS_TABLE, DELIVERY_SECONDS = Path("/proc/net/tcp"), 10
SILENT = 2000
FEW_CONNECTIONS = 500
WITHOUT_TURNS = """
import server


def create_app():
    app = server.create_app()
    app.wsgi_app = app.wsgi_app.app
    return app
"""

MOST_DELAY = 3
# A request takes about a millisecond; three times as much may be the scheduler and goes unnoticed.
NOTICED_SECONDS = 0.005
# Other programs of the machine can delay a round, but not help it.
ROUNDS = 3
REQUESTS = 200
MEASUREMENTS = json.dumps(spec.load()["components"]["schemas"]["Measurements"]["example"])
LARGEST = guard.LARGEST_BODY_BYTES
# What one client asks for, over and over: each operation, and each kind of body.
ATTACKS = {
    "operations": [("GET", one.try_link, "") for one in spec.operations() if one.method == "GET"],
    "documents": [
        ("GET", path, "")
        for path in (
            "/",
            f"{BASE}/openapi.json",
            f"{BASE}/openapi.yaml",
            spec.docs_path(),
            f"{spec.docs_path()}swagger-ui-bundle.js",
        )
    ],
    "bodies": [
        ("POST", f"{BASE}/prediction", body)
        for body in (
            MEASUREMENTS,
            MEASUREMENTS.ljust(LARGEST),
            "9" * LARGEST,
            "[" * LARGEST,
            f"[{','.join(['9' * guard.MOST_DIGITS] * (LARGEST // (guard.MOST_DIGITS + 1)))}]",
            json.dumps("\n" * (LARGEST // 2 - 1)),
            json.dumps({str(i): 1 for i in range(LARGEST // 11)}),
        )
    ],
}


# --- Turns --------------------------------------------------------------------------------------


def request(client: str) -> dict[str, Any]:
    return {"REMOTE_ADDR": client}


def test_a_client_has_one_turn_at_a_time_and_the_others_have_theirs() -> None:
    running: set[str] = set()
    together: list[set[str]] = []
    both = threading.Barrier(2, timeout=5)

    def app(environ: dict[str, Any], _start: object) -> list[bytes]:
        client = environ["REMOTE_ADDR"]
        assert client not in running
        running.add(client)
        both.wait()  # the other client's request runs meanwhile
        together.append(set(running))
        both.wait()
        running.remove(client)
        return []

    fair = turns.Turns(app)
    calls = [
        threading.Thread(target=fair, args=(request(client), None))
        for client in ("192.0.2.1", "192.0.2.2") * 2
    ]
    for call in calls:
        call.start()
    for call in calls:
        call.join(10)
    assert together == [{"192.0.2.1", "192.0.2.2"}] * 4
    assert fair.queues == {}


def test_a_turn_ends_when_the_application_fails() -> None:
    def app(*_: object) -> list[bytes]:
        raise ZeroDivisionError

    fair = turns.Turns(app)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            fair(request("192.0.2.1"), lambda *_: None)


def test_ipv6_clients_of_one_network_share_their_turns() -> None:
    names: list[str] = []

    def app(*_: object) -> list[bytes]:
        names.extend(fair.queues)
        return []

    fair = turns.Turns(app)
    for client in ("2001:db8::1", "2001:db8::2", "::ffff:192.0.2.1"):
        fair(request(client), lambda *_: None)
    assert names == ["2001:db8::/64", "2001:db8::/64", "192.0.2.1"]


# --- gunicorn -----------------------------------------------------------------------------------


def connect(server: Server, client: str) -> socket.socket:
    return socket.create_connection((LOOPBACK, server.port), 10, (client, 0))


def keep_open(server: Server, client: str) -> http.client.HTTPConnection:
    """Return a connection that the worker has accepted."""
    link = http.client.HTTPConnection(LOOPBACK, server.port, 30, (client, 0))
    link.request("GET", HEALTH)
    link.getresponse().read()
    return link


def delivered(server: Server) -> int:
    """Return on how many connections bytes wait that the worker has not read.

    Source: proc(5), /proc/net/tcp; the port and the length of the queue are hexadecimal.
    """
    lines = KERNELS_TABLE.read_text(encoding="ascii").splitlines()[1:]
    found = [(columns[1], columns[4]) for columns in map(str.split, lines)]
    return sum(
        local.endswith(f":{server.port:04X}") and int(queues.partition(":")[2], 16) > 0
        for local, queues in found
    )


def wait_until_delivered(server: Server, requests: int) -> None:
    """Wait for the kernel, which on a busy machine takes its time."""
    deadline = time.monotonic() + DELIVERY_SECONDS
    while delivered(server) < requests:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def answered_before(server: Server) -> int:
    """Send requests of one client among those of others; return how many come before theirs."""
    others = [keep_open(server, f"127.0.0.{i + 2}") for i in range(OTHERS)]
    groups = [[keep_open(server, GREEDY) for _ in range(CROWD // OTHERS)] for _ in others]
    # The worker finds all requests at once, as if it had been busy meanwhile.
    server.signal_workers(signal.SIGSTOP)
    for other, group in zip(others, groups, strict=True):
        other.request("GET", HELLO)
        for one in group:
            one.request("GET", NOWHERE)
    wait_until_delivered(server, CROWD + OTHERS)
    server.signal_workers(signal.SIGCONT)
    for one in (*others, *itertools.chain(*groups)):
        one.getresponse().read()
        one.close()
    server.stop()  # which writes the last lines of the log
    targets = [entry["target"] for entry in server.entries()]
    last = len(targets) - targets[::-1].index(HELLO)
    return targets[:last].count(NOWHERE)


def test_many_requests_of_one_client_do_not_come_before_that_of_another(
    service: Path, tmp_path: Path
) -> None:
    with serve(service, tmp_path, *ONE_WORKER) as server:
        # Mostly one. Where the event loop learns of the requests in several passes, those of the
        # first begin before the others are known: up to a third.
        assert answered_before(server) < CROWD / 2


def test_without_turns_they_would(service: Path, tmp_path: Path) -> None:
    (tmp_path / "unfair.py").write_text(WITHOUT_TURNS)
    unfair = ("--pythonpath", str(tmp_path), "unfair:create_app()")
    with serve(service, tmp_path, *ONE_WORKER, *unfair) as server:
        assert answered_before(server) > CROWD / 2


# --- The delay of the others, measured ----------------------------------------------------------


ATTACK = """
import http.client, itertools, json, os, sys, threading
host, port, client, connections = sys.argv[1:]
calls = json.load(sys.stdin)
os.nice(19)
def ask():
    link = http.client.HTTPConnection(host, int(port), source_address=(client, 0))
    for method, path, body in itertools.cycle(calls):
        headers = {"Content-Type": "application/json"} if body else {"Accept": "text/html"}
        try:
            link.request(method, path, body or None, headers)
            link.getresponse().read()
        except (OSError, http.client.HTTPException):
            link.close()
for _ in range(int(connections)):
    threading.Thread(target=ask, daemon=True).start()
print("started", flush=True)
threading.Event().wait()
"""


@contextmanager
def attack(server: Server, calls: list[tuple[str, str, str]]) -> Iterator[None]:
    """Ask as much as one client can, over several connections at once.

    The client runs with the lowest priority: a real one has a processor of its own.
    """
    words = [LOOPBACK, str(server.port), GREEDY, str(GREEDY_CONNECTIONS)]
    process = subprocess.Popen(
        [sys.executable, "-c", ATTACK, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    try:
        json.dump(calls, process.stdin)
        process.stdin.close()
        assert process.stdout.readline()
        yield
    finally:
        process.kill()
        process.wait(timeout=10)
        process.stdout.close()


def p99(server: Server) -> float:
    """Return the 99th percentile of the seconds that a request of another client takes.

    Less than NOTICED_SECONDS counts as that.
    """
    taken = []
    for _ in range(REQUESTS):
        started = time.perf_counter()
        assert server.get(HELLO) == 200
        taken.append(time.perf_counter() - started)
    return max(NOTICED_SECONDS, statistics.quantiles(taken, n=100)[98])


@contextmanager
def silence(server: Server) -> Iterator[None]:
    """Hold silent connections of one client; the server ends them after some seconds."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with ExitStack() as stack:
        for _ in range(SILENT):
            stack.enter_context(socket.create_connection((LOOPBACK, server.port), 10, (GREEDY, 0)))
        yield


@pytest.fixture(scope="module", name="server")
def _server(service: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serve(service, tmp_path_factory.mktemp("gunicorn")) as server:
        yield server


@pytest.mark.parametrize("kind", ATTACKS)
def test_a_bad_client_delays_the_others_at_most_threefold(server: Server, kind: str) -> None:
    ratios = []
    for _ in range(ROUNDS):
        at_rest = p99(server)
        with attack(server, ATTACKS[kind]):
            ratios.append(p99(server) / at_rest)
        if ratios[-1] <= MOST_DELAY:
            return
    pytest.fail(f"p99 under attack, as a multiple of that at rest: {ratios}")


def test_silent_connections_of_one_client_delay_the_others_at_most_threefold(
    server: Server,
) -> None:
    ratios = []
    for _ in range(ROUNDS):
        at_rest = p99(server)
        with silence(server):
            ratios.append(p99(server) / at_rest)
        if ratios[-1] <= MOST_DELAY:
            return
    pytest.fail(f"p99 beside {SILENT} silent connections, as a multiple of that at rest: {ratios}")


def test_with_fewer_connections_than_silent_clients_nobody_is_served(
    service: Path, tmp_path: Path
) -> None:
    few = ("--worker-connections", str(FEW_CONNECTIONS), "--keep-alive", "60")
    with serve(service, tmp_path, *few) as server, silence(server), pytest.raises(TimeoutError):
        server.get(HELLO, timeout=2)
