"""The guard: what it is made of, and what anybody outside sees of the host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from classvm.provision import guard
from infra import scan
from infra.expected import GUARD, Facts
from infra.observer import Observer, is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.vm import Vm

pytestmark = pytest.mark.usefixtures("guarded")

EVIDENCE = ("guard", "listening")
UNIT = "classvm-guard.service"
UNITS = GUARD / "etc/systemd/system"
DROP_IN = UNITS / "nftables.service.d/classvm-guard.conf"
LIST = f"nft --stateless list table inet {guard.TABLE}"
# Well-known ports of what is often open by mistake: name server, web, file shares, the engine's
# own interface, databases, development servers.
USUAL = (21, 23, 25, 53, 80, 111, 139, 443, 445, 2375, 2376, 3000, 3306, 5000, 5432, 6379, 9090)
QUICK = 0.5


# --- What it is made of -------------------------------------------------------------------------


@pytest.fixture
def desired(vm: Vm, facts: Facts) -> str:
    """Return the ruleset that the role would install."""
    return facts.guard(vm.sshd_port, vm.dhcp_client_ports)


def test_the_guard_in_the_kernel_is_that_of_the_role(vm: Vm, desired: str) -> None:
    # nftables writes rules in its own words: it lists the desired ones in an empty namespace.
    elsewhere = f"printf %s %s | unshare --net sh -c 'nft --file - && {LIST}'"
    assert vm.read(LIST) == vm.read(elsewhere.replace("%s", "%%s", 1), desired)


def test_the_guard_on_disk_is_that_of_the_role(vm: Vm, desired: str) -> None:
    assert vm.read("cat %s", str(guard.Files().rules)) == desired


def test_the_guard_starts_at_boot(vm: Vm) -> None:
    assert vm.unit(UNIT, "UnitFileState") == "enabled"


@pytest.mark.parametrize("unit", [UNIT, "nftables.service.d/classvm-guard.conf"])
def test_the_units_of_the_guard_are_those_of_the_role(vm: Vm, unit: str) -> None:
    installed = "/" + str((UNITS / unit).relative_to(GUARD))
    assert vm.read("cat %s", installed) == (UNITS / unit).read_text(encoding="utf-8")


def test_the_guard_comes_back_with_nftables(vm: Vm) -> None:
    # What systemd has loaded, rather than what lies on the disk.
    for key in ("ExecStart", "ExecReload", "ExecStop"):
        # The name is a pattern, whose last letter is in brackets.
        commands = vm.unit("nftables.service", key).split("argv[]=")[1:]
        assert len(commands) == 1, key
        assert str(guard.Files().rules)[:-1] in commands[0], key


# --- What is seen of it -------------------------------------------------------------------------


@pytest.fixture
def target(address: str, facts: Facts) -> str:
    """Return an address of the host that stands for all of it, and that may be scanned."""
    if is_loopback(address):
        pytest.skip(f"{facts.name} is behind a port forward: its other ports are another machine's")
    return address


def test_only_open_ports_answer_a_quick_look(
    observer: Observer,
    target: str,
    facts: Facts,
) -> None:
    known = {facts.ssh_port, facts.container_port, *facts.open_tcp}
    ports = sorted({*USUAL, *known, *(port + 1 for port in known)})
    answers = observer.ask(target, ports, patience=QUICK)
    assert surprises(with_lost(answers, observer, target, facts), facts) == {}


@pytest.mark.scan
def test_only_open_ports_answer_tcp(
    observer: Observer,
    target: str,
    facts: Facts,
    record_property: Callable[[str, object], None],
) -> None:
    answers = observer.ask(target, range(1, scan.HIGHEST_PORT + 1))
    assert answers.asked == scan.HIGHEST_PORT
    answers = with_lost(answers, observer, target, facts)
    record_property("scan", ["TCP", target, observer.name, answers.to_json()])
    assert surprises(answers, facts) == {}


@pytest.mark.scan
def test_no_udp_port_answers(
    observer: Observer,
    target: str,
    record_property: Callable[[str, object], None],
) -> None:
    answers = observer.ask(target, range(1, scan.HIGHEST_PORT + 1), udp=True)
    record_property("scan", ["UDP", target, observer.name, answers.to_json()])
    assert answers.asked == scan.HIGHEST_PORT
    assert (answers.open, answers.refused, answers.rejected) == ([], [], [])


def missing(answers: scan.Answers, facts: Facts) -> list[int]:
    """Return the ports that have to be open and are not."""
    return sorted({facts.ssh_port, facts.host_port} - {*answers.open})


def with_lost(answers: scan.Answers, observer: Observer, target: str, facts: Facts) -> scan.Answers:
    """Ask once more for what a busy machine may have lost; a closed port gets no second chance."""
    lost = missing(answers, facts)
    return answers.merge(observer.ask(target, lost)) if lost else answers


def surprises(answers: scan.Answers, facts: Facts) -> dict[str, str]:
    """Return the ports that answer, or do not, against the role's settings, by kind of answer."""
    kinds = {"open": answers.open, "refused": answers.refused, "rejected": answers.rejected}
    # Behind an open port there need not be a program; then the host itself refuses.
    allowed = {facts.ssh_port, *facts.open_tcp}
    found = {kind: sorted({*ports} - allowed) for kind, ports in kinds.items()}
    found["missing"] = missing(answers, facts)
    return {kind: scan.spans(ports) for kind, ports in found.items() if ports}
