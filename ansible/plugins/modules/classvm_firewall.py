#!/usr/bin/python
"""Guard a class VM, or open a port in the firewall that a machine already has."""

from __future__ import annotations

DOCUMENTATION = """
module: classvm_firewall
short_description: Install the default-deny guard, or open ports in the firewall that is there
description:
  - The guard is a table of our own in nftables that filters before Docker rewrites addresses.
options:
  state:
    description:
      - V(opened) opens the ports in an active ufw or firewalld and restricts nothing.
      - V(guarded) does that and loads the guard on trial; it is taken back unless V(confirmed) follows.
      - V(confirmed) keeps the guard that is on trial.
      - V(absent) removes the guard.
    type: str
    choices: [opened, guarded, confirmed, absent]
    required: true
  open_tcp: {type: list, elements: int, default: [], description: TCP ports of the host that anybody may reach.}
  rules: {type: str, default: "", description: "Text of the nftables rules; they refer to SSH, OPEN_TCP and DHCP_CLIENT."}
author: [The classvm project (!UNKNOWN)]
"""

EXAMPLES = """
- name: Open the service's port
  classvm.kit.classvm_firewall:
    state: opened
    open_tcp: ["{{ service_host_port }}"]
"""

RETURN = """
on_trial: {type: bool, returned: success, description: Whether the guard waits for its confirmation.}
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.classvm.base import command
from ..module_utils.classvm.base.errors import ClassvmError
from ..module_utils.classvm.provision import guard, host_firewall


def main() -> None:
    """Read the arguments, do the work, answer."""
    module = AnsibleModule(
        argument_spec={
            "state": {
                "choices": ["opened", "guarded", "confirmed", "absent"],
                "required": True,
            },
            "open_tcp": {"type": "list", "elements": "int", "default": []},
            "rules": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    command.use_usual_umask()
    try:
        module.exit_json(**WORK[module.params["state"]](module))
    except ClassvmError as error:
        module.fail_json(msg=str(error))


def opened(module: AnsibleModule) -> Dict[str, Any]:
    """Open the ports in the active firewalls."""
    closed = [
        (fw, port) for port in module.params["open_tcp"] for fw in host_firewall.closed_in(port)
    ]
    for name, port in closed if not module.check_mode else []:
        host_firewall.open_in(name, port)
    return {"changed": bool(closed), "on_trial": False}


def guarded(module: AnsibleModule) -> Dict[str, Any]:
    """Open the ports, then load the guard on trial."""
    result = opened(module)
    desired = guard.ruleset(
        module.params["rules"],
        module.params["open_tcp"],
        guard.ssh_ports(),
        guard.dhcp_client_ports(),
    )
    if not guard.is_current(desired):
        if not module.check_mode:
            guard.try_out(desired)
        result = {"changed": True, "on_trial": not module.check_mode}
    return result


def confirmed(module: AnsibleModule) -> Dict[str, Any]:
    """Keep the guard that is on trial."""
    if not module.check_mode:
        guard.confirm()
    return {"changed": True, "on_trial": False}


def absent(module: AnsibleModule) -> Dict[str, Any]:
    """Remove the guard."""
    if module.check_mode:
        return {"changed": guard.is_there(), "on_trial": False}
    return {"changed": guard.remove(), "on_trial": False}


WORK = {"opened": opened, "guarded": guarded, "confirmed": confirmed, "absent": absent}


if __name__ == "__main__":
    main()
