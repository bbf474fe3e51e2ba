"""Which VMs a lab shall have, and whether this machine can hold them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, List, Mapping, Sequence

from ..base.errors import ClassvmError
from ..base.names import CLASS_VMS
from . import simulated_vms

MEBIBYTE = 1 << 20
# A VM with its own engine and a running service takes about 500 MiB, a part of it disk cache.
MEMORY_PER_VM = 400 * MEBIBYTE
MOST_VMS = simulated_vms.LAST_ADDRESS - simulated_vms.FIRST_ADDRESS + 1


@dataclass(frozen=True)
class VmRequest:
    """One VM as the caller asks for it.

    Attributes:
        name: its host name.
        system: one of ``system_image.SYSTEMS``.
        group: its group in the inventory.

    """

    name: str
    system: str
    group: str


def requested(count: int, machines: Sequence[Mapping[str, Any]], system: str) -> List[VmRequest]:
    """Return the VMs of a lab.

    Args:
        count: number of VMs, named ``vm-148-1`` and so on, where ``machines`` is empty.
        machines: ``name`` of each VM, and its ``system`` and ``groups`` where they differ.
        system: what a VM runs that does not name its system.

    Raises:
        ClassvmError: a lab cannot have so few or so many VMs.

    """
    listed = machines or [{"name": f"vm-148-{number + 1}"} for number in range(count)]
    if not listed:
        raise ClassvmError(
            f"A lab has at least one VM, not {count}. `make lab-down` removes the lab;"
            " nothing was changed.",
        )
    if len(listed) > MOST_VMS:
        raise ClassvmError(
            f"A lab has at most {MOST_VMS} VMs, not {len(listed)}: its network has no more"
            f" addresses. Ask for fewer, for example `make lab-up N={MOST_VMS}`.",
        )
    return [
        VmRequest(
            name=one["name"],
            system=one.get("system", system),
            group=(one.get("groups") or [CLASS_VMS])[0],
        )
        for one in listed
    ]


def require_memory(new: int, meminfo: str) -> None:
    """Make sure that there is memory for further VMs.

    Args:
        new: number of VMs that do not run yet.
        meminfo: text of ``/proc/meminfo``.

    Raises:
        ClassvmError: less than ``MEMORY_PER_VM`` is available for each.

    """
    found = re.search(r"^MemAvailable:\s+(\d+) kB", meminfo, re.MULTILINE)
    if found is None:
        return
    available = int(found.group(1)) * 1024
    if new * MEMORY_PER_VM <= available:
        return
    raise ClassvmError(
        f"{new} more VMs need {new * MEMORY_PER_VM // MEBIBYTE} MiB of memory, and"
        f" {available // MEBIBYTE} MiB are available: there is room for"
        f" {available // MEMORY_PER_VM}. Ask for fewer with `make lab-up N=…`.",
    )
