#!/usr/bin/python
"""Build the image for the contract check."""

from __future__ import annotations

DOCUMENTATION = """
module: classvm_checker_image
short_description: Build the image for the contract check, unless one of this very content is here
description:
  - Used through the action plugin of the same name, which packs the folder on the control node and hands it over only when
    the host asks for it.
  - A deploy builds that image beside the one of the app; the account of a student needs one that is there already.
options:
  base_image: {type: str, required: true, description: Name of the base image.}
  digest: {type: str, default: "", description: Digest of the build context; set by the action plugin.}
  context: {type: path, default: "", description: File of the host with the build context; set by the action plugin.}
  secrets: {type: dict, default: {}, description: Text of each build secret by name.}
author: [The classvm project (!UNKNOWN)]
"""

EXAMPLES = """
- name: Build the image for the contract check
  classvm.kit.classvm_checker_image:
    folder: "{{ playbook_dir }}/../roles/service_image/files/checker"
    base_image: "classvm/base:18.04"
"""

RETURN = """
image: {type: str, returned: success, description: Name of the image.}
needs_context: {type: bool, returned: success, description: Whether the image still has to be built.}
"""

from pathlib import Path
from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.classvm.base import client
from ..module_utils.classvm.base.docker import Docker
from ..module_utils.classvm.base.errors import ClassvmError
from ..module_utils.classvm.image import checker_image, image_labels


def main() -> None:
    """Read the arguments, do the work, answer."""
    module = AnsibleModule(
        argument_spec={
            "base_image": {"type": "str", "required": True},
            "digest": {"type": "str", "default": ""},
            "context": {"type": "path", "default": ""},
            "secrets": {"type": "dict", "default": {}, "no_log": True},
        },
        supports_check_mode=True,
    )
    client.end_orderly()
    try:
        module.exit_json(**work(Docker(), module.params, check_mode=module.check_mode))
    except ClassvmError as error:
        module.fail_json(msg=str(error))


def work(docker: Docker, params: Dict[str, Any], *, check_mode: bool) -> Dict[str, Any]:
    """Return the task's result."""
    base = docker.image(params["base_image"]) if docker.engine_version() else None
    if base is None and not check_mode:
        raise ClassvmError(
            f"{params['base_image']} is missing", fix="An admin can run `make provision`."
        )
    recipe = checker_image.Recipe(
        params["base_image"], base.content if base else "", params["digest"]
    )
    is_here = base and image_labels.digests(docker, recipe.image).get(recipe.image) == recipe.digest
    if is_here or check_mode:
        return {"changed": not is_here, "image": recipe.image, "needs_context": False}
    if not params["context"]:
        return {"changed": False, "image": recipe.image, "needs_context": True}
    checker_image.build(docker, recipe, Path(params["context"]).read_bytes(), params["secrets"])
    return {"changed": True, "image": recipe.image, "needs_context": False}


if __name__ == "__main__":
    main()
