"""The edge as HAProxy's runtime interface and the state folder show it."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from classvm.base import host
from classvm.base.command import Finished
from classvm.base.docker import Container
from classvm.base.edge import (
    BLUE_GREEN,
    LABEL_SLOT,
    NEW_MAP,
    OFF,
    ON,
    POLL_SECONDS,
    RECORD,
    RECREATE,
    Edge,
    slot_of,
)
from classvm.base.errors import ClassvmError
from fake_engine import PORT, SLOTS, Haproxy

STATISTICS = """# pxname,svname,scur,status,
service,FRONTEND,7,OPEN,
blue,blue,1,no check,
blue,BACKEND,1,UP,
green,BACKEND,0,UP,
"""


class Server(socketserver.ThreadingUnixStreamServer):
    """HAProxy's runtime interface: one command per connection."""

    def __init__(self, path: str) -> None:
        super().__init__(path, Handler)
        self.haproxy = Haproxy(up=True)
        self.port_is_free = True
        self.told: list[str] = []


class Handler(socketserver.StreamRequestHandler):
    server: Server

    def handle(self) -> None:
        words = self.rfile.readline().decode().strip()
        self.server.told.append(words)
        answer = self.server.haproxy.answer(words.split(), port_is_free=self.server.port_is_free)
        self.wfile.write(f"{answer}\n\n".encode())


@pytest.fixture
def edge(tmp_path: Path) -> Edge:
    return Edge(BLUE_GREEN, PORT, SLOTS, str(tmp_path / "haproxy.sock"), str(tmp_path))


@pytest.fixture
def server(edge: Edge) -> Iterator[Server]:
    with Server(edge.socket) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        yield server
        server.shutdown()


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("classvm.base.edge.READY_SECONDS", 0.1)
    monkeypatch.setattr(Edge, "start", lambda _: None)


def container(**labels: str) -> Container:
    return Container("id", "n", "i", running=True, exit_code=0, labels=labels)


def map_of(edge: Edge) -> str:
    return Path(edge.map).read_text()


def test_leading_to_a_slot(edge: Edge, server: Server) -> None:
    edge.lead_to("green")
    assert server.told == [f"set map {edge.map} live green", "enable frontend service"]
    assert (server.haproxy.map["live"], server.haproxy.listens) == ("green", True)
    assert map_of(edge) == "live green\nmaintenance off\n"


@pytest.mark.usefixtures("short")
def test_leading_to_a_slot_waits_for_the_port(
    edge: Edge, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.port_is_free = False
    monkeypatch.setattr(host, "is_listened_to", lambda _: True)
    monkeypatch.setattr(host, "port_owner", lambda _: "python3 (process 4711)")
    with pytest.raises(ClassvmError, match=r"did not take port 11000 .*python3 \(process 4711\)"):
        edge.lead_to("blue")
    server.port_is_free = True
    edge.lead_to("blue")


@pytest.mark.usefixtures("short")
def test_without_haproxy_the_map_is_written_and_the_problem_told(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host, "is_listened_to", lambda _: False)
    with pytest.raises(ClassvmError, match="no program listens there"):
        edge.lead_to("blue")
    assert map_of(edge) == "live blue\nmaintenance off\n"


def test_leaving_the_port(edge: Edge, server: Server) -> None:
    edge.lead_to("blue")
    edge.leave_port()
    assert not server.haproxy.listens
    assert not edge.holds_port()


def test_a_haproxy_that_is_not_there_holds_no_port(edge: Edge) -> None:
    edge.leave_port()
    assert not edge.holds_port()


def test_a_host_without_an_edge_is_not_asked(tmp_path: Path) -> None:
    alone = Edge.load(str(tmp_path))
    assert (alone.strategy, alone.slots, alone.takes_releases) == (RECREATE, {}, False)
    alone.leave_port()
    assert not alone.holds_port()


@pytest.mark.parametrize(
    ("harm", "problem"),
    [
        ({}, ""),
        ({"map": {"live": "blue"}}, "HAProxy leads to slot 'blue', not 'green'"),
        ({"map": {}}, "HAProxy leads to slot 'none', not 'green'"),
        ({"listens": False}, f"HAProxy does not listen on port {PORT}"),
    ],
)
def test_whether_the_port_leads_to_a_container(
    edge: Edge, server: Server, harm: dict[str, object], problem: str
) -> None:
    edge.lead_to("green")
    for name, value in harm.items():
        setattr(server.haproxy, name, value)
    assert edge.problem_of(container(**{LABEL_SLOT: "green"})) == problem


def test_a_map_file_that_leads_elsewhere_is_a_problem(edge: Edge, server: Server) -> None:
    edge.lead_to("green")
    Path(edge.map).write_text("live blue\nmaintenance off\n")
    problem = f"{edge.map} leads to slot 'blue', not 'green'"
    assert edge.problem_of(container(**{LABEL_SLOT: "green"})) == problem
    assert server.haproxy.map["live"] == "green"


def test_a_haproxy_that_does_not_run_is_a_problem(edge: Edge) -> None:
    assert edge.problem_of(container(**{LABEL_SLOT: "green"})) == "HAProxy does not run"
    assert edge.problem_of(container()) == ""


def test_an_entry_that_the_map_lacks_is_added(edge: Edge, server: Server) -> None:
    server.haproxy.map = {}
    edge.lead_to("blue")
    assert edge.maintain(ON) is True
    assert server.haproxy.map == {"live": "blue", "maintenance": "on"}


@pytest.mark.parametrize(
    ("state", "privilege", "command"),
    [
        ("inactive", "root", "start --no-block haproxy.service"),
        ("failed", "root", "start --no-block haproxy.service"),
        ("failed", "sudo", "start --no-block haproxy.service"),
        ("activating", "none", ""),
        ("active", "none", ""),
    ],
)
def test_a_stopped_haproxy_is_started(  # noqa: PLR0913, PLR0917 - a column each
    edge: Edge,
    program: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    state: str,
    privilege: str,
    command: str,
) -> None:
    calls = program("systemctl", f'[ "$1" != is-active ] || echo {state}')
    program("sudo", 'shift; exec "$@"')
    monkeypatch.setattr("classvm.base.account.privilege", lambda _: privilege)
    edge.start()
    done = calls.read_text().splitlines()
    assert done == ["is-active haproxy.service", *filter(None, [command])]


def test_who_may_not_start_haproxy_is_told_who_may(
    edge: Edge, program: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    program("systemctl", "echo inactive")
    monkeypatch.setattr("classvm.base.account.privilege", lambda _: "none")
    with pytest.raises(ClassvmError, match=r"this account may not start it. An admin can: `sudo"):
        edge.lead_to("blue")


def test_draining_waits_for_the_last_request(edge: Edge, server: Server) -> None:
    server.haproxy.busy = [2, 1, 0]
    edge.drain("blue", 0.1)
    assert server.told == ["show stat"] * 3


@pytest.mark.usefixtures("short")
def test_draining_ends_when_a_client_does_not(edge: Edge, server: Server) -> None:
    server.haproxy.busy = [1] * 1000
    edge.drain("blue", 0.1)
    assert server.haproxy.busy


def test_what_haproxy_counts(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Edge, "tell", lambda *_: STATISTICS)
    assert edge._stat("blue", "BACKEND", "scur") == "1"
    assert edge._stat("absent", "BACKEND", "scur") == ""
    assert edge.holds_port()


def test_maintenance(edge: Edge, server: Server) -> None:
    edge.lead_to("green")
    assert edge.maintain(ON) is True
    assert edge.maintain(ON) is False
    assert map_of(edge) == "live green\nmaintenance on\n"
    assert server.haproxy.map["maintenance"] == "on"
    assert edge.maintenance_note() == ", which answers 503 until `make maintenance off`"
    assert edge.maintain(OFF) is True
    assert edge.maintenance_note() == ""


def test_without_an_edge_there_is_no_maintenance(tmp_path: Path) -> None:
    alone = Edge(state_dir=str(tmp_path))
    Path(alone.map).write_text("live none\nmaintenance on\n")
    assert not alone.in_maintenance()


@pytest.mark.parametrize("text", ["", "live\n", "nonsense and more\n"])
def test_a_torn_map_is_that_of_a_new_host(edge: Edge, text: str) -> None:
    Path(edge.map).write_text(text)
    assert edge.read() == NEW_MAP


def test_the_free_slot(edge: Edge) -> None:
    assert [edge.free_slot(taken) for taken in ("", "blue", "green")] == ["blue", "green", "blue"]


def test_the_record_of_the_role(edge: Edge) -> None:
    record = {"strategy": BLUE_GREEN, "port": PORT, "slots": SLOTS, "socket": edge.socket}
    Path(edge.state_dir, RECORD).write_text(json.dumps({**record, "of_later": 1}))
    assert Edge.load(edge.state_dir) == edge


@pytest.mark.parametrize("text", ["{", "[]", "3"])
def test_a_record_that_is_not_legible_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / RECORD).write_text(text)
    with pytest.raises(ClassvmError, match=r"is not legible .*make provision"):
        Edge.load(str(tmp_path))


def test_the_slot_of_a_container() -> None:
    assert slot_of(container()) == ""
    assert slot_of(container(**{LABEL_SLOT: "blue"})) == "blue"


# --- Its soft stop ------------------------------------------------------------------------------


class Systemd:
    """What systemd is told, and how often HAProxy is seen running after its soft stop."""

    def __init__(self, seen: int) -> None:
        self.seen, self.told, self.now = seen, list[tuple[str, ...]](), 0.0

    def run(self, argv: Sequence[str]) -> Finished:
        words = tuple(argv)
        if "is-active" not in words:
            self.told.append(words)
            return Finished(words, 0, "", "")
        self.seen -= 1
        return Finished(words, 0, "active\n" if self.seen >= 0 else "activating\n", "")

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def monotonic(self) -> float:
        return self.now


def systemd(monkeypatch: pytest.MonkeyPatch, *, seen: int, privilege: str) -> Systemd:
    made = Systemd(seen)
    monkeypatch.setattr("classvm.base.edge.command.run", made.run)
    monkeypatch.setattr("classvm.base.edge.time", made)
    monkeypatch.setattr("classvm.base.edge.account.privilege", lambda _: privilege)
    return made


SOFTLY = ("systemctl", "kill", "--kill-who=main", "--signal=SIGUSR1", "haproxy.service")
STOP = ("systemctl", "stop", "haproxy.service")


@pytest.mark.parametrize(
    ("seen", "waited"), [(0, 0.0), (3, 3 * POLL_SECONDS), (10_000, 30.0)], ids=str
)
def test_its_clients_are_answered_before_it_stops(
    seen: int, waited: float, edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = systemd(monkeypatch, seen=seen, privilege="root")
    edge.end("blue", 30.0)
    assert made.told == [SOFTLY, STOP]
    assert made.now == pytest.approx(waited, abs=POLL_SECONDS)


def test_who_may_not_stop_it_waits_for_what_the_slot_has_at_hand(
    edge: Edge, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.haproxy.busy = [2, 1]
    made = systemd(monkeypatch, seen=0, privilege="none")
    edge.end("blue", 30.0)
    assert (made.told, server.haproxy.busy) == ([], [])
    assert made.now == pytest.approx(2 * POLL_SECONDS)
