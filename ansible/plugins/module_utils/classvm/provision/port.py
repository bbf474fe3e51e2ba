"""Make sure that a host can have the port for which it is to be provisioned.

The guard opens the port of one service, so a provision for another port closes that of the live
release. A release would find a busy port too, but only then.
"""

from __future__ import annotations

from typing import List

from ..base import host, state
from ..base.docker import NOT_IN_GROUP, Docker
from ..base.edge import Edge
from ..base.errors import ClassvmError
from ..image.image_labels import LABEL_SERVICE
from .haproxy import Files

EDGE_FILES = Files()


def require_port(
    docker: Docker,
    state_dir: str,
    service: str,
    port: int,
    files: Files = EDGE_FILES,
) -> None:
    """Make sure that the port is free, that of the last provision, or held by the service itself.

    Args:
        docker: the host's engine, asked with whatever right the account has. One that refuses this
            account is not asked, and the port is left to the same question as root.
        state_dir: the host's state folder.
        service: name of the service.
        port: TCP port of the host on which the service shall be reached.
        files: where HAProxy's configuration is.

    Raises:
        ClassvmError: another container or program has the port.

    """
    if port in provisioned(state_dir) or _is_configured(port, files):
        return
    problem = docker.engine_problem()
    if problem == NOT_IN_GROUP:
        return
    if problem:
        host.require_no_listener(port)
    elif not _is_published_by(docker, service, port):
        host.require_free_port(docker, port)


def provisioned(state_dir: str) -> List[int]:
    """Return the ports for which a host was provisioned; [] where its records do not tell."""
    try:
        edge = Edge.load(state_dir)
        opened: List[int] = host.choices(state_dir).get("open_tcp", [])
    except ClassvmError:  # the provision repairs them
        return []
    return [edge.port] if edge.takes_releases else opened


def _is_configured(port: int, files: Files) -> bool:
    """Tell whether HAProxy is configured for a port, also on a host that lost its records."""
    try:
        return f"bind :{port} " in state.read(str(files.config))
    except ClassvmError:  # the provision repairs it
        return False


def _is_published_by(docker: Docker, service: str, port: int) -> bool:
    """Tell whether a container of the service publishes a port, also one of an interrupted swap."""
    names = docker.publishers(port)
    found = docker.containers(*names).values() if names else ()
    return any(one.labels.get(LABEL_SERVICE) == service for one in found)
