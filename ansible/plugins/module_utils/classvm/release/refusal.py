"""The error that says why a release was refused."""

from __future__ import annotations

from ..base.docker import Docker
from ..base.errors import ClassvmError
from . import last_words
from .release_spec import ReleaseSpec

UNTOUCHED = "The running release was not touched."
SERVED = "Clients had begun to reach it; they reach the former release again."


def refusal(
    docker: Docker, spec: ReleaseSpec, name: str, reason: str, *, served: bool = False
) -> ClassvmError:
    """Return the error, with the last words of the container.

    Args:
        docker: the engine of the host.
        spec: the release.
        name: name of its container: the candidate, or the one that was about to be live.
        reason: why it was refused, such as "it ended with exit code 3".
        served: whether clients had been led to it.

    """
    words = last_words.read(docker, name)
    effect = SERVED if served else UNTOUCHED if name == spec.candidate else ""
    return ClassvmError(
        f"Release {spec.release} was refused: {words.explain(reason)}",
        details="\n".join([words.details, *filter(None, [effect])]),
    )
