from __future__ import annotations

import pytest
from classvm.doctor import on_hosts
from classvm.doctor.finding import AS_ROOT, FAIL, OK, PROVISION, WARN, Finding

KEPT = "-o 'UserKnownHostsFile=\"/my lab/known\"' -o StrictHostKeyChecking=no"
SSH = f"-i '/my lab/key' -p 2222 {KEPT} bob@x"


@pytest.mark.parametrize(
    ("message", "fix"),
    [
        (
            "Failed to connect\nssh: connect to host x port 22: Connection refused",
            (
                "start its SSH server, or correct ansible_port of vm-1 in the inventory, then:"
                f" ssh {SSH}"
            ),
        ),
        (
            "bob@x: Permission denied (publickey).",
            (
                "correct ansible_user or the key of vm-1 in the inventory, or bring the key there:"
                f" ssh-copy-id {SSH}"
            ),
        ),
        (
            "REMOTE HOST IDENTIFICATION HAS CHANGED!\nHost key verification failed.",
            (
                "if the machine is a new one, forget the old key:"
                " ssh-keygen -f '/my lab/known' -R '[x]:2222'"
            ),
        ),
        ("", f"start the machine, then: ssh {SSH}"),
    ],
)
def test_a_host_out_of_reach_has_its_fix(message: str, fix: str) -> None:
    reached = on_hosts.Reached("vm-1", "x", "bob", "2222", "/my lab/key", KEPT)
    found = on_hosts.unreachable(reached, message)
    assert (found.level, found.fix) == (FAIL, fix)
    assert found.text
    assert "\n" not in found.text


def test_what_the_inventory_does_not_say_ssh_knows_itself() -> None:
    reached = on_hosts.Reached("vm-1", "x")
    assert (reached.address, reached.forget) == ("x", "-R x")


@pytest.mark.parametrize(
    ("there", "level", "text"),
    [
        (100.0, OK, ""),
        (94.0, OK, ""),  # it was asked at any time between
        (118.0, OK, ""),
        (90.0, WARN, "9 s behind the one of this machine"),
        (900.0, FAIL, "785 s ahead of the one of this machine"),
    ],
)
def test_a_clock_is_compared_with_ours(there: float, level: str, text: str) -> None:
    found = on_hosts.clock(there, before=99.0, after=115.0)
    assert (found.level if found else OK) == level
    assert (found.text if found else "") == text


def test_each_finding_that_is_not_in_order_has_a_line_with_its_fix() -> None:
    findings = [
        Finding(OK, "clock", "right"),
        Finding(WARN, "guard", "only root sees it", AS_ROOT),
        Finding(FAIL, "disk", "full", "sudo apt-get clean"),
        Finding(FAIL, "engine", "stopped", PROVISION),
        Finding(WARN, "rights", "no more"),
        Finding(FAIL, "SSH", "refused", "ssh x"),
        Finding(WARN, "port", "`make deploy` takes it", "an administrator: `make provision`"),
    ]
    assert on_hosts.lines("vm-1", findings) == [
        "vm-1: FAIL: disk: full; fix on vm-1: sudo apt-get clean",
        "vm-1: FAIL: engine: stopped; fix: `make provision`",
        "vm-1: FAIL: SSH: refused; fix: ssh x",
        f"vm-1: warn: guard: only root sees it; fix: `make doctor {on_hosts.ROOT_OPTIONS}`",
        "vm-1: warn: rights: no more",
        "vm-1: warn: port: `make deploy` takes it; fix: an administrator: `make provision`",
    ]
