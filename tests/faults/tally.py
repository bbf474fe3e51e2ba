"""Count how often each POST was executed, even where the container that did so is gone.

The service under test reports each execution by UDP before it answers, and gets an acknowledgement.
A datagram carries the id of the POST and a word that is new for each execution: a report that was
repeated for want of an acknowledgement counts once, a POST that was executed twice counts twice.
"""

from __future__ import annotations

import socket
import socketserver
from collections.abc import Callable, Mapping
from typing import cast

from faults.background import BackgroundProcess


class Tally:
    """Receives the reports on an address of this machine, from `start` to `stop`."""

    def __init__(self, address: str) -> None:
        """Take any free port."""
        self._executions: dict[str, set[str]] = {}
        self._report: Callable[[str], None] = self.note
        tally = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                data, answers = cast("tuple[bytes, socket.socket]", self.request)
                tally._report(data.decode("utf-8", "replace"))
                answers.sendto(data, self.client_address)

        self._server = socketserver.UDPServer((address, 0), Handler)
        self._background = BackgroundProcess(self._work, self.note)

    @property
    def place(self) -> str:
        """Its address as ADDRESS:PORT."""
        address, port = self._server.server_address[:2]
        return f"{address!s}:{port}"

    def note(self, report: str) -> None:
        """Count the execution that a datagram reports."""
        mark, _, execution = report.partition(" ")
        self._executions.setdefault(mark, set()).add(execution)

    def counts(self) -> Mapping[str, int]:
        """Return how often each id was executed."""
        return {mark: len(executions) for mark, executions in self._executions.copy().items()}

    def start(self) -> None:
        """Start to listen."""
        self._background.start()

    def stop(self) -> None:
        """Stop listening."""
        self._background.stop()
        self._server.server_close()

    def _work(self, report: Callable[[str], None]) -> None:
        self._report = report

        self._server.serve_forever()
