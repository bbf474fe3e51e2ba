#!/usr/bin/python
"""Provide the base image, or remove it."""

from __future__ import annotations

DOCUMENTATION = """
module: classvm_base_image
short_description: Provide Ubuntu 18.04 as a local image, pulled, bootstrapped or loaded from a file
description:
  - Tries the sources in their order until one gives an image that really is Ubuntu 18.04.
options:
  state:
    description:
      - V(present) provides the image; it needs O(sources), O(reference) and O(keyring).
      - V(absent) removes it, if an engine runs.
      - V(saved) writes it to the file O(archive), unless that exists; every account may read it.
    type: str
    choices: [present, absent, saved]
    default: present
  name: {type: str, required: true, description: Name that the image has on the host.}
  sources:
    description: Where it may come from, tried one after the other. Each is V(pull), V(bootstrap) or V(archive).
    type: list
    elements: str
  reference: {type: str, description: "What to pull, with its digest."}
  archive: {type: path, default: "", description: File of the host made by C(docker save); with O(state=saved) the one to make.}
  keyring: {type: path, description: Keyring of the host for the Ubuntu archive.}
author: [The classvm project (!UNKNOWN)]
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
source: {type: str, returned: with state=present, description: "present, pull, bootstrap or archive."}
id: {type: str, returned: with state=present, description: Id of the image; empty in check mode when it is not here.}
"""

import os
from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.classvm.base import command
from ..module_utils.classvm.base.docker import Docker
from ..module_utils.classvm.base.errors import ClassvmError
from ..module_utils.classvm.image import base_image


def main() -> None:
    """Read the arguments, do the work, answer."""
    module = AnsibleModule(
        argument_spec={
            "state": {"choices": ["present", "absent", "saved"], "default": "present"},
            "name": {"type": "str", "required": True},
            "sources": {"type": "list", "elements": "str"},
            "reference": {"type": "str"},
            "archive": {"type": "path", "default": ""},
            "keyring": {"type": "path"},
        },
        required_if=[
            ("state", "present", ["sources", "reference", "keyring"]),
            ("state", "saved", ["archive"]),
        ],
        supports_check_mode=True,
    )
    command.use_usual_umask()
    try:
        module.exit_json(**WORK[module.params["state"]](module, Docker()))
    except ClassvmError as error:
        module.fail_json(msg=str(error))


def present(module: AnsibleModule, docker: Docker) -> Dict[str, Any]:
    """Provide the image."""
    params = module.params
    sources = base_image.Sources(
        order=params["sources"],
        reference=params["reference"],
        archive=params["archive"],
        keyring=params["keyring"],
    )
    if module.check_mode:
        image = docker.image(params["name"]) if docker.engine_version() else None
        return {"changed": image is None, "source": "present", "id": image.id if image else ""}
    docker.require_engine()
    image, source = base_image.provide(docker, params["name"], sources)
    return {"changed": source != "present", "source": source, "id": image.id}


def absent(module: AnsibleModule, docker: Docker) -> Dict[str, Any]:
    """Remove the image; without a running engine, leave it."""
    name = module.params["name"]
    is_here = docker.engine_version() is not None and docker.image(name) is not None
    if is_here and not module.check_mode:
        base_image.remove(docker, name)
    return {"changed": is_here}


def saved(module: AnsibleModule, docker: Docker) -> Dict[str, Any]:
    """Write the image to a file."""
    is_here = os.path.exists(module.params["archive"])
    if not is_here and not module.check_mode:
        base_image.save(docker, module.params["name"], module.params["archive"])
    return {"changed": not is_here}


WORK = {"present": present, "absent": absent, "saved": saved}


if __name__ == "__main__":
    main()
