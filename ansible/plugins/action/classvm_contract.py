"""Call the service from the control node, and see whether it keeps its contract."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.basic import missing_required_lib
from ansible.plugins.action import ActionBase

from ..module_utils.classvm.contract import checker

ARGUMENTS = {
    "spec": {"type": "path", "required": True},
    "url": {"type": "str", "required": True},
    "timeout": {"type": "float", "default": checker.DEFAULT_TIMEOUT},
    "wait": {"type": "float", "default": 0},
}


class ActionModule(ActionBase):  # type: ignore[misc] # ansible-core ships no types
    """The check itself, without a module: packing one and starting it would take longer."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return what the check found."""
        super().run(tmp, task_vars)
        _, options = self.validate_argument_spec(argument_spec=ARGUMENTS)
        return check(options)


def check(options: dict[str, Any]) -> dict[str, Any]:
    """Return the task's result.

    Args:
        options: those of the task, as documented.

    """
    if checker.IMPORT_ERROR:
        missing = missing_required_lib("PyYAML and jsonschema")
        return {"failed": True, "msg": missing, "exception": checker.IMPORT_ERROR}
    try:
        report = checker.check(**options)
    except checker.InputError as error:
        return {"failed": True, "msg": str(error)}
    result = {
        "changed": False,
        "operations": report.operation_count,
        "probes": len(report.probes),
        "failures": ["\n".join(failure.lines()) for failure in report.failures],
    }
    if report.ok:
        return result
    return {**result, "failed": True, "msg": failure_message(report, options["url"])}


def failure_message(report: checker.Report, url: str) -> str:
    """Name the operations that failed, each once, and the command that tells more."""
    if all(one.status is None for one in (*report.operations, *report.probes)):
        return (
            f"Nobody answers at {url}, though the release is live on its host. Look for a firewall"
            " between here and there, then: make status"
        )
    # Probes of no operation in particular are known by what they sent.
    names = [failure.operation_id or failure.case for failure in report.failures]
    unique = ", ".join(dict.fromkeys(names))
    return f"The service breaks its contract in: {unique}. Read its log next: make logs"
