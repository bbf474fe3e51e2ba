"""A host whose ufw is active keeps it active, with the service's port open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from infra.observer import CONTROL

if TYPE_CHECKING:
    from infra.expected import Facts
    from infra.vm import Vm

EVIDENCE = ("listening",)


@pytest.fixture
def ufw(vm: Vm) -> str:
    """Return the status of ufw; skip the test on a host without it."""
    if vm.run("test -x /usr/sbin/ufw").rc != 0:
        pytest.skip(f"{vm.facts.name} has no ufw")
    return vm.read("ufw status")


def test_ufw_stays_active_with_the_port_open(ufw: str, facts: Facts) -> None:
    assert "Status: active" in ufw
    for port in facts["firewall_open_tcp"]:
        assert f"{port}/tcp" in ufw


def test_the_port_answers_behind_ufw(ufw: str, address: str, facts: Facts) -> None:
    assert ufw
    assert CONTROL.ask(address, [facts.host_port]).open == [facts.host_port]
