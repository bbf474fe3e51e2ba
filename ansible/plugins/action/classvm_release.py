"""Hand the host the program that checks the contract."""

from __future__ import annotations

from typing import Any

from ..module_utils.classvm.contract import archive
from ..module_utils.classvm.release import contract_check
from .classvm_watched import Watched


class ActionModule(Watched):
    """The module, with the program where there is a contract.

    To pack the program here takes 10 ms. If the module imported what is in it, Ansible would pack that
    for each rollback and each deploy without changes, too, which takes 150 ms.
    """

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return the module's result."""
        super().run(tmp, task_vars)
        return self.call(with_program(dict(self._task.args)), task_vars)


def with_program(args: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of the task with the program that they need."""
    if not args.get("contract"):
        return args
    return {**args, "checker_program": archive.program(contract_check.FOLDER)}
