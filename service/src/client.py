"""Find out which client sent a request, directly or through the edge of a class VM."""

from __future__ import annotations

import ipaddress
import os
from functools import lru_cache
from pathlib import Path
from typing import Any, Mapping

ROUTES = Path("/proc/net/route")

# classvm sets it to "1" where HAProxy, the edge, hands the requests on.
BEHIND_EDGE = "CLASSVM_BEHIND_EDGE"

# To read an address takes Python 10 us, and each request has its client's read twice (measured).
REMEMBERED_ADDRESSES = 1024

# One IPv6 customer usually owns a whole network of this size, in bits.
IPV6_SHARE = 64


def address(environ: Mapping[str, Any]) -> str:
    """Return the IP address of the client that sent a request, "" if it is unknown.

    ``environ`` is the WSGI environment. Any client can send ``X-Forwarded-For``; the
    header counts only behind the edge, and only from the machine that runs Docker.
    """
    peer = plain(str(environ.get("REMOTE_ADDR") or ""))
    if os.environ.get(BEHIND_EDGE) == "1" and peer == gateway():
        # The edge appends the address it sees; whatever stands before it is the client's claim.
        forwarded = str(environ.get("HTTP_X_FORWARDED_FOR", "")).rsplit(",", 1)[-1].strip()
        return plain(forwarded) or peer
    return peer


def share(client: str) -> str:
    """Return who shares one limit with a client: its address, or its /64 network in IPv6."""
    if ":" not in client:
        return client
    return str(ipaddress.ip_network(f"{client}/{IPV6_SHARE}", strict=False))


@lru_cache(maxsize=REMEMBERED_ADDRESSES)
def plain(text: str) -> str:
    """Return an IP address in its usual form, "" if ``text`` is not an address.

    A socket for both families shows 192.0.2.1 as ``::ffff:192.0.2.1``.
    """
    try:
        found = ipaddress.ip_address(text.split("%", 1)[0])
    except ValueError:
        return ""
    mapped = getattr(found, "ipv4_mapped", None)
    return str(mapped or found)


@lru_cache(maxsize=None)
def gateway(routes: Path = ROUTES) -> str | None:
    """Return the address of the default gateway, in a container the machine that runs Docker.

    Source: proc(5), /proc/net/route; its addresses are little-endian hexadecimal numbers.
    """
    try:
        lines = routes.read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return None
    for columns in map(str.split, lines):
        if columns[1] == "00000000":
            return str(ipaddress.ip_address(bytes.fromhex(columns[2])[::-1]))
    return None
