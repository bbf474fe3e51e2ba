"""Find the lock that this host has compiled for an app, to offer it to whoever looks after the app."""

from __future__ import annotations

from pathlib import Path

from ..app.plan import Plan
from ..base.docker import Docker
from ..base.errors import ClassvmError
from . import kit_context, lock_store


def of_app(docker: Docker, plan: Plan, kit: Path, base: str, state_dir: str) -> str:
    """Return the text of the lock, "" where there is none or this account may not see it.

    Args:
        docker: the engine of this host.
        plan: how the app is deployed.
        kit: folder with the kit's files.
        base: name of the base image.
        state_dir: folder with the host's state.

    """
    try:
        image = docker.image(base)
        if image is None:
            return ""
        return lock_store.read(
            state_dir, lock_store.lock_id(image.content, kit_context.lock_source(plan, kit))
        )
    except ClassvmError:
        return ""
