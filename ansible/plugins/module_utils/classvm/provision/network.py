"""What the network around a host asks of its engine: free addresses, and packets of a size."""

from __future__ import annotations

import ipaddress
import re
import shutil
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Union

from ..base import command, resolver
from ..base.errors import ClassvmError

Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

POOLS = "default-address-pools"
# The engine's own bridge. Once it is there, it keeps its addresses.
BRIDGE = Path("/sys/class/net/docker0")
# What an engine takes for its bridge: the first of these that no route of the host overlaps.
# Source: moby, libnetwork/ipamutils (localScopeDefaultNetworks).
DEFAULT_POOLS = tuple(ipaddress.ip_network(f"172.{number}.0.0/16") for number in range(17, 32))
# The size of packets that an engine assumes.
DEFAULT_MTU = 1500


def require_free_addresses(settings: Mapping[str, Any]) -> None:
    """Make sure that the engine's bridge will not take addresses of others that this host talks to.

    An engine avoids the networks to which the host has a route. It does not know what lies behind
    the default route: with its bridge there, whoever has such an address gets no answer any more.

    Args:
        settings: those that daemon.json will have.

    Raises:
        ClassvmError: it would take somebody's.

    """
    # With another bridge, or none, an admin has chosen the addresses.
    if BRIDGE.exists() or "bridge" in settings:
        return
    network = bridge_network(settings, routes())
    taken = [peer for peer in peers() if network is not None and peer in network]
    if taken:
        raise ClassvmError(
            f"The engine would take {network} for its containers, but {taken[0]}, with which this host"
            " speaks, is one of these addresses: it would get no answer any more",
            fix="Set docker_address_pools to addresses that nobody here uses, for example"
            " [{base: 10.213.0.0/16, size: 24}], then run the command again.",
        )


def bridge_network(settings: Mapping[str, Any], taken: Sequence[Network]) -> Optional[Network]:
    """Return the addresses that the engine's bridge will have; None where that is not known.

    Args:
        settings: those that daemon.json will have.
        taken: the networks to which the host has a route.

    """
    try:
        if settings.get("bip"):
            return ipaddress.ip_interface(settings["bip"]).network
        pools = [ipaddress.ip_network(pool["base"]) for pool in settings.get(POOLS) or ()]
    except (ValueError, TypeError, KeyError):  # the engine itself reports it
        return None
    free = [pool for pool in pools or DEFAULT_POOLS if not any(map(pool.overlaps, taken))]
    return next(iter(free), None)


def routes() -> List[Network]:
    """Return the IPv4 networks to which this host has a route of their own."""
    listed = _listed("ip", "-4", "route", "show")
    found = re.findall(r"^(\d+\.\d+\.\d+\.\d+(?:/\d+)?) ", listed, re.MULTILINE)
    return [ipaddress.ip_network(one) for one in found]


def peers() -> List[ipaddress.IPv4Address]:
    """Return the IPv4 addresses with which this host speaks: its clients and its name servers."""
    connected = _listed("ss", "-Htn", "state", "established")
    found = re.findall(r"(\d+\.\d+\.\d+\.\d+)\]?:\d+\s*$", connected, re.MULTILINE)
    found += [one for one in resolver.name_servers() if re.fullmatch(r"[\d.]+", one)]
    return [ipaddress.IPv4Address(one) for one in found]


def packet_settings() -> Dict[str, Any]:
    """Return the setting for packets where the host's own network carries only smaller ones.

    A container would announce the usual size, and answers of that size would be lost on their way.
    """
    smallest = min((mtu(name) for name in uplinks()), default=DEFAULT_MTU)
    return {"mtu": smallest} if smallest < DEFAULT_MTU else {}


def uplinks() -> List[str]:
    """Return the interfaces of the default routes."""
    listed = _listed("ip", "-4", "route", "show", "default")
    return re.findall(r"\bdev (\S+)", listed)


def mtu(interface: str) -> int:
    """Return the size of the largest packet that an interface carries."""
    path = Path("/sys/class/net") / interface / "mtu"
    return int(path.read_text(encoding="ascii")) if path.exists() else DEFAULT_MTU


def _listed(*argv: str) -> str:
    """Return the output of a program, "" on a host that does not have it yet."""
    return command.run(argv).out if shutil.which(argv[0]) else ""
