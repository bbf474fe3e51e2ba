"""The edge: with strategy blue_green, HAProxy owns the host's port and hands requests on.

Behind it are two slots, loopback ports of the host, so that two releases can run side by side.
Which slot is live stands in a file, the map: HAProxy reads it when it starts, and is told over
its runtime interface what changes in it. So the answer outlives the process and the machine,
and changing it needs neither root nor a reload.
Source: HAProxy 2.8, Management Guide, 9.3 (Unix Socket commands)
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import json
import os
import socket
import time
from dataclasses import dataclass, field
from typing import Callable, Dict, Mapping

from . import host, state
from .docker import Container
from .errors import ClassvmError

RECREATE = "recreate"
BLUE_GREEN = "blue_green"
RECORD = "edge.json"
MAP = "edge.map"
LABEL_SLOT = "classvm.slot"
# The name of the section in HAProxy's configuration that listens on the host's port.
FRONTEND = "service"
ON, OFF = "on", "off"
# The map as a new host has it.
NOBODY = {"live": "none", "maintenance": OFF}
POLL_SECONDS = 0.02
ANSWER_SECONDS = 2
# How long HAProxy may take to come up, or to get its port.
READY_SECONDS = 15
# The longest that the lab's service lets a request take.
DRAIN_SECONDS = 30


@dataclass(frozen=True)
class Edge:
    """What stands before the releases of a host.

    Attributes:
        strategy: how the next release goes live; ``BLUE_GREEN`` puts it behind the edge.
        port: TCP port of the host that shows the service.
        slots: loopback port by slot; a slot is called as its backend in HAProxy's
            configuration. Empty on a host without HAProxy.
        socket: path of HAProxy's runtime interface.
        state_dir: folder with the host's state, where the map is.

    """

    strategy: str = RECREATE
    port: int = 0
    slots: Mapping[str, int] = field(default_factory=dict)
    socket: str = ""
    state_dir: str = ""

    @classmethod
    def load(cls, state_dir: str) -> Edge:
        """Return the edge of a host; the role `edge` writes its record.

        Raises:
            ClassvmError: the record is not legible.

        """
        text = state.read(os.path.join(state_dir, RECORD))
        if not text:
            return cls(state_dir=state_dir)
        known = {one.name for one in dataclasses.fields(cls)}
        try:
            record = {key: value for key, value in json.loads(text).items() if key in known}
            return cls(**{**record, "state_dir": state_dir})
        except (ValueError, TypeError, AttributeError) as error:
            raise ClassvmError(
                f"{os.path.join(state_dir, RECORD)} is not legible ({error}). An admin can run"
                " `make provision`, which writes it anew.",
            ) from error

    @property
    def takes_releases(self) -> bool:
        """Whether the next release goes behind the edge."""
        return self.strategy == BLUE_GREEN

    @property
    def map(self) -> str:
        """Path of the map."""
        return os.path.join(self.state_dir, MAP)

    def free_slot(self, taken: str) -> str:
        """Return the first slot that is not the taken one."""
        return next(slot for slot in self.slots if slot != taken)

    def lead_to(self, slot: str) -> None:
        """Let the host's port lead to the container in a slot.

        Raises:
            ClassvmError: HAProxy does not answer, or does not get the port.

        """
        self._write({"live": slot})
        self._until_done(lambda: self._point(slot))

    def holds_port(self) -> bool:
        """Tell whether HAProxy listens on the host's port."""
        return self._stat(FRONTEND, "FRONTEND", "status") == "OPEN"

    def leave_port(self) -> None:
        """Let the port go, so that a container can publish it itself."""
        if self.slots:
            with contextlib.suppress(OSError):  # nobody is there to hold it
                self.tell(f"disable frontend {FRONTEND}")

    def drain(self, slot: str) -> None:
        """Wait until the requests that a slot has at hand are answered."""
        deadline = time.monotonic() + DRAIN_SECONDS
        while self._stat(slot, "BACKEND", "scur") not in ("", "0"):
            if time.monotonic() > deadline:
                return
            time.sleep(POLL_SECONDS)

    def maintain(self, value: str) -> bool:
        """Turn maintenance ``ON`` or ``OFF``; return whether that is a change.

        Raises:
            ClassvmError: HAProxy does not answer.

        """
        changed = self.read()["maintenance"] != value
        self._write({"maintenance": value})
        self._until_done(lambda: not self.tell(f"set map {self.map} maintenance {value}"))
        return changed

    def begin(self) -> None:
        """Write the map of a new host."""
        self._write({})

    def read(self) -> Dict[str, str]:
        """Return the map; a lost or torn one is that of a new host."""
        words = [line.split() for line in state.read(self.map).splitlines()]
        return {**NOBODY, **dict(pair for pair in words if len(pair) == len(("key", "value")))}

    def tell(self, words: str) -> str:
        """Give HAProxy a command and return its answer, "" for a silent success.

        Raises:
            OSError: it does not answer.

        """
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_SECONDS)
            connection.connect(self.socket)
            connection.sendall(f"{words}\n".encode())
            return b"".join(iter(lambda: connection.recv(4096), b"")).decode().strip()

    def _write(self, changes: Mapping[str, str]) -> None:
        lines = [f"{key} {value}\n" for key, value in {**self.read(), **changes}.items()]
        state.write_atomically(self.map, "".join(lines))

    def _point(self, slot: str) -> bool:
        """Tell a running HAProxy which slot is live; return whether it holds the port."""
        if self.tell(f"set map {self.map} live {slot}"):
            return False
        return not self.tell(f"enable frontend {FRONTEND}").startswith("Failed")

    def _stat(self, section: str, kind: str, column: str) -> str:
        """Return a column of HAProxy's statistics, "" where nobody answers."""
        if not self.slots:
            return ""
        try:
            table = self.tell("show stat").lstrip("# ").splitlines()
        except OSError:
            return ""
        rows = [row for row in csv.DictReader(table) if row["pxname"] == section]
        return next((row[column] for row in rows if row["svname"] == kind), "")

    def _until_done(self, work: Callable[[], bool]) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while True:
            with contextlib.suppress(OSError):
                if work():
                    return
            if time.monotonic() > deadline:
                raise ClassvmError(self._problem())
            time.sleep(POLL_SECONDS)

    def _problem(self) -> str:
        holder = host.port_owner(self.port) if host.is_listened_to(self.port) else "nobody"
        return (
            f"HAProxy did not take port {self.port} within {READY_SECONDS} s; {holder} listens"
            " there. `sudo systemctl status haproxy` tells more."
        )


def slot_of(container: Container) -> str:
    """Return the slot of a container, "" of one that publishes the port itself."""
    return container.labels.get(LABEL_SLOT, "")
