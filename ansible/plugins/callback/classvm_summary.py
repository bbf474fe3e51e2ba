"""Close a run with one line per host: what is up, and where."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import threading
import time
from typing import Any, NoReturn

from ansible import context
from ansible.plugins.callback import CallbackBase

from ..module_utils.classvm.base import client
from ..module_utils.classvm.base.legible import printable
from ..module_utils.classvm.inventory import limit
from ..module_utils.classvm.output import advice, answer, interruption, reason, steps, terminal
from ..plugin_utils import runs

DOCUMENTATION = """
name: classvm_summary
type: aggregate
short_description: Print the closing line of each host
description: Prints what a playbook left in the statistic C(classvm) with C(set_stats), and the number of changes.
"""

# The module that prints the log of a service as it grows.
FOLLOWING = "classvm_log_info"
FLUSH_SECONDS = 0.2

NO_HOSTS = (
    "the inventory has no host for this command, so nothing was done."
    " Add a host to the inventory, or name another inventory: INVENTORY=FILE"
)
NO_STEP = (
    "nothing was done: no step of this command was left."
    " Leave out --tags, --skip-tags and --start-at-task of ARGS"
)
WRONG_FORMAT = (
    "FORMAT={wanted} is a format of `make check` alone. Give FORMAT=json, or leave it out"
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
        self._format = answer.TEXT
        self._works = self._follows = False

    def v2_playbook_on_start(self, playbook: Any) -> None:
        """End the run where it is asked to answer in a way that it cannot."""
        del playbook
        # What is loaded now stays in use, here and in each worker that is forked off: nobody searches it for garbage.
        gc.freeze()
        # Its workers have none; they ask on this one.
        terminal.OWN.open()
        interruption.workers_end_with_this_process()
        interruption.on_interrupt(self._say_interrupted)
        self._format = answer.wanted(os.environ)
        if self._format not in (answer.TEXT, answer.JSON):
            self._end(WRONG_FORMAT.format(wanted=self._format))

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:  # noqa: FBT001, FBT002 - Ansible's signature
        """Remember why a host failed."""
        if not ignore_errors:
            why = advice.completed(reason.reason(result.result), os.environ)
            self._failures[result.host.get_name()] = why

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Remember why a host could not be reached."""
        host = result.host.get_name()
        self._failures[host] = advice.for_host(reason.reason(result.result, host), os.environ, host)

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """End the run as failed where its limit names a host that is missing.

        A play on the control node alone needs none of them: it may be what makes them.
        """
        self._works = any(step.kept for step in steps.of_play(play.get_ds() or {}).values())
        if play.hosts in ("localhost", ["localhost"]):
            return
        inventory = play.get_variable_manager()._inventory  # noqa: SLF001 - Ansible offers no other way
        given = context.CLIARGS.get("subset") or ""
        # While a play runs, the inventory shows only the hosts of that play.
        missing = [
            name
            for name in runs.limited_to(given)
            if not inventory.get_hosts(name, ignore_limits=True, ignore_restrictions=True)
        ]
        if missing:
            self._end(limit.missing(missing, {*inventory.hosts, *inventory.groups}))

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:  # noqa: FBT001 - Ansible's signature
        """Have the lines of a log that is followed printed at once."""
        del is_conditional
        self._follows = task.action.endswith(FOLLOWING)
        if self._follows:
            threading.Thread(target=self._flush, daemon=True).start()

    def _flush(self) -> None:
        while self._follows:
            time.sleep(FLUSH_SECONDS)
            if client.has_gone(sys.stdout.fileno()):  # as with `| head`
                os.kill(os.getpid(), signal.SIGINT)
                return
            with contextlib.suppress(BrokenPipeError):
                sys.stdout.flush()

    def _say_interrupted(self) -> None:
        if self._format == answer.JSON:
            self._display.display(answer.document({}, {}, {}, error=interruption.TEXT))
        elif self._works:
            self._display.display(interruption.TEXT)

    def v2_playbook_on_no_hosts_matched(self) -> None:
        """End the run as failed: a command that did nothing has not succeeded."""
        self._end(NO_HOSTS)

    def _end(self, why: str) -> NoReturn:
        self._display.display(answer.refusal(why, os.environ))
        # Ansible itself would warn, go on, and end with 0.
        raise SystemExit(1)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Print the lines after all other output."""
        if not stats.processed:
            self._end(NO_STEP)
        if self._format == answer.JSON:
            said = {host: one["classvm"] for host, one in stats.custom.items() if "classvm" in one}
            changes = {host: stats.summarize(host)["changed"] for host in {*said, *self._failures}}
            self._display.display(answer.document(said, self._failures, changes))
            return
        for host, custom in sorted(stats.custom.items()):
            if "classvm" in custom and host not in self._failures:
                line = closing_line(custom["classvm"], stats.summarize(host))
                # A log is shown as the app wrote it, and no advice of ours is added.
                is_ours = line.startswith("classvm: ")
                self._display.display(advice.completed(line, os.environ) if is_ours else line)
        for host, why in sorted(self._failures.items()):
            self._display.display(reason.closing_line(host, why))


def closing_line(said: dict[str, str], counts: dict[str, int]) -> str:
    """Return the closing line, for example "classvm: release … is up at … (…, 0 changed)".

    A playbook that was asked for a text, like a log, leaves it under "text".
    """
    if "text" in said:
        # Written by an app: the terminal of whoever reads it shall not obey it.
        return printable(said["text"])
    details = [*([said["detail"]] if said.get("detail") else []), f"{counts['changed']} changed"]
    return f"classvm: {said['state']} ({', '.join(details)})"
