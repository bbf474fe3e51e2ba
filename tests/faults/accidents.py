"""What happens to a class VM from which it recovers by itself.

An accident is made by shell commands as root on the VM: $CONTAINER is the container that serves,
$PID its first process on the VM.
"""

from __future__ import annotations

from dataclasses import dataclass

from classvm.base.edge import BLUE_GREEN, RECREATE

# systemd counts starts, and refuses the fourth within a minute.
FORGIVE = "systemctl reset-failed docker.service; "


@dataclass(frozen=True)
class Accident:
    """Something bad.

    Attributes:
        name: what happens, as a clause.
        promise: what is to become of it, for the table.
        script: commands that make it happen.
        within: seconds within which all has to be well for the clients.
        carried: whether with `blue_green` only requests may fail that were on their way through
            what ended: a worker, or the engine's proxy to the service.
        strategy: the strategy with which it is tried; "" for both.
        quick: whether it is one of the few that `make test` tries.

    """

    name: str
    promise: str
    script: str
    within: float = 0.0
    carried: bool = False
    strategy: str = ""
    quick: bool = False

    def breaks_only_carried(self, strategy: str) -> bool:
        """Tell whether all other requests have to wait at HAProxy until they are answered."""
        return self.carried and strategy == BLUE_GREEN

    def promised(self, strategy: str) -> str:
        """Return what is to become of it on a host of a strategy."""
        return CARRIED if self.breaks_only_carried(strategy) else self.promise


# Docker leads to a published port by rules, which it writes anew when it starts.
MOMENT = "new connections are refused for a moment, while the engine writes its rules"
CARRIED = "only the requests that it carries fail; the others wait, and are answered"
ACCIDENTS = (
    Accident(
        "kill -9 of a worker of the service",
        CARRIED,
        "kill -9 $(pgrep --parent $PID | head -n 1)",
        within=2.0,
        carried=True,
        strategy=BLUE_GREEN,
        quick=True,
    ),
    Accident(
        "kill -9 of the service's first process",
        "the engine starts it again, within 10 s",
        "kill -9 $PID",
        within=10.0,
        quick=True,
    ),
    Accident(
        "kill -9 of what holds the container for the engine",
        "the engine starts it again, within 10 s",
        "kill -9 $(ps --no-headers --format ppid $PID)",
        within=10.0,
        strategy=RECREATE,
    ),
    Accident(
        "a process in the container asks for 4 GB",
        "it is ended; the service is well within 10 s",
        "! docker exec $CONTAINER python -c 'print(len(b\"x\" * (4 << 30)))'",
        within=10.0,
        strategy=RECREATE,
    ),
    Accident(
        "kill -9 of the engine",
        MOMENT,
        f"{FORGIVE}kill -9 $(systemctl show --property MainPID --value docker.service)",
        within=10.0,
        carried=True,
        quick=True,
    ),
    Accident(
        "the engine restarts",
        MOMENT,
        f"{FORGIVE}systemctl restart docker.service",
        within=10.0,
        strategy=RECREATE,
    ),
    Accident(
        "the engine's package is installed again, as by an upgrade",
        MOMENT,
        f"{FORGIVE}DEBIAN_FRONTEND=noninteractive"
        " apt-get install --yes --quiet=2 --reinstall $PACKAGE >/dev/null 2>&1",
        within=10.0,
        carried=True,
        strategy=BLUE_GREEN,
    ),
    Accident(
        "kill -9 of HAProxy",
        "systemd starts it again, within 5 s",
        "kill -9 $(systemctl show --property MainPID --value haproxy.service)",
        within=5.0,
        strategy=BLUE_GREEN,
        quick=True,
    ),
)
