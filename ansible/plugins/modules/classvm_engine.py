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
  state:
    description:
      - V(present) configures and runs the engine.
      - V(prepared) looks at what an engine would stumble over before one is installed, such as a C(daemon.json) that
        cannot be read, or addresses of others that it would take for its containers.
      - V(queried) only asks which version runs.
    type: str
    choices: [present, prepared, queried]
    default: present
  settings: {type: dict, default: {}, description: Settings of daemon.json.}
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

from ..module_utils.classvm.base import command
from ..module_utils.classvm.base.docker import Docker
from ..module_utils.classvm.base.errors import ClassvmError
from ..module_utils.classvm.provision import engine


def main() -> None:
    """Read the arguments, do the work, answer."""
    module = AnsibleModule(
        argument_spec={
            "state": {"choices": ["present", "prepared", "queried"], "default": "present"},
            "settings": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    command.use_usual_umask()
    docker = Docker()
    try:
        changed = WORK[module.params["state"]](module, docker)
    except ClassvmError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=changed, version=docker.engine_version() or "")


def present(module: AnsibleModule, docker: Docker) -> bool:
    """Configure and run the engine."""
    change = engine.plan(docker, module.params["settings"])
    if change and not module.check_mode:
        engine.apply(docker, change)
    elif not module.check_mode:
        engine.write_record(change.record)
    return bool(change)


def prepared(module: AnsibleModule, _: Docker) -> bool:
    """Look at what stands in the way of an engine."""
    return engine.prepare(module.params["settings"], dry_run=module.check_mode)


def queried(_module: AnsibleModule, _docker: Docker) -> bool:
    """Change nothing."""
    return False


WORK = {"present": present, "prepared": prepared, "queried": queried}


if __name__ == "__main__":
    main()
