from __future__ import annotations

from typing import Any

import pytest
from classvm.base.errors import ClassvmError
from classvm.lab import request, simulated_vms

VM = request.VmRequest("vm-148-1", "ubuntu-24.04", "class_vms")


def test_a_number_gives_names() -> None:
    found = request.requested(2, [], "ubuntu-24.04")
    assert found == [VM, request.VmRequest("vm-148-2", "ubuntu-24.04", "class_vms")]


def test_a_list_replaces_the_number() -> None:
    listed: list[dict[str, Any]] = [
        {"name": "a"},
        {"name": "b", "system": "debian-12", "groups": ["neighbours"]},
        {"name": "c", "groups": []},
    ]
    assert request.requested(9, listed, "ubuntu-22.04") == [
        request.VmRequest("a", "ubuntu-22.04", "class_vms"),
        request.VmRequest("b", "debian-12", "neighbours"),
        request.VmRequest("c", "ubuntu-22.04", "class_vms"),
    ]


@pytest.mark.parametrize("count", [0, -1])
def test_a_lab_without_vms_is_refused(count: int) -> None:
    with pytest.raises(ClassvmError, match=f"at least one VM, not {count}. `make lab-down`"):
        request.requested(count, [], "ubuntu-24.04")


def test_the_network_has_an_address_for_each_vm() -> None:
    network = simulated_vms.Network("n", "br", "172.30.148.1", "fd00::1")
    assert len(request.requested(request.MOST_VMS, [], "ubuntu-24.04")) == request.MOST_VMS
    last = network.addresses(request.MOST_VMS - 1)
    assert last["address"] == "172.30.148.147"
    with pytest.raises(ClassvmError, match=f"at most {request.MOST_VMS} VMs, not 300"):
        request.requested(300, [], "ubuntu-24.04")


def meminfo(vms: int) -> str:
    """Return what the kernel says of memory for so many VMs."""
    return f"MemTotal: 1 kB\nMemAvailable:   {vms * request.MEMORY_PER_VM // 1024} kB\n"


def test_vms_need_memory() -> None:
    request.require_memory(3, meminfo(3))
    with pytest.raises(ClassvmError, match=r"room for 3\. Ask for fewer"):
        request.require_memory(4, meminfo(3))


@pytest.mark.parametrize("new", [0, -2])
def test_fewer_vms_need_none(new: int) -> None:
    request.require_memory(new, meminfo(0))


def test_an_unknown_amount_of_memory_refuses_nothing() -> None:
    request.require_memory(1000, "")
