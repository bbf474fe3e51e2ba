"""Build the image of an app on its host: with a lock that this host keeps, and a line in the history where it fails."""

from __future__ import annotations

import contextlib
from typing import Iterator, Mapping, Optional

from ..base import state
from ..base.docker import Docker
from ..base.errors import ClassvmError
from ..image import image_labels, lock_compile, lock_store, service_image
from ..image.confinement import Confined
from . import history

SPACE_MEGABYTES = 1024


def build(  # noqa: PLR0913, PLR0917 - what is built, where, and within which bounds
    docker: Docker,
    recipe: service_image.Recipe,
    context: bytes,
    secrets: Mapping[str, str],
    state_dir: str,
    within: Optional[Confined] = None,
) -> None:
    """Build the service image; for the kit's context, with the lock that is stored, or a new one.

    Args:
        docker: the engine to build with.
        recipe: what is built.
        context: the build context as a tar file.
        secrets: text of each build secret by name.
        state_dir: folder with the host's state.
        within: the bounds of a build that is a student's.

    Raises:
        ClassvmError: the build failed; the first line names the cause.

    """
    if recipe.lock:
        lock = stored_lock(state_dir, recipe)
        if not lock:
            lock = lock_compile.compile_lock(docker, recipe, context, secrets, within)
            lock_store.write(state_dir, recipe.lock, lock)
        context = lock_store.with_lock(context, lock)
        # Before the image is built: where that fails again and again, they would fill the disk.
        used = docker.labels_of_images(image_labels.LABEL_LOCK).values()
        locks = {labels[image_labels.LABEL_LOCK] for labels in used}
        lock_store.prune(state_dir, {*locks, recipe.lock})
    service_image.build(docker, recipe, context, secrets, within)


def stored_lock(state_dir: str, recipe: service_image.Recipe) -> str:
    """Return the lock of an app, "" where this host has none."""
    return lock_store.read(state_dir, recipe.lock) if recipe.lock else ""


@contextlib.contextmanager
def recorded(state_dir: str, recipe: service_image.Recipe, revision: str) -> Iterator[None]:
    """Give a failed build its line in the history.

    Args:
        state_dir: folder with the history; "" writes none.
        recipe: what is built.
        revision: git revision of the app's folder, or "".

    Raises:
        ClassvmError: the reason of the failure, and why it has no line.

    """
    try:
        yield
    except ClassvmError as reason:
        entry = history.Entry(
            time=state.now(),
            service=recipe.service,
            release=recipe.release,
            image=recipe.image,
            revision=revision,
            who=state.account(),
        )
        try:
            if state_dir:
                history.add(state_dir, entry.refused(str(reason)))
        except ClassvmError as unwritten:
            raise ClassvmError(f"{reason}\n{unwritten}") from reason
        raise
