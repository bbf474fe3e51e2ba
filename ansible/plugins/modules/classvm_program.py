#!/usr/bin/python
"""Install the host program, or remove it."""

from __future__ import annotations

DOCUMENTATION = """
module: classvm_program
short_description: Install the program by which everything that the kit does on a host is asked
description:
  - With O(state=present), installs the program C(classvm), which belongs to root, and records for which service and with which
    choices the host was provisioned.
  - The program holds its modules compiled by the Python of this host, which halves the time of a question.
  - With O(state=absent), removes the program.
  - The action plugin of the same name packs the program on the control node.
options:
  state: {type: str, choices: [present, absent], default: present, description: Whether the program is there.}
  program: {type: str, default: "", description: "The program, in base64; set by the action plugin."}
  state_dir: {type: path, default: "", description: "Folder of the host that keeps classvm's state; O(state=present) needs it."}
  choices: {type: dict, default: {}, description: "What the provision has chosen: C(service), C(guarded), and C(open_tcp), the ports that the guard opens."}
author: [The classvm project (!UNKNOWN)]
"""

EXAMPLES = """
- name: Install the host program
  classvm.kit.classvm_program:
    state_dir: /var/lib/classvm
    choices: {service: lab, guarded: true, open_tcp: [80]}
"""

RETURN = """
done: {type: list, returned: success, description: Files that were written or removed.}
"""

import base64
from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.classvm.base import command, installed
from ..module_utils.classvm.base.errors import ClassvmError
from ..module_utils.classvm.provision import host_program
from ..module_utils.classvm.provision.precompiled import precompiled


def main() -> None:
    """Read the arguments, do the work, answer."""
    module = AnsibleModule(
        argument_spec={
            "state": {"choices": ["present", "absent"], "default": "present"},
            "program": {"type": "str", "default": ""},
            "state_dir": {"type": "path", "default": ""},
            "choices": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    command.use_usual_umask()
    try:
        module.exit_json(**{"present": present, "absent": absent}[module.params["state"]](module))
    except ClassvmError as error:
        module.fail_json(msg=str(error))


def present(module: AnsibleModule) -> Dict[str, Any]:
    """Install the program where it is not the desired one."""
    given = module.params
    program = precompiled(base64.b64decode(given["program"]), installed.HERE.program)
    desired = host_program.Desired(program, given["state_dir"], given["choices"])
    missing = host_program.missing(desired)
    if missing and not module.check_mode:
        host_program.install(desired)
    return {"changed": bool(missing), "done": missing}


def absent(module: AnsibleModule) -> Dict[str, Any]:
    """Remove the program."""
    present_files = host_program.present()
    if present_files and not module.check_mode:
        host_program.remove()
    return {"changed": bool(present_files), "done": present_files}


if __name__ == "__main__":
    main()
