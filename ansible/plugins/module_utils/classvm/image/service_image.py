"""Build the service image, named by the content of everything that goes into it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Dict, List, Mapping, Optional, Tuple

from ..app import tracebacks
from ..app.tracebacks import Traceback
from ..base import command
from ..base.docker import Docker, Image
from ..base.errors import ClassvmError
from ..base.names import image_name
from . import build_log, builder
from .confinement import Confined
from .image_labels import (
    LABEL_APP,
    LABEL_BASE,
    LABEL_BASE_NAME,
    LABEL_CONTENT,
    LABEL_CONTRACT,
    LABEL_DIGEST,
    LABEL_KEEP,
    LABEL_LOCK,
    LABEL_RELEASE,
    LABEL_SERVICE,
    OF_DOCKERFILE,
    OWN_LABELS,
)

RELEASE_ID_LENGTH = 7
# Labels that not every app has.
OPTIONAL = {LABEL_KEEP, LABEL_LOCK, LABEL_APP}
# Where the kit's Dockerfile puts the app.
HOME = "/service"


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
        LABEL_BASE_NAME: recipe.base,
        LABEL_BASE: recipe.base_digest,
    }


def build_words(recipe: Recipe) -> List[str]:
    """Return the arguments of `docker build` that name the image and give it its labels."""
    words = ["--tag", recipe.image, "--build-arg", f"BASE_IMAGE={recipe.base}"]
    words += ["--build-arg", f"RELEASE={recipe.release}"]
    return [*words, *builder.label_words(labels(recipe))]


def build(
    docker: Docker,
    recipe: Recipe,
    context: bytes,
    secrets: Mapping[str, str],
    within: Optional[Confined] = None,
) -> Image:
    """Build the image and return it.

    Args:
        docker: the engine to build with.
        recipe: what is built.
        context: the build context as a tar file.
        secrets: text of each build secret by name; empty ones are not passed.
        within: the bounds of a build that is a student's.

    Raises:
        ClassvmError: the build failed; the first line names the cause.

    """
    words = build_words(recipe)
    if within:
        # An app's own Dockerfile could set what the host does not.
        words += builder.label_words(dict.fromkeys(OPTIONAL - labels(recipe).keys(), ""))
    built = builder.build(words, context, secrets, "the app", within)
    # Where another deploy has built the same content meanwhile, this build fails at giving its image
    # the name; the image of that name has the same content.
    image = find(docker, recipe)
    if image is None:
        raise ClassvmError(build_failure(built))
    if within:
        _require_no_more_labels(docker, recipe, image)
    return image


def _require_no_more_labels(docker: Docker, recipe: Recipe, image: Image) -> None:
    """Make sure that an image says nothing in the name of the host; remove one that does.

    Raises:
        ClassvmError: it does.

    """
    known = {*labels(recipe), *OPTIONAL, *OF_DOCKERFILE}
    more = sorted(name for name in image.labels.keys() - known if name.startswith(OWN_LABELS))
    if more:
        docker.run("image", "rm", recipe.image)
        raise ClassvmError(
            f"The label {more[0]} is the host's alone", place="Dockerfile", fix="Remove it."
        )


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
