"""Open a port in the firewall that a host already has: ufw or firewalld."""

from __future__ import annotations

import re
import shutil
from typing import List, Sequence

from ..base import command


def closed_in(port: int) -> List[str]:
    """Return the names of the active firewalls of the host that do not let a port in."""
    closed = []
    if _ufw_is_active() and not _ufw_allows(port):
        closed.append("ufw")
    if _firewalld_is_active() and not _firewalld_allows(port):
        closed.append("firewalld")
    return closed


def open_in(firewall: str, port: int) -> None:
    """Let a TCP port in, now and after the next boot."""
    if firewall == "ufw":
        command.check(["ufw", "allow", f"{port}/tcp"])
        return
    for when in ([], ["--permanent"]):
        command.check(["firewall-cmd", "--quiet", *when, f"--add-port={port}/tcp"])


def _ufw_is_active() -> bool:
    return _prints(["ufw", "status"], r"^Status: active")


def _ufw_allows(port: int) -> bool:
    return _prints(["ufw", "status"], rf"^{port}/tcp\s+ALLOW\s+Anywhere")


def _firewalld_is_active() -> bool:
    return _prints(["firewall-cmd", "--state"], r"^running")


def _firewalld_allows(port: int) -> bool:
    return _prints(["firewall-cmd", "--query-port", f"{port}/tcp"], r"^yes")


def _prints(argv: Sequence[str], pattern: str) -> bool:
    if shutil.which(argv[0]) is None:
        return False
    return bool(re.search(pattern, command.run(argv).out, re.MULTILINE))
