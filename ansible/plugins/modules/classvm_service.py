#!/usr/bin/python
"""Look at the service of a host, start or stop it, or remove its containers."""

from __future__ import annotations

DOCUMENTATION = """
module: classvm_service
short_description: Query, start, stop or remove the service
description:
  - Touches only what bears classvm's label or is named in the options.
options:
  state:
    description:
      - V(queried) tells which release is live, its last log lines, and which releases there were.
      - V(started) starts the live release where it does not run, and waits until it is healthy.
      - V(restarted) stops it first.
      - V(stopped) stops it; V(started) or the next deploy starts it.
      - V(absent) removes all containers with classvm's label, if an engine runs.
    type: str
    choices: [queried, started, restarted, stopped, absent]
    required: true
  service: {type: str, required: true, description: Name of the service.}
  log_lines: {type: int, default: 0, description: How many of the last log lines to return.}
  state_dir: {type: path, description: "Folder of the host that keeps classvm's state; V(started), V(restarted) and V(stopped) need it."}
  health_timeout: {type: float, default: 30, description: Seconds within which it has to be healthy.}
"""

EXAMPLES = """
- name: Stop the service
  classvm.kit.classvm_service:
    service: lab
    state: stopped
    state_dir: /var/lib/classvm
"""

RETURN = """
status: {type: dict, returned: "queried, started, restarted", description: "state, release and since."}
releases: {type: list, returned: queried, description: "The host's history, the oldest first; empty without O(state_dir)."}
table: {type: str, returned: queried, description: "The last lines of the history, to be read by people."}
log: {type: str, returned: queried, description: The last log lines.}
removed: {type: list, returned: absent, description: What was removed.}
"""

from typing import Any, Callable, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.classvm.base import names
from ..module_utils.classvm.base.docker import Docker
from ..module_utils.classvm.base.errors import ClassvmError
from ..module_utils.classvm.release import history, lifecycle, prune, removal, status, table

STATEFUL = ("started", "restarted", "stopped")


def main() -> None:
    """Read the arguments, do the work, answer."""
    module = AnsibleModule(
        argument_spec={
            "state": {
                "choices": ["queried", "started", "restarted", "stopped", "absent"],
                "required": True,
            },
            "service": {"type": "str", "required": True},
            "log_lines": {"type": "int", "default": 0},
            "state_dir": {"type": "path"},
            "health_timeout": {"type": "float", "default": 30},
        },
        required_if=[("state", state, ["state_dir"]) for state in STATEFUL],
        supports_check_mode=True,
    )
    try:
        module.exit_json(**WORK[module.params["state"]](module, Docker()))
    except ClassvmError as error:
        module.fail_json(msg=str(error))


def queried(module: AnsibleModule, docker: Docker) -> Dict[str, Any]:
    """Return which release is live, its log, and which releases there were."""
    docker.require_engine()
    name, lines, folder = (module.params[key] for key in ("service", "log_lines", "state_dir"))
    found = status.read(docker, name)
    there = lines and found.state != "absent"
    log = docker.logs(names.container_name(name), lines) if there else ""
    entries = history.read(folder, name) if folder else []
    kept = prune.named(docker, name) if entries else []
    return {
        "changed": False,
        "status": vars(found),
        "log": log,
        "releases": [vars(entry) for entry in entries],
        "table": table.table(entries, found.release, kept),
    }


def started(module: AnsibleModule, docker: Docker) -> Dict[str, Any]:
    """Start the live release where it does not run."""
    return _started(module, docker, lifecycle.start)


def restarted(module: AnsibleModule, docker: Docker) -> Dict[str, Any]:
    """Stop and start the live release."""
    return _started(module, docker, lifecycle.restart)


def _started(module: AnsibleModule, docker: Docker, work: Callable[..., bool]) -> Dict[str, Any]:
    docker.require_engine()
    name = module.params["service"]
    if module.check_mode:
        running = lifecycle.required(docker, name).running
        changed = work is lifecycle.restart or not running
    else:
        timeout = module.params["health_timeout"]
        changed = work(docker, name, module.params["state_dir"], timeout)
    return {"changed": changed, "status": vars(status.read(docker, name))}


def stopped(module: AnsibleModule, docker: Docker) -> Dict[str, Any]:
    """Stop the live release."""
    docker.require_engine()
    name = module.params["service"]
    if module.check_mode:
        return {"changed": status.read(docker, name).state in ("up", "unhealthy")}
    return {"changed": lifecycle.stop(docker, name, module.params["state_dir"])}


def absent(module: AnsibleModule, docker: Docker) -> Dict[str, Any]:
    """Remove all containers; without a running engine, leave them."""
    removed = removal.containers(docker) if docker.engine_version() is not None else []
    if removed and not module.check_mode:
        removal.remove_containers(docker)
    return {"changed": bool(removed), "removed": removed}


WORK = {
    "queried": queried,
    "started": started,
    "restarted": restarted,
    "stopped": stopped,
    "absent": absent,
}


if __name__ == "__main__":
    main()
