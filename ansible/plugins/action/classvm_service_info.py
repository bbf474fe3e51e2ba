"""Look at the service of a host from the control node, too, where its clients are."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from ..module_utils.classvm.release import outside
from ..module_utils.classvm.release.status import Status

# Options that the module on the host does not know.
OWN = ("address", "port", "provision")


class ActionModule(ActionBase):  # type: ignore[misc] # ansible-core ships no types
    """The module's answer; with an address, what a client sees is added."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return the module's result, and the status as facts and as a sentence."""
        super().run(tmp, task_vars)
        args = dict(self._task.args)
        own = {name: args.pop(name) for name in OWN if name in args}
        answer: dict[str, Any] = self._execute_module(self._task.action, args, task_vars=task_vars)
        return answer if answer.get("failed") or not own else {**answer, **seen(answer, **own)}


def seen(
    answer: dict[str, Any], address: str, port: int, provision: dict[str, Any]
) -> dict[str, Any]:
    """Return the status as facts and as a sentence.

    Args:
        answer: of the module.
        address: of the host, for its clients.
        port: where the service is reached, if the host does not tell.
        provision: what is not as the provision left it.

    """
    status = Status(**answer["status"])
    asked = (
        outside.ask(address, status.port)
        if status.is_running and status.port
        else outside.Asked(outside.url_of(address, status.port or int(port)))
    )
    return {
        "facts": outside.facts(status, asked, provision),
        "text": outside.sentence(status, asked, provision),
    }
