#!/usr/bin/python
"""Provide a real virtual machine on this machine."""

from __future__ import annotations

DOCUMENTATION = """
module: classvm_virtual_machine
short_description: Provide a real virtual machine as a bare class VM, or remove it
description:
  - Bootstraps the disk of the system once, copies it for each machine, plugs the machine into a bridge as a neighbour
    of whoever is there, starts it with QEMU and waits until SSH answers at each of its addresses.
  - A machine that is there with other options is made anew; what was on its disk is lost.
options:
  name: {type: str, required: true, description: Host name.}
  state: {type: str, choices: [present, absent], default: present, description: Whether it shall be there.}
  folder: {type: path, required: true, description: Folder for what belongs to machines; each gets one of its own in it.}
  cache:
    description: Folder that keeps the disks that machines start from; by default the user's, C(~/.cache/classvm).
    type: path
    default: ""
  system: {type: str, default: ubuntu-22.04, description: What the machine runs.}
  bridge: {type: str, description: The Linux bridge that it is plugged into. Required for V(present).}
  address: {type: str, description: Its IPv4 address in a network of the bridge. Required for V(present).}
  address6: {type: str, default: "", description: Its IPv6 address in a network of the bridge; none without it.}
  dns: {type: list, elements: str, default: [], description: Its name servers; by default those of this machine.}
  public_key: {type: str, description: Text of the SSH key that may log in as the admin. Required for V(present).}
  keyring: {type: path, description: File with the keys that sign the system's archive. Required for V(present).}
  memory: {type: int, default: 2048, description: Memory in MiB.}
  processors: {type: int, default: 2, description: Number of processors.}
  accelerator:
    description:
      - How QEMU executes the machine. The default works everywhere; V(kvm) is many times as fast where it works,
        which the mere presence of C(/dev/kvm) does not tell.
    type: str
    default: tcg,thread=multi,tb-size=512
  timeout: {type: float, default: 300, description: Seconds until SSH has to answer.}
"""

EXAMPLES = """
- name: Start a virtual machine
  classvm.kit.classvm_virtual_machine:
    name: vm-148-9
    folder: /tmp/lab
    bridge: br-0123456789ab
    address: 192.0.2.9
    address6: 2001:db8::9
    public_key: "ssh-ed25519 …"
    keyring: /etc/classvm/ubuntu-archive-keyring.gpg
"""

RETURN = """
machine: {type: dict, returned: present, description: Name, address, address6, user and port.}
console: {type: str, returned: present, description: File with everything the machine wrote to its console.}
"""

import os
from typing import Any, Dict, Tuple

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.classvm.base.errors import ClassvmError
from ..module_utils.classvm.lab import simulated_vms, system_image, virtual_machine, vm_disk


def main() -> None:
    """Read the arguments, do the work, answer."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"choices": ["present", "absent"], "default": "present"},
            "folder": {"type": "path", "required": True},
            "cache": {"type": "path", "default": ""},
            "system": {"type": "str", "default": "ubuntu-22.04"},
            "bridge": {"type": "str"},
            "address": {"type": "str"},
            "address6": {"type": "str", "default": ""},
            "dns": {"type": "list", "elements": "str", "default": []},
            "public_key": {"type": "str"},
            "keyring": {"type": "path"},
            "memory": {"type": "int", "default": 2048},
            "processors": {"type": "int", "default": 2},
            "accelerator": {"type": "str", "default": "tcg,thread=multi,tb-size=512"},
            "timeout": {"type": "float", "default": 300},
        },
        required_if=[("state", "present", ("bridge", "address", "public_key", "keyring"))],
        supports_check_mode=True,
    )
    try:
        work = absent if module.params["state"] == "absent" else present
        module.exit_json(**work(module))
    except ClassvmError as error:
        module.fail_json(msg=str(error))


def absent(module: AnsibleModule) -> Dict[str, Any]:
    """Remove the machine and return the task's result."""
    machine = desired(module.params, dns=())
    there = virtual_machine.is_there(machine)
    if not module.check_mode:
        virtual_machine.remove(machine)
    return {"changed": there}


def present(module: AnsibleModule) -> Dict[str, Any]:
    """Bring the machine up and return the task's result."""
    params = module.params
    dns = params["dns"] or virtual_machine.name_servers(simulated_vms.name_servers())
    machine = desired(params, dns=tuple(dns))
    change = virtual_machine.plan(machine)
    if not module.check_mode:
        virtual_machine.require_programs()
        cache = params["cache"] or vm_disk.cache_folder()
        virtual_machine.apply(machine, change, cache, params["keyring"])
        virtual_machine.wait_for_ssh(machine, params["timeout"])
    return {
        "changed": bool(change),
        "machine": {
            "name": machine.name,
            "address": params["address"],
            "address6": params["address6"],
            "user": system_image.ADMIN,
            "port": simulated_vms.SSH_PORT,
        },
        "console": machine.console,
    }


def desired(params: Dict[str, Any], dns: Tuple[str, ...]) -> virtual_machine.Machine:
    """Return the machine that the options describe."""
    addresses = (params["address"], params["address6"])
    return virtual_machine.Machine(
        name=params["name"],
        folder=os.path.join(params["folder"], params["name"]),
        system=params["system"],
        bridge=params["bridge"],
        addresses=tuple(address for address in addresses if address),
        dns=dns,
        public_key=params["public_key"],
        memory=params["memory"],
        processors=params["processors"],
        accelerator=params["accelerator"],
    )


if __name__ == "__main__":
    main()
