"""Check a host before anything on it is changed."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any, Dict

from . import command, state
from .docker import Docker
from .errors import ClassvmError

MEGABYTE = 1 << 20
# Written by `make provision`: for which service it was, and which TCP ports its guard opens, if any.
CHOICES = "host.json"


def require_space(path: str, megabytes: int) -> None:
    """Make sure that the file system of a folder, present or to be made, has room.

    Raises:
        ClassvmError: fewer than ``megabytes`` (2**20 bytes) or no inodes are free.

    """
    there = Path(path)
    while not there.exists():
        there = there.parent
    found = os.statvfs(there)
    free = found.f_bavail * found.f_frsize // MEGABYTE
    if free < megabytes:
        raise ClassvmError(
            f"Disk full: {there} has {free} MB free, {megabytes} MB are needed",
            fix=f"Find what is large with `du -xh {there} | sort -h | tail`;"
            " `docker system df` shows Docker's part.",
        )
    if found.f_files and not found.f_favail:
        raise ClassvmError(
            f"Disk full: {there} has no free inodes",
            fix=f"Remove files: `sudo du -x --inodes {there} | sort -n | tail` shows where many are.",
        )


def require_open_port(state_dir: str, port: int) -> None:
    """Make sure that the guard, where there is one, lets others reach a TCP port of this host.

    Raises:
        ClassvmError: it does not.

    """
    known = choices(state_dir)
    opened = known.get("open_tcp", [port]) if known.get("guarded") else [port]
    if port not in opened:
        ports = ", ".join(map(str, opened))
        raise ClassvmError(
            f"Port {port} is closed: this host's guard opens {ports}. Take that one, or ask an admin"
            f" to run `make provision PORT={port}`.",
        )


def choices(state_dir: str) -> Dict[str, Any]:
    """Return what the provision has chosen for this host; {} where that is not known."""
    try:
        found = json.loads(state.read(os.path.join(state_dir, CHOICES)) or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def require_only_service(docker: Docker, state_dir: str, service: str, label: str) -> None:
    """Make sure that no other service has containers on a host with a guard.

    The guard is open for the port of one service: a second one would close the first one's.

    Args:
        docker: the engine of the host.
        state_dir: folder with the host's state, which tells whether it has a guard.
        service: name of the service that may be here.
        label: the label that names the service of a container.

    Raises:
        ClassvmError: another service has.

    """
    if not choices(state_dir).get("guarded"):
        return
    others = [name for name in docker.labels_of_containers(label) if name != service]
    if others:
        raise ClassvmError(
            f"This class VM has the service {others[0]} already, and its guard is open for one. Deploy"
            f" {service} to another host, or remove {others[0]} with `make reset`.",
        )


def require_free_port(docker: Docker, port: int) -> None:
    """Make sure that no program or container uses a TCP port of this host.

    Raises:
        ClassvmError: one does; the text names it, as far as this account may know.

    """
    publishers = docker.publishers(port)
    if publishers:
        raise ClassvmError(
            f"Port {port} is busy: the container {publishers[0]} publishes it."
            f" `docker stop {publishers[0]}` frees it; `make deploy PORT=…` takes another port.",
        )
    require_no_listener(port)


def require_no_listener(port: int) -> None:
    """Make sure that no program listens on a TCP port of this host.

    Raises:
        ClassvmError: one does; the text names it, as far as this account may know.

    """
    if is_listened_to(port):
        raise ClassvmError(
            f"Port {port} is busy: {port_owner(port)} listens on it. Stop it, or take another"
            " port with `make deploy PORT=…`.",
        )


def is_listened_to(port: int) -> bool:
    """Tell whether any program listens on a TCP port, over IPv4 or IPv6.

    Binding it would be a worse test: below 1024 only root may, but Docker can.
    """
    return bool(command.check(["ss", "-Hltn", f"sport = :{port}"]).strip())


def port_owner(port: int) -> str:
    """Return who listens on a TCP port, for example "python3 (process 4711)"."""
    listed = command.run(["ss", "-Hltnp", f"sport = :{port}"]).out
    owner = re.search(r'users:\(\("([^"]+)",pid=(\d+)', listed)
    if owner is None:
        return f"a process of another user (`sudo ss -ltnp 'sport = :{port}'` names it)"
    return f"{owner.group(1)} (process {owner.group(2)})"
