"""Open a port in the firewall that a host already has: ufw or firewalld."""

from __future__ import annotations

import re
import shutil
from typing import List, Sequence, Tuple

from ..base import command

# Zones of firewalld that let everything in; the engine's own interfaces are in the latter.
OPEN_ZONES = ("trusted", "docker")
NOW, LATER = (), ("--permanent",)


def closed_in(port: int) -> List[str]:
    """Return the names of the active firewalls that do not let a port in, now or after a reload."""
    closed = []
    if _ufw_is_active() and not _ufw_allows(port):
        closed.append("ufw")
    if _firewalld_is_active() and _firewalld_lacks(port):
        closed.append("firewalld")
    return closed


def open_in(firewall: str, port: int) -> None:
    """Let a TCP port in, now and after the next boot."""
    if firewall == "ufw":
        command.check(["ufw", "allow", f"{port}/tcp"])
        return
    for when, zone in _firewalld_lacks(port):
        command.check(
            ["firewall-cmd", "--quiet", *when, f"--zone={zone}", f"--add-port={port}/tcp"]
        )


def _ufw_is_active() -> bool:
    return _prints(["ufw", "status"], r"^Status: active")


def _ufw_allows(port: int) -> bool:
    return _prints(["ufw", "status"], rf"^{port}/tcp\s+ALLOW\s+Anywhere")


def _firewalld_is_active() -> bool:
    return _prints(["firewall-cmd", "--state"], r"^running")


def _firewalld_lacks(port: int) -> List[Tuple[Sequence[str], str]]:
    """Return where firewalld does not let a port in: its rules of now or of later, and the zone."""
    question = f"--query-port={port}/tcp"
    return [
        (when, zone)
        for when in (NOW, LATER)
        for zone in _firewalld_zones()
        if not _prints(["firewall-cmd", *when, f"--zone={zone}", question], r"^yes")
    ]


def _firewalld_zones() -> List[str]:
    """Return the zones through which others reach the host: the default one, and those in use."""
    default = command.run(["firewall-cmd", "--get-default-zone"]).out.strip()
    # A line with the name of each zone, above indented ones with its interfaces and sources.
    active = command.run(["firewall-cmd", "--get-active-zones"]).out
    used = re.findall(r"^([\w-]+)", active, re.MULTILINE)
    return [zone for zone in dict.fromkeys([default, *used]) if zone not in OPEN_ZONES]


def _prints(argv: Sequence[str], pattern: str) -> bool:
    if shutil.which(argv[0]) is None:
        return False
    return bool(re.search(pattern, command.run(argv).out, re.MULTILINE))
