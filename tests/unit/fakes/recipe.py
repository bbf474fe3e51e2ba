"""A service image, and a client that describes it."""

from __future__ import annotations

import json

from classvm.image import service_image

RECIPE = service_image.Recipe(
    service="lab",
    base="classvm/base:18.04",
    base_digest="sha256:b",
    source_digest="5",
    contract_digest="6",
)


def described(labels: dict[str, str], *tags: str) -> str:
    """Return a script that prints what `docker image inspect` says of an image."""
    config = {"Labels": labels}
    answer = [{"Id": "sha256:i", "Size": 1, "Config": config, "RepoTags": [*tags] or None}]
    return f"cat <<'END'\n{json.dumps(answer)}\nEND"
