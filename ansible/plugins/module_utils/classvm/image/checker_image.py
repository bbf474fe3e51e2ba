"""The checker image: Python and the two packages of the contract check, named by its content.

The contract check of a candidate runs in it, so that the app's own image needs nothing for it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Dict, List, Mapping

from ..base import command
from ..base.docker import Docker
from ..base.errors import ClassvmError
from . import build_log, builder
from .image_labels import LABEL_DIGEST, LABEL_SERVICE

REPOSITORY = "classvm/checker"
TAG_LENGTH = 12


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what the checker image holds.

    Attributes:
        base: name of the base image.
        base_digest: digest of the base image's layers.
        context_digest: digest of the build context.

    """

    base: str
    base_digest: str
    context_digest: str

    @property
    def digest(self) -> str:
        """The whole content's sha256, hex."""
        return hashlib.sha256(f"{self.base_digest}\n{self.context_digest}".encode()).hexdigest()

    @property
    def image(self) -> str:
        """The image's name and tag."""
        return f"{REPOSITORY}:{self.digest[:TAG_LENGTH]}"

    @property
    def labels(self) -> Dict[str, str]:
        """The labels by which classvm knows it as its own; it belongs to no service."""
        return {LABEL_SERVICE: "", LABEL_DIGEST: self.digest}


def build(docker: Docker, recipe: Recipe, context: bytes, secrets: Mapping[str, str]) -> None:
    """Build the image, and remove those whose place it takes.

    Args:
        docker: the engine to build with.
        recipe: what is built.
        context: the build context as a tar file.
        secrets: text of each build secret by name; empty ones are not passed.

    Raises:
        ClassvmError: the build failed; the first line names the cause.

    """
    words = ["--tag", recipe.image, "--build-arg", f"BASE_IMAGE={recipe.base}"]
    words += builder.label_words(recipe.labels)
    built = builder.build(words, context, secrets, "what checks the contract")
    # As with the service image: another deploy may have built the same content meanwhile.
    image = docker.image(recipe.image)
    if image is None or image.labels.get(LABEL_DIGEST) != recipe.digest:
        raise failure(built)
    prune(docker, recipe.image)


def failure(built: command.Finished) -> ClassvmError:
    """Return the error of a failed build."""
    cause = build_log.cause(built.out + built.err) or "the build printed nothing"
    return ClassvmError(
        f"The image for the contract check could not be built: {cause}",
        details="Your app is not the reason; the running release was not touched. The build needs the"
        f" package index that pip is set to. Its last lines:\n{built.last_lines()}",
    )


def present(docker: Docker) -> str:
    """Return the name of a checker image that is here, "" where there is none."""
    return next(iter(_listed(docker)), "")


def prune(docker: Docker, current: str) -> List[str]:
    """Remove the checker images of other content and return their names.

    One that cannot be removed, because it is in use, is left for the next time.
    """
    old = [name for name in _listed(docker) if name != current]
    return [name for name in old if docker.run("image", "rm", name).code == 0]


def _listed(docker: Docker) -> List[str]:
    """Return the names of the checker images, the newest first."""
    return docker.run(
        *("image", "ls", "--filter", f"reference={REPOSITORY}"),
        *("--format", "{{.Repository}}:{{.Tag}}"),
    ).out.split()
