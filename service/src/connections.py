"""Share a worker's connections among the clients: the greediest one gives way first."""

from __future__ import annotations

from collections import OrderedDict
from typing import Callable


class Connections:
    """The open connections of a worker, by client, the oldest one first.

    When ``limit`` of them are open, the client with the most loses its oldest one for
    each new one, so that many silent connections of one client leave room for the others.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.count = 0
        self.by_client: dict[str, OrderedDict[object, Callable[[], None]]] = {}

    def add(self, client: str, key: object, cut: Callable[[], None]) -> None:
        """Note a new connection; ``cut`` ends it, and may be called at any time."""
        if self.count >= self.limit:
            self.cut_one()
        self.by_client.setdefault(client, OrderedDict())[key] = cut
        self.count += 1

    def remove(self, client: str, key: object) -> None:
        """Forget a connection that has ended; one that was cut is forgotten already."""
        theirs = self.by_client.get(client, OrderedDict())
        if theirs.pop(key, None):
            self.count -= 1
            if not theirs:
                del self.by_client[client]

    def cut_one(self) -> None:
        """Cut the oldest connection of the client that has the most."""
        greediest = max(self.by_client, key=lambda one: len(self.by_client[one]))
        key, cut = next(iter(self.by_client[greediest].items()))
        self.remove(greediest, key)
        cut()
