"""Word what a host's checks have found, also where the host cannot be asked."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Any

from ansible.constants import DEFAULT_HOST_LIST
from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase

from ..module_utils.classvm.doctor import on_hosts
from ..module_utils.classvm.doctor.finding import FAIL, Finding, summary

SSH_PORT = "22"


class ActionModule(ActionBase):  # type: ignore[misc] # ansible-core ships no types
    """Calls the module, and tells of its findings."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return the task's result: it has failed where a deploy would fail."""
        super().run(tmp, task_vars)
        host, given = task_vars["inventory_hostname"], task_vars
        try:
            answer = self._execute_module(self._task.action, self._task.args, task_vars=task_vars)
        except AnsibleConnectionFailure as error:
            found = [on_hosts.unreachable(host, address(given), port(given), str(error))]
        else:
            if answer.get("failed"):  # there may be no Python
                return dict(answer)
            found = [Finding(**one) for one in answer["findings"]]
        return told(host, found, options(given))


def told(host: str, found: list[Finding], options: str) -> dict[str, Any]:
    """Return the task's result."""
    lines = on_hosts.lines(host, found, options)
    result = {"changed": False, "findings": [asdict(one) for one in found]}
    if any(one.level == FAIL for one in found):
        return {**result, "failed": True, "msg": "\n".join([summary(found), *lines])}
    return {**result, "text": "\n".join([*lines, f"classvm: {host}: {summary(found)}"])}


def address(given: dict[str, Any]) -> str:
    """Return a host's address as ssh takes it."""
    account = given.get("ansible_user", "")
    name = str(given.get("ansible_host", given["inventory_hostname"]))
    return f"{account}@{name}" if account else name


def port(given: dict[str, Any]) -> str:
    """Return the option of ssh for the host's port, where it is not that of SSH."""
    number = str(given.get("ansible_port", SSH_PORT))
    return "" if number == SSH_PORT else f"-p {number} "


def options(given: dict[str, Any]) -> str:
    """Return the options of make for a host alone."""
    sources = [str(source) for source in given.get("ansible_inventory_sources", [])]
    # The one of ansible.cfg needs no name.
    named = [f"INVENTORY={near(one)}" for one in sources[:1] if one not in DEFAULT_HOST_LIST]
    return " ".join([*named, f"LIMIT={given['inventory_hostname']}"])


def near(path: str) -> str:
    """Return a path as it is typed in the present folder."""
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative
