#!/usr/bin/python
"""Look at the service of a host."""

from __future__ import annotations

DOCUMENTATION = """
module: classvm_service_info
short_description: Return which release is live, its log, and the history of releases
description:
  - Changes nothing.
  - Used through the action plugin of the same name. Given an C(address) and a C(port), it asks the service from the control node,
    too, and returns C(facts) and C(text) of the status; C(provision) is the result of M(classvm.kit.classvm_provisioned) with
    V(state=compared).
options:
  service: {type: str, required: true, description: Name of the service.}
  state_dir: {type: path, required: true, description: Folder of the host that keeps classvm's state.}
  log_lines: {type: int, default: 0, description: How many of the last log lines to return.}
  log_all: {type: bool, default: false, description: "Whether the lines of health checks and contract checks are among them."}
author: [The classvm project (!UNKNOWN)]
"""

EXAMPLES = """
- name: Look at the service
  classvm.kit.classvm_service_info:
    service: lab
    state_dir: /var/lib/classvm
    address: "{{ inventory_hostname }}"
    port: 11000
    provision: "{{ provisioned }}"
  register: service_found
"""

RETURN = """
status: {type: dict, returned: success, description: "C(state), C(release), C(since), C(port), C(edge), C(maintenance), C(restarts), and C(problems): how the live release differs from what was desired."}
facts: {type: dict, returned: with an address, description: "The status with what a client sees, and with what is not as the provision left it."}
text: {type: str, returned: with an address, description: "The same as a sentence."}
releases: {type: list, returned: success, description: "The host's history, the oldest first; C(mark) is live, kept, or empty."}
remark: {type: str, returned: success, description: "What the history does not show, because its file is missing or damaged."}
table: {type: str, returned: success, description: "The last lines of the history as a table."}
log: {type: str, returned: success, description: "The last log lines, in order of time."}
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.classvm.base import names
from ..module_utils.classvm.base.docker import Docker
from ..module_utils.classvm.base.errors import ClassvmError
from ..module_utils.classvm.release import history, log, prune, status, table


def main() -> None:
    """Read the arguments, do the work, answer."""
    module = AnsibleModule(
        argument_spec={
            "service": {"type": "str", "required": True},
            "state_dir": {"type": "path", "required": True},
            "log_lines": {"type": "int", "default": 0},
            "log_all": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    try:
        module.exit_json(changed=False, **look(Docker(), **module.params))
    except ClassvmError as error:
        module.fail_json(msg=str(error))


def look(
    docker: Docker, service: str, state_dir: str, log_lines: int, *, log_all: bool
) -> Dict[str, Any]:
    """Return which release is live, its log, and the history of releases."""
    docker.require_engine()
    found = status.read(docker, service, state_dir)
    shown = ""
    if log_lines and found.state != status.ABSENT:
        shown = log.read(docker, names.container_name(service), log_lines, everything=log_all)
    entries = history.read(state_dir, service)
    kept = prune.named(docker, service) if entries else []
    marks = table.marks(entries, found.release, kept)
    return {
        "status": vars(found),
        "log": shown,
        "releases": [{**vars(entry), "mark": mark} for entry, mark in zip(entries, marks)],
        "table": table.table(entries, marks),
        "remark": history.remark(state_dir, service, found.release),
    }


if __name__ == "__main__":
    main()
