#!/usr/bin/python
"""Follow the log of a service."""

from __future__ import annotations

DOCUMENTATION = """
module: classvm_log_info
short_description: Print the log of the live release as it grows, until the run is interrupted
description:
  - Used through the action plugin of the same name, which calls the module again and again and prints the lines. What the
    module does on the host ends with the control node. M(classvm.kit.classvm_service_info) returns the log as it is.
  - Goes on with the next release when one goes live.
  - Lines that health checks and contract checks cause are left out, unless O(everything) is true.
  - Changes nothing.
options:
  service: {type: str, required: true, description: Name of the service.}
  lines: {type: int, default: 50, description: How many of the lines that are there to begin with.}
  everything: {type: bool, default: false, description: "Whether the lines of health checks and contract checks are among them."}
  container: {type: str, default: "", description: Id of the container whose log was read before; set by the action plugin.}
  stamp: {type: str, default: "", description: Time stamp of the last line that was read; set by the action plugin.}
  wait: {type: float, default: 0, description: Seconds to wait for a line at most; set by the action plugin.}
author: [The classvm project (!UNKNOWN)]
"""

EXAMPLES = """
- name: Follow the log
  classvm.kit.classvm_log_info:
    service: lab
    lines: 10
"""

RETURN = """
lines: {type: list, returned: success, description: "The new lines, in order of time."}
container: {type: str, returned: success, description: "Id of the container; empty where the service was never deployed."}
stamp: {type: str, returned: success, description: Time stamp of the last line.}
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.classvm.base import client, names
from ..module_utils.classvm.base.docker import Docker
from ..module_utils.classvm.base.errors import ClassvmError
from ..module_utils.classvm.release import follow


def main() -> None:
    """Read the arguments, do the work, answer."""
    module = AnsibleModule(
        argument_spec={
            "service": {"type": "str", "required": True},
            "lines": {"type": "int", "default": 50},
            "everything": {"type": "bool", "default": False},
            "container": {"type": "str", "default": ""},
            "stamp": {"type": "str", "default": ""},
            "wait": {"type": "float", "default": 0},
        },
        supports_check_mode=True,
    )
    client.end_orderly()
    try:
        module.exit_json(changed=False, **read(Docker(), module.params))
    except ClassvmError as error:
        module.fail_json(msg=str(error))


def read(docker: Docker, params: Dict[str, Any]) -> Dict[str, Any]:
    """Wait for new lines where some were read before, and return them."""
    docker.require_engine()
    name = names.container_name(params["service"])
    position = follow.Position(params["container"], params["stamp"])
    if position.container:
        follow.wait(docker, name, position, params["wait"])
    lines, end = follow.read(
        docker, name, position, params["lines"], everything=params["everything"]
    )
    return {"lines": lines, **vars(end)}


if __name__ == "__main__":
    main()
