"""Compile the lock of an app inside its own base image, whose Python it is for."""

from __future__ import annotations

from typing import Mapping, Optional

from ..base import command
from ..base.docker import Docker
from ..base.errors import ClassvmError
from ..base.names import image_name
from . import build_log, builder
from .confinement import Confined
from .image_labels import LABEL_SERVICE
from .service_image import Recipe

# The stage of the kit's Dockerfile that resolves the requirements; its command prints the lock.
STAGE = "lock"
PRINT_SECONDS = 60
TAG_LENGTH = 12


def compile_lock(
    docker: Docker,
    recipe: Recipe,
    context: bytes,
    secrets: Mapping[str, str],
    within: Optional[Confined] = None,
) -> str:
    """Return the text of the lock that the kit's build context asks for.

    Args:
        docker: the engine to build with.
        recipe: the service image for which it is.
        context: the build context as a tar file, without a lock.
        secrets: text of each build secret by name; empty ones are not passed.
        within: the bounds of a build that is a student's; its image may print anything.

    Raises:
        ClassvmError: the requirements cannot be resolved; the first line names the cause.

    """
    image = image_name(recipe.service, f"{STAGE}-{recipe.lock[:TAG_LENGTH]}")
    words = ["--target", STAGE, "--tag", image, "--build-arg", f"BASE_IMAGE={recipe.base}"]
    words += builder.label_words({LABEL_SERVICE: recipe.service})
    built = builder.build(words, context, secrets, "the versions of its packages", within)
    if built.code:
        raise failure(built)
    try:
        printed = _printed(docker, image, within)
    finally:
        # Its layers stay in the builder's cache.
        docker.run("image", "rm", image)
    if printed.code or not printed.out.strip():
        raise failure(printed)
    return printed.out


def _printed(docker: Docker, image: str, within: Optional[Confined]) -> command.Finished:
    """Return what a container of an image prints; one of a student's may print anything, or never end."""
    words = ["run", "--rm", "--network", "none"]
    if within is None:
        return docker.run_within(PRINT_SECONDS, *words, image)
    name = image.replace("/", "-").replace(":", "-")
    words += ["--name", name, *within.run_words]
    try:
        return docker.run_within(PRINT_SECONDS, *words, image, watched=within.watch)
    finally:
        docker.run("rm", "--force", name)


def failure(built: command.Finished) -> ClassvmError:
    """Return the error of requirements that cannot be resolved."""
    cause = build_log.cause(built.out + built.err) or "the build printed nothing"
    return ClassvmError(
        f"The packages of the app could not be resolved: {cause}",
        details=f"The running release was not touched. The last lines of pip-compile:\n{built.last_lines()}",
    )
