"""Remove what classvm made on a host, and only that."""

from __future__ import annotations

from typing import List

from ..base.docker import Docker
from ..image.image_labels import LABEL_SERVICE

# A later build of the same release takes the name from an image, which then has only its id.
NAME_OR_ID = '{{if eq .Tag "<none>"}}{{.ID}}{{else}}{{.Repository}}:{{.Tag}}{{end}}'


def containers(docker: Docker) -> List[str]:
    """Return the ids of all containers, running or not, that have classvm's label."""
    listed = docker.check("ps", "--all", "--quiet", "--filter", f"label={LABEL_SERVICE}")
    return listed.split()


def images(docker: Docker) -> List[str]:
    """Return the names of all service images, and the ids of those without a name."""
    listed = docker.check(
        *("image", "ls", "--filter", f"label={LABEL_SERVICE}"),
        *("--format", NAME_OR_ID),
    )
    return listed.split()


def remove_containers(docker: Docker) -> None:
    """Remove all containers, running or not, that have classvm's label.

    Volumes without a name go with them; the volumes of folders that are kept stay.
    """
    for container in containers(docker):
        docker.check("rm", "--force", "--volumes", container)


def remove_images(docker: Docker) -> None:
    """Remove all service images; no container may use one any more."""
    for image in images(docker):
        docker.check("image", "rm", image)
