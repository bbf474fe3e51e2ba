"""Find, stop and remove what classvm made on a host, and only that."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import List

from .docker import Docker
from .image import LABEL_RELEASE, LABEL_SERVICE

STOP_SECONDS = 3


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


def container_name(service: str) -> str:
    """Return the name of the container that serves."""
    return f"classvm-{service}"


def candidate_name(service: str) -> str:
    """Return the name of the container that is being tried; it is safe to remove at any time."""
    return f"{container_name(service)}-candidate"


def check_name(service: str) -> str:
    """Return the name of the container that calls the candidate; removed together with it."""
    return f"{container_name(service)}-check"


def previous_name(service: str) -> str:
    """Return the name of the container that served until a swap began, while it goes on."""
    return f"{container_name(service)}-previous"


def status(docker: Docker, service: str) -> Status:
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


def containers(docker: Docker) -> List[str]:
    """Return the ids of all containers, running or not, that bear classvm's label."""
    listed = docker.check("ps", "--all", "--quiet", "--filter", f"label={LABEL_SERVICE}")
    return listed.split()


def images(docker: Docker, base_image: str) -> List[str]:
    """Return the names of all service images and of the base image."""
    listed = docker.check(
        *("image", "ls", "--filter", f"label={LABEL_SERVICE}"),
        *("--format", "{{.Repository}}:{{.Tag}}"),
    )
    base = [base_image] if docker.image(base_image) else []
    return [*listed.split(), *base]


def remove(docker: Docker, base_image: str, folders: List[str]) -> List[str]:
    """Remove classvm's containers, images and folders; return what was removed."""
    removed = [folder for folder in folders if Path(folder).exists()]
    if docker.engine_version() is not None:
        for container in containers(docker):
            docker.check("rm", "--force", container)
            removed.append(container)
        for image in images(docker, base_image):
            docker.check("image", "rm", image)
            removed.append(image)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    return removed


def present(docker: Docker, base_image: str, folders: List[str]) -> List[str]:
    """Return what `remove` would remove."""
    there = [folder for folder in folders if Path(folder).exists()]
    if docker.engine_version() is not None:
        there += [*containers(docker), *images(docker, base_image)]
    return there
