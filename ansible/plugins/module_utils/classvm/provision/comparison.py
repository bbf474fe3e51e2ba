"""Compare this host with its last provision, with whatever right the account has that asks.

The host program answers so; on a host without one, a module does.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Dict, Mapping, Optional, Sequence, Tuple

from ..base import account, host, locks
from ..base.docker import Docker, ignored_settings
from ..base.errors import ClassvmError
from ..image import image_labels
from . import freshness, guard, port

SPACE_MEGABYTES = 10


@dataclass(frozen=True)
class Asked:
    """What is asked of a host.

    Attributes:
        state_dir: folder with its state.
        fingerprint: of the provision that the control node describes.
        base_image: name of the base image that has to be here, "" for none.
        service: name of the service that is to be released here.
        port: TCP port of the host for it; 0 asks nothing.
        password_given: whether the user has given the sudo password.

    """

    state_dir: str
    fingerprint: str
    base_image: str = ""
    service: str = ""
    port: int = 0
    password_given: bool = False


def before_deploy(asked: Asked, variables: Mapping[str, str] = os.environ) -> Dict[str, Any]:
    """Return why the host needs its provision first, and what a deploy needs to know of it.

    Args:
        asked: the question.
        variables: those that the user has set on this host.

    Raises:
        ClassvmError: this service cannot be provisioned or released here.

    """
    described, docker, asking = _right(asked)
    stale = _why_stale(asked, docker, asking)
    if stale and asking.may_provision and asked.port:
        port.require_port(docker, asked.state_dir, asked.service, asked.port)
    return {
        "stale": stale,
        "unseen": freshness.unseen(docker, asking),
        "images": {} if stale else known_images(docker, asked.base_image),
        "ignored": ignored_settings(variables),
        **described,
    }


def compared(asked: Asked) -> Dict[str, Any]:
    """Return all that is not as the provision left it, for a person who only looks."""
    described = account.described()
    as_root = account.root_argv(described["privilege"])
    docker = engine_for(described, as_root)
    problems = freshness.problems(
        docker, asked.state_dir, asked.fingerprint, asked.base_image, as_root
    )
    return {
        "stale": "",
        "problems": problems,
        "guard": guard.standing(as_root, expected=is_guarded(asked.state_dir)),
        "unseen": freshness.unseen(docker, freshness.Account(as_root=as_root)),
        **described,
    }


def settle(state_dir: str) -> None:
    """Wait until nobody is at work on the releases of this host.

    Raises:
        ClassvmError: somebody still was after two minutes.

    """
    if os.path.isdir(state_dir):
        with locks.held(state_dir):
            pass


def record(asked: Asked, *, check_mode: bool) -> bool:
    """Remember that the provision is complete; return whether that was not known before.

    Raises:
        ClassvmError: this service cannot be provisioned here.

    """
    _, docker, asking = _right(asked)
    if not check_mode:
        freshness.repair_state(asked.state_dir)
    stale = _why_stale(asked, docker, asking)
    if stale and not check_mode:
        freshness.write_record(asked.state_dir, asked.fingerprint)
    return bool(stale)


def _right(asked: Asked) -> Tuple[Dict[str, Any], Docker, freshness.Account]:
    """Return what the account may do, and the engine for it; refuse a host that cannot be provisioned."""
    described = account.described()
    host.require_space(asked.state_dir, SPACE_MEGABYTES)
    asking = freshness.Account(
        may_provision=described["privilege"] != "none" or asked.password_given,
        as_root=account.root_argv(described["privilege"]),
    )
    docker = engine_for(described, asking.as_root)
    require_only_service(docker, asked.service, asked.state_dir)
    return described, docker, asking


def _why_stale(asked: Asked, docker: Docker, asking: freshness.Account) -> str:
    return freshness.why_stale(docker, asked.state_dir, asked.fingerprint, asked.base_image, asking)


def engine_for(described: Dict[str, Any], as_root: Optional[Sequence[str]]) -> Docker:
    """Return the engine, asked with the right that this account has."""
    return Docker(as_root=() if described["engine_access"] else as_root or ())


def is_guarded(state_dir: str) -> bool:
    """Tell whether the last provision has installed a guard, as far as this account may know."""
    try:
        return bool(host.choices(state_dir).get("guarded"))
    except ClassvmError:
        return False


def require_only_service(docker: Docker, service: str, state_dir: str) -> None:
    """Refuse to provision for another service than the one that is here.

    The engine is asked only where the last provision was for another one.
    """
    try:
        last = host.choices(state_dir).get("service", service)
    except ClassvmError:
        # Who cannot read the state folder has to provision: as root, that repairs it and asks again.
        return
    if service and last != service and docker.engine_version() is not None:
        host.require_only_service(docker, state_dir, service, image_labels.LABEL_SERVICE)


def known_images(docker: Docker, base_image: str) -> Dict[str, Any]:
    """Return what is known of the images here; {} when this account may not ask the engine."""
    try:
        return image_labels.known(docker, base_image)
    except ClassvmError:
        return {}
