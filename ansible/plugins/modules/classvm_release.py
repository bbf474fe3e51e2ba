#!/usr/bin/python
"""Make a release live."""

from __future__ import annotations

DOCUMENTATION = """
module: classvm_release
short_description: Make a release live; what was live before stays so when the new one fails
description:
  - Starts the release as a candidate on a loopback port, checks its health and its contract, then swaps.
options:
  service: {type: str, required: true, description: Name of the service.}
  release: {type: str, required: true, description: Id of the release.}
  image: {type: str, required: true, description: Name of its image.}
  host_port: {type: int, required: true, description: TCP port of the host.}
  container_port: {type: int, required: true, description: TCP port inside the container.}
  memory: {type: str, required: true, description: "Memory limit, such as V(512m)."}
  pids: {type: int, required: true, description: Highest number of processes and threads.}
  tmpfs_size: {type: str, required: true, description: Size of the writable /tmp.}
  environment: {type: dict, default: {}, description: Further variables of the container.}
  health_timeout: {type: float, required: true, description: Seconds within which it has to be healthy.}
  contract: {type: str, default: "", description: Text of the OpenAPI file that it has to keep.}
  state_dir: {type: path, required: true, description: Folder of the host that keeps classvm's state.}
"""

EXAMPLES = """
- name: Make the release live
  classvm_release:
    service: lab
    release: 3f2a91c
    image: "classvm/lab:3f2a91c"
    host_port: "{{ service_host_port }}"
    container_port: "{{ service_container_port }}"
    memory: 512m
    pids: 128
    tmpfs_size: 64m
    health_timeout: 30
    state_dir: /var/lib/classvm
"""

RETURN = """
release: {type: str, returned: success, description: Id of the live release.}
replaced: {type: str, returned: success, description: Release that was live before; may be the same.}
container: {type: str, returned: success, description: Id of the live container.}
seconds: {type: float, returned: success, description: Duration of the swap.}
"""

import signal
import sys

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.classvm import release
from ansible.module_utils.classvm.docker import Docker
from ansible.module_utils.classvm.errors import ClassvmError

WISH = {
    "service": {"type": "str", "required": True},
    "release": {"type": "str", "required": True},
    "image": {"type": "str", "required": True},
    "host_port": {"type": "int", "required": True},
    "container_port": {"type": "int", "required": True},
    "memory": {"type": "str", "required": True},
    "pids": {"type": "int", "required": True},
    "tmpfs_size": {"type": "str", "required": True},
    "environment": {"type": "dict", "default": {}, "no_log": True},
    "health_timeout": {"type": "float", "required": True},
    "contract": {"type": "str", "default": ""},
}


def main() -> None:
    """Read the arguments, do the work, answer."""
    module = AnsibleModule(
        argument_spec={**WISH, "state_dir": {"type": "path", "required": True}},
        supports_check_mode=True,
    )
    # A terminated run undoes what it has begun, as an interrupted one does.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    wish = release.Wish(**{name: module.params[name] for name in WISH})
    docker = Docker()
    try:
        if module.check_mode:
            changed = not (docker.engine_version() and release.is_live(docker, wish))
            module.exit_json(
                changed=changed,
                release=wish.release,
                replaced="",
                container="",
                seconds=0.0,
            )
        docker.require_engine()
        outcome = release.release(docker, wish, module.params["state_dir"])
    except ClassvmError as error:
        module.fail_json(msg=str(error))
    module.exit_json(release=wish.release, **vars(outcome))


if __name__ == "__main__":
    main()
