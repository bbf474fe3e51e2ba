#!/usr/bin/python
"""Look for what would stop a deploy to this host."""

from __future__ import annotations

DOCUMENTATION = """
module: classvm_doctor
short_description: Find what would stop a deploy to a host
description:
  - Looks at system, rights, room, engine, guard, port and service of the host, and changes nothing.
  - The action plugin of the same name tells of a host that cannot be reached, and words the findings.
options:
  port: {type: int, required: true, description: TCP port of the host that serves the app.}
  state_dir: {type: path, required: true, description: Folder of the host that keeps classvm's state.}
  guarded: {type: bool, default: false, description: Whether the host should have the guard.}
author: [The classvm project (!UNKNOWN)]
"""

EXAMPLES = """
- name: Look at the host
  classvm.kit.classvm_doctor:
    port: "{{ service_host_port }}"
    state_dir: /var/lib/classvm
"""

RETURN = """
findings: {type: list, elements: dict, returned: always, description: "What each check found: level (ok, warn, FAIL), subject, text, fix."}
clock: {type: float, returned: always, description: "What the clock of the host shows, in seconds since 1970."}
text: {type: str, returned: success, description: "A line for the host, and one for each finding that is not in order."}
"""

import time
from dataclasses import asdict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.classvm.doctor import class_vm


def main() -> None:
    """Read the arguments, look, answer."""
    module = AnsibleModule(
        argument_spec={
            "port": {"type": "int", "required": True},
            "state_dir": {"type": "path", "required": True},
            "guarded": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    given = module.params
    found = class_vm.examine(given["port"], given["state_dir"], guarded=given["guarded"])
    module.exit_json(changed=False, findings=[asdict(one) for one in found], clock=time.time())


if __name__ == "__main__":
    main()
