"""Describe in lines what a release is made of and how it runs, so that two can be compared.

What it is made of stands in a label of its image, how it runs in a label of its container.
"""

from __future__ import annotations

import json
from typing import Dict, List, Mapping, Optional

from ..base.docker import Container, Docker
from ..image.image_labels import LABEL_CONTENT, LABEL_RELEASE
from . import keep
from .release_spec import LABEL_HOW, ReleaseSpec

DIGEST_LENGTH = 8
# Settings that the engine's report is compared with, by their names in the label.
HOST_PORT = "host_port"


def how(spec: ReleaseSpec) -> Dict[str, str]:
    """Return the settings of a release by name; of the environment, which may hold secrets, digests."""
    secrets = {
        f"environment {name}": f"(digest {spec.digest(str(value))[:DIGEST_LENGTH]})"
        for name, value in sorted(spec.environment.items())
    }
    return {
        "strategy": spec.strategy,
        HOST_PORT: str(spec.host_port),
        "container_port": str(spec.container_port),
        **spec.limits,
        **keep.settings(spec.service, spec.keep),
        **secrets,
    }


def before(docker: Docker, live: Optional[Container]) -> str:
    """Return the lines of the live release, "" where there is none."""
    if live is None:
        return ""
    image = docker.image(live.image)
    content = image.labels.get(LABEL_CONTENT, "") if image else ""
    return lines(live.labels.get(LABEL_RELEASE, ""), settings_of(live), parsed(content))


def after(docker: Docker, spec: ReleaseSpec, content: str) -> str:
    """Return the lines of the desired release.

    Args:
        docker: the engine of the host.
        spec: the release and how it shall run.
        content: what it is made of, as JSON; "" to read it from the image's label.

    """
    image = docker.image(spec.image) if spec.image and not content else None
    made_of = image.labels.get(LABEL_CONTENT, "") if image else content
    return lines(spec.release, how(spec), parsed(made_of))


def settings_of(container: Container) -> Dict[str, str]:
    """Return the settings with which a container was made, by name, as its label tells them."""
    return parsed(container.labels.get(LABEL_HOW, ""))


def parsed(text: str) -> Dict[str, str]:
    """Return the pairs of a label; {} where it is missing or of an older version."""
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
