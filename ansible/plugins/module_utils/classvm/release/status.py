"""Find, stop and remove what classvm made on a host, and only that."""

from __future__ import annotations

from dataclasses import dataclass

from ..base.docker import Docker
from ..base.names import container_name
from ..image.service_image import LABEL_RELEASE


@dataclass(frozen=True)
class Status:
    """What a host shows to the world.

    Attributes:
        state: "up", "unhealthy", "stopped" or "absent".
        release: id of the release, or "".
        since: when its container was started, ISO 8601, or "".

    """

    state: str
    release: str
    since: str


def read(docker: Docker, service: str) -> Status:
    """Return which release is live and how it is."""
    live = docker.container(container_name(service))
    if live is None:
        return Status("absent", "", "")
    shown = docker.check(
        *("container", "inspect", live.name, "--format"),
        "{{if .State.Health}}{{.State.Health.Status}}{{end}} {{.State.StartedAt}}",
    )
    health, _, since = shown.strip().rpartition(" ")
    state = "stopped" if not live.running else "unhealthy" if health == "unhealthy" else "up"
    return Status(state, live.labels.get(LABEL_RELEASE, ""), since.partition(".")[0])
