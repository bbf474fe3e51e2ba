"""Tell whether the service is alive, and ready to predict."""

from __future__ import annotations

from typing import Any

from connexion.exceptions import ProblemException

from src import model, uptime


def get() -> dict[str, Any]:
    """Return that the service is ready: any answer at all shows it is alive.

    Raises:
        ProblemException: 503, alive but not ready: the model is missing or
            damaged.

    """
    try:
        version = model.load().version
    except model.ModelUnavailableError:
        raise ProblemException(
            status=503,
            detail="The service is alive, but not ready: the model is not loaded.",
        ) from None
    return {
        "status": "pass",
        "ready": True,
        "model_version": version,
        "uptime_seconds": uptime.seconds(),
    }
