#!/usr/bin/python
"""Compare, or record, the provision of this host."""

from __future__ import annotations

DOCUMENTATION = """
module: classvm_provisioned
short_description: Tell whether a host's provision is current, or record that it is
description:
  - With O(state=queried) tells why the host needs its provision, and how this account could become root.
  - With O(state=account) tells only what this account may do.
  - With O(state=recorded) remembers the fingerprint of a provision that is complete.
  - The action plugin of the same name adds the fingerprint on the control node.
options:
  state: {type: str, choices: [account, queried, recorded], default: queried, description: What to ask, or to record.}
  fingerprint: {type: str, default: "", description: Digest of the roles and their variables.}
  state_dir: {type: path, default: "", description: Folder of the host that keeps classvm's state.}
  base_image: {type: str, default: "", description: Name of the base image that has to be here.}
  password_given: {type: bool, default: false, description: Whether the user has told the sudo password; set by the action plugin.}
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
privilege: {type: str, returned: queried, description: root, sudo, password or none.}
engine_access: {type: bool, returned: queried, description: Whether this account may use the engine as it is.}
images: {type: dict, returned: queried, description: "What is known of the images here, for O(classvm_image#module:known); empty when the provision is not current."}
"""

import grp
import os
from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.classvm.base import account, host
from ..module_utils.classvm.base.docker import Docker
from ..module_utils.classvm.base.errors import ClassvmError
from ..module_utils.classvm.image import service_image
from ..module_utils.classvm.provision import freshness

SPACE_MEGABYTES = 10


def main() -> None:
    """Read the arguments, do the work, answer."""
    module = AnsibleModule(
        argument_spec={
            "state": {"choices": ["account", "queried", "recorded"], "default": "queried"},
            "fingerprint": {"type": "str", "default": ""},
            "state_dir": {"type": "path", "default": ""},
            "base_image": {"type": "str", "default": ""},
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
    account = describe_account()
    if module.params["state"] == "account":
        return {"changed": False, "stale": "", **account}
    desired, state_dir = module.params["fingerprint"], module.params["state_dir"]
    host.require_space(state_dir, SPACE_MEGABYTES)
    stale = freshness.why_stale(
        Docker(),
        state_dir,
        desired,
        module.params["base_image"],
        may_provision=account["privilege"] != "none" or module.params["password_given"],
    )
    if module.params["state"] == "recorded":
        if stale and not module.check_mode:
            freshness.write_record(state_dir, desired)
        return {"changed": bool(stale)}
    images = {} if stale else known_images(module.params["base_image"])
    return {"changed": False, "stale": stale, "images": images, **account}


def known_images(base_image: str) -> Dict[str, Any]:
    """Return what is known of the images here; {} when this account may not ask the engine."""
    try:
        return service_image.known(Docker(), base_image)
    except ClassvmError:
        return {}


def describe_account() -> Dict[str, Any]:
    """Return what this account may do on the host."""
    here = set(os.getgroups())
    groups = [group.gr_name for group in grp.getgrall() if group.gr_gid in here]
    return {
        "privilege": account.privilege(groups),
        "engine_access": os.geteuid() == 0 or "docker" in groups,
    }


if __name__ == "__main__":
    main()
