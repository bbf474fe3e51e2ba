#!/usr/bin/python
"""Look at the service of a host, stop it, or remove everything that classvm made."""

from __future__ import annotations

DOCUMENTATION = """
module: classvm_service
short_description: Query, stop or remove the service
description:
  - Touches only what bears classvm's label or is named in the options.
options:
  state:
    description:
      - V(queried) tells which release is live and its last log lines.
      - V(stopped) stops it; the next deploy starts it.
      - V(absent) removes containers and images with classvm's label, the base image and O(folders).
    type: str
    choices: [queried, stopped, absent]
    required: true
  service: {type: str, required: true, description: Name of the service.}
  base_image: {type: str, default: "", description: Name of the base image.}
  folders: {type: list, elements: path, default: [], description: Folders that go with V(absent).}
  log_lines: {type: int, default: 0, description: How many of the last log lines to return.}
"""

EXAMPLES = """
- name: Stop the service
  classvm_service:
    service: lab
    state: stopped
"""

RETURN = """
status: {type: dict, returned: queried, description: "state, release and since."}
log: {type: str, returned: queried, description: The last log lines.}
removed: {type: list, returned: absent, description: What was removed.}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.classvm import service
from ansible.module_utils.classvm.docker import Docker
from ansible.module_utils.classvm.errors import ClassvmError


def main() -> None:
    """Read the arguments, do the work, answer."""
    module = AnsibleModule(
        argument_spec={
            "state": {"choices": ["queried", "stopped", "absent"], "required": True},
            "service": {"type": "str", "required": True},
            "base_image": {"type": "str", "default": ""},
            "folders": {"type": "list", "elements": "path", "default": []},
            "log_lines": {"type": "int", "default": 0},
        },
        supports_check_mode=True,
    )
    try:
        module.exit_json(**WORK[module.params["state"]](module, Docker()))
    except ClassvmError as error:
        module.fail_json(msg=str(error))


def queried(module: AnsibleModule, docker: Docker) -> dict:
    """Return which release is live, and its log."""
    docker.require_engine()
    name, lines = module.params["service"], module.params["log_lines"]
    status = service.status(docker, name)
    there = lines and status.state != "absent"
    log = docker.logs(service.container_name(name), lines) if there else ""
    return {"changed": False, "status": vars(status), "log": log}


def stopped(module: AnsibleModule, docker: Docker) -> dict:
    """Stop the live release."""
    docker.require_engine()
    name = module.params["service"]
    if module.check_mode:
        return {"changed": service.status(docker, name).state in ("up", "unhealthy")}
    return {"changed": service.stop(docker, name)}


def absent(module: AnsibleModule, docker: Docker) -> dict:
    """Remove all that classvm made."""
    work = service.present if module.check_mode else service.remove
    removed = work(docker, module.params["base_image"], module.params["folders"])
    return {"changed": bool(removed), "removed": removed}


WORK = {"queried": queried, "stopped": stopped, "absent": absent}


if __name__ == "__main__":
    main()
