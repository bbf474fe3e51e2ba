"""Remove the images of old releases, and only those."""

from __future__ import annotations

from typing import Dict, List, Sequence

from ..base.docker import Docker
from ..image.image_labels import LABEL_SERVICE
from .history import Entry


def prune(
    docker: Docker, entries: Sequence[Entry], service: str, live: str, keep: int
) -> List[str]:
    """Remove the images that no rollback needs any more, and return their names.

    An image that the history does not mention stays: somebody may have built it on top of ours,
    or another deploy is about to start it. One that a container uses stays, too. An image that
    cannot be removed is left for the next deploy, because this one was a success.

    Args:
        docker: the engine of the host.
        entries: the history of the service, the oldest first.
        service: name of the service.
        live: name of the live release's image.
        keep: how many earlier releases keep their images, the last live ones first.

    """
    good: Dict[str, None] = dict.fromkeys(
        entry.image for entry in reversed(entries) if entry.went_live
    )
    good.pop(live, None)
    kept = {live, *list(good)[:keep]}
    old = {entry.image for entry in entries} - kept
    ours = [name for name in named(docker, service) if name in old]
    unused = [name for name in ours if not is_used(docker, name)]
    return [name for name in unused if docker.run("image", "rm", name).code == 0]


def named(docker: Docker, service: str) -> List[str]:
    """Return the names of the images that bear the label of a service."""
    return docker.run(
        *("image", "ls", "--filter", f"label={LABEL_SERVICE}={service}"),
        *("--format", "{{.Repository}}:{{.Tag}}"),
    ).out.split()


def is_used(docker: Docker, image: str) -> bool:
    """Tell whether any container, running or not, was created from an image or one built on it."""
    return bool(docker.run("ps", "--all", "--quiet", "--filter", f"ancestor={image}").out.strip())
