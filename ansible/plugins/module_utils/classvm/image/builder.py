"""Have the engine build an image from a packed context, with build secrets."""

from __future__ import annotations

import os
import tempfile
from typing import Dict, Mapping, Optional, Sequence

from ..base import command, resolver
from ..base.docker import build_environment, buildkit_client
from ..base.errors import ClassvmError
from .build_progress import BuildProgress
from .confinement import Confined

BUILD_TIMEOUT = 1800


def build(
    words: Sequence[str],
    context: bytes,
    secrets: Mapping[str, str],
    title: str,
    within: Optional[Confined] = None,
) -> command.Finished:
    """Run `docker build` and return what it printed, whatever its exit code.

    Args:
        words: its arguments: tag, labels, target, build arguments.
        context: the build context as a tar file.
        secrets: text of each build secret by name; empty ones are not passed.
        title: what is built, for the person who waits.
        within: the bounds of a build that is a student's.

    Raises:
        ClassvmError: no client here can pass secrets, the build took too long, or passed another bound.

    """
    client = buildkit_client()
    timeout = within.seconds if within else BUILD_TIMEOUT
    with tempfile.TemporaryDirectory(prefix="classvm-build-") as folder:
        files: Dict[str, str] = {}
        for name, text in secrets.items():
            if text:
                files[name] = os.path.join(folder, name)
                with open(files[name], "w", encoding="utf-8") as file:
                    file.write(text)
        try:
            return command.run(
                [
                    client,
                    "build",
                    "--progress=plain",
                    *words,
                    *(within.words if within else network_words()),
                    *secret_words(files),
                    "-",
                ],
                stdin=context,
                # Where the client notes its own things: they go with the build.
                env={**build_environment(), "DOCKER_CONFIG": folder},
                timeout=timeout,
                heard=BuildProgress(title).heard,
                watched=within.watch if within else None,
            )
        except command.TimeLimitError as slow:
            raise ClassvmError(
                f"The build did not end within {timeout / 60:.0f} minutes",
                fix="`make deploy` tries again; what was built is not built anew.",
            ) from slow


def secret_words(files: Mapping[str, str]) -> Sequence[str]:
    """Return the arguments that pass a file as each build secret, by its name."""
    return [word for name, path in files.items() for word in ("--secret", f"id={name},src={path}")]


def network_words() -> Sequence[str]:
    """Return the arguments by which the build asks the host's own name servers, where it has to."""
    return ["--network=host"] if resolver.is_out_of_reach_of_containers() else []


def label_words(labels: Mapping[str, str]) -> Sequence[str]:
    """Return the arguments that give an image its labels."""
    return [word for name, value in labels.items() for word in ("--label", f"{name}={value}")]
