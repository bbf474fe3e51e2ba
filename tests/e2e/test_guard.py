"""The guard, seen from outside, in network namespaces made for it: never on this machine itself.

Three namespaces stand for a neighbour, a class VM and a container behind a bridge of the VM:

    outside --- vm --- br-guard --- container

The VM rewrites addresses as Docker does for published ports, and the outside routes through it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from classvm.provision import guard
from e2e.machine import ROOT, ports, run

SSH, SERVICE = 22, ports()["HOST_PORT"]
CANARY = SERVICE + 1  # published by the container, like the service, but not to be reached
LOCAL = SERVICE + 2  # a program of the VM itself
INSIDE = ports()["CONTAINER_PORT"]
ROLE_FILES = ROOT / "roles/firewall/files"
RULES = (ROLE_FILES / "etc/classvm/guard.nft").read_text()
DROP_IN = ROLE_FILES / "etc/systemd/system/nftables.service.d/classvm-guard.conf"
# The unit's own command, followed by a second one for the guard.
GUARD_RULES = "/etc/" + re.findall(r"/etc/(\w+/guard\.nf)\[", DROP_IN.read_text())[0]
TWO_STEPS = f"""
ExecStart=/usr/sbin/nft -f /etc/nftables.conf
ExecStart=/usr/sbin/nft -f {GUARD_RULES}t
"""
# UDP port of a DHCP server by the port of its client.
DHCP = {68: 67, 546: 547}
OUTSIDE, VM, CONTAINER = "guard-outside", "guard-vm", "guard-container"

SET_UP = f"""
for ns in {OUTSIDE} {VM} {CONTAINER}; do
  ip netns add $ns
  # Without the search for duplicates, addresses work at once.
  ip netns exec $ns sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
  ip netns exec $ns sysctl -qw net.ipv4.ping_group_range="0 0"
done
ip -n {OUTSIDE} link add eth0 type veth peer name eth0 netns {VM}
ip -n {CONTAINER} link add eth0 type veth peer name veth0 netns {VM}
ip -n {VM} link add br-guard type bridge; ip -n {VM} link set veth0 master br-guard
ip -n {OUTSIDE} addr add 192.0.2.1/24 dev eth0
ip -n {OUTSIDE} addr add 2001:db8::1/64 dev eth0 nodad
ip -n {VM} addr add 192.0.2.2/24 dev eth0; ip -n {VM} addr add 2001:db8::2/64 dev eth0 nodad
ip -n {VM} addr add 198.51.100.1/24 dev br-guard
ip -n {VM} addr add 2001:db8:1::1/64 dev br-guard nodad
ip -n {CONTAINER} addr add 198.51.100.2/24 dev eth0
ip -n {CONTAINER} addr add 2001:db8:1::2/64 dev eth0 nodad
for ns in {OUTSIDE} {VM} {CONTAINER}; do ip -n $ns link set lo up; ip -n $ns link set eth0 up; done
ip -n {VM} link set veth0 up; ip -n {VM} link set br-guard up
ip -n {OUTSIDE} route add default via 192.0.2.2; ip -n {OUTSIDE} route add default via 2001:db8::2
ip -n {CONTAINER} route add default via 198.51.100.1
ip -n {CONTAINER} route add default via 2001:db8:1::1
ip netns exec {VM} sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
"""
PUBLISH = f"""
table inet published {{
  chain prerouting {{
    type nat hook prerouting priority dstnat;
    ip daddr 192.0.2.2 tcp dport {{ {SERVICE}, {CANARY} }} dnat ip to 198.51.100.2:{INSIDE}
    ip6 daddr 2001:db8::2 tcp dport {{ {SERVICE}, {CANARY} }} dnat ip6 to [2001:db8:1::2]:{INSIDE}
    ip daddr 192.0.2.2 udp dport {{ 68, 546 }} dnat ip to 198.51.100.2:{INSIDE}
    ip6 daddr 2001:db8::2 udp dport {{ 68, 546 }} dnat ip6 to [2001:db8:1::2]:{INSIDE}
  }}
}}
"""
# Sends back what it receives: over TCP, and over UDP on the same ports.
ECHO = """
import socket, socketserver, sys, threading
class Stream(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(100):
            self.request.sendall(data)
class Datagram(socketserver.BaseRequestHandler):
    def handle(self):
        self.request[1].sendto(self.request[0], self.client_address)
socketserver.TCPServer.allow_reuse_address = True
for kind, handler in (
    (socketserver.ThreadingTCPServer, Stream), (socketserver.ThreadingUDPServer, Datagram)
):
    kind.address_family = socket.AF_INET6
    for port in sys.argv[1:]:
        server = kind(("::", int(port)), handler, bind_and_activate=False)
        server.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        server.server_bind()
        server.server_activate()
        threading.Thread(target=server.serve_forever).start()
print("listening", flush=True)
"""
# Connects to each port, waits for a line, and prints through which connections an echo came.
HOLD = """
import json, socket, sys
held = [socket.create_connection((at, int(port)), 2)
        for at in sys.argv[1].split(",") for port in sys.argv[2:]]
print("connected", flush=True)
sys.stdin.readline()
alive = []
for connection in held:
    connection.settimeout(1)
    try:
        connection.sendall(b"x")
        alive += [connection.getpeername()[1]] if connection.recv(1) else []
    except OSError:
        pass
print(json.dumps(alive))
"""
# Sends a datagram to each address from a DHCP server's port to its client's, and prints the
# addresses that answer.
DHCP_REPLY = """
import json, socket, sys
found = []
for address in sys.argv[3:]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as server:
        server.bind(("", int(sys.argv[1])))
        server.settimeout(0.5)
        server.sendto(b"x", (address, int(sys.argv[2])))
        try:
            found += [address] if server.recv(1) else []
        except OSError:
            pass
print(json.dumps(found))
"""
PROBE = """
import json, socket, sys
found = []
for address in sys.argv[1].split(","):
    for port in sys.argv[2:]:
        try:
            socket.create_connection((address, int(port)), timeout=0.5).close()
            found.append([address, int(port)])
        except OSError:
            pass
print(json.dumps(found))
"""
PING = """
import socket, sys
for family, protocol, echo, address in (
    (socket.AF_INET, socket.IPPROTO_ICMP, 8, "192.0.2.2"),
    (socket.AF_INET6, socket.IPPROTO_ICMPV6, 128, "2001:db8::2"),
):
    with socket.socket(family, socket.SOCK_DGRAM, protocol) as ping:
        ping.settimeout(1)
        ping.connect((address, 0))
        ping.send(bytes([echo, 0, 0, 0, 0, 0, 0, 1]))
        ping.recv(100)
"""
GUARD = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from classvm.provision import guard
folder = Path(sys.argv[2])
files = guard.Files(*(folder / name for name in ("rules", "trial", "listing", "pid")))
open_tcp, ssh, dhcp = ([int(port) for port in ports.split()] for ports in sys.argv[4:])
desired = guard.ruleset(sys.stdin.read(), open_tcp, ssh, dhcp)
{
    "try": lambda: guard.try_out(desired, files, seconds=5),
    "confirm": lambda: guard.confirm(files),
    "current": lambda: sys.exit(not guard.is_current(desired, files)),
    "remove": lambda: guard.remove(files),
}[sys.argv[3]]()
"""


@dataclass(frozen=True)
class Network:
    """The three namespaces, and the folder with the guard's files."""

    folder: Path

    def guard(self, verb: str, rules: str = RULES, dhcp: str = "") -> int:
        """Call one of the guard's functions inside the VM and return the exit code."""
        utils = str(ROOT / "ansible/plugins/module_utils")
        words = [utils, str(self.folder), verb, str(SERVICE), str(SSH), dhcp]
        done = subprocess.run(
            ["ip", "netns", "exec", VM, sys.executable, "-c", GUARD, *words],
            input=rules,
            text=True,
            check=False,
        )
        return done.returncode

    def install(self, dhcp: str = "") -> None:
        """Load the guard and confirm it."""
        assert self.guard("try", dhcp=dhcp) == 0
        assert self.guard("confirm") == 0

    def reachable(
        self,
        source: str = OUTSIDE,
        *,
        addresses: str = "192.0.2.2,2001:db8::2",
    ) -> set[int]:
        """Return the ports that answer; they have to be the same over IPv4 and IPv6."""
        listed = run(
            *("ip", "netns", "exec", source, sys.executable, "-c", PROBE, addresses),
            *(str(port) for port in (SSH, SERVICE, CANARY, LOCAL, INSIDE)),
        )
        found = json.loads(listed.text)
        by_address = [{port for at, port in found if at == one} for one in addresses.split(",")]
        assert by_address[0] == by_address[1]
        return by_address[0]


def start(namespace: str, script: str, *words: str) -> subprocess.Popen[str]:
    """Start one of our scripts in a namespace, and wait for its first line."""
    process = subprocess.Popen(
        ["ip", "netns", "exec", namespace, sys.executable, "-c", script, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() in ("listening\n", "connected\n")
    return process


def listen(namespace: str, *open_ports: int) -> subprocess.Popen[str]:
    """Start a program that answers on the ports, over TCP and UDP."""
    return start(namespace, ECHO, *map(str, open_ports))


def stop(program: subprocess.Popen[str]) -> None:
    """End a program that one of these tests started."""
    program.kill()
    program.communicate()


def wait_for_neighbours() -> None:
    """Wait until IPv6 has found its neighbours, which takes a second after the links are up."""
    deadline = time.monotonic() + 10
    probe = ["ip", "netns", "exec", OUTSIDE, sys.executable, "-c", PROBE, "2001:db8::2"]
    while len(json.loads(run(*probe, str(LOCAL), str(SERVICE)).text)) < 2:
        assert time.monotonic() < deadline


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    """Return the network without a guard."""
    made = run("sh", "-ec", SET_UP)
    assert made.code == 0, made.text
    subprocess.run(
        ["ip", "netns", "exec", VM, "nft", "-f", "-"], input=PUBLISH, text=True, check=True
    )
    programs = [
        listen(OUTSIDE, SSH),
        listen(VM, SSH, LOCAL),
        listen(CONTAINER, INSIDE, SSH, SERVICE),
    ]
    wait_for_neighbours()
    yield Network(tmp_path)
    for program in programs:
        stop(program)
    for namespace in (OUTSIDE, VM, CONTAINER):
        run("ip", "netns", "delete", namespace)


def test_without_the_guard_everything_is_open(network: Network) -> None:
    assert network.reachable() == {SSH, SERVICE, CANARY, LOCAL}


def test_the_guard_leaves_ssh_and_the_service_open(network: Network) -> None:
    assert network.guard("try") == 0
    assert network.guard("confirm") == 0
    assert network.reachable() == {SSH, SERVICE}
    time.sleep(5.5)  # longer than the trial
    assert network.reachable() == {SSH, SERVICE}
    assert network.guard("current") == 0


def test_a_guard_that_nobody_confirms_goes_away(network: Network) -> None:
    assert network.guard("try") == 0
    assert network.reachable() == {SSH, SERVICE}
    time.sleep(5.5)
    assert network.reachable() == {SSH, SERVICE, CANARY, LOCAL}
    assert network.guard("confirm") != 0


def test_what_the_vm_and_its_containers_ask_for_is_answered(network: Network) -> None:
    network.install()
    neighbour = "192.0.2.1,2001:db8::1"
    assert network.reachable(VM, addresses=neighbour) == {SSH}
    assert network.reachable(CONTAINER, addresses=neighbour) == {SSH}
    assert LOCAL in network.reachable(VM, addresses="127.0.0.1,::1")


def test_ping_is_answered(network: Network) -> None:
    network.install()
    done = run("ip", "netns", "exec", OUTSIDE, sys.executable, "-c", PING)
    assert done.code == 0, done.text


def test_a_hole_made_by_hand_is_noticed(network: Network) -> None:
    network.install()
    hole = ["nft", "insert", "rule", "inet", "classvm", "inbound", "tcp", "dport", str(CANARY)]
    assert run("ip", "netns", "exec", VM, *hole, "accept").code == 0
    assert network.reachable() == {SSH, SERVICE, CANARY}
    assert network.guard("current") != 0


def test_a_broken_ruleset_changes_nothing(network: Network) -> None:
    network.install()
    assert network.guard("try", rules=RULES.replace("drop", "dorp")) != 0
    assert network.reachable() == {SSH, SERVICE}
    assert network.guard("current") == 0


@pytest.mark.parametrize(("rule", "code"), [("", 0), ("meta l4proto ipv6-icmp accept", 1)])
def test_a_bare_host_without_names_of_protocols_can_load_it(
    rule: str, code: int, tmp_path: Path
) -> None:
    # A bare Debian has no /etc/protocols: its package comes with the engine, after the guard.
    rules = RULES.replace("counter drop", f"{rule}\ncounter drop", 1)
    file = tmp_path / "guard.nft"
    file.write_text(guard.ruleset(rules, [SERVICE], [SSH]))
    hidden = f"mount --bind /dev/null /etc/protocols; nft --check --file {file}"
    assert run("unshare", "--net", "--mount", "sh", "-c", hidden).code == code


def test_removing_it_opens_everything(network: Network) -> None:
    network.install()
    assert network.guard("remove") == 0
    assert network.reachable() == {SSH, SERVICE, CANARY, LOCAL}


# --- What is addressed to somebody else ----------------------------------------------------------

ROUTED = "198.51.100.2,2001:db8:1::2"


def test_a_neighbour_cannot_route_to_a_container(network: Network) -> None:
    assert network.reachable(addresses=ROUTED) == {INSIDE, SSH, SERVICE}
    network.install()
    # The container listens on ports that are open on the host itself.
    assert network.reachable(addresses=ROUTED) == set()


def dhcp_replies(client_port: int) -> list[str]:
    """Return the addresses of the VM that answer a DHCP server's port."""
    words = [str(DHCP[client_port]), str(client_port), "192.0.2.2", "2001:db8::2"]
    listed = run("ip", "netns", "exec", OUTSIDE, sys.executable, "-c", DHCP_REPLY, *words)
    return list(json.loads(listed.text))


@pytest.mark.parametrize("port", DHCP)
def test_a_published_port_of_dhcp_is_closed(network: Network, port: int) -> None:
    assert dhcp_replies(port) == ["192.0.2.2", "2001:db8::2"]
    network.install()
    assert dhcp_replies(port) == []


@pytest.mark.parametrize("port", DHCP)
def test_a_dhcp_client_of_the_host_gets_its_replies(network: Network, port: int) -> None:
    run("ip", "netns", "exec", VM, "nft", "delete", "table", "inet", "published")
    client = listen(VM, port)
    network.install()
    assert dhcp_replies(port) == []
    network.install(dhcp=str(port))
    assert dhcp_replies(port) == ["192.0.2.2", "2001:db8::2"]
    stop(client)


# --- Connections that were there before ----------------------------------------------------------


def alive(holder: subprocess.Popen[str]) -> list[int]:
    """Return the ports whose connections, made before, still carry data."""
    listed, _ = holder.communicate("\n", timeout=30)
    return sorted(set(json.loads(listed)))


def hold() -> subprocess.Popen[str]:
    """Connect from outside to an open and to closed ports, over IPv4 and IPv6."""
    words = [str(port) for port in (SSH, SERVICE, CANARY, LOCAL)]
    return start(OUTSIDE, HOLD, "192.0.2.2,2001:db8::2", *words)


def test_a_connection_to_a_closed_port_does_not_survive(network: Network) -> None:
    holder = hold()
    network.install()
    # An admin's SSH connection and the service's clients go on.
    assert alive(holder) == [SSH, SERVICE]


def test_without_the_guard_every_connection_survives(network: Network) -> None:
    assert network.folder.is_dir()
    assert alive(hold()) == sorted([SSH, SERVICE, CANARY, LOCAL])


def test_a_connection_that_the_vm_opened_survives(network: Network) -> None:
    holders = [start(one, HOLD, "192.0.2.1,2001:db8::1", str(SSH)) for one in (VM, CONTAINER)]
    network.install()
    assert [alive(holder) for holder in holders] == [[SSH], [SSH]]


# --- nftables' own unit --------------------------------------------------------------------------


def commands(unit: str, folder: Path) -> list[str]:
    """Return the shell commands of a unit, with its files in a folder."""
    found = re.findall(r"^Exec\w+=(/.+)$", unit, re.MULTILINE)
    moved = [line.replace(GUARD_RULES, f"{folder}/rules.nf") for line in found]
    return [line.replace("/etc/nftables.conf", f"{folder}/nftables.conf") for line in moved]


def leaks(network: Network, unit: str) -> int:
    """Return how many attempts reach a closed port while the commands of a unit run."""
    network.install()
    (network.folder / "rules").rename(network.folder / "rules.nft")
    (network.folder / "nftables.conf").write_text("flush ruleset\ntable inet other {\n}\n")
    script = "; ".join(commands(unit, network.folder))
    rate, seconds = 2000, 4
    words = [str(LOCAL), str(seconds), str(rate), "192.0.2.2", "2001:db8::2"]
    knocking = subprocess.Popen(
        ["ip", "netns", "exec", OUTSIDE, sys.executable, KNOCK, *words],
        stdout=subprocess.PIPE,
        text=True,
    )
    while knocking.poll() is None:
        assert run("ip", "netns", "exec", VM, "sh", "-ec", script).code == 0
    assert knocking.stdout
    attempts, connected, refused = map(int, knocking.stdout.read().split())
    assert attempts > rate
    return connected + refused


KNOCK = str(ROOT / "tests/infra/knock.py")


def test_no_attempt_passes_while_nftables_starts_reloads_and_stops(network: Network) -> None:
    assert len(commands(DROP_IN.read_text(), network.folder)) == 3
    assert leaks(network, DROP_IN.read_text()) == 0


def test_attempts_pass_when_flush_and_load_are_two_steps(network: Network) -> None:
    assert leaks(network, TWO_STEPS) > 0
