#!/usr/bin/python
"""Look at the service of a host."""

from __future__ import annotations

DOCUMENTATION = """
module: classvm_service_info
short_description: Return which release is live, its log, and the history of releases
description:
  - Changes nothing.
options:
  service: {type: str, required: true, description: Name of the service.}
  state_dir: {type: path, required: true, description: Folder of the host that keeps classvm's state.}
  log_lines: {type: int, default: 0, description: How many of the last log lines to return.}
author: [The classvm project (!UNKNOWN)]
"""

EXAMPLES = """
- name: Look at the service
  classvm.kit.classvm_service_info:
    service: lab
    state_dir: /var/lib/classvm
  register: service_found
"""

RETURN = """
status: {type: dict, returned: success, description: "C(state), C(release), C(since), C(port), and C(problems): how the live release differs from what was desired."}
releases: {type: list, returned: success, description: "The host's history, the oldest first."}
table: {type: str, returned: success, description: "The last lines of the history as a table."}
log: {type: str, returned: success, description: The last log lines.}
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.classvm.base import names
from ..module_utils.classvm.base.docker import Docker
from ..module_utils.classvm.base.errors import ClassvmError
from ..module_utils.classvm.release import history, prune, status, table


def main() -> None:
    """Read the arguments, do the work, answer."""
    module = AnsibleModule(
        argument_spec={
            "service": {"type": "str", "required": True},
            "state_dir": {"type": "path", "required": True},
            "log_lines": {"type": "int", "default": 0},
        },
        supports_check_mode=True,
    )
    try:
        module.exit_json(changed=False, **look(Docker(), **module.params))
    except ClassvmError as error:
        module.fail_json(msg=str(error))


def look(docker: Docker, service: str, state_dir: str, log_lines: int) -> Dict[str, Any]:
    """Return which release is live, its log, and the history of releases."""
    docker.require_engine()
    found = status.read(docker, service, state_dir)
    wants_log = log_lines and found.state != status.ABSENT
    log = docker.logs(names.container_name(service), log_lines) if wants_log else ""
    entries = history.read(state_dir, service)
    kept = prune.named(docker, service) if entries else []
    return {
        "status": vars(found),
        "log": log,
        "releases": [vars(entry) for entry in entries],
        "table": table.table(entries, found.release, kept),
    }


if __name__ == "__main__":
    main()
