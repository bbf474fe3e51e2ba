"""The machines that probe a host from outside: the control node, or a neighbour."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from infra import scan

if TYPE_CHECKING:
    from infra.vm import Vm

# Ports are probed in slices, which take a small part of the connection tracking table. A bridge on
# the control node may count the neighbour's connections, too, and only the control node can read
# that table.
SLICE = 16384
# The addresses of the inventory's hosts: no other address is ever probed.
TARGETS: set[str] = set()


@dataclass(frozen=True)
class Observer:
    """A machine that probes ports; without `vm` it is the control node."""

    name: str
    vm: Vm | None = None

    def ask(
        self,
        address: str,
        ports: Sequence[int],
        *,
        udp: bool = False,
        patience: float = scan.PATIENCE,
    ) -> scan.Answers:
        """Return the answers of a host's ports to this machine."""
        assert address in TARGETS, f"{address} is not an address of the inventory"
        total = scan.Answers()
        for start in range(0, len(ports), SLICE):
            total.paused += scan.wait_for_room()
            part = ports[start : start + SLICE]
            total = total.merge(self._ask(address, part, udp=udp, patience=patience))
        return total

    def _ask(
        self, address: str, ports: Sequence[int], *, udp: bool, patience: float
    ) -> scan.Answers:
        if self.vm is None:
            return scan.scan(address, ports, udp=udp, patience=patience)
        words = ["python3", "-c", Path(scan.__file__).read_text(encoding="utf-8")]
        words += [address, "--ports", scan.spans(ports), "--patience", str(patience)]
        words += ["--udp"] if udp else []
        done = self.vm.run(" ".join(["%s"] * len(words)), *words)
        assert done.rc == 0, f"{self.name} cannot probe {address}: {done.stderr}"
        return scan.from_json(done.stdout)


CONTROL = Observer("control node")


def is_loopback(address: str) -> bool:
    """Tell whether an address is a loopback address, for example behind a port forward."""
    return ipaddress.ip_address(address).is_loopback
