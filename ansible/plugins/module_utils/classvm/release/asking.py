"""Ask a service for the head of one answer, within a time for all of it together.

A client's usual limit is one of silence. A service that sends a byte now and then, or one preliminary answer after the
other, would keep who asks waiting for hours, and with it everybody who waits for the host's lock.
"""

from __future__ import annotations

import re
import socket
import time

CHUNK, LONGEST_HEAD = 4096, 1 << 16
STATUS = re.compile(rb"HTTP/[0-9.]+ +([0-9]{3})\b")
END = re.compile(rb"\r?\n\r?\n")


def status_of(address: str, port: int, method: str, user_agent: str, seconds: float) -> int:
    """Return the status of the answer that a server gives for "/".

    Args:
        address: name or address; of IPv6, also in brackets.
        port: its TCP port.
        method: of the request.
        user_agent: names this client in the service's log.
        seconds: within which the whole head of the answer has to be here.

    Raises:
        OSError: there is none in time, or it is not one of HTTP.

    """
    deadline = time.monotonic() + seconds
    request = (
        f"{method} / HTTP/1.1\r\nHost: {address}:{port}\r\nAccept-Encoding: identity\r\n"
        f"User-Agent: {user_agent}\r\n\r\n"
    )
    with socket.create_connection((address.strip("[]"), port), timeout=seconds) as server:
        server.sendall(request.encode())
        found = STATUS.match(_head(server, deadline))
    if found is None:
        raise OSError("the answer is not one of HTTP")
    return int(found[1])


def _head(server: socket.socket, deadline: float) -> bytes:
    """Return what a server sends up to the end of the head, or of the connection."""
    head = b""
    while not END.search(head):
        left = deadline - time.monotonic()
        if left <= 0:
            raise socket.timeout("timed out")
        server.settimeout(left)
        chunk = server.recv(CHUNK)
        head += chunk
        if not chunk:
            break
        if len(head) > LONGEST_HEAD:
            raise OSError("the head of the answer does not end")
    return head
