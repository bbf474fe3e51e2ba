"""What restarts, reloads and reboots do to the guard and to the service: nothing.

A canary, a container that publishes a port beside the service's, is what the guard has to hide.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import knock
import pytest
import scan
import sniff
from classvm.contract import checker
from classvm.provision import guard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from observer import Observer
    from vm import Vm

pytestmark = [pytest.mark.disruptive, pytest.mark.usefixtures("guarded", "systemd")]

EVIDENCE = ("guard", "containers", "engine log")
NAME = "classvm-canary"
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
# More than the 500 tries in a second that are promised.
RATE, PROMISED_RATE = 700, 500
WATCH_SECONDS, TWIN_SECONDS = 20, 6
# Asking the ports up to the canary's and some more takes seconds instead of a minute.
PORTS_BEYOND = 1000
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
        self.addresses = [at for at in map(self.facts.address, ("IPv4", "IPv6")) if at]

    def start(self) -> None:
        """Start the canary as anybody would; it comes back after a reboot."""
        self.stop()
        inside = str(self.facts.container_port)
        words = ["run", "--detach", "--name", NAME, "--restart", "unless-stopped"]
        words += ["--publish", f"{self.port}:{inside}", "--entrypoint", "python"]
        self.vm.docker.check(*words, self.vm.live["Image"], "-c", LISTEN, inside)
        self.wait()

    def stop(self) -> None:
        """Remove the canary."""
        self.vm.docker.run("rm", "--force", NAME)

    def wait(self) -> None:
        """Wait until the canary answers on the host: what is closed is not just absent."""
        until(lambda: self.vm.run("python3 -c %s %s", CONNECT, str(self.port)).rc == 0)

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

    def knock(self, seconds: float) -> tuple[int, int]:
        """Return how often the neighbour knocked at the canary, and how often it was answered."""
        words = [str(self.port), str(seconds), str(RATE), *self.addresses]
        tries, answered = python(self.neighbour.vm or self.vm, knock.__file__, words).split()
        return int(tries), int(answered)

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


def test_the_canary_is_closed(scene: Scene) -> None:
    assert scene.seen() == scene.desired


def test_nothing_opens_when_the_engine_restarts(scene: Scene) -> None:
    scene.vm.read("systemctl restart docker")
    assert scene.seen() == scene.desired


def test_nothing_opens_when_nftables_restarts(scene: Scene) -> None:
    before = scene.vm.unit("nftables.service", "ActiveState")
    # It flushes everybody's rules; who is there after it has to write them anew.
    flushed = ["ufw", "docker"] if has_ufw(scene.vm) else ["docker"]
    scene.vm.read("systemctl restart nftables")
    try:
        assert scene.seen() == scene.desired
    finally:
        if before != "active":
            scene.vm.read("systemctl stop nftables")
        scene.vm.read(f"systemctl restart {' '.join(flushed)}")


def test_nothing_opens_when_ufw_reloads(scene: Scene) -> None:
    if not has_ufw(scene.vm):
        pytest.skip(f"ufw is not active on {scene.facts.name}")
    scene.vm.read("ufw reload")
    assert scene.seen() == scene.desired


def test_not_one_packet_reaches_the_canary_while_the_engine_restarts(scene: Scene) -> None:
    scene.wait()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        packets = pool.submit(scene.packets, WATCH_SECONDS)
        knocks = pool.submit(scene.knock, WATCH_SECONDS)
        time.sleep(3)  # until both are at it
        started = time.monotonic()
        scene.vm.read("systemctl restart docker")
        seconds = time.monotonic() - started
    tries, answered = knocks.result()
    assert seconds + 3 < WATCH_SECONDS
    assert tries >= PROMISED_RATE * WATCH_SECONDS
    assert (packets.result(), answered) == (0, 0)


def test_without_the_guard_the_canary_is_seen(scene: Scene) -> None:
    scene.wait()
    scene.vm.read(f"nft delete table inet {guard.TABLE}")
    try:
        with concurrent.futures.ThreadPoolExecutor() as pool:
            packets = pool.submit(scene.packets, TWIN_SECONDS)
            knocks = pool.submit(scene.knock, TWIN_SECONDS)
        seen = [scene.neighbour.ask(at, [scene.port]).open for at in scene.addresses]
    finally:
        scene.vm.read("systemctl restart classvm-guard.service")
    assert seen == [[scene.port]] * len(scene.addresses)
    _, answered = knocks.result()
    # The very instruments that see nothing when the guard is there.
    assert min(packets.result(), answered) > 0
    assert scene.seen() == scene.desired


def test_the_service_is_back_after_a_reboot(
    scene: Scene,
    record_property: Callable[[str, object], None],
) -> None:
    vm = scene.vm
    before = vm.read(BOOT)
    with contextlib.suppress(RuntimeError):  # the connection may end before the command does
        vm.root("systemctl reboot")
    vm.disconnect()
    until(lambda: booted(vm) not in ("", before), BOOT_SECONDS)
    vm.root("systemctl is-system-running --wait")
    seconds = until(scene.answers, ANSWER_SECONDS)
    record_property("seconds", seconds)
    print(f"{scene.facts.name} answered {seconds:.1f} s after systemd was up")  # noqa: T201 - wanted
    assert scene.seen(scan.HIGHEST_PORT) == scene.desired


def booted(vm: Vm) -> str:
    """Return what differs from boot to boot, "" while the host is out of reach."""
    try:
        return vm.read(BOOT)
    except (RuntimeError, AssertionError):
        return ""
