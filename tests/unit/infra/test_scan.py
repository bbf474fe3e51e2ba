"""The scan on loopback: open, refused and silent ports, and its limits."""

from __future__ import annotations

import contextlib
import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from infra import scan

LOOPBACKS = ["127.0.0.1", "::1"]
QUICK = 0.3


def listener(address: str, backlog: int = 5) -> socket.socket:
    """Return a socket that accepts connections on a free port."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.create_server((address, 0), family=family, backlog=backlog)


@contextlib.contextmanager
def silence(address: str) -> Iterator[int]:
    """Return a silent port: its queue is full, so the kernel drops new connections."""
    with listener(address, backlog=0) as full, contextlib.ExitStack() as stack:
        port = full.getsockname()[1]
        stack.enter_context(socket.create_connection((address, port)))
        yield port


@pytest.fixture
def _room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the scan find room in the connection tracking table, whatever this machine has."""
    monkeypatch.setattr(scan, "wait_for_room", lambda: 0.0)


@pytest.mark.usefixtures("_room")
@pytest.mark.parametrize("address", LOOPBACKS)
def test_open_refused_and_silent_ports_are_told_apart(address: str) -> None:
    with listener(address) as it, listener(address) as soon_closed, silence(address) as silent:
        opened, closed = it.getsockname()[1], soon_closed.getsockname()[1]
        soon_closed.close()
        answers = scan.scan(address, [opened, closed, silent], patience=QUICK)
    assert (answers.open, answers.refused, answers.rejected) == ([opened], [closed], [])
    assert answers.asked == 3
    assert answers.seconds >= QUICK


@pytest.mark.usefixtures("_room")
@pytest.mark.parametrize("address", LOOPBACKS)
def test_more_ports_than_sockets_are_asked(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "WINDOW", 300)
    with listener(address) as it:
        port = it.getsockname()[1]
        answers = scan.scan(address, range(max(1, port - 1000), port + 1), patience=QUICK)
    assert port in answers.open
    assert answers.asked == 1001


@pytest.mark.usefixtures("_room")
@pytest.mark.parametrize("address", LOOPBACKS)
def test_datagrams_are_answered_or_refused(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with (
        socket.socket(family, socket.SOCK_DGRAM) as speaker,
        socket.socket(family, socket.SOCK_DGRAM) as mute,
        socket.socket(family, socket.SOCK_DGRAM) as soon_closed,
    ):
        for one in (speaker, mute, soon_closed):
            one.bind((address, 0))
        spoken, muted, closed = (one.getsockname()[1] for one in (speaker, mute, soon_closed))
        soon_closed.close()
        thread = threading.Thread(target=lambda: speaker.sendto(b"!", speaker.recvfrom(99)[1]))
        thread.start()
        answers = scan.scan(address, [spoken, muted, closed], udp=True, patience=QUICK)
        thread.join()
    assert (answers.open, answers.refused) == ([spoken], [closed])


def test_a_connection_to_itself_is_no_answer() -> None:
    # Loopback can connect a socket to its own port; nobody listens there.
    with socket.socket() as own:
        own.bind(("127.0.0.1", 0))
        own.connect(own.getsockname())
        method = scan.TcpScan("127.0.0.1", QUICK)
        method.finish(1, own, 0)
    assert method.answers.refused == [1]


def test_no_way_to_the_host_is_a_rejection() -> None:
    method = scan.TcpScan("127.0.0.1", QUICK)
    method.answers.add(7, 113)
    assert (method.answers.rejected, method.answers.open) == ([7], [])


# --- Its limits


def conntrack(folder: Path, count: int, highest: int) -> Path:
    """Write the kernel's files about its connection tracking table."""
    (folder / "nf_conntrack_count").write_text(f"{count}\n")
    (folder / "nf_conntrack_max").write_text(f"{highest}\n")
    return folder


def test_a_nearly_full_connection_tracking_table_is_full(tmp_path: Path) -> None:
    assert not scan.is_full(tmp_path)
    assert not scan.is_full(conntrack(tmp_path, 70, 100))
    assert scan.is_full(conntrack(tmp_path, 71, 100))


def test_the_scan_waits_for_room() -> None:
    states = iter([True, True, False])
    assert scan.wait_for_room(lambda: next(states), pause=0.01) >= 0.02
    assert scan.wait_for_room(lambda: False) == 0


def test_there_are_never_more_sockets_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (100, 200))
    raised: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: raised.append(limits))
    assert scan.more_files(6000) == 200 - scan.SPARE_FILES
    assert raised == [(200, 200)]


# --- Text


@pytest.mark.parametrize(
    ("text", "ports"),
    [("1-3, 7", [1, 2, 3, 7]), ("22", [22]), ("", []), ("5, 7", [5, 7])],
)
def test_ports_are_read_and_written(text: str, ports: list[int]) -> None:
    assert scan.parse_ports(text) == ports
    assert scan.spans(ports) == text


@pytest.mark.parametrize("text", ["0", "65536", "a", "1-65536", "-"])
def test_a_text_that_is_not_a_port_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a port|invalid literal"):
        scan.parse_ports(text)


def test_answers_are_added_up_and_sent_as_text() -> None:
    one = scan.Answers(open=[22], refused=[1, 2], asked=3, seconds=1.0)
    two = scan.Answers(open=[80], rejected=[9], asked=2, seconds=0.5, paused=0.1)
    both = one.merge(two)
    assert (both.open, both.refused, both.rejected) == ([22, 80], [1, 2], [9])
    assert (both.asked, both.seconds, both.paused) == (5, 1.5, 0.1)
    assert scan.from_json(both.to_json()) == both


def test_a_neighbour_runs_the_file_alone() -> None:
    script = Path(scan.__file__).read_text()
    with listener("127.0.0.1") as it:
        port = it.getsockname()[1]
        words = [sys.executable, "-I", "-c", script, "127.0.0.1", "--ports", str(port)]
        said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert scan.from_json(said).open == [port]


@pytest.mark.parametrize("words", [["no-such-host"], ["127.0.0.1", "--ports", "0"]])
def test_a_wrong_target_is_reported(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert scan.main(words) == 1
    assert capsys.readouterr().err.startswith(f"scan: {words[0]}: ")
