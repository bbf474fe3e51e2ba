"""The verbs that change nothing: status, releases, logs, verify-image, version."""

from __future__ import annotations

import hashlib
import sys
from typing import Any, Dict

from ..base import client, names
from ..image import image_labels
from ..release import finishing, follow, history, prune, status, table
from . import image_check
from .host import Host

LOG_LINES = 50


def tell_status(host: Host, request: Dict[str, Any]) -> Dict[str, Any]:
    """Return which release is live, and how it is."""
    service = host.service(request)
    host.docker.require_engine()
    return {
        "service": service,
        # Before the status: what it tells of is over then at most.
        **finishing.read(service, host.state_dir),
        "status": vars(status.read(host.docker, service, host.state_dir)),
    }


def tell_releases(host: Host, request: Dict[str, Any]) -> Dict[str, Any]:
    """Return the history of the service."""
    service = host.service(request)
    host.docker.require_engine()
    swap = finishing.read(service, host.state_dir)
    found = status.read(host.docker, service, host.state_dir)
    entries = history.read(host.state_dir, service)
    kept = prune.named(host.docker, service) if entries else []
    marks = table.marks(entries, found.release, kept)
    return {
        **swap,
        "status": vars(found),
        "releases": [{**vars(entry), "mark": mark} for entry, mark in zip(entries, marks)],
        "table": table.table(entries, marks),
        # The line of a swap that is being finished comes when that ends.
        "remark": ""
        if swap["finishing"]
        else history.remark(host.state_dir, service, found.release),
    }


def tell_logs(host: Host, request: Dict[str, Any]) -> Dict[str, Any]:
    """Return the last log lines; with a position, wait for those behind it."""
    client.end_orderly()
    host.docker.require_engine()
    name = finishing.serving_name(host.service(request), host.state_dir)
    position = follow.Position(request.get("container", ""), request.get("stamp", ""))
    if position.container:
        follow.wait(host.docker, name, position, request.get("wait", 0))
    wanted, everything = request.get("lines", LOG_LINES), request.get("all", False)
    lines, end = follow.read(host.docker, name, position, wanted, everything=everything)
    return {"lines": lines, **vars(end)}


def verify_image(host: Host, request: Dict[str, Any]) -> Dict[str, Any]:
    """Tell whether the image of a release is what its labels say; by default that of the live one."""
    service = host.service(request)
    host.docker.require_engine()
    release = request.get("release", "")
    if not release:
        live = host.docker.container(names.container_name(service))
        release = live.labels.get(image_labels.LABEL_RELEASE, "") if live else ""
    return image_check.check(host.docker, service, release)


def tell_version(host: Host, request: Dict[str, Any]) -> Dict[str, Any]:
    """Return the digest of this program."""
    del host, request
    with open(sys.path[0], "rb") as program:
        return {"digest": hashlib.sha256(program.read()).hexdigest()}
