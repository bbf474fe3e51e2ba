#!/usr/bin/python
"""Run HAProxy in front of the releases of a host, or remove it."""

from __future__ import annotations

DOCUMENTATION = """
module: classvm_edge
short_description: Run HAProxy in front of the releases of a host, or remove it
description:
  - With O(strategy=blue_green), validates O(config), installs it and runs HAProxy with it. HAProxy waits for its port
    while a release publishes that itself.
  - With O(strategy=recreate), removes HAProxy. While a release is behind it, only records that the next release
    has to publish the port itself.
options:
  strategy: {type: str, choices: [recreate, blue_green], required: true, description: How releases go live.}
  service: {type: str, description: Name of the service.}
  port: {type: int, description: TCP port of the host that shows the service.}
  slots: {type: dict, description: Loopback port by slot.}
  state_dir: {type: path, required: true, description: Folder of the host that keeps classvm's state.}
  config: {type: str, description: Text of HAProxy's configuration.}
  unit: {type: str, description: Text of the drop-in for HAProxy's unit.}
author: [The classvm project (!UNKNOWN)]
"""

EXAMPLES = """
- name: Remove HAProxy, unless the live release is behind it
  classvm.kit.classvm_edge:
    strategy: recreate
    service: lab
    state_dir: /var/lib/classvm
"""

RETURN = """
done: {type: list, returned: success, description: What was changed or removed.}
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.classvm.base import command
from ..module_utils.classvm.base.docker import Docker
from ..module_utils.classvm.base.edge import BLUE_GREEN, RECREATE, Edge
from ..module_utils.classvm.base.errors import ClassvmError
from ..module_utils.classvm.provision import haproxy


def main() -> None:
    """Read the arguments, do the work, answer."""
    module = AnsibleModule(
        argument_spec={
            "strategy": {"choices": [RECREATE, BLUE_GREEN], "required": True},
            "service": {"type": "str"},
            "port": {"type": "int"},
            "slots": {"type": "dict"},
            "state_dir": {"type": "path", "required": True},
            "config": {"type": "str"},
            "unit": {"type": "str"},
        },
        required_if=[
            ("strategy", RECREATE, ["service"]),
            ("strategy", BLUE_GREEN, ["service", "port", "slots", "config", "unit"]),
        ],
        supports_check_mode=True,
    )
    works = {BLUE_GREEN: present, RECREATE: absent}
    command.use_usual_umask()
    try:
        module.exit_json(**works[module.params["strategy"]](module))
    except ClassvmError as error:
        module.fail_json(msg=str(error))


def present(module: AnsibleModule) -> Dict[str, Any]:
    """Run HAProxy in front of the releases."""
    given = module.params
    edge = Edge(
        strategy=BLUE_GREEN,
        port=given["port"],
        slots={slot: int(port) for slot, port in given["slots"].items()},
        socket=haproxy.SOCKET,
        state_dir=given["state_dir"],
    )
    desired = haproxy.Desired(edge, given["config"], given["unit"])
    missing = haproxy.missing(desired)
    if missing and not module.check_mode:
        haproxy.install(desired)
    return {"changed": bool(missing), "done": missing}


def absent(module: AnsibleModule) -> Dict[str, Any]:
    """Remove HAProxy, unless the live release is behind it."""
    files, edge = haproxy.Files(), Edge(state_dir=module.params["state_dir"])
    remains = haproxy.remains(files, edge)
    if remains and haproxy.is_used(Docker(), module.params["service"]):
        takes_releases = Edge.load(edge.state_dir).takes_releases
        if takes_releases and not module.check_mode:
            haproxy.leave(edge)
        return {"changed": takes_releases, "done": []}
    if remains and not module.check_mode:
        haproxy.remove(files, edge)
    return {"changed": bool(remains), "done": remains}


if __name__ == "__main__":
    main()
