"""Restarts, reloads and reboots neither open the guard nor stop the service.

Two canaries answer on ports that the guard has to keep closed: a container that publishes its
port, and one in the host's own network. A neighbour knocks at both while things restart.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from classvm.contract import checker
from classvm.provision import guard
from infra import knock, scan, sniff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infra.observer import Observer
    from infra.vm import Vm

pytestmark = [pytest.mark.disruptive, pytest.mark.usefixtures("guarded", "systemd")]

EVIDENCE = ("guard", "containers", "engine log")
NAME, HOST_NAME = "classvm-canary", "classvm-host-canary"
BRIDGE = "docker0"
# It answers whoever connects, over IPv6 too where the container has it.
LISTEN = """
import socket, sys
family = socket.AF_INET6 if socket.has_ipv6 else socket.AF_INET
canary = socket.socket(family)
canary.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
canary.bind(("", int(sys.argv[1])))
canary.listen(100)
while True:
    canary.accept()[0].close()
"""
CONNECT = "import socket, sys; socket.create_connection(('localhost', int(sys.argv[1])), 5)"
# More than the 500 attempts in a second that are promised.
RATE, PROMISED_RATE = 700, 500
WATCH_SECONDS, TWIN_SECONDS = 20, 6
# What flushes or replaces packet filters: the state of nftables before, and the command.
DISRUPTIONS = (
    ("start", "systemctl restart docker"),
    ("start", "ufw reload"),
    ("start", "systemctl restart nftables"),
    ("start", "systemctl reload nftables"),
    ("start", "systemctl stop nftables"),
    ("stop", "systemctl start nftables"),
)
# Asking the ports up to the canary's and some more takes seconds instead of a minute.
PORTS_BEYOND = 1000
BOOT_WATCH_SECONDS = 45
CANARY_SECONDS, BOOT_SECONDS, ANSWER_SECONDS = 60.0, 300.0, 30.0
BOOT = "cat /proc/sys/kernel/random/boot_id; cut -d' ' -f22 /proc/1/stat"


class Scene:
    """The host with a canary on it, and the neighbour who looks for it."""

    def __init__(self, vm: Vm, neighbour: Observer) -> None:
        """Choose the port beside the service's."""
        self.vm = vm
        self.facts = vm.facts
        self.neighbour = neighbour
        self.port = vm.facts.host_port + 1
        self.host_port = self.port + 1
        self.addresses = [at for at in map(self.facts.address, ("IPv4", "IPv6")) if at]

    def start(self) -> None:
        """Start the canaries as anybody would; they come back after a reboot.

        An active ufw lets them in, so that nothing but the guard keeps them closed.
        """
        self.stop()
        self.ufw("allow")
        inside = str(self.facts.container_port)
        self.run(NAME, inside, "--publish", f"{self.port}:{inside}")
        self.run(HOST_NAME, str(self.host_port), "--network", "host")
        self.wait()

    def run(self, name: str, port: str, *options: str) -> None:
        """Start a container that accepts connections on a port."""
        words = ["run", "--detach", "--name", name, "--restart", "unless-stopped", *options]
        words += ["--entrypoint", "python", self.vm.live["Image"]]
        self.vm.docker.check(*words, "-c", LISTEN, port)

    def stop(self) -> None:
        """Remove the canaries."""
        self.ufw("delete allow")
        self.vm.docker.run("rm", "--force", NAME, HOST_NAME)

    def ufw(self, verb: str) -> None:
        """Let the canaries in at an active ufw, or no longer."""
        if has_ufw(self.vm):
            for port in (self.port, self.host_port):
                self.vm.root(f"ufw {verb} {port}/tcp")

    def wait(self) -> None:
        """Wait until the canaries answer on the host: what is closed is not just absent."""
        until(self.is_up)

    def is_up(self) -> bool:
        """Tell whether both canaries answer on the host."""
        ports = (self.port, self.host_port)
        return all(self.vm.run("python3 -c %s %s", CONNECT, str(port)).rc == 0 for port in ports)

    def restart(self, *units: str) -> None:
        """Restart units, though systemd limits how often they may start."""
        names = " ".join(units)
        self.vm.read(f"systemctl reset-failed {names}; systemctl restart {names}")

    def answers(self) -> bool:
        """Tell whether the service answers from outside."""
        call = checker.Call("", "", "GET", f"{self.facts.url()}/")
        return not checker.reason_for_silence(call, 2)

    def seen(self, highest: int = 0) -> dict[str, list[int]]:
        """Return which ports answer the neighbour, by address; the service must be up."""
        ports = range(1, (highest or self.port + PORTS_BEYOND) + 1)
        self.wait()
        until(self.answers, ANSWER_SECONDS)
        found = {address: self.neighbour.ask(address, ports) for address in self.addresses}
        return {address: sorted([*one.open, *one.refused]) for address, one in found.items()}

    @property
    def desired(self) -> dict[str, list[int]]:
        """What the neighbour shall see."""
        return dict.fromkeys(self.addresses, sorted({self.facts.ssh_port, *self.facts.open_tcp}))

    def knock(self, seconds: float) -> tuple[int, int, int]:
        """Return how often the neighbour tried, connected, and was refused at the canaries."""
        ports = f"{self.port},{self.host_port}"
        words = [ports, str(seconds), str(RATE), *self.addresses]
        found = python(self.neighbour.vm or self.vm, knock.__file__, words).split()
        attempts, connected, refused = map(int, found)
        return attempts, connected, refused

    def packets(self, seconds: float) -> int:
        """Return how many packets reach the canary in so many seconds."""
        found = json.loads(self.vm.docker.check("container", "inspect", NAME))[0]
        network = found["NetworkSettings"]["Networks"]["bridge"]
        addresses = [at for at in (network["IPAddress"], network["GlobalIPv6Address"]) if at]
        words = [BRIDGE, str(self.facts.container_port), str(seconds), *addresses]
        return int(python(self.vm, sniff.__file__, words))


def python(vm: Vm, file: str, words: list[str]) -> str:
    """Return what one of our scripts prints that root runs on a host."""
    script = Path(file).read_text(encoding="utf-8")
    return vm.read("python3 -c %s " + " ".join(["%s"] * len(words)), script, *words)


def until(condition: Callable[[], bool], seconds: float = CANARY_SECONDS) -> float:
    """Wait for something and return how many seconds it took."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() < started + seconds, f"not within {seconds:.0f} s"
        time.sleep(0.2)
    return time.monotonic() - started


def has_ufw(vm: Vm) -> bool:
    """Tell whether ufw is there and active."""
    return "Status: active" in vm.root("ufw status").stdout


@pytest.fixture(scope="module")
def scene(vm: Vm, neighbour: Observer) -> Iterator[Scene]:
    """Return the scene; the canary lives as long as these tests."""
    it = Scene(vm, neighbour)
    it.start()
    yield it
    it.stop()


def test_the_canaries_are_closed(scene: Scene) -> None:
    assert scene.seen() == scene.desired


@pytest.fixture
def filters(scene: Scene) -> Iterator[list[str]]:
    """Return the units that write packet filters, and bring all of them back after the test."""
    units = ["ufw", "docker"] if has_ufw(scene.vm) else ["docker"]
    before = scene.vm.unit("nftables.service", "ActiveState")
    yield units
    scene.vm.read(f"systemctl {'start' if before == 'active' else 'stop'} nftables")
    # nftables flushes everybody's rules. The units after it write theirs again.
    scene.restart(*units)


@pytest.mark.parametrize(("nftables", "disruption"), DISRUPTIONS)
def test_not_one_packet_reaches_a_canary_during(
    scene: Scene,
    filters: list[str],
    nftables: str,
    disruption: str,
) -> None:
    if disruption.startswith("ufw") and "ufw" not in filters:
        pytest.skip(f"ufw is not active on {scene.facts.name}")
    scene.vm.read(f"systemctl {nftables} nftables")
    scene.restart(*filters)
    scene.wait()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        packets = pool.submit(scene.packets, WATCH_SECONDS)
        knocks = pool.submit(scene.knock, WATCH_SECONDS)
        time.sleep(3)  # until both have begun
        started = time.monotonic()
        scene.vm.read("systemctl reset-failed docker nftables")
        scene.vm.read(disruption)
        seconds = time.monotonic() - started
    attempts, connected, refused = knocks.result()
    assert seconds + 3 < WATCH_SECONDS
    assert attempts >= PROMISED_RATE * WATCH_SECONDS
    assert (packets.result(), connected, refused) == (0, 0, 0)
    assert scene.seen() == scene.desired


def test_without_the_guard_the_canaries_are_seen(scene: Scene) -> None:
    scene.wait()
    scene.vm.read(f"nft delete table inet {guard.TABLE}")
    ports = [scene.port, scene.host_port]
    try:
        with concurrent.futures.ThreadPoolExecutor() as pool:
            packets = pool.submit(scene.packets, TWIN_SECONDS)
            knocks = pool.submit(scene.knock, TWIN_SECONDS)
        seen = [scene.neighbour.ask(at, ports).open for at in scene.addresses]
    finally:
        scene.vm.read("systemctl restart classvm-guard.service")
    assert seen == [ports] * len(scene.addresses)
    _, connected, _ = knocks.result()
    # The very instruments that see nothing when the guard is there.
    assert min(packets.result(), connected) > 0
    assert scene.seen() == scene.desired


def test_the_service_is_back_after_a_reboot_and_no_canary_answered(
    scene: Scene,
    record_property: Callable[[str, object], None],
) -> None:
    vm = scene.vm
    before = vm.read(BOOT)
    with contextlib.suppress(RuntimeError):  # the connection may end before the command does
        vm.root("systemctl reboot")
    vm.disconnect()
    # Only now: that ended the connection to the neighbour, too.
    pool = concurrent.futures.ThreadPoolExecutor()
    knocks = pool.submit(scene.knock, BOOT_WATCH_SECONDS)
    until(lambda: booted(vm) not in ("", before), BOOT_SECONDS)
    vm.root("systemctl is-system-running --wait")
    seconds = until(scene.answers, ANSWER_SECONDS)
    record_property("seconds", seconds)
    print(f"{scene.facts.name} answered {seconds:.1f} s after systemd was up")  # noqa: T201 - wanted
    attempts, connected, _ = knocks.result()
    pool.shutdown()
    # A host without a network of its own yet may refuse; the canaries never answer.
    assert attempts > PROMISED_RATE
    assert connected == 0
    assert scene.seen(scan.HIGHEST_PORT) == scene.desired


def booted(vm: Vm) -> str:
    """Return what differs from boot to boot, "" while the host is out of reach."""
    try:
        return vm.read(BOOT)
    except (RuntimeError, AssertionError):
        return ""
