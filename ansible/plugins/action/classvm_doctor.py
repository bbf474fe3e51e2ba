"""Word what a host's checks have found, also where the host cannot be asked."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase

from ..module_utils.classvm.doctor import on_hosts
from ..module_utils.classvm.doctor.finding import FAIL, Finding, summary
from ..module_utils.classvm.output import advice


class ActionModule(ActionBase):  # type: ignore[misc] # ansible-core ships no types
    """Calls the module, and tells of its findings."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return the task's result: it has failed where a deploy would fail."""
        super().run(tmp, task_vars)
        host, before = task_vars["inventory_hostname"], time.time()
        try:
            answer = self._execute_module(self._task.action, self._task.args, task_vars=task_vars)
        except AnsibleConnectionFailure as error:
            reached = reached_by(task_vars, self._templar.template)
            found = [on_hosts.unreachable(reached, str(error))]
        else:
            if answer.get("failed"):  # there may be no Python
                return dict(answer)
            wrong = on_hosts.clock(answer["clock"], before, time.time())
            found = [Finding(**one) for one in answer["findings"]]
            found = [wrong if wrong and one.subject == wrong.subject else one for one in found]
        return told(host, found)


def told(host: str, found: list[Finding]) -> dict[str, Any]:
    """Return the task's result."""
    lines = [advice.for_host(line, os.environ, host) for line in on_hosts.lines(host, found)]
    result = {"changed": False, "findings": [asdict(one) for one in found]}
    if any(one.level == FAIL for one in found):
        return {**result, "failed": True, "msg": "\n".join([summary(found), *lines])}
    return {**result, "text": "\n".join([*lines, f"classvm: {host}: {summary(found)}"])}


def reached_by(given: dict[str, Any], template: Callable[[Any], Any]) -> on_hosts.Reached:
    """Return how Ansible reaches a host.

    Args:
        given: the variables of the task.
        template: resolves the expressions in a value.

    """

    def value(name: str, default: str = "") -> str:
        return str(template(given.get(name, default)))

    name = given["inventory_hostname"]
    return on_hosts.Reached(
        host=name,
        name=value("ansible_host", name),
        user=value("ansible_user"),
        port=value("ansible_port", on_hosts.SSH_PORT),
        key=value("ansible_ssh_private_key_file"),
        arguments=value("ansible_ssh_common_args"),
    )
