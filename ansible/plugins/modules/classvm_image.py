#!/usr/bin/python
"""Build the service image, or remove all service images."""

from __future__ import annotations

DOCUMENTATION = """
module: classvm_image
short_description: Build the service image, and the one for the contract check, unless images of this very content are here
description:
  - Used through the action plugin of the same name, which checks and packs the folder on the control node
    and hands the packed folder over only when the host asks for it. It asks the host only what
    O(classvm.kit.classvm_provisioned#module:images) does not tell. With C(sent), for an account that may not use the engine, it reads and
    packs the app only, for M(classvm.kit.classvm_release) to send it to the host program, which builds it.
options:
  state:
    description:
      - V(present) builds the image; it needs O(base_image), O(source_digest) and O(contract_digest).
      - V(absent) removes all service images, if an engine runs; no container may use one any more.
    type: str
    choices: [present, absent]
    default: present
  service: {type: str, required: true, description: Name of the service.}
  base_image: {type: str, description: Name of the base image.}
  content: {type: str, default: "", description: "What the service's folder holds, as JSON, for a label."}
  source_digest: {type: str, description: Digest of the service's folder.}
  contract_digest: {type: str, description: "Digest of the contract in it; the image bears it, so that the contract is looked at once."}
  context: {type: path, default: "", description: File of the host with the packed folder.}
  kit: {type: bool, default: false, description: "Whether the folder is a build context of the kit, for which the host compiles the lock; the lock is kept in O(state_dir)."}
  lock_id_source: {type: str, default: "", description: "Digest of the requirements and of the tools that compile the lock; it names the lock, together with the base image. V() where O(kit) is false."}
  app: {type: str, default: "", description: "Name of the app, for a label; it decides nothing."}
  keep: {type: list, elements: str, default: [], description: "Absolute paths of the container's folders that survive releases; a label of the image."}
  checker_digest: {type: str, default: "", description: "Digest of the build context of the image in which the contract is checked; V() needs none."}
  checker_context: {type: path, default: "", description: File of the host with that context.}
  revision: {type: str, default: "", description: "Git revision of the app's folder, for the history."}
  state_dir: {type: path, default: "", description: "Folder of the host with the history, in which a failed build gets its line; V() writes none."}
  secrets: {type: dict, default: {}, description: Text of each build secret by name.}
author: [The classvm project (!UNKNOWN)]
"""

EXAMPLES = """
- name: Build the service image
  classvm.kit.classvm_image:
    folder: "{{ playbook_dir }}/../service"
    files: "{{ playbook_dir }}/../roles/service_image/files"
    service: lab
    host_port: 11000
    container_port: 8080
    base_image: "classvm/base:18.04"
"""

RETURN = """
release: {type: str, returned: with state=present, description: Id of the release.}
image: {type: str, returned: with state=present, description: Name of the image.}
revision: {type: str, returned: with state=present, description: "Git revision of the folder on the control node, or empty."}
needs_context: {type: bool, returned: with state=present, description: Whether the image still has to be built.}
needs_checker: {type: bool, returned: with state=present, description: Whether the image for the contract check still has to be built.}
checker_image: {type: str, returned: with state=present, description: Name of the image for the contract check.}
lock: {type: str, returned: "with state=present and kit, where the host has it", description: Text of the lock.}
sent: {type: dict, returned: with sent, description: "What O(classvm.kit.classvm_release#module:sent) takes."}
removed: {type: list, returned: with state=absent, description: The names of the images.}
"""

from pathlib import Path
from typing import Any, Dict, Mapping

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.classvm.base import client, host
from ..module_utils.classvm.base.docker import Docker
from ..module_utils.classvm.base.errors import ClassvmError
from ..module_utils.classvm.image import checker_image, image_labels, wanted
from ..module_utils.classvm.release import building, removal

NOTHING_NEEDED = {"needs_context": False, "needs_checker": False}


def main() -> None:
    """Read the arguments, do the work, answer."""
    module = AnsibleModule(
        argument_spec={
            "state": {"choices": ["present", "absent"], "default": "present"},
            "service": {"type": "str", "required": True},
            "base_image": {"type": "str"},
            "source_digest": {"type": "str"},
            "content": {"type": "str", "default": ""},
            "contract_digest": {"type": "str"},
            "context": {"type": "path", "default": ""},
            "kit": {"type": "bool", "default": False},
            "lock_id_source": {"type": "str", "default": ""},
            "app": {"type": "str", "default": ""},
            "keep": {"type": "list", "elements": "str", "default": []},
            "checker_digest": {"type": "str", "default": ""},
            "checker_context": {"type": "path", "default": ""},
            "revision": {"type": "str", "default": ""},
            "state_dir": {"type": "path", "default": ""},
            "secrets": {"type": "dict", "default": {}, "no_log": True},
        },
        required_if=[("state", "present", ["base_image", "source_digest", "contract_digest"])],
        supports_check_mode=True,
    )
    client.end_orderly()
    try:
        module.exit_json(**WORK[module.params["state"]](module, Docker()))
    except ClassvmError as error:
        module.fail_json(msg=str(error))


def present(module: AnsibleModule, docker: Docker) -> Dict[str, Any]:
    """Build the images that are missing."""
    params = module.params
    if module.check_mode and not docker.engine_version():
        return {"changed": True, "release": "", "image": "", "checker_image": "", **NOTHING_NEEDED}
    docker.require_engine()
    base = docker.image(params["base_image"])
    if base is None and not module.check_mode:
        raise ClassvmError(
            f"{params['base_image']} is missing", fix="An admin can run `make provision`."
        )
    images = wanted.wanted(params, base.content if base else "")
    missing = images.missing(image_labels.digests(docker, *images.names))
    result = {"changed": False, **images.named(), **missing}
    if module.check_mode:
        return {**result, "changed": any(missing.values()), **NOTHING_NEEDED}
    if any(missing.values()):
        host.require_space(docker.data_root(), building.SPACE_MEGABYTES)
    with building.recorded(params["state_dir"], images.service, params["revision"]):
        build_missing(docker, images, params, result)
    if not params["kit"]:
        return result
    return {**result, "lock": building.stored_lock(params["state_dir"], images.service)}


def build_missing(
    docker: Docker, images: wanted.Wanted, params: Mapping[str, Any], result: Dict[str, Any]
) -> None:
    """Build the images that are missing and whose context is there; note it in the result."""
    secrets = params["secrets"]
    if result["needs_context"] and params["context"]:
        context = taken(Path(params["context"]))
        building.build(docker, images.service, context, secrets, params["state_dir"])
        result.update(changed=True, needs_context=False)
    if images.checker and result["needs_checker"] and params["checker_context"]:
        context = taken(Path(params["checker_context"]))
        checker_image.build(docker, images.checker, context, secrets)
        result.update(changed=True, needs_checker=False)


def taken(context: Path) -> bytes:
    """Return the packed folder, and remove its file: an interrupted build would leave it behind."""
    content = context.read_bytes()
    context.unlink()
    return content


def absent(module: AnsibleModule, docker: Docker) -> Dict[str, Any]:
    """Remove all service images; without a running engine, leave them."""
    removed = removal.images(docker) if docker.engine_version() is not None else []
    if removed and not module.check_mode:
        removal.remove_images(docker)
    return {"changed": bool(removed), "removed": removed}


WORK = {"present": present, "absent": absent}


if __name__ == "__main__":
    main()
