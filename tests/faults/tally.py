"""Count how often each POST was executed, wherever the container that did it is by now.

The service under test tells by UDP, before it answers, and is told that it was heard. A datagram
carries the id of the POST and a word that is new for each execution: what is sent twice because
the first was not heard counts once, what is executed twice counts twice.
"""

from __future__ import annotations

import socket
import socketserver
from collections.abc import Callable, Mapping
from typing import cast

from aside import Aside


class Tally:
    """Listens on an address of this machine, from `start` to `stop`."""

    def __init__(self, address: str) -> None:
        """Take any free port."""
        self._executions: dict[str, set[str]] = {}
        self._tell: Callable[[str], None] = self.note
        tally = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                data, answers = cast("tuple[bytes, socket.socket]", self.request)
                tally._tell(data.decode("utf-8", "replace"))
                answers.sendto(data, self.client_address)

        self._server = socketserver.UDPServer((address, 0), Handler)
        self._aside = Aside(self._work, self.note)

    @property
    def place(self) -> str:
        """Where it listens: ADDRESS:PORT."""
        address, port = self._server.server_address[:2]
        return f"{address!s}:{port}"

    def note(self, told: str) -> None:
        """Count what a datagram tells."""
        mark, _, execution = told.partition(" ")
        self._executions.setdefault(mark, set()).add(execution)

    def counts(self) -> Mapping[str, int]:
        """Return how often each id was executed."""
        return {mark: len(executions) for mark, executions in self._executions.copy().items()}

    def start(self) -> None:
        """Begin to listen."""
        self._aside.start()

    def stop(self) -> None:
        """Listen no more."""
        self._aside.stop()
        self._server.server_close()

    def _work(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._server.serve_forever()
