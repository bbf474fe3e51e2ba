from __future__ import annotations

import pytest
from classvm.doctor import on_hosts
from classvm.doctor.finding import AS_ROOT, FAIL, OK, PROVISION, WARN, Finding

OPTIONS = "INVENTORY=class.yml LIMIT=vm-1"


@pytest.mark.parametrize(
    ("message", "fix"),
    [
        (
            "Failed to connect\nssh: connect to host x port 22: Connection refused",
            "start the machine, then: ssh -p 2222 bob@x",
        ),
        ("bob@x: Permission denied (publickey).", "ssh-copy-id -p 2222 bob@x"),
        ("Host key verification failed.", "ssh-keygen -R bob@x   # if the machine is a new one"),
        ("ssh: Could not resolve hostname x", "correct ansible_host of vm-1 in the inventory"),
        ("", "start the machine, then: ssh -p 2222 bob@x"),
    ],
)
def test_a_host_out_of_reach_has_its_fix(message: str, fix: str) -> None:
    found = on_hosts.unreachable("vm-1", "bob@x", "-p 2222 ", message)
    assert (found.level, found.fix) == (FAIL, fix)
    assert found.text
    assert "\n" not in found.text


def test_each_finding_that_is_not_in_order_has_a_line_with_its_fix() -> None:
    findings = [
        Finding(OK, "clock", "right"),
        Finding(WARN, "guard", "only root sees it", AS_ROOT),
        Finding(FAIL, "disk", "full", "sudo apt-get clean"),
        Finding(FAIL, "engine", "stopped", PROVISION),
        Finding(WARN, "rights", "no more"),
        Finding(FAIL, "SSH", "refused", "ssh x"),
    ]
    assert on_hosts.lines("vm-1", findings, OPTIONS) == [
        "vm-1: FAIL: disk: full; fix on vm-1: sudo apt-get clean",
        f"vm-1: FAIL: engine: stopped; fix: make provision {OPTIONS}",
        "vm-1: FAIL: SSH: refused; fix: ssh x",
        f"vm-1: warn: guard: only root sees it; fix: make doctor {OPTIONS} {on_hosts.ROOT_OPTIONS}",
        "vm-1: warn: rights: no more",
    ]
