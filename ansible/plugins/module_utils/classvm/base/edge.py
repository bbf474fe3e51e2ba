"""The edge: with strategy blue_green, HAProxy has the host's port and hands requests on.

Behind it are two slots, loopback ports of the host, so that two releases can run side by side.
A file, the map, tells which slot is live. HAProxy reads it when it starts; later changes are also
sent over its runtime interface. So the map survives a restart of HAProxy or of the machine, and
changing it needs neither root nor a reload.
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
from typing import Callable, Dict, Iterable, Mapping

from . import account, command, host, state
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
# The map of a new host.
MAINTENANCE_NOTE = ", which answers 503 until `make maintenance off`"
NEW_MAP = {"live": "none", "maintenance": OFF}
POLL_SECONDS = 0.02
ANSWER_SECONDS = 2
# How long HAProxy may take to come up, or to get its port.
READY_SECONDS = 15
UNIT = "haproxy.service"
# Source: HAProxy 2.8, Management Guide, 4 (Stopping and restarting HAProxy)
SOFT_STOP = "SIGUSR1"
# What systemd says of a unit that would not start by itself.
STOPPED = ("inactive", "failed")


@dataclass(frozen=True)
class Edge:
    """What stands before the releases of a host.

    Attributes:
        strategy: how the next release goes live; ``BLUE_GREEN`` puts it behind the edge.
        port: TCP port of the host on which the service is reached.
        slots: loopback port by slot; HAProxy's backend for a slot has the slot's name. Empty on a
            host without HAProxy.
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
            ClassvmError: the record cannot be read.

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
        """Free the port, so that a container can publish it itself."""
        if self.slots:
            with contextlib.suppress(OSError):  # HAProxy does not run
                self.tell(f"disable frontend {FRONTEND}")

    def drain(self, slot: str, seconds: float) -> None:
        """Wait until the requests that a slot has at hand are answered, so many seconds at most."""
        deadline = time.monotonic() + seconds
        while self._stat(slot, "BACKEND", "scur") not in ("", "0"):
            if time.monotonic() > deadline:
                return
            time.sleep(POLL_SECONDS)

    def end(self, slot: str, seconds: float) -> None:
        """Have HAProxy, which has left the port, stop once it has answered what its clients ask.

        A client that keeps its connection would go on asking over it. Where this account may not
        stop HAProxy, only what the slot has at hand is waited for.

        Args:
            slot: the slot to which it leads.
            seconds: how long to wait at most.

        """
        as_root = account.root_argv(account.privilege(()))
        if as_root is None:
            self.drain(slot, seconds)
            return
        # Its soft stop: idle connections end at once, the others with their next answer. What systemd
        # sends to stop it would cut them, so that comes when HAProxy has said that it is stopping.
        command.run(
            [*as_root, "systemctl", "kill", "--kill-who=main", f"--signal={SOFT_STOP}", UNIT]
        )
        deadline = time.monotonic() + seconds
        while self._runs() and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        command.run([*as_root, "systemctl", "stop", UNIT])

    def _runs(self) -> bool:
        return command.run(["systemctl", "is-active", UNIT]).out.strip() == "active"

    def in_maintenance(self) -> bool:
        """Tell whether HAProxy answers each request itself, with 503."""
        return bool(self.slots) and self.read()["maintenance"] == ON

    def maintenance_note(self) -> str:
        """Return what a closing line adds to the address while HAProxy answers there itself, or ""."""
        return MAINTENANCE_NOTE if self.in_maintenance() else ""

    def maintain(self, value: str) -> bool:
        """Turn maintenance ``ON`` or ``OFF``; return whether that is a change.

        Raises:
            ClassvmError: HAProxy does not answer.

        """
        changed = self.read()["maintenance"] != value
        self._write({"maintenance": value})
        self._until_done(lambda: self._set("maintenance", value))
        return changed

    def problem_of(self, container: Container) -> str:
        """Return why the host's port does not lead to a container behind the edge, or ""."""
        slot = slot_of(container)
        return self._problem_of_slot(slot) if slot else ""

    def _problem_of_slot(self, slot: str) -> str:
        try:
            shown = self.tell(f"show map {self.map}")
        except OSError:
            return "HAProxy does not run"
        if not self.holds_port():
            return f"HAProxy does not listen on port {self.port}"
        # Each line has the entry's address first. What runs and what the next start reads are two.
        running = _pairs(line.partition(" ")[2] for line in shown.splitlines())
        for where, found in (("HAProxy", running), (self.map, self.read())):
            if found.get("live") != slot:
                return f"{where} leads to slot {found.get('live', 'none')!r}, not {slot!r}"
        return ""

    def begin(self) -> None:
        """Write the map of a new host."""
        self._write({})

    def read(self) -> Dict[str, str]:
        """Return the map; where it is lost or torn, that of a new host."""
        return {**NEW_MAP, **_pairs(state.read(self.map).splitlines())}

    def tell(self, words: str) -> str:
        """Send HAProxy a command and return its answer, "" for success.

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
        if not self._set("live", slot):
            return False
        return not self.tell(f"enable frontend {FRONTEND}").startswith("Failed")

    def _set(self, key: str, value: str) -> bool:
        """Set an entry of a running HAProxy's map, which may lack it; return whether it is set."""
        verbs = ("set", "add")
        return any(not self.tell(f"{verb} map {self.map} {key} {value}") for verb in verbs)

    def start(self) -> None:
        """Start HAProxy where it is stopped and this account has the right; it may wait for its port.

        Raises:
            ClassvmError: it is stopped, and this account has not the right.

        """
        if command.run(["systemctl", "is-active", UNIT]).out.strip() not in STOPPED:
            return
        as_root = account.root_argv(account.privilege(()))
        if as_root is None:
            raise ClassvmError(
                f"HAProxy, which has port {self.port}, is stopped, and this account may not start"
                " it. An admin can: `sudo systemctl start haproxy`, or `make provision`.",
            )
        command.check([*as_root, "systemctl", "start", "--no-block", UNIT])

    def _stat(self, section: str, kind: str, column: str) -> str:
        """Return a column of HAProxy's statistics, "" where HAProxy does not answer."""
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
        started = False
        while True:
            try:
                if work():
                    return
            except OSError:
                if not started:
                    self.start()
                started = True
            if time.monotonic() > deadline:
                raise ClassvmError(self._problem())
            time.sleep(POLL_SECONDS)

    def _problem(self) -> str:
        holder = host.port_owner(self.port) if host.is_listened_to(self.port) else "no program"
        return (
            f"HAProxy did not take port {self.port} within {READY_SECONDS} s; {holder} listens"
            " there. `sudo systemctl status haproxy` tells more."
        )


def _pairs(lines: Iterable[str]) -> Dict[str, str]:
    """Return the entries of a map; a torn line is left out."""
    found = [line.split() for line in lines]
    return dict(pair for pair in found if len(pair) == len(("key", "value")))


def slot_of(container: Container) -> str:
    """Return the slot of a container, "" of one that publishes the port itself."""
    return container.labels.get(LABEL_SLOT, "")
