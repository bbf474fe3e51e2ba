"""The faults from which a class VM has to recover by itself.

A fault is caused by shell commands that run as root on the VM: $CONTAINER is the container that
serves, $PID its first process, as numbered on the VM, and $PACKAGE the engine's package.
"""

from __future__ import annotations

from dataclasses import dataclass

from classvm.base.edge import BLUE_GREEN, RECREATE

# systemd counts starts, and refuses the fourth within a minute.
RESET_COUNT = "systemctl reset-failed docker.service; "


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        name: what happens, as a clause.
        promise: what clients may notice of it, for the table.
        script: shell commands that cause it.
        within: seconds within which all requests succeed again, on a machine whose pace is 1.
        in_flight: whether with `blue_green` only those requests may fail that are in flight through
            the process that is killed: a worker of the service, or the engine's proxy to it.
        strategy: the only strategy with which it is tried; "" for both.
        quick: whether SCOPE=quick includes it.

    """

    name: str
    promise: str
    script: str
    within: float
    in_flight: bool = False
    strategy: str = ""
    quick: bool = False

    def only_in_flight_may_fail(self, strategy: str) -> bool:
        """Tell whether HAProxy has to hold all other requests until they are answered."""
        return self.in_flight and strategy == BLUE_GREEN

    def promised(self, strategy: str) -> str:
        """Return what clients of a host of a strategy may notice."""
        return IN_FLIGHT if self.only_in_flight_may_fail(strategy) else self.promise


# Docker leads to a published port by rules, which it writes anew when it starts.
MOMENT = "new connections are refused for a moment, while the engine writes its rules"
IN_FLIGHT = "only requests that are in flight at the kill fail; the others wait, and are answered"
FAULTS = (
    Fault(
        "kill -9 of a worker of the service",
        IN_FLIGHT,
        "kill -9 $(pgrep --parent $PID | head -n 1)",
        within=2.0,
        in_flight=True,
        strategy=BLUE_GREEN,
        quick=True,
    ),
    Fault(
        "kill -9 of the service's first process",
        "the engine starts it again, within 10 s",
        "kill -9 $PID",
        within=10.0,
        quick=True,
    ),
    Fault(
        "kill -9 of containerd's shim, the parent of the service's first process",
        "the engine starts it again, within 10 s",
        "kill -9 $(ps --no-headers --format ppid $PID)",
        within=10.0,
        strategy=RECREATE,
    ),
    Fault(
        "a process in the container asks for 4 GB",
        "the kernel ends it; all requests succeed within 10 s",
        "! docker exec $CONTAINER python -c 'print(len(b\"x\" * (4 << 30)))'",
        within=10.0,
        strategy=RECREATE,
    ),
    Fault(
        "kill -9 of the engine",
        MOMENT,
        f"{RESET_COUNT}kill -9 $(systemctl show --property MainPID --value docker.service)",
        within=10.0,
        in_flight=True,
        quick=True,
    ),
    Fault(
        "the engine restarts",
        MOMENT,
        f"{RESET_COUNT}systemctl restart docker.service",
        within=10.0,
        strategy=RECREATE,
    ),
    Fault(
        "the engine's package is installed again, as by an upgrade",
        MOMENT,
        f"{RESET_COUNT}DEBIAN_FRONTEND=noninteractive"
        " apt-get install --yes --quiet=2 --reinstall $PACKAGE >/dev/null 2>&1",
        within=10.0,
        in_flight=True,
        strategy=BLUE_GREEN,
    ),
    Fault(
        "kill -9 of HAProxy",
        "systemd starts it again, within 5 s",
        "kill -9 $(systemctl show --property MainPID --value haproxy.service)",
        within=5.0,
        strategy=BLUE_GREEN,
        quick=True,
    ),
)
