"""Probe every port of one machine over TCP or UDP.

The file needs nothing but Python 3.8, so that it also runs on a bare neighbour::

    python3 scan.py --ports 1-1000 192.0.2.1
    ssh neighbour python3 - --udp 2001:db8::1 < scan.py

It prints `Answers` as JSON, with ports written like "1-3, 7".
"""

from __future__ import annotations

import argparse
import errno
import json
import resource
import selectors
import socket
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Set, Tuple

HIGHEST_PORT = 65535
# The kernel repeats an unanswered SYN after one second: with this patience each port is probed
# twice, so that one lost answer on a busy machine does not count as silence.
PATIENCE = 1.2
SPARE_FILES = 64
# More probes in flight would not be faster.
WINDOW = 6000
CHUNK = 200
CHUNKS_PER_SECOND = 100
CONNTRACK = Path("/proc/sys/net/netfilter")
CONNTRACK_SHARE = 0.7
CONNTRACK_PAUSE = 0.5
# Source: linux/in.h, linux/in6.h; Python's socket module does not name them.
IP_RECVERR, IPV6_RECVERR = 11, 25
# A DNS query for the name servers of the root: DNS servers answer it, and for other programs any
# datagram does.
DATAGRAM = b"\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01"

# Address and port, and for IPv6 flow and scope: whatever `connect` takes.
Address = Tuple[int, Tuple[object, ...]]


@dataclass
class Answers:
    """The answers of a machine; a silent port is in none of the lists.

    Attributes:
        open: ports that accepted a connection, or sent a datagram.
        refused: ports that refused (TCP reset, ICMP port unreachable).
        rejected: ports for which a machine on the way refused (any other ICMP error).
        asked: number of ports that were probed.
        seconds: duration.
        paused: the part of it that was spent waiting for room in the connection tracking table.

    """

    open: List[int] = field(default_factory=list)
    refused: List[int] = field(default_factory=list)
    rejected: List[int] = field(default_factory=list)
    asked: int = 0
    seconds: float = 0.0
    paused: float = 0.0

    def add(self, port: int, error: int) -> None:
        """Add a port to the list for an error number of the kernel; 0 is success."""
        kinds = {0: self.open, errno.ECONNREFUSED: self.refused}
        kinds.get(error, self.rejected).append(port)

    def merge(self, other: Answers) -> Answers:
        """Return the sum of the answers of different ports of one machine."""
        theirs = asdict(other)
        return Answers(**{name: mine + theirs[name] for name, mine in asdict(self).items()})

    def to_json(self) -> str:
        """Return the answers as text."""
        values = asdict(self).items()
        return json.dumps({k: spans(v) if isinstance(v, list) else v for k, v in values})


def from_json(text: str) -> Answers:
    """Return the answers from the text of `to_json`."""
    values: Dict[str, Any] = json.loads(text)
    for kind in ("open", "refused", "rejected"):
        values[kind] = parse_ports(values[kind])
    return Answers(**values)


def target(host: str, port: int, kind: int) -> Address:
    """Return family and socket address of a numeric address; no name is looked up."""
    found = socket.getaddrinfo(host, port, type=kind, flags=socket.AI_NUMERICHOST)[0]
    return found[0], tuple(found[4])


def more_files(wanted: int) -> int:
    """Raise the limit of open files as far as allowed; return the number of sockets to use."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard or hard == resource.RLIM_INFINITY:
        limit = wanted + SPARE_FILES if hard == resource.RLIM_INFINITY else hard
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, limit), hard))
        soft = max(soft, limit)
    return min(wanted, soft - SPARE_FILES)


def is_full(folder: Path = CONNTRACK, share: float = CONNTRACK_SHARE) -> bool:
    """Tell whether this machine's connection tracking table is nearly full.

    An unanswered SYN stays in it for two minutes, and a full table drops packets of everybody.
    """
    try:
        count = int((folder / "nf_conntrack_count").read_text())
        highest = int((folder / "nf_conntrack_max").read_text())
    except (OSError, ValueError):
        return False
    return count > share * highest


def wait_for_room(full: Callable[[], bool] = is_full, pause: float = CONNTRACK_PAUSE) -> float:
    """Wait while the connection tracking table is nearly full; return the seconds."""
    started = time.monotonic()
    paused = 0.0
    while full():
        time.sleep(pause)
        paused = time.monotonic() - started
    return paused


def chunks(ports: Sequence[int]) -> Iterator[Sequence[int]]:
    """Yield the ports, a few at a time."""
    for start in range(0, len(ports), CHUNK):
        yield ports[start : start + CHUNK]


class TcpScan:
    """Connects to many ports at once without waiting for any."""

    def __init__(self, host: str, patience: float) -> None:
        """Scan a machine; ``patience`` is how long a port may be silent, in seconds."""
        self.host = host
        self.patience = patience
        self.answers = Answers()
        self.selector = selectors.DefaultSelector()
        # In the order of the deadlines.
        self.waiting: Dict[int, Tuple[socket.socket, float]] = {}

    def start(self, port: int) -> None:
        """Begin to connect to a port."""
        family, address = target(self.host, port, socket.SOCK_STREAM)
        connection = socket.socket(family, socket.SOCK_STREAM)
        connection.settimeout(0)
        error = connection.connect_ex(address)
        while error in (errno.EADDRNOTAVAIL, errno.EAGAIN):  # no local port is free
            self.collect(CONNTRACK_PAUSE)
            error = connection.connect_ex(address)
        if error == errno.EINPROGRESS:
            self.waiting[port] = (connection, time.monotonic() + self.patience)
            self.selector.register(connection, selectors.EVENT_WRITE, port)
        else:
            self.finish(port, connection, error)

    def finish(self, port: int, connection: socket.socket, error: int) -> None:
        """Add an answer; on loopback a socket can connect to itself, which counts as refused."""
        if error == 0 and connection.getsockname() == connection.getpeername():
            error = errno.ECONNREFUSED
        self.answers.add(port, error)
        connection.close()

    def collect(self, seconds: float) -> None:
        """Take the answers that come within some seconds; drop the ports whose time is over."""
        for key, _ in self.selector.select(seconds):
            connection, _ = self.waiting.pop(key.data)
            self.selector.unregister(connection)
            error = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            self.finish(key.data, connection, error)
        now = time.monotonic()
        for port in list(self.waiting):
            connection, deadline = self.waiting[port]
            if deadline > now:
                break
            self.selector.unregister(connection)
            connection.close()
            del self.waiting[port]

    def run(self, ports: Sequence[int], report: Callable[[int], None]) -> Answers:
        """Probe the ports and return the answers; ``report`` gets the number of probed ports."""
        window = more_files(WINDOW)
        for chunk in chunks(ports):
            self.answers.paused += wait_for_room()
            for port in chunk:
                self.start(port)
            self.collect(0)
            while len(self.waiting) + CHUNK > window:
                self.collect(self.patience)
            self.answers.asked += len(chunk)
            report(self.answers.asked)
        while self.waiting:
            self.collect(self.patience)
        return self.answers


class UdpScan:
    """Sends one datagram to each port and waits for answers."""

    def __init__(self, host: str, patience: float) -> None:
        """Scan a machine; ``patience`` is how long a port may be silent, in seconds."""
        self.host = host
        self.patience = patience
        self.answers = Answers()
        self.heard: Set[int] = set()
        family, self.address = target(host, 0, socket.SOCK_DGRAM)
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.settimeout(0)
        # ICMP errors then wait in a queue of their own, with the address that they refer to.
        if family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
        else:
            self.socket.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)

    def send(self, port: int) -> None:
        """Send the datagram; a waiting ICMP error makes the first try fail."""
        for _ in range(3):
            try:
                self.socket.sendto(DATAGRAM, (self.address[0], port, *self.address[2:]))
            except OSError:
                self.collect()
            else:
                return

    def collect(self) -> None:
        """Take the answers that are there."""
        while True:
            sender = self.receive(0)
            refuser = self.receive(socket.MSG_ERRQUEUE)
            if sender is None and refuser is None:
                return
            for port, error in ((sender, 0), (refuser, errno.ECONNREFUSED)):
                if port and port not in self.heard:
                    self.heard.add(port)
                    self.answers.add(port, error)

    def receive(self, flag: int) -> Optional[int]:
        """Return the port of the next datagram or error; 0 if it is not the target's."""
        try:
            _, _, _, about = self.socket.recvmsg(512, 512, flag)
        except BlockingIOError:
            return None
        except OSError:  # the error queue has the details
            return 0
        if about[0] != self.address[0] or about[1] == self.socket.getsockname()[1]:
            return 0  # from another address, or our own datagram on loopback
        return int(about[1])

    def run(self, ports: Sequence[int], report: Callable[[int], None]) -> Answers:
        """Probe the ports and return the answers; ``report`` gets the number of probed ports."""
        for chunk in chunks(ports):
            self.answers.paused += wait_for_room()
            for port in chunk:
                self.send(port)
            self.collect()
            time.sleep(1 / CHUNKS_PER_SECOND)
            self.answers.asked += len(chunk)
            report(self.answers.asked)
        deadline = time.monotonic() + self.patience
        while time.monotonic() < deadline:
            self.collect()
            time.sleep(1 / CHUNKS_PER_SECOND)
        self.socket.close()
        return self.answers


def silent(_: int) -> None:
    """Report nothing."""


def scan(
    host: str,
    ports: Sequence[int],
    *,
    udp: bool = False,
    patience: float = PATIENCE,
    report: Callable[[int], None] = silent,
) -> Answers:
    """Probe some ports of a machine.

    Args:
        host: its numeric address, IPv4 or IPv6.
        ports: the ports, each in 1..65535.
        udp: whether to send datagrams instead of connecting.
        patience: how long a port may be silent, in seconds.
        report: called from time to time with the number of probed ports.

    Raises:
        OSError: the address is invalid, or there is no route to it.

    """
    started = time.monotonic()
    method = UdpScan(host, patience) if udp else TcpScan(host, patience)
    answers = method.run(ports, report)
    answers.seconds = time.monotonic() - started
    for ports_of_a_kind in (answers.open, answers.refused, answers.rejected):
        ports_of_a_kind.sort()
    return answers


def parse_ports(text: str) -> List[int]:
    """Return the ports of a text such as "22,80,8000-8100".

    Raises:
        ValueError: a part of it is not a port.

    """
    found: List[int] = []
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    if not all(1 <= port <= HIGHEST_PORT for port in found):
        raise ValueError(f"{text} contains something that is not a port")
    return found


def spans(ports: Sequence[int]) -> str:
    """Write ports the short way, "1-3, 7": what `parse_ports` reads."""
    found: List[List[int]] = []
    for port in sorted(ports):
        if found and found[-1][1] == port - 1:
            found[-1][1] = port
        else:
            found.append([port, port])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in found)


def progress(host: str, kind: str, total: int) -> Callable[[int], None]:
    """Return a reporter that writes a line each second."""
    last = time.monotonic()

    def report(asked: int) -> None:
        nonlocal last
        if time.monotonic() - last >= 1:
            last = time.monotonic()
            sys.stderr.write(f"scan: {kind} {host}: {asked} of {total} ports asked\n")

    return report


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run the scan of the command line and print the answers as JSON."""
    parser = argparse.ArgumentParser(prog="scan.py", description="Which ports of a host answer?")
    parser.add_argument("host", help="numeric address, IPv4 or IPv6")
    parser.add_argument("--udp", action="store_true", help="send datagrams instead of connecting")
    parser.add_argument("--ports", default=f"1-{HIGHEST_PORT}", help="such as 22,80,8000-8100")
    parser.add_argument("--patience", type=float, default=PATIENCE, metavar="SECONDS")
    options = parser.parse_args(arguments)
    try:
        ports = parse_ports(options.ports)
        reporter = progress(options.host, "UDP" if options.udp else "TCP", len(ports))
        how = {"udp": options.udp, "patience": options.patience, "report": reporter}
        answers = scan(options.host, ports, **how)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"scan: {options.host}: {error}\n")
        return 1
    sys.stdout.write(answers.to_json() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
