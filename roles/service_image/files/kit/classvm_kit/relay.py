"""Find the port that a program listens on, and relay to it from the port that Docker publishes."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
import time
from dataclasses import dataclass
from typing import List, Optional, Tuple

from . import EVERYWHERE, PORT

POLL_SECONDS = 0.1
# A program may open a port for something else before it starts a server that the kit knows.
PATIENCE_SECONDS = 5.0
CHUNK = 65536
IPV4_BYTES = 4
LISTENS = "0A"
ANY = (EVERYWHERE, "::")
LOOPBACK = ("127.0.0.1", "::1")
TABLES = ("/proc/net/tcp", "/proc/net/tcp6")


@dataclass(frozen=True)
class Listener:
    """A listening socket: its address and port."""

    address: str
    port: int

    @property
    def reachable(self) -> bool:
        """Whether other machines can reach it."""
        return self.address in ANY


def fork() -> int:
    """Watch and relay in a process of its own; return its id. It ends with this process.

    A program may serve in a way that the kit does not know, and may have changed what threads are.
    """
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        start(expected=0, patience=PATIENCE_SECONDS)
        while os.getppid() == parent:
            time.sleep(POLL_SECONDS)
        os._exit(0)
    return child


def end(watcher: int) -> None:
    """End such a process, and wait until its port is free."""
    with contextlib.suppress(ProcessLookupError):  # it has ended already
        os.kill(watcher, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):  # and was another process's child
        os.waitpid(watcher, 0)


def start(expected: int, patience: float) -> None:
    """Watch and relay in the background, until the process ends.

    Args:
        expected: the port that the program should open; 0 if that is not known.
        patience: seconds that it gets, once there is another port.

    """
    threading.Thread(target=_watch, args=(expected, patience), daemon=True).start()


def _watch(expected: int, patience: float) -> None:
    target = await_listener(expected, patience)
    if target.port == PORT and target.reachable:
        return
    where = f"{target.address}:{target.port}"
    print(f"The program listens on {where}; port {PORT} leads there.", file=sys.stderr, flush=True)
    relay(bind(target), target)


def await_listener(expected: int, patience: float) -> Listener:
    """Wait for the listener to which to relay."""
    first_seen = 0.0
    while True:
        found = choose(listeners(), expected)
        if found and found.port in (expected, PORT):
            return found
        if found and first_seen and time.monotonic() - first_seen > patience:
            return found
        first_seen = first_seen or (time.monotonic() if found else 0.0)
        time.sleep(POLL_SECONDS)


def choose(found: List[Listener], expected: int) -> Optional[Listener]:
    """Return the best of the listeners: the published port, the expected one, the lowest."""
    return min(found, key=lambda one: _rank(one, expected), default=None)


def _rank(one: Listener, expected: int) -> Tuple[bool, bool, int, bool]:
    return one.port != PORT, one.port != expected, one.port, not one.reachable


def listeners() -> List[Listener]:
    """Return the listening sockets of this container."""
    lines: List[str] = []
    for table in filter(os.path.exists, TABLES):  # there may be no IPv6
        with open(table, encoding="ascii") as file:
            lines += file.read().splitlines()[1:]
    return [one for one in map(parse, lines) if one]


def parse(line: str) -> Optional[Listener]:
    """Read a line of /proc/net/tcp; None for a socket that does not listen for this program.

    Docker's own name server listens on 127.0.0.11 in each container of a network of its own.
    """
    _, local, _, state = line.split()[:4]
    number, _, port = local.partition(":")
    raw = bytes.fromhex(number)
    # Words of four bytes in the order of the machine.
    words = b"".join(raw[start : start + 4][::-1] for start in range(0, len(raw), 4))
    family = socket.AF_INET if len(raw) == IPV4_BYTES else socket.AF_INET6
    address = socket.inet_ntop(family, words)
    if state != LISTENS or address not in ANY + LOOPBACK:
        return None
    return Listener(address, int(port, 16))


def bind(target: Listener) -> socket.socket:
    """Return a socket on the published port; the program may have the loopback's."""
    address = socket.gethostbyname(socket.gethostname()) if target.port == PORT else EVERYWHERE
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, PORT))
    listener.listen(128)
    return listener


def relay(listener: socket.socket, target: Listener) -> None:
    """Connect each client with the program."""
    address = LOOPBACK[":" in target.address]
    while True:
        client, _ = listener.accept()
        threading.Thread(
            target=_connect, args=(client, (address, target.port)), daemon=True
        ).start()


def _connect(client: socket.socket, address: Tuple[str, int]) -> None:
    try:
        program = socket.create_connection(address)
    except OSError:
        client.close()
        return
    back = threading.Thread(target=_pump, args=(program, client), daemon=True)
    back.start()
    _pump(client, program)
    back.join()
    client.close()
    program.close()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Copy until the source ends, then tell the sink so."""
    try:
        while True:
            data = source.recv(CHUNK)
            if not data:
                break
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return
