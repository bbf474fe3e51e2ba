#!/usr/bin/python
"""Record how the releases of students are built, and how they run."""

from __future__ import annotations

DOCUMENTATION = """
module: classvm_student_record
short_description: Record how the releases of students are built and how they run, which is not theirs to choose
description:
  - The host program takes from the record what the request of a student may not say.
options:
  settings: {type: dict, required: true, description: "How a release runs, as a request of the host program has it, without C(environment)."}
  environment: {type: dict, default: {}, description: "Further variables of the container, one line each."}
  keep_releases: {type: int, required: true, description: How many earlier releases keep their images.}
  base_image: {type: str, required: true, description: Name of the image on which every app is built.}
  build: {type: dict, required: true, description: "Bounds of a build: C(memory), C(pids), C(cpus), C(seconds), C(disk)."}
  state_dir: {type: path, required: true, description: Folder of the host that keeps classvm's state.}
author: [The classvm project (!UNKNOWN)]
"""

EXAMPLES = """
- name: Record how the releases of students run
  classvm.kit.classvm_student_record:
    settings:
      host_port: 80
      container_port: 8080
      limits: {memory: 512m, pids: "128", tmpfs_size: 64m}
      seconds: {health: 30, steady: 3, contract: 120, stop: 3, request: 30}
    keep_releases: 5
    base_image: "classvm/base:18.04"
    build: {memory: 1g, pids: 512, cpus: 1, seconds: 900, disk: 4g}
    state_dir: /var/lib/classvm
"""

RETURN = """
file: {type: str, returned: success, description: File with the record.}
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.classvm.base.errors import ClassvmError
from ..module_utils.classvm.program import student_record

ARGUMENTS: Dict[str, Any] = {
    "settings": {"type": "dict", "required": True},
    "environment": {"type": "dict", "default": {}, "no_log": True},
    "keep_releases": {"type": "int", "required": True},
    "base_image": {"type": "str", "required": True},
    "build": {"type": "dict", "required": True},
    "state_dir": {"type": "path", "required": True},
}


def main() -> None:
    """Read the arguments, do the work, answer."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    given = dict(module.params)
    state_dir, environment = given.pop("state_dir"), given.pop("environment")
    variables = {name: str(value) for name, value in environment.items()}
    given["settings"] = {**given["settings"], "environment": variables}
    try:
        changed = student_record.differs(state_dir, given)
        if changed and not module.check_mode:
            student_record.write(state_dir, given)
        module.exit_json(changed=changed, file=student_record.path(state_dir))
    except ClassvmError as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
