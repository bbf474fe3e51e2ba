"""What shall run on a host, and the words that start it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import List, Mapping

from ..base.edge import RECREATE
from ..base.names import candidate_name, container_name, previous_name

# A digest of how a container runs, and the same in words.
LABEL_SETTINGS = "classvm.settings"
LABEL_HOW = "classvm.how"
# Restart policies: of what serves, and of what is tried, whose end shall be seen.
ALWAYS, NEVER = "unless-stopped", "no"


@dataclass(frozen=True)
class ReleaseSpec:
    """The release that shall serve, and how.

    Attributes:
        service: name of the service.
        release: id of the release.
        image: name of its image.
        host_port: TCP port of the host.
        container_port: TCP port inside the container.
        memory: limit in Docker's notation, for example "512m"; swap is not added to it.
        pids: highest number of processes and threads.
        tmpfs_size: size of /tmp, the only writable folder, for example "64m".
        environment: further variables of the container.
        health_timeout: seconds within which a release has to become healthy.
        contract: text of the OpenAPI file that the candidate has to keep, or "".
        revision: git revision of the service's folder, for the history, or "".
        strategy: how it goes live, as the edge of the host says.

    """

    service: str
    release: str
    image: str
    host_port: int
    container_port: int
    memory: str
    pids: int
    tmpfs_size: str
    health_timeout: float
    environment: Mapping[str, str] = field(default_factory=dict)
    contract: str = ""
    revision: str = ""
    strategy: str = RECREATE

    @property
    def live(self) -> str:
        """Name of the container that serves."""
        return container_name(self.service)

    @property
    def candidate(self) -> str:
        """Name of the container that is being tried."""
        return candidate_name(self.service)

    @property
    def previous(self) -> str:
        """Name of the container that served until the swap began."""
        return previous_name(self.service)

    @property
    def settings(self) -> str:
        """Digest of everything but the image that decides how the container runs."""
        publish = f"{self.host_port}:{self.container_port}"
        if self.strategy != RECREATE:  # whichever slot it has
            publish = f"{self.strategy}:{publish}"
        words = run_argv(self, name=self.live, publish=publish, labels={})
        return hashlib.sha256("\0".join(words).encode()).hexdigest()[:12]


def run_argv(
    spec: ReleaseSpec,
    *,
    name: str,
    publish: str,
    labels: Mapping[str, str],
    restart: str = ALWAYS,
) -> List[str]:
    """Return the arguments of `docker run` that start a release, without the verb.

    Args:
        spec: the release and its limits.
        name: the container's name.
        publish: host side and container side of the port mapping, as after `--publish`.
        labels: the container's labels.
        restart: its restart policy.

    """
    words = ["--name", name]
    if publish:
        words += ["--publish", publish]
    words += ["--restart", restart, "--read-only", "--cap-drop", "ALL"]
    words += ["--security-opt", "no-new-privileges", "--pids-limit", str(spec.pids)]
    words += ["--memory", spec.memory, "--memory-swap", spec.memory]
    words += ["--tmpfs", f"/tmp:rw,noexec,nosuid,nodev,size={spec.tmpfs_size}"]  # noqa: S108 - the container has its own
    words += ["--env", f"HOST_PORT={spec.host_port}"]
    for key, value in sorted(spec.environment.items()):
        words += ["--env", f"{key}={value}"]
    for key, value in sorted(labels.items()):
        words += ["--label", f"{key}={value}"]
    return [*words, spec.image]
