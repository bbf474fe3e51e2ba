#!/usr/bin/python
"""Make a release live."""

from __future__ import annotations

DOCUMENTATION = """
module: classvm_release
short_description: Make a release live; what was live before stays so when the new one fails
description:
  - Starts the release as a candidate on a loopback port, checks its health and its contract, then swaps.
  - Without O(image), goes back to a release that was live before, without trying it again.
  - Each attempt gets its line in the host's history.
options:
  service: {type: str, required: true, description: Name of the service.}
  release: {type: str, required: true, description: "Id of the release; without O(image) also V(previous), the last one that is not live."}
  image: {type: str, default: "", description: "Name of its image; V() for a release of the host's history."}
  host_port: {type: int, required: true, description: TCP port of the host.}
  container_port: {type: int, required: true, description: TCP port inside the container.}
  memory: {type: str, required: true, description: "Memory limit, such as V(512m)."}
  pids: {type: int, required: true, description: Highest number of processes and threads.}
  tmpfs_size: {type: str, required: true, description: Size of the writable /tmp.}
  environment: {type: dict, default: {}, description: Further variables of the container.}
  health_timeout: {type: float, required: true, description: Seconds within which it has to be healthy.}
  contract: {type: str, default: "", description: Text of the OpenAPI file that it has to keep.}
  content: {type: str, default: "", description: "What it is made of, as JSON, for the difference to what is live; V() asks its image."}
  revision: {type: str, default: "", description: Git revision of the service's folder, for the history.}
  keep_releases: {type: int, required: true, description: How many earlier releases keep their images.}
  state_dir: {type: path, required: true, description: Folder of the host that keeps classvm's state.}
"""

EXAMPLES = """
- name: Make the release live
  classvm.kit.classvm_release:
    service: lab
    release: 3f2a91c
    image: "classvm/lab:3f2a91c"
    host_port: "{{ service_host_port }}"
    container_port: "{{ service_container_port }}"
    memory: 512m
    pids: 128
    tmpfs_size: 64m
    health_timeout: 30
    keep_releases: 5
    state_dir: /var/lib/classvm
"""

RETURN = """
release: {type: str, returned: success, description: Id of the live release.}
replaced: {type: str, returned: success, description: Release that was live before; may be the same.}
container: {type: str, returned: success, description: Id of the live container.}
gap: {type: float, returned: success, description: Longest time without an answer in seconds; null when nothing answered before.}
seconds: {type: float, returned: success, description: Duration of the swap.}
edge_is_idle: {type: bool, returned: success, description: "Whether HAProxy is on the host, though no release is behind it any more."}
removed: {type: list, returned: success, description: Images of old releases that were removed.}
"""

import signal
import sys

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.classvm.base.docker import Docker
from ..module_utils.classvm.base.errors import ClassvmError
from ..module_utils.classvm.release import go_live
from ..module_utils.classvm.release.release_spec import ReleaseSpec

RELEASE_SPEC = {
    "service": {"type": "str", "required": True},
    "release": {"type": "str", "required": True},
    "image": {"type": "str", "default": ""},
    "host_port": {"type": "int", "required": True},
    "container_port": {"type": "int", "required": True},
    "memory": {"type": "str", "required": True},
    "pids": {"type": "int", "required": True},
    "tmpfs_size": {"type": "str", "required": True},
    "environment": {"type": "dict", "default": {}, "no_log": True},
    "health_timeout": {"type": "float", "required": True},
    "contract": {"type": "str", "default": ""},
    "revision": {"type": "str", "default": ""},
}


def main() -> None:
    """Read the arguments, do the work, answer."""
    module = AnsibleModule(
        argument_spec={
            **RELEASE_SPEC,
            "content": {"type": "str", "default": ""},
            "keep_releases": {"type": "int", "required": True},
            "state_dir": {"type": "path", "required": True},
        },
        supports_check_mode=True,
    )
    # A terminated run undoes what it has begun, as an interrupted one does.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    docker = Docker()
    spec = ReleaseSpec(**{name: module.params[name] for name in RELEASE_SPEC})
    answer = {}
    try:
        if module._diff and docker.engine_version():  # noqa: SLF001 - Ansible offers no other way
            state_dir, content = module.params["state_dir"], module.params["content"]
            answer["diff"] = go_live.compare(docker, spec, state_dir, content)
        outcome = work(module, docker, spec)
    except ClassvmError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**vars(outcome), **answer)


def work(module: AnsibleModule, docker: Docker, spec: ReleaseSpec) -> go_live.Outcome:
    """Release, go back, or tell what would be done."""
    state_dir = module.params["state_dir"]
    # In a dry run on a bare host, nobody knows yet what the release will be called.
    goes_back = bool(spec.release) and not spec.image
    if module.check_mode and not goes_back and not docker.engine_version():
        return go_live.Outcome(changed=True, release=spec.release, container="", replaced="")
    docker.require_engine()
    if module.check_mode:
        return go_live.preview(docker, spec, state_dir)
    if goes_back:
        return go_live.go_back(docker, spec, state_dir)
    return go_live.release(docker, spec, state_dir, module.params["keep_releases"])


if __name__ == "__main__":
    main()
