#!/usr/bin/python
"""Let the accounts of students ask about their service."""

from __future__ import annotations

DOCUMENTATION = """
module: classvm_students
short_description: Let accounts ask the host program about the service of a host, or use its engine
description:
  - The accounts have to exist. An account that is no longer named loses what this module gave it.
  - The rules for sudo are checked by C(visudo) before they count.
options:
  accounts: {type: list, elements: str, required: true, description: Names of the students' accounts.}
  engine_users: {type: list, elements: str, default: [], description: "Accounts that an admin lets use the engine: they stay in the docker group."}
  access: {type: str, choices: [release_only, docker_group], required: true, description: "V(release_only) allows the verbs of the host program, through sudo; V(docker_group) makes them members of the docker group, which is as good as root."}
author: [The classvm project (!UNKNOWN)]
"""

EXAMPLES = """
- name: Let ada ask about the service
  classvm.kit.classvm_students:
    accounts: [ada]
    access: release_only
"""

RETURN = """
done: {type: list, returned: success, description: "What was changed, a phrase each."}
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.classvm.base import command
from ..module_utils.classvm.base.errors import ClassvmError
from ..module_utils.classvm.program import student
from ..module_utils.classvm.provision import students


def main() -> None:
    """Read the arguments, do the work, answer."""
    module = AnsibleModule(
        argument_spec={
            "accounts": {"type": "list", "elements": "str", "required": True},
            "engine_users": {"type": "list", "elements": "str", "default": []},
            "access": {
                "choices": [students.RELEASE_ONLY, students.DOCKER_GROUP],
                "required": True,
            },
        },
        supports_check_mode=True,
    )
    command.use_usual_umask()
    try:
        module.exit_json(**work(module.params, check_mode=module.check_mode))
    except ClassvmError as error:
        module.fail_json(msg=str(error))


def work(params: Dict[str, Any], *, check_mode: bool) -> Dict[str, Any]:
    """Return the task's result."""
    commands = [student.argv(verb) for verb in student.VERBS]
    desired = students.Desired(
        params["accounts"], params["access"], commands, params["engine_users"]
    )
    files = students.Files.here()
    missing = students.missing(desired, files)
    if missing and not check_mode:
        students.install(desired, files)
    return {"changed": bool(missing), "done": missing}


if __name__ == "__main__":
    main()
