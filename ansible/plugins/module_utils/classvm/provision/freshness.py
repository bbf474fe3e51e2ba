"""Remember on the host which provision it has, so that a student's redeploy can skip it."""

from __future__ import annotations

import json
from pathlib import Path

from ..base.docker import NOT_IN_GROUP, Docker

RECORD = "provision.json"


def why_stale(  # noqa: PLR0911 - one per reason
    docker: Docker,
    state_dir: str,
    desired: str,
    base_image: str,
    *,
    may_provision: bool = True,
) -> str:
    """Return why a host needs its provision (again), or "" when it does not.

    Args:
        docker: the host's engine.
        state_dir: the host's state folder.
        desired: fingerprint of the provision that the control node describes.
        base_image: name of the base image.
        may_provision: whether this account could become root. Whoever could not has the VM
            as an admin chose to provision it: their own inventory's variables do not count.

    """
    record = Path(state_dir) / RECORD
    if not record.exists():
        return "this host was never provisioned"
    recorded = _recorded(record)
    if recorded.partition("-")[0] != desired.partition("-")[0]:
        return "the roles have changed since this host was provisioned"
    if may_provision and recorded != desired:
        return "the roles' variables have changed since this host was provisioned"
    problem = docker.engine_problem()
    if problem == NOT_IN_GROUP:
        # An account that may not ask the engine cannot say more.
        return ""
    if problem:
        return problem
    if docker.image(base_image) is None:
        return f"the base image {base_image} is missing"
    return ""


def _recorded(record: Path) -> str:
    """Return the fingerprint on record; "" when a power cut left no legible one."""
    try:
        return str(json.loads(record.read_text(encoding="utf-8"))["fingerprint"])
    except (ValueError, LookupError, TypeError):
        return ""


def write_record(state_dir: str, desired: str) -> None:
    """Remember that the provision with this fingerprint is complete."""
    record = Path(state_dir) / RECORD
    new = record.with_suffix(".new")
    new.write_text(json.dumps({"fingerprint": desired}) + "\n", encoding="utf-8")
    new.chmod(0o664)
    new.replace(record)
