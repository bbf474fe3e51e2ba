"""Close a run with one line per host: what is up, and where."""

from __future__ import annotations

from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: classvm_summary
type: aggregate
short_description: Print the closing line of each host
description: Prints what a playbook left in the statistic C(classvm) with C(set_stats), and the number of changes.
"""


NO_HOSTS = (
    "classvm: the inventory has no host for this command, so nothing was done."
    " Add a host to the inventory, or name another inventory: INVENTORY=FILE"
)


class CallbackModule(CallbackBase):  # type: ignore[misc] # ansible-core ships no types
    """Waits for the end of the run."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "classvm_summary"

    def __init__(self) -> None:
        """Start without failures."""
        super().__init__()
        self._failures: dict[str, str] = {}

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:  # noqa: FBT001, FBT002 - Ansible's signature
        """Remember why a host failed."""
        if not ignore_errors:
            self._failures[result._host.get_name()] = str(result._result.get("msg", ""))  # noqa: SLF001 - Ansible offers no other way

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Remember why a host could not be reached."""
        self.v2_runner_on_failed(result)

    def v2_playbook_on_no_hosts_matched(self) -> None:
        """End the run as failed: a command that did nothing has not succeeded."""
        self._display.display(NO_HOSTS)
        # Ansible itself would go on, and end with 0.
        raise SystemExit(1)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Print the lines after Ansible's own recap."""
        for host, custom in stats.custom.items():
            if "classvm" in custom and host not in self._failures:
                self._display.display(closing_line(custom["classvm"], stats.summarize(host)))
        for host, reason in self._failures.items():
            self._display.display(failure_line(host, reason))


def closing_line(said: dict[str, str], counts: dict[str, int]) -> str:
    """Return the closing line, for example "classvm: release … is up at … (…, 0 changed)".

    A playbook that was asked for a text, like a log, leaves it under "text".
    """
    if "text" in said:
        return said["text"]
    details = [*([said["detail"]] if said.get("detail") else []), f"{counts['changed']} changed"]
    return f"classvm: {said['state']} ({', '.join(details)})"


def failure_line(host: str, reason: str) -> str:
    """Return the closing line of a host that failed: the first line of its reason."""
    return f"classvm: {host} failed: {reason.strip().partition(chr(10))[0]}"
