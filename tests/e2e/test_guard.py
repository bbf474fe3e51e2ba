"""The guard, seen from outside, in network namespaces made for it: never on this machine itself.

Three namespaces stand for a neighbour, a class VM and a container behind a bridge of the VM:

    outside --- vm --- br-guard --- container

The VM rewrites addresses as Docker does for published ports.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from machine import ROOT, ports, run

SSH, SERVICE = 22, ports()["HOST_PORT"]
CANARY = SERVICE + 1  # published by the container, like the service, but not to be reached
LOCAL = SERVICE + 2  # a program of the VM itself
INSIDE = ports()["CONTAINER_PORT"]
RULES = (ROOT / "roles/firewall/files/etc/classvm/guard.nft").read_text()
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
  }}
}}
"""
LISTEN = """
import socket, sys, time
both = {"family": socket.AF_INET6, "dualstack_ipv6": True}
held = [socket.create_server(("::", int(port)), **both) for port in sys.argv[1:]]
print("listening", flush=True)
time.sleep(600)
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
desired = guard.ruleset(sys.stdin.read(), [int(sys.argv[4])], [int(sys.argv[5])])
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

    def guard(self, verb: str, rules: str = RULES) -> int:
        """Call one of the firewall's functions inside the VM and return the exit code."""
        utils = str(ROOT / "ansible/plugins/module_utils")
        words = [utils, str(self.folder), verb, str(SERVICE), str(SSH)]
        done = subprocess.run(
            ["ip", "netns", "exec", VM, sys.executable, "-c", GUARD, *words],
            input=rules,
            text=True,
            check=False,
        )
        return done.returncode

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


def listen(namespace: str, *open_ports: int) -> subprocess.Popen[str]:
    """Start a program that accepts connections on the ports, and wait until it does."""
    process = subprocess.Popen(
        ["ip", "netns", "exec", namespace, sys.executable, "-c", LISTEN, *map(str, open_ports)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "listening\n"
    return process


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
        listen(CONTAINER, INSIDE),
    ]
    wait_for_neighbours()
    yield Network(tmp_path)
    for program in programs:
        program.kill()
        program.wait()
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
    network.guard("try")
    network.guard("confirm")
    neighbour = "192.0.2.1,2001:db8::1"
    assert network.reachable(VM, addresses=neighbour) == {SSH}
    assert network.reachable(CONTAINER, addresses=neighbour) == {SSH}
    assert LOCAL in network.reachable(VM, addresses="127.0.0.1,::1")


def test_ping_is_answered(network: Network) -> None:
    network.guard("try")
    network.guard("confirm")
    done = run("ip", "netns", "exec", OUTSIDE, sys.executable, "-c", PING)
    assert done.code == 0, done.text


def test_a_hole_made_by_hand_is_noticed(network: Network) -> None:
    network.guard("try")
    network.guard("confirm")
    hole = ["nft", "insert", "rule", "inet", "classvm", "inbound", "tcp", "dport", str(CANARY)]
    assert run("ip", "netns", "exec", VM, *hole, "accept").code == 0
    assert network.reachable() == {SSH, SERVICE, CANARY}
    assert network.guard("current") != 0


def test_a_broken_ruleset_changes_nothing(network: Network) -> None:
    network.guard("try")
    network.guard("confirm")
    assert network.guard("try", rules=RULES.replace("drop", "dorp")) != 0
    assert network.reachable() == {SSH, SERVICE}
    assert network.guard("current") == 0


def test_removing_it_opens_everything(network: Network) -> None:
    network.guard("try")
    network.guard("confirm")
    assert network.guard("remove") == 0
    assert network.reachable() == {SSH, SERVICE, CANARY, LOCAL}
