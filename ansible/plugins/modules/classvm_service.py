#!/usr/bin/python
"""Start, restart or stop the service of a host, or remove its containers."""

from __future__ import annotations

DOCUMENTATION = """
module: classvm_service
short_description: Start, restart, stop or remove the service
description:
  - Touches only what has classvm's label or is named in the options. M(classvm.kit.classvm_service_info) looks at the service.
options:
  state:
    description:
      - V(started) starts the live release, and the edge before it, where they do not run, and waits until it is healthy.
      - V(restarted) stops it first.
      - V(stopped) stops it; V(started) or the next deploy starts it.
      - V(absent) removes all containers with classvm's label, if an engine runs.
    type: str
    choices: [started, restarted, stopped, absent]
    required: true
  service: {type: str, required: true, description: Name of the service.}
  state_dir: {type: path, description: "Folder of the host that keeps classvm's state; V(started), V(restarted) and V(stopped) need it."}
  health_timeout: {type: float, description: "Seconds within which it has to be healthy; V(started) and V(restarted) need it."}
author: [The classvm project (!UNKNOWN)]
"""

EXAMPLES = """
- name: Stop the service
  classvm.kit.classvm_service:
    service: lab
    state: stopped
    state_dir: /var/lib/classvm
"""

RETURN = """
status: {type: dict, returned: "started, restarted, stopped", description: "As M(classvm.kit.classvm_service_info) returns it."}
maintenance_note: {type: str, returned: "started, restarted", description: "As M(classvm.kit.classvm_release) returns it."}
removed: {type: list, returned: absent, description: What was removed.}
kept: {type: list, returned: absent, description: "The volumes of folders that apps keep; they stay, and `docker volume rm` removes them."}
"""

from typing import Any, Callable, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.classvm.base.docker import Docker
from ..module_utils.classvm.base.edge import Edge
from ..module_utils.classvm.base.errors import ClassvmError
from ..module_utils.classvm.release import keep, lifecycle, removal, status

NEEDED = {
    "started": ["state_dir", "health_timeout"],
    "restarted": ["state_dir", "health_timeout"],
    "stopped": ["state_dir"],
}


def main() -> None:
    """Read the arguments, do the work, answer."""
    module = AnsibleModule(
        argument_spec={
            "state": {
                "choices": ["started", "restarted", "stopped", "absent"],
                "required": True,
            },
            "service": {"type": "str", "required": True},
            "state_dir": {"type": "path"},
            "health_timeout": {"type": "float"},
        },
        required_if=[("state", state, needed) for state, needed in NEEDED.items()],
        supports_check_mode=True,
    )
    try:
        module.exit_json(**WORK[module.params["state"]](module, Docker()))
    except ClassvmError as error:
        module.fail_json(msg=str(error))


def started(module: AnsibleModule, docker: Docker) -> Dict[str, Any]:
    """Start the live release, and the edge before it, where they do not run."""
    return _started(module, docker, lifecycle.start)


def restarted(module: AnsibleModule, docker: Docker) -> Dict[str, Any]:
    """Stop and start the live release."""
    return _started(module, docker, lifecycle.restart)


def _started(module: AnsibleModule, docker: Docker, work: Callable[..., bool]) -> Dict[str, Any]:
    docker.require_engine()
    name, state_dir = module.params["service"], module.params["state_dir"]
    if module.check_mode:
        live = lifecycle.required(docker, name)
        changed = (
            work is lifecycle.restart
            or not live.running
            or bool(Edge.load(state_dir).problem_of(live))
        )
    else:
        changed = work(docker, name, state_dir, module.params["health_timeout"])
    found = vars(status.read(docker, name, state_dir))
    return {
        "changed": changed,
        "status": found,
        "maintenance_note": Edge.load(state_dir).maintenance_note(),
    }


def stopped(module: AnsibleModule, docker: Docker) -> Dict[str, Any]:
    """Stop the live release."""
    docker.require_engine()
    name, state_dir = module.params["service"], module.params["state_dir"]
    if module.check_mode:
        changed = bool(lifecycle.running(docker, name))
    else:
        changed = lifecycle.stop(docker, name, state_dir)
    return {"changed": changed, "status": vars(status.read(docker, name, state_dir))}


def absent(module: AnsibleModule, docker: Docker) -> Dict[str, Any]:
    """Remove all containers, but no data that apps keep; without a running engine, leave them."""
    if docker.engine_version() is None:
        return {"changed": False, "removed": [], "kept": []}
    removed = removal.containers(docker)
    if removed and not module.check_mode:
        removal.remove_containers(docker)
    return {"changed": bool(removed), "removed": removed, "kept": keep.volumes(docker)}


WORK = {
    "started": started,
    "restarted": restarted,
    "stopped": stopped,
    "absent": absent,
}


if __name__ == "__main__":
    main()
