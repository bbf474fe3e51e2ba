"""Find out on which TCP ports the program in a container listens."""

from __future__ import annotations

import ipaddress
import struct
from typing import List, Tuple

from ..base.docker import Container, Docker
from ..base.errors import ClassvmError

TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
LISTEN = "0A"
SECONDS = 5
# Docker's own name server inside a container.
NAME_SERVER = ipaddress.ip_address("127.0.0.11")

Place = Tuple[str, int]


def problem(docker: Docker, container: Container) -> str:
    """Return why the program cannot be reached on the port that is published, "" where it can.

    Also "" where the container does not run, or nobody can tell.
    """
    wanted = sorted(int(port.partition("/")[0]) for port in container.ports)
    try:
        read = docker.run_within(SECONDS, "exec", container.name, "cat", *TABLES).out
    except ClassvmError:  # it hangs
        return ""
    # One of both tables is enough: without IPv6, the other one is missing.
    if not wanted or not read:
        return ""
    opened = places(read)
    if any(port in wanted and not _is_loopback(address) for address, port in opened):
        return ""
    if not opened:
        return "it has opened no port: does something at its start not end, or start no server?"
    hidden = [f"{address}:{port}" for address, port in opened if port in wanted]
    if hidden:
        return f"it listens on {hidden[0]} only, where nobody reaches it: listen on 0.0.0.0"
    ports = ", ".join(str(port) for port in sorted({port for _, port in opened}))
    return f"it listens on port {ports}, not on {wanted[0]}"


def places(tables: str) -> List[Place]:
    """Return the addresses and ports on which somebody listens, each once.

    Args:
        tables: the text of the kernel's tables.

    """
    found = set()
    for line in tables.splitlines():
        fields = line.split()
        if len(fields) > 3 and fields[3] == LISTEN:  # noqa: PLR2004 - slot, local, remote, state
            address, _, port = fields[1].partition(":")
            found.add((_address(address), int(port, 16)))
    return sorted((str(one), port) for one, port in found if one != NAME_SERVER)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Return an address of the kernel's tables: words of 32 bits in the byte order of the machine."""
    words = [int(text[at : at + 8], 16) for at in range(0, len(text), 8)]
    return ipaddress.ip_address(struct.pack(f"={len(words)}I", *words))


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address).is_loopback
