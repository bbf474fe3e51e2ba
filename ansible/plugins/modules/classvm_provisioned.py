#!/usr/bin/python
"""Compare, or record, the provision of this host."""

from __future__ import annotations

DOCUMENTATION = """
module: classvm_provisioned
short_description: Tell whether a host's provision is current, or record that it is
description:
  - With O(state=queried) compares the host with its last provision, and tells why it needs the next one and how this
    account could become root. The guard in the kernel and the engine are asked with the right that the account has.
  - With O(state=compared) tells all that is not as the provision left it, for a person who only looks, and refuses nothing.
  - With O(state=recorded) remembers the fingerprint of a provision that is complete.
  - The action plugin of the same name adds the fingerprint on the control node, and asks the host program where the host
    has one that understands the question.
options:
  state: {type: str, choices: [compared, queried, recorded, settled], default: queried, description: "What to ask, or to record; V(settled) waits until nobody is at work on the releases."}
  fingerprint: {type: str, default: "", description: Digest of the roles and their variables.}
  state_dir: {type: path, default: "", description: Folder of the host that keeps classvm's state.}
  service: {type: str, default: "", description: "Name of the service; a host that has the containers of another one is refused, because its guard would close that one's port."}
  port: {type: int, default: 0, description: "TCP port of the service; where the host needs its provision and another container or program has it, the host is refused. 0 asks nothing."}
  base_image: {type: str, default: "", description: Name of the base image that has to be here.}
  with_status: {type: bool, default: false, description: "With V(state=compared), add the status of the service; left out where no host program can be asked, or the engine is out of reach."}
  password_given: {type: bool, default: false, description: Whether the user has given the sudo password; set by the action plugin.}
author: [The classvm project (!UNKNOWN)]
"""

EXAMPLES = """
- name: Ask whether this host needs its provision
  classvm.kit.classvm_provisioned:
    playbook: "{{ playbook_dir }}/provision.yml"
    state_dir: /var/lib/classvm
    base_image: "classvm/base:18.04"
  register: provisioned
"""

RETURN = """
stale: {type: str, returned: queried, description: Why the host needs its provision; empty when it does not.}
problems: {type: list, returned: compared, description: "Why the host needs its provision again, all of it; the values of variables do not count."}
guard: {type: str, returned: compared, description: "none, loaded, missing, changed, or unknown to an account that may not list the rules."}
privilege: {type: str, returned: queried, description: "root, sudo, password or none."}
obstacle: {type: str, returned: queried, description: "What keeps an account from sudo that may use it otherwise; empty where nothing is known."}
unseen: {type: str, returned: queried, description: What only root could tell; empty when everything was asked.}
account: {type: str, returned: queried, description: Name of this account.}
password_hint: {type: str, returned: queried, description: "How this account uses the engine without a password; empty where it needs none."}
engine_access: {type: bool, returned: queried, description: Whether this account may use the engine as it is.}
ignored: {type: list, returned: queried, description: "Settings of the Docker client that the user has made and that do not count; the action plugin warns of them."}
release_only: {type: bool, returned: queried, description: "Whether this account asks the host program, through sudo, and can do nothing else."}
status: {type: dict, returned: "compared, with O(with_status)", description: "The service's, for M(classvm.kit.classvm_service_info); with it come C(service), C(finishing) and C(taken_back)."}
images: {type: dict, returned: queried, description: "What is known of the images here, for O(classvm.kit.classvm_image#module:known); empty when the provision is not current."}
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.classvm.base.errors import ClassvmError
from ..module_utils.classvm.provision import comparison


def main() -> None:
    """Read the arguments, do the work, answer."""
    module = AnsibleModule(
        argument_spec={
            "state": {
                "choices": ["compared", "queried", "recorded", "settled"],
                "default": "queried",
            },
            "fingerprint": {"type": "str", "default": ""},
            "state_dir": {"type": "path", "default": ""},
            "service": {"type": "str", "default": ""},
            "port": {"type": "int", "default": 0},
            "base_image": {"type": "str", "default": ""},
            "with_status": {"type": "bool", "default": False},
            "password_given": {"type": "bool", "default": False, "no_log": False},
        },
        supports_check_mode=True,
    )
    try:
        module.exit_json(**work(module))
    except ClassvmError as error:
        module.fail_json(msg=str(error))


def work(module: AnsibleModule) -> Dict[str, Any]:
    """Return the task's result."""
    given = dict(module.params)
    state = given.pop("state")
    del given["with_status"]  # of a host without its program, it is asked later
    if state == "settled":
        if not module.check_mode:
            comparison.settle(given["state_dir"])
        return {"changed": False}
    asked = comparison.Asked(**given)
    if state == "recorded":
        return {"changed": comparison.record(asked, check_mode=module.check_mode)}
    tell = comparison.compared if state == "compared" else comparison.before_deploy
    return {"changed": False, **tell(asked)}


if __name__ == "__main__":
    main()
