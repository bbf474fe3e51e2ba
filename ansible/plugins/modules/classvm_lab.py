#!/usr/bin/python
"""Provide simulated class VMs on this machine."""

from __future__ import annotations

DOCUMENTATION = """
module: classvm_lab
short_description: Provide a lab of simulated class VMs on this machine, or remove it
description:
  - Bootstraps the images of the systems, makes a private network with IPv4 and IPv6, starts each machine as a systemd
    container, and waits until it has booted and answers over SSH.
  - A machine of the lab that is not asked for any more is removed. A lab has at least one machine.
  - Writes the host keys of the machines to C(known_hosts) in the lab's folder.
options:
  name: {type: str, required: true, description: Name of the lab and of its network.}
  state: {type: str, choices: [present, absent], default: present, description: Whether the lab is there.}
  count: {type: int, default: 0, description: Number of machines; they are called vm-148-1 and so on.}
  machines:
    description: Name of each machine, and its system and groups where they differ, in the order of their addresses. Replaces O(count).
    type: list
    elements: dict
    default: []
  system: {type: str, default: ubuntu-24.04, description: What a machine runs that does not name its own system.}
  image: {type: str, default: "", description: Image to pull instead of bootstrapping the system.}
  folder: {type: path, default: "", description: Folder for the machines' name servers and their host keys (C(known_hosts)).}
  public_key: {type: str, default: "", description: Text of the SSH key that may log in as the admin.}
  keyrings: {type: dict, default: {}, description: "File with the keys that sign the archive, by distribution (debian, ubuntu)."}
author: [The classvm project (!UNKNOWN)]
"""

EXAMPLES = """
- name: Start one class VM
  classvm.kit.classvm_lab:
    name: class-vms
    count: 1
    folder: /tmp/lab
    public_key: "ssh-ed25519 …"
    keyrings: {ubuntu: /etc/classvm/ubuntu-archive-keyring.gpg}
"""

RETURN = """
machines: {type: list, returned: present, description: "Name, group, address, address6, user and port of each machine."}
bridge: {type: str, returned: present, description: The Linux bridge of the lab's network.}
gateway: {type: str, returned: present, description: IPv4 address of the control node on that network.}
gateway6: {type: str, returned: present, description: IPv6 address of the control node on that network.}
removed: {type: list, returned: absent, description: What was removed.}
"""

import os
from typing import Any, Dict, List

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.classvm.base import command, state
from ..module_utils.classvm.base.docker import Docker
from ..module_utils.classvm.base.errors import ClassvmError
from ..module_utils.classvm.lab import known_hosts, request, simulated_vms, system_image


def main() -> None:
    """Read the arguments, do the work, answer."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"choices": ["present", "absent"], "default": "present"},
            "count": {"type": "int", "default": 0},
            "machines": {"type": "list", "elements": "dict", "default": []},
            "system": {"type": "str", "default": "ubuntu-24.04"},
            "image": {"type": "str", "default": ""},
            "folder": {"type": "path", "default": ""},
            "public_key": {"type": "str", "default": ""},
            "keyrings": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    command.use_usual_umask()
    try:
        work = absent if module.params["state"] == "absent" else present
        module.exit_json(**work(module))
    except ClassvmError as error:
        module.fail_json(msg=str(error))


def absent(module: AnsibleModule) -> Dict[str, Any]:
    """Remove the lab and return the task's result."""
    docker, name = Docker(), module.params["name"]
    if docker.engine_version() is None:
        return {"changed": False, "removed": []}
    removed = (
        simulated_vms.containers(docker, name)
        if module.check_mode
        else simulated_vms.remove(docker, name)
    )
    return {"changed": bool(removed), "removed": removed}


def present(module: AnsibleModule) -> Dict[str, Any]:
    """Bring the lab up and return the task's result."""
    docker, params = Docker(), module.params
    docker.require_engine()
    name = params["name"]
    desired = request.requested(params["count"], params["machines"], params["system"])
    there = simulated_vms.containers(docker, name)
    request.require_memory(len(desired) - len(there), state.read("/proc/meminfo"))
    if module.check_mode:
        return {"changed": len(there) != len(desired), "machines": []}
    done = [
        provide_image(docker, params, system) for system in sorted({vm.system for vm in desired})
    ]
    done.append(simulated_vms.make_network(docker, name))
    network = simulated_vms.network(docker, name)
    machines = [
        simulated_vms.Machine(
            name=vm.name,
            image=params["image"] or system_image.name(vm.system),
            group=vm.group,
            **network.addresses(index),
        )
        for index, vm in enumerate(desired)
    ]
    done += start(docker, params, machines)
    return {
        "changed": any(done),
        "machines": [simulated_vms.describe(machine) for machine in machines],
        "bridge": network.bridge,
        "gateway": network.gateway,
        "gateway6": network.gateway6,
    }


def start(
    docker: Docker, params: Dict[str, Any], machines: List[simulated_vms.Machine]
) -> List[bool]:
    """Start the machines and remove all others; return for each step whether it changed anything."""
    name, folder = params["name"], params["folder"]
    done = [
        simulated_vms.remove_container(docker, one)
        for one in simulated_vms.surplus(docker, name, machines)
    ]
    resolv_conf = write_name_servers(folder)
    done += [simulated_vms.make_machine(docker, name, machine, resolv_conf) for machine in machines]
    for machine in machines:
        container = machine.container(name)
        simulated_vms.wait_for_boot(docker, container, machine.address)
        done.append(simulated_vms.authorize_key(docker, container, params["public_key"]))
    done.append(known_hosts.write(folder, known_hosts.text(docker, name, machines)))
    return done


def provide_image(docker: Docker, params: Dict[str, Any], system: str) -> bool:
    """Make sure that a system's image is here; return whether it had to be fetched or made."""
    if not params["image"]:
        return system_image.provide(docker, system, params["keyrings"])
    if docker.image(params["image"]) is not None:
        return False
    docker.check("pull", "--quiet", params["image"])
    return True


def write_name_servers(folder: str) -> str:
    """Write the control node's name servers to a file in the lab's folder; return its path."""
    path = os.path.join(folder, "resolv.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(simulated_vms.name_servers())
    return path


if __name__ == "__main__":
    main()
