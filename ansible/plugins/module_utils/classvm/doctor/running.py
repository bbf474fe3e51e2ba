"""What runs on the machine: the engine, the guard, whoever holds the port, the service."""

from __future__ import annotations

import re
from typing import Callable

from ..base import docker, host
from ..base.edge import Edge
from ..base.errors import ClassvmError
from ..provision import engine_hosts, guard
from .finding import AS_ROOT, DEPLOY, FAIL, OK, PROVISION, WARN, Finding, first_line
from .machine import User
from .reading import Engine, read

LABEL_SERVICE = "classvm.service"
# Where the disk is full.
PRUNE, CLEAN = "sudo docker image prune", "sudo apt-get clean"


def check_engine(user: User, engine: Engine, find_client: Callable[[], str]) -> Finding:
    """Check that an engine answers, and that a client can pass secrets to a build.

    Args:
        user: who asks.
        engine: the engine of this machine.
        find_client: returns such a client, or raises ``ClassvmError``.

    """
    subject = "engine"
    if engine_hosts.has_snap():
        text = "Docker is here as a snap, beside which no other engine can run"
        return Finding(FAIL, subject, text, "sudo snap remove docker")
    problem = engine.engine_problem()
    if problem == docker.NOT_IN_GROUP:
        return _out_of_reach(subject, problem, user)
    if problem:
        # Both a missing engine and a stopped one are what `make deploy` repairs as root.
        text = f"{problem}; `make deploy` installs and starts it, with sudo"
        fix = PROVISION
        return Finding(WARN if user.may_become_root else FAIL, subject, text, fix)
    try:
        find_client()
    except ClassvmError as missing:
        fix = "sudo apt-get install docker-buildx   # Docker's own packages: docker-buildx-plugin"
        return Finding(FAIL, subject, first_line(missing), fix)
    return Finding(OK, subject, f"version {engine.engine_version()} answers, BuildKit is there")


def _out_of_reach(subject: str, problem: str, user: User) -> Finding:
    """Tell how an account reaches the engine that is not in its group."""
    if user.asks_by_sudo:
        return Finding(OK, subject, "`classvm` asks it for this account, which may not itself")
    if user.may_become_root:
        fix = f"sudo usermod -aG docker {user.name}; then log out and in"
        return Finding(WARN, subject, f"{problem}; `make deploy` uses sudo", fix)
    fix = f"an administrator: name {user.name} in `students`, then `make provision`; then log out and in again"
    return Finding(FAIL, subject, problem, fix)


def image_folder(engine: Engine) -> str:
    """Return the folder in which the engine keeps images, or will by default."""
    try:
        return engine.data_root() or docker.DATA_ROOT
    except ClassvmError:
        return docker.DATA_ROOT


def check_guard(
    files: guard.Files, loaded: Callable[[], str], *, is_root: bool, expected: bool = False
) -> Finding:
    """Check that the guard of a class VM is loaded as it was installed.

    Args:
        files: where the guard is installed.
        loaded: returns the guard as nftables holds it now.
        is_root: whether nftables may be asked.
        expected: whether the inventory has this machine among the class VMs.

    """
    subject = "guard"
    fix = PROVISION
    if not files.rules.exists() and expected:
        return Finding(FAIL, subject, "not installed: every port is open", fix)
    if not files.rules.exists():
        return Finding(OK, subject, "not installed: this machine is not a class VM")
    if not is_root:
        text = "installed; only root can see whether it is loaded"
        return Finding(WARN, subject, text, AS_ROOT)
    present = loaded()
    if not present:
        return Finding(FAIL, subject, "installed but not loaded: every port is open", fix)
    if present != read(files.listing):
        return Finding(FAIL, subject, "the loaded rules differ from the installed ones", fix)
    return Finding(OK, subject, "loaded as installed")


def check_port(port: int | None, engine: Engine, edge: Edge) -> Finding:
    """Check that the port is free or ours.

    Args:
        port: the port.
        engine: the engine of this machine.
        edge: what stands before the releases.

    """
    subject = f"port {port or ''}".strip()
    if port is None:
        fix = "git checkout -- service/ports.env && unset HOST_PORT"
        return Finding(FAIL, subject, "HOST_PORT is not a port in service/ports.env", fix)
    name = next(iter(_asked(lambda: engine.publishers(port))), "")
    if name:
        return _container_on_port(subject, name, engine)
    if not host.is_listened_to(port):
        return Finding(OK, subject, "free")
    if edge.slots and port == edge.port:
        return Finding(OK, subject, "held by HAProxy, before our own container")
    return _process_on_port(subject, host.port_owner(port))


def _container_on_port(subject: str, name: str, engine: Engine) -> Finding:
    container = engine.container(name)
    if container and LABEL_SERVICE in container.labels:
        return Finding(OK, subject, f"held by our own container {name}")
    text = f"held by container {name}, which is not of this project"
    return Finding(FAIL, subject, text, f"docker stop {name}")


def _process_on_port(subject: str, owner: str) -> Finding:
    process = re.search(r"process (\d+)", owner)
    if process:
        fix = f"sudo kill {process[1]}   # if you may stop it; else choose another HOST_PORT"
        return Finding(FAIL, subject, f"held by {owner}", fix)
    # It may be our own container, which neither the engine nor the kernel would show us.
    text = "held by a process or container that this login cannot see"
    return Finding(WARN, subject, text, AS_ROOT)


def check_service(engine: Engine) -> Finding:
    """Check that the containers of the service are reachable: Docker may lose their network."""
    subject = "service"
    listed = ("ps", "--filter", f"label={LABEL_SERVICE}", "--format", "{{.Names}}")
    names = _asked(lambda: engine.check(*listed).split())
    if not names:
        return Finding(OK, subject, "no container of a service runs here")
    found = engine.containers(*names).values()
    detached = [container.name for container in found if not container.ports]
    if not detached:
        return Finding(OK, subject, f"running: {', '.join(names)}")
    text = f"{', '.join(detached)} runs, but publishes no port: its network is detached"
    return Finding(WARN, subject, text, DEPLOY)


def _asked(question: Callable[[], list[str]]) -> list[str]:
    """Return the engine's answer; nothing where it may not be asked or does not answer."""
    try:
        return question()
    except ClassvmError:
        return []
