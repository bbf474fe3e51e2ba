"""Say in lines what a release is made of and how it runs, so that two of them can be compared.

What it is made of stands in a label of its image, how it runs in a label of its container.
"""

from __future__ import annotations

import hashlib
import json
from typing import Dict, List, Mapping, Optional

from ..base.docker import Container, Docker
from ..image.service_image import LABEL_CONTENT, LABEL_RELEASE
from .release_spec import LABEL_HOW, ReleaseSpec

DIGEST_LENGTH = 8


def how(spec: ReleaseSpec) -> Dict[str, str]:
    """Return the settings of a release by name; of the environment, which may hold secrets, digests."""
    secrets = {
        f"environment {name}": f"(digest {short(value)})"
        for name, value in sorted(spec.environment.items())
    }
    return {
        "strategy": spec.strategy,
        "port": f"{spec.host_port} to {spec.container_port}",
        "memory": spec.memory,
        "processes": str(spec.pids),
        "tmpfs": spec.tmpfs_size,
        **secrets,
    }


def short(value: object) -> str:
    """Return the beginning of a sha256, enough to see that two values differ."""
    return hashlib.sha256(str(value).encode()).hexdigest()[:DIGEST_LENGTH]


def before(docker: Docker, live: Optional[Container]) -> str:
    """Return the lines of what is live, "" for nothing."""
    if live is None:
        return ""
    image = docker.image(live.image)
    content = image.labels.get(LABEL_CONTENT, "") if image else ""
    settings = live.labels.get(LABEL_HOW, "")
    return lines(live.labels.get(LABEL_RELEASE, ""), parsed(settings), parsed(content))


def after(docker: Docker, spec: ReleaseSpec, content: str) -> str:
    """Return the lines of what shall be live.

    Args:
        docker: the engine of the host.
        spec: the release and how it shall run.
        content: what it is made of, as JSON; "" to ask its image.

    """
    image = docker.image(spec.image) if spec.image and not content else None
    made_of = image.labels.get(LABEL_CONTENT, "") if image else content
    return lines(spec.release, how(spec), parsed(made_of))


def parsed(text: str) -> Dict[str, str]:
    """Return the pairs of a label; none where it is missing or of an older kind."""
    try:
        return {str(key): str(value) for key, value in json.loads(text).items()}
    except (ValueError, AttributeError):
        return {}


def lines(release: str, settings: Mapping[str, str], content: Mapping[str, str]) -> str:
    """Return a line for each fact."""
    found: List[str] = [f"release {release or '(new)'}"]
    found += [f"{name}: {value}" for name, value in settings.items()]
    found += [f"{name}: {value}" for name, value in sorted(content.items())]
    return "".join(f"{line}\n" for line in found)
