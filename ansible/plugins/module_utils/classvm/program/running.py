"""The verbs that start and stop what is live: start, restart, stop, maintenance."""

from __future__ import annotations

from typing import Any, Callable, Dict

from ..base.edge import OFF, ON, Edge
from ..base.errors import ClassvmError
from ..release import lifecycle, status
from .host import Host


def start(host: Host, request: Dict[str, Any]) -> Dict[str, Any]:
    """Start the live release, and the edge before it, where they do not run."""
    return _started(host, request, lifecycle.start)


def restart(host: Host, request: Dict[str, Any]) -> Dict[str, Any]:
    """Stop and start the live release."""
    return _started(host, request, lifecycle.restart)


def _started(host: Host, request: Dict[str, Any], work: Callable[..., bool]) -> Dict[str, Any]:
    host.docker.require_engine()
    service = host.service(request)
    if request.get("check"):
        live = lifecycle.required(host.docker, service)
        led_to = not Edge.load(host.state_dir).problem_of(live)
        changed = work is lifecycle.restart or not live.running or not led_to
    else:
        changed = work(host.docker, service, host.state_dir, _timeout(host, service, request))
    return {
        "changed": changed,
        "status": vars(status.read(host.docker, service, host.state_dir)),
        "maintenance_note": Edge.load(host.state_dir).maintenance_note(),
    }


def _timeout(host: Host, service: str, request: Dict[str, Any]) -> float:
    given = request.get("health_timeout")
    seconds = given if given is not None else host.settings(service, {})["seconds"]["health"]
    return float(seconds)


def stop(host: Host, request: Dict[str, Any]) -> Dict[str, Any]:
    """Stop the live release."""
    host.docker.require_engine()
    service = host.service(request)
    if request.get("check"):
        changed = bool(lifecycle.running(host.docker, service))
    else:
        changed = lifecycle.stop(host.docker, service, host.state_dir)
    return {
        "changed": changed,
        "status": vars(status.read(host.docker, service, host.state_dir)),
    }


def maintain(host: Host, request: Dict[str, Any]) -> Dict[str, Any]:
    """Turn maintenance on or off."""
    host.docker.require_engine()
    edge = Edge.load(host.state_dir)
    if not edge.slots:
        raise ClassvmError(
            "Maintenance needs HAProxy in front of the releases: set service_strategy: blue_green for"
            " this host, then `make deploy`. `make stop` stops the service without a message.",
        )
    publishers = host.docker.publishers(edge.port)
    if publishers:
        raise ClassvmError(
            f"The container {publishers[0]} still publishes port {edge.port} itself, so HAProxy cannot"
            " answer for it",
            fix="`make deploy` puts the release behind HAProxy; then set maintenance again.",
        )
    value = ON if request["on"] else OFF
    if request.get("check"):
        return {"changed": edge.read()["maintenance"] != value}
    return {"changed": edge.maintain(value)}
