"""Have the engine build an image from a packed context, with build secrets."""

from __future__ import annotations

import os
import tempfile
from typing import Dict, Mapping, Sequence

from ..base import command, resolver
from ..base.docker import build_environment, buildkit_client
from ..base.errors import ClassvmError
from .build_progress import BuildProgress

BUILD_TIMEOUT = 1800


def build(
    words: Sequence[str],
    context: bytes,
    secrets: Mapping[str, str],
    title: str,
    timeout: float = BUILD_TIMEOUT,
) -> command.Finished:
    """Run `docker build` and return what it printed, whatever its exit code.

    Args:
        words: its arguments: tag, labels, target, build arguments.
        context: the build context as a tar file.
        secrets: text of each build secret by name; empty ones are not passed.
        title: what is built, for the person who waits.
        timeout: seconds after which the client is killed.

    Raises:
        ClassvmError: no client here can pass secrets, or the build took too long.

    """
    client = buildkit_client()
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
                    *network_words(),
                    *secret_words(files),
                    "-",
                ],
                stdin=context,
                # Where the client notes its own things: they go with the build.
                env={**build_environment(), "DOCKER_CONFIG": folder},
                timeout=timeout,
                heard=BuildProgress(title).heard,
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
