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
# Ports that are open now and later lie in the folders `now` and `later`, as files ZONE:PORT.
FIREWALLD = """
rules={folder}/now zone=public
for word; do case $word in
--state) echo {state} ;;
--get-default-zone) echo public ;;
--get-active-zones) printf '{zones}' ;;
--permanent) rules={folder}/later ;;
--zone=*) zone=${{word#--zone=}} ;;
--query-port=*/tcp) port=${{word#*=}}; [ -e $rules/$zone:${{port%/tcp}} ] && echo yes || echo no ;;
--add-port=*/tcp) port=${{word#*=}}; : > $rules/$zone:${{port%/tcp}} ;;
esac; done
"""
ONE_ZONE = "public (default)\\n  interfaces: eth0\\n"
TWO_ZONES = "docker\\n  interfaces: docker0\\nwork\\n  interfaces: eth0\\n"


@pytest.fixture
def firewalld(program: Callable[..., Path], tmp_path: Path) -> Callable[..., Path]:
    """Offer ``firewalld(zones)``: a running firewalld; it returns the folder with its rules."""

    def install(zones: str = ONE_ZONE, state: str = "running") -> Path:
        for name in ("now", "later"):
            (tmp_path / name).mkdir(exist_ok=True)
        program("firewall-cmd", FIREWALLD.format(folder=tmp_path, state=state, zones=zones))
        return tmp_path

    return install


def opened(folder: Path, when: str) -> list[str]:
    return sorted(path.name for path in (folder / when).iterdir())


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
    ("now", "later", "closed"),
    [
        (False, False, ["firewalld"]),
        # Opened by hand for a moment: closed at the next reload.
        (True, False, ["firewalld"]),
        (False, True, ["firewalld"]),
        (True, True, []),
    ],
)
def test_closed_in_firewalld_now_or_after_a_reload(
    now: bool, later: bool, closed: list[str], firewalld: Callable[..., Path]
) -> None:
    folder = firewalld()
    for when, is_open in (("now", now), ("later", later)):
        if is_open:
            (folder / when / "public:11000").touch()
    assert host_firewall.closed_in(11000) == closed


def test_a_firewalld_that_does_not_run_closes_nothing(firewalld: Callable[..., Path]) -> None:
    firewalld(state="not running")
    assert host_firewall.closed_in(11000) == []


@pytest.mark.usefixtures("program")
def test_no_other_firewall() -> None:
    assert host_firewall.closed_in(11000) == []


def test_both_are_asked(program: Callable[..., Path], firewalld: Callable[..., Path]) -> None:
    program("ufw", UFW.format("active", "22/tcp"))
    firewalld()
    assert host_firewall.closed_in(11000) == ["ufw", "firewalld"]


def test_open_in_ufw(program: Callable[..., Path]) -> None:
    calls = program("ufw")
    host_firewall.open_in("ufw", 11000)
    assert calls.read_text() == "allow 11000/tcp\n"


@pytest.mark.parametrize(
    ("zones", "names"),
    [(ONE_ZONE, ["public:11000"]), (TWO_ZONES, ["public:11000", "work:11000"])],
    ids=["one zone", "the interface is in another zone than the default one"],
)
def test_open_in_firewalld_now_and_after_the_next_boot(
    zones: str, names: list[str], firewalld: Callable[..., Path]
) -> None:
    folder = firewalld(zones)
    host_firewall.open_in("firewalld", 11000)
    assert (opened(folder, "now"), opened(folder, "later")) == (names, names)
    assert host_firewall.closed_in(11000) == []


def test_a_firewall_that_refuses_is_told(program: Callable[..., Path]) -> None:
    program("ufw", "echo ERROR: you must be root; exit 1")
    with pytest.raises(CommandError, match="you must be root"):
        host_firewall.open_in("ufw", 11000)
