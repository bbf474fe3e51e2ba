"""The labels by which a host knows the images of classvm, and what they tell.

Apart from how an image is built: a module on a host carries what it imports, and most only ask.
"""

from __future__ import annotations

import re
from typing import Any, Dict, Optional

from ..base.docker import Docker, Image

LABEL_RELEASE = "classvm.release"
LABEL_DIGEST = "classvm.digest"
LABEL_SERVICE = "classvm.service"
# What the image is made of, as JSON of limited length: `app.contents`.
LABEL_CONTENT = "classvm.content"
LABEL_CONTRACT = "classvm.contract"
# Folders of the container that survive releases: a JSON list of absolute paths.
LABEL_KEEP = "classvm.keep"
# Name of the app: that of its folder when the image was built.
LABEL_APP = "classvm.app"
# Id of the lock of its packages, where this host has compiled it.
LABEL_LOCK = "classvm.lock"
# Name of the base image, and digest of its layers.
LABEL_BASE_NAME = "org.opencontainers.image.base.name"
LABEL_BASE = "org.opencontainers.image.base.digest"
# The port on which its container listens: the Dockerfile of a student's app sets it.
LABEL_PORT = "classvm.port"
PORT = re.compile(r"[0-9]{1,5}")
# The signal on which its program ends each connection with the next answer, or when it is idle for
# as long as it ever waits; it goes on running. An image without the label has no such signal.
LABEL_DRAIN = "classvm.drain"
# Those that an app's own Dockerfile may set, and what the names of ours begin with.
OF_DOCKERFILE = {LABEL_PORT, LABEL_DRAIN}
OWN_LABELS = "classvm."


def digests(docker: Docker, *names: str) -> Dict[str, str]:
    """Return the digest of each of those images that is here, by name; "" of one without the label."""
    found = docker.labels_of(*names)
    return {name: labels.get(LABEL_DIGEST, "") for name, labels in found.items()}


def container_port(image: Optional[Image], default: int) -> int:
    """Return the port on which the container of an image listens, the default where it says none."""
    said = image.labels.get(LABEL_PORT, "") if image else ""
    return int(said) if PORT.fullmatch(said) else default


def known(docker: Docker, base: str) -> Dict[str, Any]:
    """Return what an answer to "is this content built?" takes, for the control node to give it.

    Returns:
        "base": digest of the base image's layers; "built": digest of each image, of a service or
        for the contract check, by name;
        "contracts": digests of the contracts in them, which were found valid before.
        {} where there is no base image.

    """
    found = docker.image(base)
    if found is None:
        return {}
    built = docker.labels_of_images(LABEL_DIGEST)
    return {
        "base": found.content,
        "built": {name: labels[LABEL_DIGEST] for name, labels in built.items()},
        "contracts": sorted(
            {labels[LABEL_CONTRACT] for labels in built.values() if labels.get(LABEL_CONTRACT)}
        ),
    }
