"""A client that takes what it can get of a service: run on another machine than the other clients.

python3 bad_client.py KIND COUNT ADDRESS PORT PATH does it until it is ended, over COUNT connections
at a time. Needs nothing but Python 3.8.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import sys

SILENT, SLOW, GREEDY = "silent", "slow", "greedy"
# A client that was turned away tries again after a pause.
BYTE_SECONDS, PAUSE_SECONDS = 1.0, 1.0
HEAD = "GET {} HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n"


async def ask(kind: str, address: str, port: int, head: bytes) -> None:
    """Open a connection, send what this kind of client sends, and read to the end."""
    reader, writer = await asyncio.open_connection(address, port)
    try:
        if kind == GREEDY:
            writer.write(head)
        if kind == SLOW:
            for number in range(len(head)):
                writer.write(head[number : number + 1])
                await asyncio.sleep(BYTE_SECONDS)
        await reader.read()
    finally:
        writer.close()


async def again(kind: str, address: str, port: int, head: bytes) -> None:
    """Ask, and again whenever the server has closed the connection."""
    while True:
        with contextlib.suppress(OSError):
            await ask(kind, address, port, head)
        if kind != GREEDY:
            await asyncio.sleep(PAUSE_SECONDS)


async def main(kind: str, count: str, address: str, port: str, path: str) -> None:
    """Do so over many connections at a time."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    head = HEAD.format(path).encode()
    await asyncio.gather(*(again(kind, address, int(port), head) for _ in range(int(count))))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
