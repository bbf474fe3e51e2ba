"""Describe the service: what it is for, which release runs, its endpoints."""

from __future__ import annotations

import os
from typing import Any

from src import spec

UNRELEASED = "unreleased"


def get() -> dict[str, Any]:
    """Return title, version, purpose, release id and endpoints.

    The release id comes from the environment variable CLASSVM_RELEASE.
    """
    info = spec.load()["info"]
    return {
        "title": info["title"],
        "version": info["version"],
        "purpose": info.get("description", "").strip(),
        "release": os.environ.get("CLASSVM_RELEASE") or UNRELEASED,
        "endpoints": [
            {
                "method": operation.method,
                "path": operation.path,
                "summary": operation.summary,
            }
            for operation in spec.operations()
        ],
    }
