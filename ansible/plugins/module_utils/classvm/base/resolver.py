"""The name servers of this host, as an engine and its containers see them."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import List

# An engine reads systemd's own file where the usual one names nothing but systemd's stub.
# Source: moby, libnetwork/internal/resolvconf (Path).
USUAL = Path("/etc/resolv.conf")
SYSTEMD = Path("/run/systemd/resolve/resolv.conf")


def name_servers() -> List[str]:
    """Return the addresses of the name servers that this host asks."""
    return [*_listed(USUAL), *_listed(SYSTEMD)]


def is_out_of_reach_of_containers() -> bool:
    """Tell whether every name server listens on this host's loopback only.

    A container has a loopback of its own. Its engine gives it public name servers instead, which a
    closed network does not let through.
    """
    servers = name_servers()
    return bool(servers) and all(_is_loopback(one) for one in servers)


def _listed(path: Path) -> List[str]:
    try:  # the usual one is often a link, which may lead nowhere
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return re.findall(r"^\s*nameserver\s+(\S+)", text, re.MULTILINE)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False
