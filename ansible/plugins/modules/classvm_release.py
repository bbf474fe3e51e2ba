#!/usr/bin/python
"""Make a release live, or roll back to one that was."""

from __future__ import annotations

DOCUMENTATION = """
module: classvm_release
short_description: Make a release live; if that fails, the release that was live before still is
description:
  - With O(state=live), starts the release as a candidate on a loopback port, checks its health and its contract, then swaps.
  - With O(state=rolled_back), makes a release live again that was live before; it does not have to prove itself again.
  - Each attempt gets its line in the host's history.
  - The image's name derives from O(service) and O(release).
options:
  state: {type: str, choices: [live, rolled_back], default: live, description: Whether to deploy a release or to go back to one.}
  service: {type: str, required: true, description: Name of the service.}
  release: {type: str, default: previous, description: "Id of the release; O(state=live) requires it, and only V(rolled_back) knows V(previous), the last one that is not live now."}
  host_port: {type: int, required: true, description: TCP port of the host.}
  container_port: {type: int, required: true, description: TCP port inside the container.}
  limits: {type: dict, required: true, description: "Value of each limit by name: C(memory) and C(tmpfs_size), such as V(512m), and C(pids)."}
  seconds:
    type: dict
    required: true
    description: How long things may take.
    suboptions:
      health: {type: float, required: true, description: Until a release has to be healthy.}
      steady: {type: float, required: true, description: A candidate has to stay up so long after it became healthy.}
      contract: {type: float, required: true, description: For all calls of the contract check together.}
      stop: {type: float, required: true, description: From the signal to end until the container is killed.}
      request: {type: float, required: true, description: The longest that a request may take.}
  environment: {type: dict, default: {}, description: "Further variables of the container, one line each."}
  contract: {type: str, default: "", description: "What the candidate has to keep: the contract document, as JSON, of O(classvm.kit.classvm_image#module:contract); V() checks nothing."}
  checker_image: {type: str, default: "", description: Name of the image in which the contract is checked.}
  checker_program: {type: str, default: "", description: "Python source that checks it there; set by the action plugin of the same name."}
  content: {type: str, default: "", description: "What the release is made of, as JSON, for the difference to the live one; V() reads it from the image."}
  revision: {type: str, default: "", description: "Git revision of the app's folder, for the history."}
  keep_releases: {type: int, required: true, description: How many earlier releases keep their images.}
  state_dir: {type: path, required: true, description: Folder of the host that keeps classvm's state.}
author: [The classvm project (!UNKNOWN)]
"""

EXAMPLES = """
- name: Make the release live
  classvm.kit.classvm_release:
    service: lab
    release: 3f2a91c
    host_port: "{{ service_host_port }}"
    container_port: "{{ service_container_port }}"
    limits: {memory: 512m, pids: 128, tmpfs_size: 64m}
    seconds: {health: 30, steady: 3, contract: 120, stop: 3, request: 30}
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
maintenance_note: {type: str, returned: success, description: "What a closing line adds to the address while HAProxy answers clients with 503; else empty."}
classvm_notes: {type: list, returned: success, description: "What a person should know, a line each: how the release breaks its contract, where that is no reason to refuse it, and which operations were not checked."}
removed: {type: list, returned: success, description: Images of old releases that were removed.}
"""

import dataclasses
from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.classvm.base import client
from ..module_utils.classvm.base.docker import Docker
from ..module_utils.classvm.base.errors import ClassvmError
from ..module_utils.classvm.release import go_live
from ..module_utils.classvm.release.release_spec import ReleaseSpec, Seconds
from ..module_utils.classvm.release.rollback import PREVIOUS

SECONDS = {one.name: {"type": "float", "required": True} for one in dataclasses.fields(Seconds)}
SPEC = {
    "service": {"type": "str", "required": True},
    "release": {"type": "str", "default": PREVIOUS},
    "host_port": {"type": "int", "required": True},
    "container_port": {"type": "int", "required": True},
    "limits": {"type": "dict", "required": True},
    "seconds": {"type": "dict", "required": True, "options": SECONDS},
    "environment": {"type": "dict", "default": {}, "no_log": True},
    "contract": {"type": "str", "default": ""},
    "checker_image": {"type": "str", "default": ""},
    "checker_program": {"type": "str", "default": ""},
    "revision": {"type": "str", "default": ""},
}


def main() -> None:
    """Read the arguments, do the work, answer."""
    module = AnsibleModule(
        argument_spec={
            "state": {"choices": ["live", "rolled_back"], "default": "live"},
            **SPEC,
            "content": {"type": "str", "default": ""},
            "keep_releases": {"type": "int", "required": True},
            "state_dir": {"type": "path", "required": True},
        },
        supports_check_mode=True,
    )
    client.end_orderly()
    docker, params = Docker(), module.params
    rolled_back = params["state"] == "rolled_back"
    answer: Dict[str, Any] = {}
    try:
        spec = read_spec(params)
        if module._diff and docker.engine_version():  # noqa: SLF001 - Ansible offers no other way
            answer["diff"] = go_live.compare(
                docker, spec, params["state_dir"], params["content"], rolled_back=rolled_back
            )
        outcome = work(module, docker, spec)
    except ClassvmError as error:
        module.fail_json(msg=docker_problem(docker) or str(error))
    module.exit_json(**vars(outcome), **answer)


def read_spec(params: Dict[str, Any]) -> ReleaseSpec:
    """Return the release that the options describe.

    Raises:
        ClassvmError: the options name no release to deploy.

    """
    if params["state"] == "live" and params["release"] == PREVIOUS:
        raise ClassvmError(
            "No release was named", fix="Set `release` to the id of the release to deploy."
        )
    given = {name: params[name] for name in SPEC}
    limits = {name: str(value) for name, value in params["limits"].items()}
    return ReleaseSpec(**{**given, "limits": limits, "seconds": Seconds(**params["seconds"])})


def work(module: AnsibleModule, docker: Docker, spec: ReleaseSpec) -> go_live.Outcome:
    """Deploy, roll back, or in check mode return what would be done."""
    state_dir, rolled_back = module.params["state_dir"], module.params["state"] == "rolled_back"
    # In a dry run on a bare host, the release has no id yet.
    if module.check_mode and not rolled_back and not docker.engine_version():
        return go_live.Outcome(changed=True, release=spec.release, container="", replaced="")
    if module.check_mode:
        return go_live.preview(docker, spec, state_dir, rolled_back=rolled_back)
    if rolled_back:
        return go_live.roll_back(docker, spec, state_dir)
    return go_live.release(docker, spec, state_dir, module.params["keep_releases"])


def docker_problem(docker: Docker) -> str:
    """Return why the engine is out of reach, or "".

    It is asked only after a failure: a deploy without changes then makes one call less.
    """
    try:
        docker.require_engine()
    except ClassvmError as error:
        return str(error)
    return ""


if __name__ == "__main__":
    main()
