"""Build the service image, named by the content of everything that goes into it."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional

from ..base import command
from ..base.docker import Docker, Image, build_environment, buildkit_client
from ..base.errors import ClassvmError
from ..base.names import image_name
from . import build_log

RELEASE_ID_LENGTH = 7
LABEL_RELEASE = "classvm.release"
LABEL_DIGEST = "classvm.digest"
LABEL_SERVICE = "classvm.service"
# What the image is made of, as JSON of limited length: `app.contents`.
LABEL_CONTENT = "classvm.content"
LABEL_CONTRACT = "classvm.contract"
BUILD_TIMEOUT = 1800


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

    """

    service: str
    base: str
    base_digest: str
    source_digest: str
    content: str = ""
    contract_digest: str = ""

    @property
    def digest(self) -> str:
        """The whole content's sha256, hex."""
        return hashlib.sha256(f"{self.base_digest}\n{self.source_digest}".encode()).hexdigest()

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


def known(docker: Docker, base: str) -> Dict[str, Any]:
    """Return what an answer to "is this content built?" takes, for the control node to give it.

    Returns:
        "base": digest of the base image's layers; "built": digest of each service image by name;
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
        "contracts": sorted({labels.get(LABEL_CONTRACT, "") for labels in built.values()}),
    }


def is_built(recipe: Recipe, built: Mapping[str, str]) -> bool:
    """Tell whether the image of this very content is among those that are known of a host."""
    return built.get(recipe.image) == recipe.digest


def labels(recipe: Recipe) -> Dict[str, str]:
    """Return the labels by which classvm knows its own images and containers."""
    return {
        LABEL_SERVICE: recipe.service,
        LABEL_RELEASE: recipe.release,
        LABEL_DIGEST: recipe.digest,
        LABEL_CONTENT: recipe.content,
        LABEL_CONTRACT: recipe.contract_digest,
        "org.opencontainers.image.base.name": recipe.base,
        "org.opencontainers.image.base.digest": recipe.base_digest,
    }


def build_argv(recipe: Recipe, secrets: Dict[str, str]) -> List[str]:
    """Return the arguments of `docker build` that read the context from standard input.

    Args:
        recipe: what is built.
        secrets: path of the file behind each build secret.

    """
    words = ["build", "--progress=plain", "--tag", recipe.image]
    words += ["--build-arg", f"BASE_IMAGE={recipe.base}"]
    words += ["--build-arg", f"RELEASE={recipe.release}"]
    for name, value in labels(recipe).items():
        words += ["--label", f"{name}={value}"]
    for name, path in secrets.items():
        words += ["--secret", f"id={name},src={path}"]
    return [*words, "-"]


def build(docker: Docker, recipe: Recipe, context: bytes, secrets: Dict[str, str]) -> Image:
    """Build the image and return it.

    Args:
        docker: the engine to build with.
        recipe: what is built.
        context: the build context as a tar file.
        secrets: text of each build secret by name; empty ones are not passed.

    Raises:
        ClassvmError: the build failed; the first line names the cause.

    """
    client = buildkit_client()
    with tempfile.TemporaryDirectory(prefix="classvm-build-") as folder:
        files = {}
        for name, text in secrets.items():
            if text:
                files[name] = os.path.join(folder, name)
                with open(files[name], "w", encoding="utf-8") as file:
                    file.write(text)
        built = command.run(
            [client, *build_argv(recipe, files)],
            stdin=context,
            env=build_environment(),
            timeout=BUILD_TIMEOUT,
        )
    # Where another deploy has built the same content meanwhile, this build fails at giving its image
    # the name; the image of that name has the same content.
    image = find(docker, recipe)
    if image is None:
        raise ClassvmError(build_failure(built))
    return image


def build_failure(built: command.Finished) -> str:
    """Return the message of a failed build: its cause first, its last lines at the end."""
    lines = built.last_lines()
    cause = build_log.cause(built.out + built.err) or "the build printed nothing"
    return (
        f"The service image could not be built: {cause}\nThe running release was not touched."
        f" The build's last lines:\n{lines}"
    )
