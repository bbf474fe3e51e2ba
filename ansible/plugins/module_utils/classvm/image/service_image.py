"""Build the service image, named by the content of everything that goes into it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ..app import tracebacks
from ..app.tracebacks import Traceback
from ..base import command
from ..base.docker import Docker, Image
from ..base.errors import ClassvmError
from ..base.names import image_name
from . import build_log, builder

RELEASE_ID_LENGTH = 7
# Where the kit's Dockerfile puts the app.
HOME = "/service"
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
# Digest of the layers of the base image.
LABEL_BASE = "org.opencontainers.image.base.digest"
# The port on which its container listens: the Dockerfile of a student's app sets it.
LABEL_PORT = "classvm.port"


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what the service image holds.

    Attributes:
        service: name of the service; the image's name derives from it.
        base: name of the base image.
        base_digest: digest of the base image's layers.
        source_digest: digest of the service's folder.
        content: what the folder holds, as JSON, for a label.
        contract_digest: digest of the contract in that folder, or "" where it does not matter.
        keep: absolute paths of the container's folders that survive releases.
        lock: id of the lock that this host compiles for it, or "".
        app: name of the app's folder; it decides nothing.

    """

    service: str
    base: str
    base_digest: str
    source_digest: str
    content: str = ""
    contract_digest: str = ""
    keep: Tuple[str, ...] = ()
    lock: str = ""
    app: str = ""

    @property
    def digest(self) -> str:
        """The whole content's sha256, hex."""
        parts = [self.base_digest, self.source_digest, *self.keep]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @property
    def release(self) -> str:
        """The release id: short enough to be read aloud."""
        return self.digest[:RELEASE_ID_LENGTH]

    @property
    def image(self) -> str:
        """The image's name and tag."""
        return image_name(self.service, self.release)


def find(docker: Docker, recipe: Recipe) -> Optional[Image]:
    """Return the image of this very content, or None."""
    image = docker.image(recipe.image)
    if image is None or image.labels.get(LABEL_DIGEST) != recipe.digest:
        return None
    return image


def digests(docker: Docker, *names: str) -> Dict[str, str]:
    """Return the digest of each of those images that is here, by name; "" of one without the label."""
    found = docker.labels_of(*names)
    return {name: labels.get(LABEL_DIGEST, "") for name, labels in found.items()}


def container_port(image: Optional[Image], default: int) -> int:
    """Return the port on which the container of an image listens, the default where it says none."""
    said = image.labels.get(LABEL_PORT, "") if image else ""
    return int(said) if said.isdecimal() else default


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


def labels(recipe: Recipe) -> Dict[str, str]:
    """Return the labels by which classvm knows its own images and containers."""
    optional = {
        LABEL_KEEP: json.dumps(recipe.keep) if recipe.keep else "",
        LABEL_LOCK: recipe.lock,
        LABEL_APP: recipe.app,
    }
    return {
        LABEL_SERVICE: recipe.service,
        LABEL_RELEASE: recipe.release,
        LABEL_DIGEST: recipe.digest,
        LABEL_CONTENT: recipe.content,
        LABEL_CONTRACT: recipe.contract_digest,
        **{name: value for name, value in optional.items() if value},
        "org.opencontainers.image.base.name": recipe.base,
        LABEL_BASE: recipe.base_digest,
    }


def build_words(recipe: Recipe) -> List[str]:
    """Return the arguments of `docker build` that name the image and give it its labels."""
    words = ["--tag", recipe.image, "--build-arg", f"BASE_IMAGE={recipe.base}"]
    words += ["--build-arg", f"RELEASE={recipe.release}"]
    return [*words, *builder.label_words(labels(recipe))]


def build(docker: Docker, recipe: Recipe, context: bytes, secrets: Mapping[str, str]) -> Image:
    """Build the image and return it.

    Args:
        docker: the engine to build with.
        recipe: what is built.
        context: the build context as a tar file.
        secrets: text of each build secret by name; empty ones are not passed.

    Raises:
        ClassvmError: the build failed; the first line names the cause.

    """
    built = builder.build(build_words(recipe), context, secrets, "the app")
    # Where another deploy has built the same content meanwhile, this build fails at giving its image
    # the name; the image of that name has the same content.
    image = find(docker, recipe)
    if image is None:
        raise ClassvmError(build_failure(built))
    return image


def build_failure(built: command.Finished) -> str:
    """Return the message of a failed build: its cause first, the app's own code, its last lines at the end."""
    output = built.out + built.err
    raised = _raised(output)
    cause = raised.cause(HOME) if raised else build_log.cause(output)
    own = ["In the app's own code:", *raised.summary(HOME)] if raised else []
    return "\n".join(
        [
            f"The service image could not be built: {cause or 'the build printed nothing'}",
            *own,
            "The running release was not touched. The build's last lines:",
            built.last_lines(),
        ]
    )


def _raised(output: str) -> Optional[Traceback]:
    """Return the last exception of the build that passed through the app's own code."""
    found = tracebacks.find(build_log.printed(output))
    return next((one for one in reversed(found) if one.own), None)
