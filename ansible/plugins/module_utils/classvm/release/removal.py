"""Remove what classvm made on a host, and only that."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import List

from ..base.docker import Docker
from ..image.service_image import LABEL_SERVICE


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
