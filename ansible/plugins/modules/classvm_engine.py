#!/usr/bin/python
"""Configure and run the Docker engine."""

from __future__ import annotations

DOCUMENTATION = """
module: classvm_engine
short_description: Configure and run the Docker engine, under systemd or without it
description:
  - Merges O(settings) into C(daemon.json), validates the result, installs it and restarts the engine.
  - Settings that an earlier run wrote and that are no longer given are removed; settings of an admin stay.
  - If the engine does not start with the new file, the former one is restored.
options:
  settings: {type: dict, required: true, description: Settings of daemon.json.}
author: [The classvm project (!UNKNOWN)]
"""

EXAMPLES = """
- name: Bound the logs
  classvm.kit.classvm_engine:
    settings: {log-driver: json-file, log-opts: {max-size: 10m, max-file: "3"}}
"""

RETURN = """
version: {type: str, returned: success, description: Version of the engine; empty when none runs yet.}
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.classvm.base.docker import Docker
from ..module_utils.classvm.base.errors import ClassvmError
from ..module_utils.classvm.provision import engine


def main() -> None:
    """Read the arguments, do the work, answer."""
    module = AnsibleModule(
        argument_spec={"settings": {"type": "dict", "required": True}},
        supports_check_mode=True,
    )
    docker = Docker()
    try:
        change = engine.plan(docker, module.params["settings"])
        if change and not module.check_mode:
            engine.apply(docker, change)
        elif not module.check_mode:
            engine.write_record(change.record)
    except ClassvmError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=bool(change), version=docker.engine_version() or "")


if __name__ == "__main__":
    main()
