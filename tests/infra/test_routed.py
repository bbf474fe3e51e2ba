"""A neighbour that routes the addresses of containers through a class VM reaches none of them.

The canary listens on the very ports that are open on the host, in a network whose containers the
engine itself leaves open: any network of engines before 28, one of mode `nat-unprotected` since.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from classvm.provision import engine as provision
from classvm.provision import guard
from infra.observer import TARGETS
from infra.test_disruptions import CANARY_SECONDS, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.observer import Observer
    from infra.vm import Vm

pytestmark = [pytest.mark.disruptive, pytest.mark.usefixtures("guarded", "systemd")]

EVIDENCE = ("guard", "containers")
NAME = "classvm-routed-canary"
SUBNETS = {"IPv4": "10.148.148.0/24", "IPv6": "fd00:148:148::/64"}
# From this version on the engine itself routes IPv6 to containers (ip6tables by default).
FIRST_WITH_IPV6 = 27
# From this version on the engine by itself drops what is routed to a container.
FIRST_PROTECTED = 28
OPEN_MODE = "com.docker.network.bridge.gateway_mode_ipv{}=nat-unprotected"
LISTEN = """
import socket, sys, time
for port in sys.argv[1:]:
    canary = socket.socket(socket.AF_INET6)
    canary.bind(("", int(port)))
    canary.listen(100)
    globals()[port] = canary
time.sleep(3600)
"""
CONNECT = """
import socket, sys
for port in sys.argv[2:]:
    socket.create_connection((sys.argv[1], int(port)), 2)
"""


class Canary:
    """A container on the host, and the neighbour who routes to it."""

    def __init__(self, vm: Vm, neighbour: Observer) -> None:
        """Take the ports that are open on the host."""
        self.vm = vm
        self.neighbour = neighbour
        self.ports = sorted({vm.facts.ssh_port, vm.facts.host_port})
        version = provision.major(str(vm.docker.engine_version()))
        # Before that version the engine forwards no IPv6 by itself.
        known = list(SUBNETS) if version >= FIRST_WITH_IPV6 else ["IPv4"]
        self.families = [family for family in known if vm.facts.address(family)]
        self.mode = [f"--opt={OPEN_MODE.format(number)}" for number in (4, 6)]
        self.mode *= version >= FIRST_PROTECTED
        self.addresses: list[str] = []

    def start(self) -> None:
        """Start the container, and tell the neighbour the way to it."""
        self.stop()
        subnets = [f"--subnet={subnet}" for subnet in SUBNETS.values()]
        self.vm.docker.check("network", "create", "--ipv6", *subnets, *self.mode, NAME)
        words = ["run", "--detach", "--name", NAME, "--network", NAME]
        words += ["--sysctl", "net.ipv4.ip_unprivileged_port_start=0", "--entrypoint", "python"]
        # Published, so that the engine lets them be forwarded, at ports that the guard closes.
        for number, port in enumerate(self.ports):
            words += ["--publish", f"{self.vm.facts.host_port + 11 + number}:{port}"]
        self.vm.docker.check(*words, self.vm.live["Image"], "-c", LISTEN, *map(str, self.ports))
        network = self.described()["NetworkSettings"]["Networks"][NAME]
        found = {"IPv4": network["IPAddress"], "IPv6": network["GlobalIPv6Address"]}
        self.addresses = [found[family] for family in self.families]
        until(self.listens, CANARY_SECONDS)
        TARGETS.update(self.addresses)
        self.route("replace")

    def described(self) -> Any:
        """Return the engine's description of the container."""
        return json.loads(self.vm.docker.check("container", "inspect", NAME))[0]

    def listens(self) -> bool:
        """Tell whether the container answers the host: what is closed is not just absent."""
        ports = " ".join(map(str, self.ports))
        asked = [self.vm.run(f"python3 -c %s %s {ports}", CONNECT, at) for at in self.addresses]
        return all(done.rc == 0 for done in asked)

    def route(self, verb: str) -> None:
        """Have the neighbour route the container's addresses through the host, or no longer."""
        assert self.neighbour.vm
        for family in self.families:
            words = ["ip", "route", verb, SUBNETS[family], "via", self.vm.facts.address(family)]
            self.neighbour.vm.root(" ".join(["%s"] * len(words)), *map(str, words))

    def seen(self) -> dict[str, list[int]]:
        """Return the ports that answer the neighbour, by address."""
        asked = {at: self.neighbour.ask(at, self.ports) for at in self.addresses}
        return {at: sorted([*one.open, *one.refused]) for at, one in asked.items()}

    def stop(self) -> None:
        """Remove the container, its network and the neighbour's way to it."""
        TARGETS.difference_update(self.addresses)
        self.route("delete")
        self.vm.docker.run("rm", "--force", NAME)
        self.vm.docker.run("network", "rm", NAME)


@pytest.fixture(scope="module")
def canary(vm: Vm, neighbour: Observer) -> Iterator[Canary]:
    """Return the canary; it lives as long as these tests."""
    it = Canary(vm, neighbour)
    try:
        it.start()
        yield it
    finally:
        it.stop()


def test_a_neighbour_cannot_route_to_a_container(canary: Canary) -> None:
    assert canary.addresses
    assert canary.seen() == {address: [] for address in canary.addresses}


def test_without_the_guard_a_neighbour_routes_to_it(canary: Canary) -> None:
    canary.vm.read(f"nft delete table inet {guard.TABLE}")
    try:
        seen = canary.seen()
    finally:
        canary.vm.read("systemctl restart classvm-guard.service")
    assert seen == dict.fromkeys(canary.addresses, canary.ports)
    assert canary.seen() == {address: [] for address in canary.addresses}
