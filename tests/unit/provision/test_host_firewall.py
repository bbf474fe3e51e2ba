"""The firewalls that a host may have; `ufw` and `firewall-cmd` are scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from classvm.base.command import CommandError
from classvm.provision import host_firewall

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

UFW = "echo 'Status: {}'; echo '{}                  ALLOW       Anywhere'"
FIREWALLD = "case $1 in --state) echo {} ;; --query-port) echo {} ;; esac"


@pytest.mark.parametrize(
    ("state", "rule", "closed"),
    [
        ("active", "22/tcp", ["ufw"]),
        ("active", "11000/tcp", []),
        ("active", "110001/tcp", ["ufw"]),
        ("active", "11000/udp", ["ufw"]),
        ("inactive", "22/tcp", []),
    ],
)
def test_closed_in_ufw(
    state: str, rule: str, closed: list[str], program: Callable[..., Path]
) -> None:
    program("ufw", UFW.format(state, rule))
    assert host_firewall.closed_in(11000) == closed


@pytest.mark.parametrize(
    ("state", "answer", "closed"),
    [("running", "no", ["firewalld"]), ("running", "yes", []), ("not running", "no", [])],
)
def test_closed_in_firewalld(
    state: str, answer: str, closed: list[str], program: Callable[..., Path]
) -> None:
    calls = program("firewall-cmd", FIREWALLD.format(state, answer))
    assert host_firewall.closed_in(11000) == closed
    assert state != "running" or "--query-port 11000/tcp" in calls.read_text()


@pytest.mark.usefixtures("program")
def test_no_other_firewall() -> None:
    assert host_firewall.closed_in(11000) == []


def test_both_are_asked(program: Callable[..., Path]) -> None:
    program("ufw", UFW.format("active", "22/tcp"))
    program("firewall-cmd", FIREWALLD.format("running", "no"))
    assert host_firewall.closed_in(11000) == ["ufw", "firewalld"]


def test_open_in_ufw(program: Callable[..., Path]) -> None:
    calls = program("ufw")
    host_firewall.open_in("ufw", 11000)
    assert calls.read_text() == "allow 11000/tcp\n"


def test_open_in_firewalld_now_and_after_the_next_boot(program: Callable[..., Path]) -> None:
    calls = program("firewall-cmd")
    host_firewall.open_in("firewalld", 11000)
    assert calls.read_text().splitlines() == [
        "--quiet --add-port=11000/tcp",
        "--quiet --permanent --add-port=11000/tcp",
    ]


def test_a_firewall_that_refuses_is_told(program: Callable[..., Path]) -> None:
    program("ufw", "echo ERROR: you must be root; exit 1")
    with pytest.raises(CommandError, match="you must be root"):
        host_firewall.open_in("ufw", 11000)
