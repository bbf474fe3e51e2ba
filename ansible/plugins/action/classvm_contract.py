"""Call the service from the control node, and see whether it keeps its contract."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any

from ansible.module_utils.basic import missing_required_lib
from ansible.plugins.action import ActionBase

from ..module_utils.classvm.base.errors import ClassvmError
from ..module_utils.classvm.contract import checker
from ..module_utils.classvm.output import progress_files

ARGUMENTS = {
    "contract": {"type": "str"},
    "spec": {"type": "path"},
    "url": {"type": "str", "required": True},
    "timeout": {"type": "float", "default": checker.DEFAULT_TIMEOUT},
    "wait": {"type": "float", "default": 0},
}
ONE_OF = [("contract", "spec")]


class ActionModule(ActionBase):  # type: ignore[misc] # ansible-core ships no types
    """The check itself, without a module: packing one and starting it would take longer."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return what the check found."""
        super().run(tmp, task_vars)
        _, options = self.validate_argument_spec(
            argument_spec=ARGUMENTS, mutually_exclusive=ONE_OF, required_one_of=ONE_OF
        )
        host = str((task_vars or {}).get("inventory_hostname", ""))
        near = progress_files.folder(os.environ)
        try:
            return check(options, functools.partial(progress_files.write, near, host))
        finally:
            progress_files.clear(near, host)


def check(options: dict[str, Any], tell: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Return the task's result.

    Args:
        options: those of the task, as documented.
        tell: called with how far the check has come.

    """
    if checker.IMPORT_ERROR:
        missing = missing_required_lib("PyYAML and jsonschema")
        return {"failed": True, "msg": missing, "exception": checker.IMPORT_ERROR}
    try:
        report = run(options, tell)
    except checker.InputError as error:
        return {"failed": True, "msg": str(error)}
    result = {
        "changed": False,
        "operations": report.operation_count - len(report.not_checked),
        "probes": len(report.probes),
        "failures": ["\n".join(failure.lines()) for failure in report.failures],
        "not_checked": [note.line() for note in report.not_checked],
    }
    if report.may_go_live:
        return result
    return {**result, "failed": True, "msg": failure_message(report, options["url"])}


def run(options: dict[str, Any], tell: Callable[[str], None]) -> checker.Report:
    """Check the service; one that is not held to a strict contract is only asked.

    Raises:
        InputError: an option or a spec cannot be used.

    """
    limits = {name: options[name] for name in ("url", "timeout", "wait")}
    text = options["contract"]
    if text:
        # The data of a live service belong to its users.
        return checker.check_contract(text=text, safe_only=True, tell=tell, **limits)
    return checker.check(spec=options["spec"], **limits)


def failure_message(report: checker.Report, url: str) -> str:
    """Tell the first failure, its line of the spec, and the command that tells more."""
    if all(one.status is None for one in (*report.operations, *report.probes)):
        silence = report.failures[0].problems[0]
        return (
            f"Nobody answers at {url}, though the release is live on its host: {silence}."
            " Look for a firewall between here and there, then: make status"
        )
    cause, place = f"The service breaks its contract: {report.first}", report.failures[0].place
    others = len(report.failures) - 1
    details = "\n".join(line for failure in report.failures for line in failure.lines())
    more = f"{others} more calls failed. " if others else ""
    fix = f"{more}Read its log next: make logs"
    return str(ClassvmError(cause, place=place, fix=fix, details=details))
