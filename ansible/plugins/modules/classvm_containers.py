#!/usr/bin/python
"""Remove the containers of all releases."""

from __future__ import annotations

DOCUMENTATION = """
module: classvm_containers
short_description: Remove the containers of all releases
description:
  - Removes all containers with classvm's label, if an engine runs; the data that apps keep stay.
  - Waits for a swap that a deploy has left to the background, which would make them anew.
options:
  state: {type: str, choices: [absent], required: true, description: "V(absent): none is left."}
author: [The classvm project (!UNKNOWN)]
"""

EXAMPLES = """
- name: Remove the containers of all releases
  classvm.kit.classvm_containers:
    state: absent
"""

RETURN = """
removed: {type: list, returned: success, description: What was removed.}
kept: {type: list, returned: success, description: "The volumes of folders that apps keep; they stay, and `docker volume rm` removes them."}
"""

import contextlib
import os
from typing import Any, ContextManager, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.classvm.base import installed, locks
from ..module_utils.classvm.base.docker import Docker
from ..module_utils.classvm.base.errors import ClassvmError
from ..module_utils.classvm.release import keep, removal


def main() -> None:
    """Do the work, answer."""
    module = AnsibleModule(
        argument_spec={"state": {"choices": ["absent"], "required": True}}, supports_check_mode=True
    )
    try:
        module.exit_json(**removed(Docker(), check_mode=module.check_mode))
    except ClassvmError as error:
        module.fail_json(msg=str(error))


def removed(docker: Docker, *, check_mode: bool) -> Dict[str, Any]:
    """Remove all containers, but no data that apps keep; without a running engine, leave them."""
    if docker.engine_version() is None:
        return {"changed": False, "removed": [], "kept": []}
    found = removal.containers(docker)
    if found and not check_mode:
        with _nobody_else():
            removal.remove_containers(docker)
    return {"changed": bool(found), "removed": found, "kept": keep.volumes(docker)}


def _nobody_else() -> ContextManager[object]:
    """Return what keeps others from the releases; on a host without a state folder, nobody is there."""
    state_dir = installed.state_dir()
    return locks.held(state_dir) if os.path.isdir(state_dir) else contextlib.nullcontext()


if __name__ == "__main__":
    main()
