"""Count the packets that reach a container through a bridge of this machine. Needs root.

python3 sniff.py BRIDGE PORT SECONDS ADDRESS... prints how many TCP packets, over IPv4 and IPv6,
went to that port of those addresses. Needs nothing but Python 3.8.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
import time

ETH_P_ALL = 3
PATIENCE = 0.2
# Offsets of the fields in an Ethernet frame, in bytes.
TYPE, HEADER = 12, 14
IPV4, IPV6, TCP = 0x0800, 0x86DD, 6


def destination(frame: bytes) -> tuple[str, int]:
    """Return address and port that a frame with TCP goes to; ("", 0) for any other frame."""
    kind = int.from_bytes(frame[TYPE:HEADER], "big")
    packet = frame[HEADER:]
    if kind == IPV4 and packet[9] == TCP:
        address, segment = packet[16:20], packet[(packet[0] & 15) * 4 :]
    elif kind == IPV6 and packet[6] == TCP:
        address, segment = packet[24:40], packet[40:]
    else:
        return "", 0
    return str(ipaddress.ip_address(address)), int.from_bytes(segment[2:4], "big")


def count(bridge: str, port: int, seconds: float, addresses: list[str]) -> int:
    """Return how many packets to the port of the addresses crossed the bridge."""
    wanted = {(str(ipaddress.ip_address(address)), port) for address in addresses}
    seen = 0
    deadline = time.monotonic() + seconds
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(ETH_P_ALL)) as wire:
        wire.bind((bridge, 0))
        wire.settimeout(PATIENCE)
        while time.monotonic() < deadline:
            try:
                seen += destination(wire.recv(256)) in wanted
            except OSError:  # silence, or a bridge that is down for a moment
                continue
    return seen


if __name__ == "__main__":
    sys.stdout.write(str(count(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4:])))
