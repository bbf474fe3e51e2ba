#!/usr/bin/python
"""Compare, or record, the provision of this host."""

from __future__ import annotations

DOCUMENTATION = """
module: classvm_provisioned
short_description: Tell whether a host's provision is current, or record that it is
description:
  - With O(state=queried) compares the host with its last provision, and tells why it needs the next one and how this
    account could become root. The guard in the kernel and the engine are asked with the right that the account has.
  - With O(state=account) tells only what this account may do.
  - With O(state=compared) tells all that is not as the provision left it, for a person who only looks, and refuses nothing.
  - With O(state=recorded) remembers the fingerprint of a provision that is complete.
  - The action plugin of the same name adds the fingerprint on the control node. It asks nothing that an earlier play was
    told (C(known)), and refuses a command that needs root (C(root_for)) where the account cannot become root.
options:
  state: {type: str, choices: [account, compared, queried, recorded], default: queried, description: "What to ask, or to record."}
  fingerprint: {type: str, default: "", description: Digest of the roles and their variables.}
  state_dir: {type: path, default: "", description: Folder of the host that keeps classvm's state.}
  service: {type: str, default: "", description: "Name of the service; a host that has the containers of another one is refused, because its guard would close that one's port."}
  port: {type: int, default: 0, description: "TCP port of the service; where the host needs its provision and another container or program has it, the host is refused. 0 asks nothing."}
  base_image: {type: str, default: "", description: Name of the base image that has to be here.}
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
images: {type: dict, returned: queried, description: "What is known of the images here, for O(classvm.kit.classvm_image#module:known); empty when the provision is not current."}
"""

import os
from typing import Any, Dict, Optional, Sequence

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.classvm.base import account, host
from ..module_utils.classvm.base.docker import SOCKET, Docker, ignored_settings
from ..module_utils.classvm.base.errors import ClassvmError
from ..module_utils.classvm.image import image_labels
from ..module_utils.classvm.provision import freshness, guard, port

SPACE_MEGABYTES = 10


def main() -> None:
    """Read the arguments, do the work, answer."""
    module = AnsibleModule(
        argument_spec={
            "state": {
                "choices": ["account", "compared", "queried", "recorded"],
                "default": "queried",
            },
            "fingerprint": {"type": "str", "default": ""},
            "state_dir": {"type": "path", "default": ""},
            "service": {"type": "str", "default": ""},
            "port": {"type": "int", "default": 0},
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
    described = describe_account()
    if module.params["state"] == "account":
        return {"changed": False, "stale": "", **described}
    if module.params["state"] == "compared":
        return compare(module.params, described)
    desired, state_dir = module.params["fingerprint"], module.params["state_dir"]
    host.require_space(state_dir, SPACE_MEGABYTES)
    asking = freshness.Account(
        may_provision=described["privilege"] != "none" or module.params["password_given"],
        as_root=account.root_argv(described["privilege"]),
    )
    docker = asked_engine(described, asking.as_root)
    require_only_service(docker, module.params["service"], state_dir)
    recording = module.params["state"] == "recorded"
    if recording and not module.check_mode:
        freshness.repair_state(state_dir)
    stale = freshness.why_stale(docker, state_dir, desired, module.params["base_image"], asking)
    if recording:
        if stale and not module.check_mode:
            freshness.write_record(state_dir, desired)
        return {"changed": bool(stale)}
    if stale and asking.may_provision and module.params["port"]:
        port.require_port(docker, state_dir, module.params["service"], module.params["port"])
    warn_of_ignored_settings(module)
    return {
        "changed": False,
        "stale": stale,
        "unseen": freshness.unseen(docker, asking),
        "images": {} if stale else known_images(docker, module.params["base_image"]),
        **described,
    }


def compare(params: Dict[str, Any], described: Dict[str, Any]) -> Dict[str, Any]:
    """Return what is not as the provision left it."""
    as_root, state_dir = account.root_argv(described["privilege"]), params["state_dir"]
    docker = asked_engine(described, as_root)
    problems = freshness.problems(
        docker, state_dir, params["fingerprint"], params["base_image"], as_root
    )
    return {
        "changed": False,
        "stale": "",
        "problems": problems,
        "guard": guard.standing(as_root, expected=is_guarded(state_dir)),
        "unseen": freshness.unseen(docker, freshness.Account(as_root=as_root)),
        **described,
    }


def is_guarded(state_dir: str) -> bool:
    """Tell whether the last provision has installed a guard, as far as this account may know."""
    try:
        return bool(host.choices(state_dir).get("guarded"))
    except ClassvmError:
        return False


def asked_engine(described: Dict[str, Any], as_root: Optional[Sequence[str]]) -> Docker:
    """Return the engine, asked with the right that this account has."""
    return Docker(as_root=() if described["engine_access"] else as_root or ())


def require_only_service(docker: Docker, service: str, state_dir: str) -> None:
    """Refuse to provision for another service than the one that is here.

    The engine is asked only where the last provision was for another one.
    """
    try:
        last = host.choices(state_dir).get("service", service)
    except ClassvmError:
        # Who cannot read the state folder has to provision: as root, that repairs it and asks again.
        return
    if service and last != service and docker.engine_version() is not None:
        host.require_only_service(docker, state_dir, service, image_labels.LABEL_SERVICE)


def warn_of_ignored_settings(module: AnsibleModule) -> None:
    """Tell a user whose Docker client is set to another engine that this does not count."""
    ignored = ignored_settings()
    if ignored:
        module.warn(f"Ignored: {', '.join(ignored)}. classvm uses the engine at {SOCKET}.")


def known_images(docker: Docker, base_image: str) -> Dict[str, Any]:
    """Return what is known of the images here; {} when this account may not ask the engine."""
    try:
        return image_labels.known(docker, base_image)
    except ClassvmError:
        return {}


def describe_account() -> Dict[str, Any]:
    """Return what this account may do on the host."""
    name, groups = account.name(), account.groups()
    privilege = account.privilege(sorted(groups))
    return {
        "account": name,
        "privilege": privilege,
        "obstacle": account.obstacle() if privilege == "none" else "",
        "engine_access": os.geteuid() == 0 or account.ENGINE_GROUP in groups,
        "password_hint": account.without_password(name, groups, account.listed_groups(name)),
    }


if __name__ == "__main__":
    main()
