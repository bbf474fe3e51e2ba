#!/usr/bin/python
"""Build the service image, or remove all service images."""

from __future__ import annotations

DOCUMENTATION = """
module: classvm_image
short_description: Build the service image unless an image of this very content is here
description:
  - Used through the action plugin of the same name, which checks and packs the folder on the control node
    and hands the packed folder over only when the host asks for it. It asks the host only what
    O(classvm.kit.classvm_provisioned#module:images) does not tell.
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
  revision: {type: str, default: "", description: "Git revision of the app's folder, for the history."}
  state_dir: {type: path, default: "", description: "Folder of the host with the history, in which a failed build gets its line; V() writes none."}
  secrets: {type: dict, default: {}, description: Text of each build secret by name.}
author: [The classvm project (!UNKNOWN)]
"""

EXAMPLES = """
- name: Build the service image
  classvm.kit.classvm_image:
    folder: "{{ playbook_dir }}/../service"
    service: lab
    base_image: "classvm/base:18.04"
"""

RETURN = """
release: {type: str, returned: with state=present, description: Id of the release.}
image: {type: str, returned: with state=present, description: Name of the image.}
revision: {type: str, returned: with state=present, description: "Git revision of the folder on the control node, or empty."}
needs_context: {type: bool, returned: with state=present, description: Whether the image still has to be built.}
removed: {type: list, returned: with state=absent, description: The names of the images.}
"""

from pathlib import Path
from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.classvm.base import host, state
from ..module_utils.classvm.base.docker import Docker
from ..module_utils.classvm.base.errors import ClassvmError
from ..module_utils.classvm.image import service_image
from ..module_utils.classvm.release import history, removal

SPACE_MEGABYTES = 1024


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
            "revision": {"type": "str", "default": ""},
            "state_dir": {"type": "path", "default": ""},
            "secrets": {"type": "dict", "default": {}, "no_log": True},
        },
        required_if=[("state", "present", ["base_image", "source_digest", "contract_digest"])],
        supports_check_mode=True,
    )
    try:
        module.exit_json(**WORK[module.params["state"]](module, Docker()))
    except ClassvmError as error:
        module.fail_json(msg=str(error))


def present(module: AnsibleModule, docker: Docker) -> Dict[str, Any]:
    """Build the image unless it is here."""
    params = module.params
    if module.check_mode and not docker.engine_version():
        return {"changed": True, "release": "", "image": "", "needs_context": False}
    docker.require_engine()
    base = docker.image(params["base_image"])
    if base is None and not module.check_mode:
        raise ClassvmError(f"{params['base_image']} is missing: run `make provision` as an admin")
    recipe = service_image.Recipe(
        service=params["service"],
        base=params["base_image"],
        base_digest=base.content if base else "",
        source_digest=params["source_digest"],
        content=params["content"],
        contract_digest=params["contract_digest"],
    )
    result = {"changed": False, "release": recipe.release, "image": recipe.image}
    if service_image.find(docker, recipe) is not None:
        return {**result, "needs_context": False}
    if module.check_mode:
        return {**result, "changed": True, "needs_context": False}
    host.require_space(docker.data_root(), SPACE_MEGABYTES)
    if not params["context"]:
        return {**result, "needs_context": True}
    context = taken(Path(params["context"]))
    try:
        service_image.build(docker, recipe, context, params["secrets"])
    except ClassvmError as reason:
        raise ClassvmError(recorded(params, recipe, str(reason))) from reason
    return {**result, "changed": True, "needs_context": False}


def taken(context: Path) -> bytes:
    """Return the packed folder, and remove its file: an interrupted build would leave it behind."""
    content = context.read_bytes()
    context.unlink()
    return content


def recorded(params: Dict[str, Any], recipe: service_image.Recipe, reason: str) -> str:
    """Give a failed build its line in the history; return the reason, and why it has no line."""
    if not params["state_dir"]:
        return reason
    entry = history.Entry(
        time=state.now(),
        service=recipe.service,
        release=recipe.release,
        image=recipe.image,
        revision=params["revision"],
        who=state.account(),
    )
    try:
        history.add(params["state_dir"], entry.refused(reason))
    except ClassvmError as unwritten:
        return f"{reason}\n{unwritten}"
    return reason


def absent(module: AnsibleModule, docker: Docker) -> Dict[str, Any]:
    """Remove all service images; without a running engine, leave them."""
    removed = removal.images(docker) if docker.engine_version() is not None else []
    if removed and not module.check_mode:
        removal.remove_images(docker)
    return {"changed": bool(removed), "removed": removed}


WORK = {"present": present, "absent": absent}


if __name__ == "__main__":
    main()
