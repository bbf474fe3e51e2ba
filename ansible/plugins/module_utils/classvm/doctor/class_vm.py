"""What would stop a deploy to a host; it runs there."""

from __future__ import annotations

import time
from pathlib import Path
from typing import List

from ..base import account, docker
from ..base.edge import Edge
from ..provision import freshness, guard
from . import machine, running
from .finding import FAIL, OK, PROVISION, WARN, Finding, look
from .reading import Engine, read


def examine(port: int, state_dir: str, *, guarded: bool) -> List[Finding]:
    """Return the findings of all checks, in the order in which a deploy would trip over them.

    Args:
        port: the service's port of the host.
        state_dir: the host's state folder.
        guarded: whether the host should have the guard.

    """
    user = machine.current_user()
    as_root = account.root_argv(user.privilege)
    engine, folder = Engine(as_root=as_root or ()), Path(state_dir)
    files, is_root = guard.Files(), as_root is not None
    provisioned = bool(freshness.read_record(state_dir))
    images = running.image_folder(engine)
    return [
        machine.check_system(read(Path("/etc/os-release"))),
        machine.check_rights(user),
        machine.check_clock(time.time(), machine.newest_file([folder])),
        machine.check_disk("disk for images", images, machine.IMAGES_MEGABYTES, running.PRUNE),
        machine.check_disk("disk for state", state_dir, machine.STATE_MEGABYTES, running.CLEAN),
        machine.check_memory(read(Path("/proc/meminfo"))),
        look("state folder", lambda: machine.check_state_folder(folder, user)),
        check_provision(provisioned, user),
        look("engine", lambda: running.check_engine(user, engine, docker.buildkit_client)),
        look(
            "guard",
            lambda: running.check_guard(
                files,
                lambda: guard.listing(as_root or ()),
                is_root=is_root,
                # On a host that was never provisioned, that is what is wrong.
                expected=guarded and provisioned,
            ),
        ),
        look("port", lambda: running.check_port(port, engine, Edge.load(state_dir))),
        look("service", lambda: running.check_service(engine)),
    ]


def check_provision(provisioned: bool, user: machine.User) -> Finding:  # noqa: FBT001 - what is checked
    """Check that the host was provisioned."""
    subject = "provision"
    if provisioned:
        return Finding(OK, subject, "recorded")
    level = WARN if user.may_become_root else FAIL
    return Finding(level, subject, "this host was never provisioned", PROVISION)
