"""Tell whether an image is what its labels say."""

from __future__ import annotations

import hashlib
from typing import Any, Dict, Iterator

from ..base.docker import Docker, Image
from ..base.errors import ClassvmError
from ..base.names import image_name
from ..image.image_labels import (
    LABEL_BASE,
    LABEL_BASE_NAME,
    LABEL_DIGEST,
    LABEL_RELEASE,
    LABEL_SERVICE,
)


def check(docker: Docker, service: str, release: str) -> Dict[str, Any]:
    """Return the name of the image of a release, and how it differs from its labels, a phrase each.

    Raises:
        ClassvmError: there is no such image.

    """
    name = image_name(service, release) if release else ""
    image = docker.image(name) if name else None
    if image is None:
        raise ClassvmError(
            f"There is no image {name}" if name else f"No release of {service} is live",
            fix="`make releases` shows those that are here.",
        )
    found = [*_of_names(image, service, release), *_of_base(docker, image)]
    return {"image": name, "release": release, "problems": found}


def _of_names(image: Image, service: str, release: str) -> Iterator[str]:
    for label, wanted in ((LABEL_SERVICE, service), (LABEL_RELEASE, release)):
        said = image.labels.get(label, "")
        if said != wanted:
            yield f"its label {label} is {said!r}, not {wanted!r}"
    digest = image.labels.get(LABEL_DIGEST, "")
    if not digest.startswith(release):
        yield f"the release id {release} does not begin its digest {digest!r}"


def _of_base(docker: Docker, image: Image) -> Iterator[str]:
    """Compare the lowest layers with the base image, whose digest the labels of the image tell."""
    name = image.labels.get(LABEL_BASE_NAME, "")
    base = docker.image(name) if name else None
    if base is None:
        yield (
            f"the base image {name} is not here to compare with"
            if name
            else "it names no base image"
        )
        return
    lowest = "\n".join(image.layers[: len(base.layers)])
    if hashlib.sha256(lowest.encode()).hexdigest() != image.labels.get(LABEL_BASE):
        yield f"its lowest layers are not those of the base image {name} that it names"
