"""Let clients take turns: many requests of one client must not delay those of the others.

A gevent worker runs one request at a time, until it is answered. Without turns it would
first answer everything that one client has sent at once. With them, each client address
has a queue of its own, and the worker goes from queue to queue.
"""

from __future__ import annotations

import io
import threading
import time
from typing import TYPE_CHECKING, Any, Callable, Iterable

from src import client
from src.guard import LARGEST_BODY_BYTES

if TYPE_CHECKING:
    App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Queue:
    """The requests of one client address: a lock, and how many hold it or wait for it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.length = 0


class Turns:
    """A WSGI application that calls another one for each client address in turn."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.queues: dict[str, Queue] = {}

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer one request when it is its client's turn."""
        # A client that sends its body slowly must not keep the turn meanwhile.
        receive_body(environ)
        name = client.share(client.address(environ))
        queue = self.queues.get(name)
        if queue is None:
            queue = self.queues[name] = Queue()
        queue.length += 1
        try:
            with queue.lock:
                # Greenlets switch only where they wait: here the other clients come first.
                time.sleep(0)
                return self.app(environ, start_response)
        finally:
            queue.length -= 1
            if not queue.length:
                self.queues.pop(name, None)


def receive_body(environ: dict[str, Any]) -> None:
    """Read the whole body into memory, unless the service refuses it by its headers."""
    length = environ.get("CONTENT_LENGTH") or "0"
    if length.isdigit() and 0 < int(length) <= LARGEST_BODY_BYTES:
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(int(length)))
