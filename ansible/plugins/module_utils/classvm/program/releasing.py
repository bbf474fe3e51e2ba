"""The verbs that change which release is live: release, rollback."""

from __future__ import annotations

from typing import Any, Dict

from ..base import client
from ..base.errors import ClassvmError
from ..base.names import CHECK_FOLDER
from ..release import go_live
from ..release.release_spec import ReleaseSpec, Seconds
from ..release.rollback import PREVIOUS
from . import resource
from .host import Host


def release(host: Host, request: Dict[str, Any]) -> Dict[str, Any]:
    """Make a release live, once it has proven itself as a candidate."""
    service = host.service(request)
    spec = read_spec(service, host.settings(service, request), request)
    if not request.get("check"):
        done = _done(host, spec, request, rolled_back=False)
        host.remember(service, request["settings"])
        return done
    # In a dry run on a bare host, the release has no id yet.
    if not host.docker.engine_version():
        return vars(go_live.Outcome(changed=True, release=spec.release, container="", replaced=""))
    return _previewed(host, spec, request, rolled_back=False)


def roll_back(host: Host, request: Dict[str, Any]) -> Dict[str, Any]:
    """Make a release live again that was live before; it does not have to prove itself again."""
    service = host.service(request)
    spec = read_spec(service, host.settings(service, request), request)
    if request.get("check"):
        return _previewed(host, spec, request, rolled_back=True)
    return _done(host, spec, request, rolled_back=True)


def read_spec(service: str, settings: Dict[str, Any], request: Dict[str, Any]) -> ReleaseSpec:
    """Return the release that a request describes."""
    contract = request.get("contract", "")
    return ReleaseSpec(
        service=service,
        release=request.get("release", PREVIOUS),
        host_port=settings["host_port"],
        container_port=settings["container_port"],
        limits=settings["limits"],
        seconds=Seconds(**settings["seconds"]),
        environment=settings.get("environment", {}),
        gapless=settings.get("gapless", False),
        background=request.get("background", True),
        contract=contract,
        checker_image=request.get("checker_image", ""),
        checker_program=resource.checker(CHECK_FOLDER) if contract else "",
        revision=request.get("revision", ""),
    )


def _done(
    host: Host, spec: ReleaseSpec, request: Dict[str, Any], *, rolled_back: bool
) -> Dict[str, Any]:
    """Deploy or roll back; where nobody waits any more, that ends before the swap."""
    client.end_orderly()
    try:
        compared = _compared(host, spec, request, rolled_back=rolled_back)
        if rolled_back:
            outcome = go_live.roll_back(host.docker, spec, host.state_dir)
        else:
            keep = request["keep_releases"]
            outcome = go_live.release(host.docker, spec, host.state_dir, keep)
    except ClassvmError:
        # It is asked only after a failure: a deploy without changes then makes one call less.
        host.docker.require_engine()
        raise
    return {**vars(outcome), **compared}


def _previewed(
    host: Host, spec: ReleaseSpec, request: Dict[str, Any], *, rolled_back: bool
) -> Dict[str, Any]:
    host.docker.require_engine()
    compared = _compared(host, spec, request, rolled_back=rolled_back)
    found = go_live.preview(host.docker, spec, host.state_dir, rolled_back=rolled_back)
    return {**vars(found), **compared}


def _compared(
    host: Host, spec: ReleaseSpec, request: Dict[str, Any], *, rolled_back: bool
) -> Dict[str, Any]:
    if not request.get("diff") or not host.docker.engine_version():
        return {}
    content = request.get("content", "")
    return {
        "diff": go_live.compare(host.docker, spec, host.state_dir, content, rolled_back=rolled_back)
    }
