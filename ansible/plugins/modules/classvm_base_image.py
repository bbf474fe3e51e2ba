#!/usr/bin/python
"""Provide the base image."""

from __future__ import annotations

DOCUMENTATION = """
module: classvm_base_image
short_description: Provide Ubuntu 18.04 as a local image, pulled, bootstrapped or loaded from a file
description:
  - Tries the sources in their order until one gives an image that really is Ubuntu 18.04.
options:
  name: {type: str, required: true, description: Name that the image has on the host.}
  sources:
    description: Where it may come from, tried one after the other.
    type: list
    elements: str
    choices: [pull, bootstrap, archive]
    required: true
  reference: {type: str, required: true, description: What to pull, with its digest.}
  archive: {type: path, default: "", description: File of the host made by C(docker save).}
  keyring: {type: path, required: true, description: Keyring of the host for the Ubuntu archive.}
"""

EXAMPLES = """
- name: Provide the base image
  classvm.kit.classvm_base_image:
    name: "classvm/base:18.04"
    sources: [pull, bootstrap]
    reference: "ubuntu@sha256:…"
    keyring: /etc/classvm/ubuntu-archive-keyring.gpg
"""

RETURN = """
source: {type: str, returned: success, description: present, pull, bootstrap or archive.}
id: {type: str, returned: success, description: Id of the image; empty in check mode when it is not here.}
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.classvm.base.docker import Docker
from ..module_utils.classvm.base.errors import ClassvmError
from ..module_utils.classvm.image import base_image


def main() -> None:
    """Read the arguments, do the work, answer."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "sources": {
                "type": "list",
                "elements": "str",
                "choices": ["pull", "bootstrap", "archive"],
                "required": True,
            },
            "reference": {"type": "str", "required": True},
            "archive": {"type": "path", "default": ""},
            "keyring": {"type": "path", "required": True},
        },
        supports_check_mode=True,
    )
    try:
        module.exit_json(**work(module))
    except ClassvmError as error:
        module.fail_json(msg=str(error))


def work(module: AnsibleModule) -> Dict[str, Any]:
    """Return the task's result."""
    params = module.params
    docker = Docker()
    if module.check_mode:
        image = docker.image(params["name"]) if docker.engine_version() else None
        return {"changed": image is None, "source": "present", "id": image.id if image else ""}
    docker.require_engine()
    image, source = base_image.provide(
        docker,
        params["name"],
        base_image.Sources(
            order=params["sources"],
            reference=params["reference"],
            archive=params["archive"],
            keyring=params["keyring"],
        ),
    )
    return {"changed": source != "present", "source": source, "id": image.id}


if __name__ == "__main__":
    main()
