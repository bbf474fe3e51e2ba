"""A host whose firewalld is active keeps it active, with the service's port open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from infra.observer import CONTROL

if TYPE_CHECKING:
    from infra.expected import Facts
    from infra.vm import Vm

EVIDENCE = ("listening",)


@pytest.fixture(autouse=True)
def with_firewalld(vm: Vm) -> None:
    """Skip the test on a host without firewalld."""
    if vm.run("test -x /usr/bin/firewall-cmd").rc != 0:
        pytest.skip(f"{vm.facts.name} has no firewalld")


@pytest.mark.parametrize("when", ["", "--permanent"])
def test_firewalld_stays_active_with_the_port_open(vm: Vm, facts: Facts, when: str) -> None:
    assert vm.read("firewall-cmd --state").strip() == "running"
    opened = vm.read(f"firewall-cmd {when} --list-ports").split()
    assert {f"{port}/tcp" for port in facts["firewall_open_tcp"]} <= set(opened)


def test_the_port_answers_behind_firewalld_and_the_next_one_does_not(
    address: str, facts: Facts
) -> None:
    seen = CONTROL.ask(address, [facts.host_port, facts.host_port + 1])
    assert seen.open == [facts.host_port]
