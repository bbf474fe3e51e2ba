"""Tell what Docker is, and in which container this very process runs."""

from __future__ import annotations

from typing import Any

from src import container, uptime


def get() -> dict[str, Any]:
    """Return text on Docker, distribution, container id, uptime in seconds.

    The container id is null outside a container, the distribution is null if
    it is unknown.
    """
    container_id = container.find_id()
    return {
        "what": (
            "Docker runs a program in a container: isolated from other programs, "
            "with its own files, but on the kernel of the host."
        ),
        "role": "It gives the service the same Linux and Python on every machine.",
        "distribution": container.find_distribution(),
        "container": {
            "id": container_id,
            "explanation": explain(container_id),
        },
        "uptime_seconds": uptime.seconds(),
    }


def explain(container_id: str | None) -> str:
    """Return what the container id means, or why there is none."""
    if container_id:
        return "docker ps shows the first 12 digits of this id."
    return (
        "No container id in /proc/self/cgroup or /proc/self/mountinfo: "
        "this process does not seem to run in a Docker container."
    )
