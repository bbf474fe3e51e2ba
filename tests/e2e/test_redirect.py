"""The redirect of a swap, in network namespaces made for it: who reaches which container, and how.

Four namespaces stand for a client, a host with Docker's bridge and another one, and two containers:

    outside --- host --- docker0 ---- candidate
                     \\-- br-other --- other

Programs of the host stand for the live release, and for Docker's proxy of the candidate's port.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest
from e2e.machine import ROOT, ports, run

PORT, INSIDE = ports()["HOST_PORT"], ports()["CONTAINER_PORT"]
OWN_PORT = PORT + 7
OUTSIDE, HOST, CANDIDATE, OTHER = "swap-outside", "swap-host", "swap-candidate", "swap-other"
NAMESPACES = (OUTSIDE, HOST, CANDIDATE, OTHER)
SET_UP = f"""
for ns in {" ".join(NAMESPACES)}; do
  ip netns add $ns
  ip netns exec $ns sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
  ip -n $ns link set lo up
done
ip -n {OUTSIDE} link add eth0 type veth peer name eth0 netns {HOST}
ip -n {OUTSIDE} addr add 192.0.2.1/24 dev eth0; ip -n {HOST} addr add 192.0.2.2/24 dev eth0
ip -n {OUTSIDE} addr add 2001:db8::1/64 dev eth0 nodad
ip -n {HOST} addr add 2001:db8::2/64 dev eth0 nodad
ip -n {HOST} link add docker0 type bridge; ip -n {HOST} link add br-other type bridge
ip -n {CANDIDATE} link add eth0 type veth peer name veth0 netns {HOST}
ip -n {OTHER} link add eth0 type veth peer name veth1 netns {HOST}
ip -n {HOST} link set veth0 master docker0; ip -n {HOST} link set veth1 master br-other
ip -n {HOST} addr add 198.51.100.1/24 dev docker0; ip -n {HOST} addr add 203.0.113.1/24 dev br-other
ip -n {CANDIDATE} addr add 198.51.100.2/24 dev eth0; ip -n {OTHER} addr add 203.0.113.2/24 dev eth0
for link in eth0 docker0 br-other veth0 veth1; do ip -n {HOST} link set $link up; done
for ns in {OUTSIDE} {CANDIDATE} {OTHER}; do ip -n $ns link set eth0 up; done
ip -n {CANDIDATE} route add default via 198.51.100.1
ip -n {OTHER} route add default via 203.0.113.1
ip netns exec {HOST} sysctl -qw net.ipv4.ip_forward=1
"""
# Tells each line that a client sends who answers, and where the client seems to be.
ANSWER = """
import socket, socketserver, sys
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            client = self.client_address[0].replace("::ffff:", "")
            self.wfile.write(f"{sys.argv[2]} {client}\\n".encode())
class Server(socketserver.ThreadingTCPServer):
    address_family, allow_reuse_address, daemon_threads = socket.AF_INET6, True, True
server = Server(("::", int(sys.argv[1])), Handler)
print("ready", flush=True)
server.serve_forever()
"""
# Sends a line over a new connection for each line of its input, or over one that it keeps.
ASK = """
import socket, sys
kept = None
for line in sys.stdin:
    try:
        there = kept or socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=1)
        kept = there if sys.argv[3:] else None
        there.sendall(b"x\\n")
        print(there.recv(100).decode().strip(), flush=True)
    except OSError:
        print("nobody", flush=True)
"""
REDIRECT = """
import sys
sys.path.insert(0, sys.argv[1])
from classvm.release import redirect
made = redirect.Redirect("lab", sys.argv[2], *map(int, sys.argv[4:]))
assert redirect.obstacle() == ""
{
    "close": made.close,
    "lead": lambda: made.lead("198.51.100.2"),
    "end": lambda: redirect.end("lab"),
    "remove": lambda: redirect.remove("lab", sys.argv[2]),
}[sys.argv[3]]()
"""


class Client(NamedTuple):
    """Who calls which address, and who answers when the candidate is led to.

    ``seen`` is where the client seems to be. The candidate itself sees it only where no proxy of
    Docker's is between.
    """

    namespace: str
    address: str
    seen: str
    led_to: str = "proxy"


CLIENTS = [
    Client(OUTSIDE, "192.0.2.2", "192.0.2.1", "candidate"),
    Client(OUTSIDE, "2001:db8::2", "2001:db8::1"),
    Client(HOST, "127.0.0.1", "127.0.0.1"),
    Client(HOST, "::1", "::1"),
    Client(HOST, "192.0.2.2", "192.0.2.2"),
    Client(HOST, "2001:db8::2", "2001:db8::2"),
    Client(CANDIDATE, "198.51.100.1", "198.51.100.2"),
    Client(OTHER, "203.0.113.1", "203.0.113.2"),
    Client(OTHER, "192.0.2.2", "203.0.113.2"),
]
Clients = Callable[..., subprocess.Popen[str]]
EACH_CLIENT = pytest.mark.parametrize(
    "client", CLIENTS, ids=[f"{one.namespace}-{one.address}" for one in CLIENTS]
)


@dataclass(frozen=True)
class Host:
    """The host, and its state folder."""

    folder: Path

    def redirect(self, verb: str) -> None:
        """Call one of the functions of the redirect."""
        utils = str(ROOT / "ansible/plugins/module_utils")
        words = [utils, str(self.folder), verb, *map(str, (PORT, OWN_PORT, INSIDE))]
        subprocess.run(argv(HOST, REDIRECT, *words), check=True)


def argv(namespace: str, script: str, *words: str) -> list[str]:
    return ["ip", "netns", "exec", namespace, sys.executable, "-c", script, *words]


def start(namespace: str, script: str, *words: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen(argv(namespace, script, *words), stdin=pipe, stdout=pipe, text=True)


def ask(asking: subprocess.Popen[str]) -> str:
    """Have a client send a line, and return what it is told."""
    assert asking.stdin
    assert asking.stdout
    asking.stdin.write("ask\n")
    asking.stdin.flush()
    return asking.stdout.readline().strip()


@pytest.fixture
def client_of() -> Iterator[Clients]:
    """Offer ``client_of(namespace, address, port, ...)``; each client ends with the test."""
    started: list[subprocess.Popen[str]] = []

    def begin(*words: str) -> subprocess.Popen[str]:
        started.append(start(words[0], ASK, *words[1:]))
        return started[-1]

    yield begin
    for one in started:
        one.kill()
        one.communicate()


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Return a host with a live release and a candidate."""
    servers = []
    try:
        assert run("sh", "-ec", SET_UP).code == 0
        for namespace, port, name in (
            (HOST, PORT, "live"),
            (HOST, OWN_PORT, "proxy"),
            (CANDIDATE, INSIDE, "candidate"),
        ):
            servers.append(start(namespace, ANSWER, str(port), name))
            assert servers[-1].stdout
            assert servers[-1].stdout.readline() == "ready\n"
        yield Host(tmp_path_factory.mktemp("redirect"))
    finally:
        for one in servers:
            one.kill()
            one.communicate()
        for namespace in NAMESPACES:
            run("ip", "netns", "delete", namespace)


@pytest.fixture
def host(network: Host) -> Iterator[Host]:
    """Return the host, without rules before and after a test."""
    yield network
    network.redirect("remove")


@EACH_CLIENT
def test_a_new_connection_goes_to_the_candidate_while_it_is_led(
    host: Host, client_of: Clients, client: Client
) -> None:
    asking = client_of(client.namespace, client.address, str(PORT))
    for verb, name in (
        ("remove", "live"),
        ("close", "live"),
        ("lead", client.led_to),
        ("lead", client.led_to),
        ("end", "live"),
        ("remove", "live"),
    ):
        host.redirect(verb)
        assert ask(asking) == f"{name} {client.seen}", verb


@EACH_CLIENT
def test_a_connection_stays_where_it_began(host: Host, client_of: Clients, client: Client) -> None:
    """Also where the kernel followed no connections before, as without other rules for IPv6."""
    words = (client.namespace, client.address, str(PORT), "keep")
    before, quiet = client_of(*words), client_of(*words)
    live, led = (f"{name} {client.seen}" for name in ("live", client.led_to))
    assert (ask(before), ask(quiet)) == (live, live)
    host.redirect("close")
    assert ask(before) == live
    host.redirect("lead")
    meanwhile = client_of(*words)
    assert (ask(before), ask(meanwhile)) == (live, led)
    host.redirect("end")
    assert (ask(before), ask(meanwhile), ask(quiet)) == (live, led, live)
    host.redirect("remove")
    assert ask(before) == live


@pytest.mark.parametrize("verb", ["close", "lead", "end"])
@pytest.mark.parametrize("client", [one for one in CLIENTS if one.namespace != HOST])
def test_nobody_else_reaches_the_port_of_the_candidate(
    host: Host, client_of: Clients, client: Client, verb: str
) -> None:
    asking = client_of(client.namespace, client.address, str(OWN_PORT))
    assert ask(asking).startswith("proxy ")
    host.redirect("close")
    host.redirect(verb)
    assert ask(asking) == "nobody"
