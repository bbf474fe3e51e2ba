"""Show a run: a line per step as it begins, failures in full once, everything in a log."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase
from ansible.plugins.loader import callback_loader
from ansible.utils.display import Display

from ..module_utils.classvm.output import advice, answer, progress_files, reason, steps
from ..module_utils.classvm.output.run_log import RunLog
from ..module_utils.classvm.output.screens import Terminal, screen_for
from ..module_utils.classvm.output.story import Story

DOCUMENTATION = """
name: classvm_output
type: stdout
short_description: Show the steps of a run instead of its tasks
description:
  - Shows a line per step when it begins, with seconds as they pass where a terminal is, and with the time of day elsewhere.
  - Obeys E(NO_COLOR). Prints each line of C(classvm_notes) in the result of a task.
  - Writes what Ansible's own output would show to a log, of which the last ten are kept.
options:
  log_folder:
    description: Where to write the log of each run. Without it, none is written.
    type: path
    ini: [{section: classvm_output, key: log_folder}]
    env: [{name: CLASSVM_LOG_FOLDER}]
"""

TICK_SECONDS = 0.2
# What has the terminal for itself: a question, and a log that is followed.
ALONE = ("pause", "classvm_password", "classvm_log_info")


class LogDisplay(Display):  # type: ignore[misc] # ansible-core ships no types
    """Ansible's display as it is, but for where its text goes: to the log."""

    log = RunLog("", "")

    @classmethod
    def like(cls, display: Any) -> LogDisplay:
        """Return one with the settings of another display, and the results of tasks in full."""
        # Its class has one instance, and this is a second one.
        made: LogDisplay = cls.__new__(cls)
        made.__dict__.update(display.__dict__)
        made.verbosity = 1
        return made

    def display(self, msg: str, *_: Any, log_only: bool = False, **__: Any) -> None:
        """Write a text; what is meant for a log of Ansible's own is on the screen, too."""
        if not log_only:
            self.log.write(msg)

    def banner(self, msg: str, *_: Any, **__: Any) -> None:
        """Write a heading, with the time of day."""
        self.log.write(f"\n{time.strftime('%H:%M:%S')} {msg}")


def logged(event: str) -> Callable[..., None]:
    """Return the handler of an event that only the log takes note of."""

    def handle(self: CallbackModule, *args: Any, **kwargs: Any) -> None:
        self._log(event, *args, **kwargs)

    return handle


class CallbackModule(CallbackBase):  # type: ignore[misc] # ansible-core ships no types
    """Tells the story of a run, and has Ansible's own output write the log."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "classvm.kit.classvm_output"

    def __init__(self) -> None:
        """Show nothing yet."""
        super().__init__()
        # A program that asks for JSON gets nothing else from the standard output.
        for_json = answer.wanted(os.environ) == answer.JSON
        screen = screen_for(sys.stderr if for_json else sys.stdout, os.environ)
        self._folder = tempfile.TemporaryDirectory(prefix="classvm-")
        self.story = Story(screen, said_by=self._said_by)
        self._log_display = LogDisplay.like(self._display)
        self._own: Any = None
        self._failed = False

    def set_options(self, *args: Any, **kwargs: Any) -> None:
        """Take the options, and have Ansible's own output write to the log where one is wanted."""
        super().set_options(*args, **kwargs)
        if self.get_option("log_folder"):
            self._own = callback_loader.get("ansible.builtin.default")
            self._own.set_options()
            # With it, the heading of a task is written when the task begins.
            self._own.set_option("display_skipped_hosts", True)  # noqa: FBT003 - Ansible's signature
            self._own._display = self._log_display  # noqa: SLF001 - Ansible offers no other way

    v2_runner_item_on_ok = logged("v2_runner_item_on_ok")
    v2_runner_item_on_failed = logged("v2_runner_item_on_failed")
    v2_runner_item_on_skipped = logged("v2_runner_item_on_skipped")
    v2_runner_retry = logged("v2_runner_retry")
    v2_playbook_on_include = logged("v2_playbook_on_include")
    v2_playbook_on_no_hosts_matched = logged("v2_playbook_on_no_hosts_matched")
    v2_playbook_on_no_hosts_remaining = logged("v2_playbook_on_no_hosts_remaining")

    def v2_playbook_on_start(self, playbook: Any) -> None:
        """Open the log, and let the seconds pass."""
        name = Path(playbook._file_name).stem  # noqa: SLF001 - Ansible offers no other way
        self._log_display.log = RunLog(self.get_option("log_folder") or "", name)
        self._log("v2_playbook_on_start", playbook)
        if isinstance(self.story.screen, Terminal):
            self._display.display = self._above(self._display.display)
        # The workers have the environment of this process.
        os.environ[progress_files.VARIABLE] = self._folder.name
        threading.Thread(target=self._tick, daemon=True).start()

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """Read which steps the play has."""
        self._log("v2_playbook_on_play_start", play)
        with self._undisturbed():
            self.story.play(play.get_name(), steps.of_play(play.get_ds() or {}))

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:  # noqa: FBT001 - Ansible's signature
        """Begin a task; one that asks has the terminal for itself."""
        self._log("v2_playbook_on_task_start", task, is_conditional)
        with self._undisturbed():
            self.story.task(lineage(task), asks=task.action.endswith(ALONE))

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        """Begin a handler, which is a part of the step that it ends."""
        self._log("v2_playbook_on_handler_task_start", task)

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        """Note that a host begins the task."""
        self._log("v2_runner_on_start", host, task)
        with self._undisturbed():
            self.story.started(host.get_name())

    def v2_on_file_diff(self, result: Any) -> None:
        """Show what would change, or has changed: Ansible tells it where `--diff` asks for it."""
        self._log("v2_on_file_diff", result)
        texts = [self._get_diff(one["diff"]) for one in results_of(result) if one.get("diff")]
        lines = "".join(texts).rstrip().splitlines()
        if lines:
            with self._undisturbed():
                self.story.difference(result.host.get_name(), lines)

    def v2_runner_on_ok(self, result: Any) -> None:
        """Note what a host has done."""
        self._log("v2_runner_on_ok", result)
        self._ended(result)

    def v2_runner_on_skipped(self, result: Any) -> None:
        """Note that a host had nothing to do."""
        self._log("v2_runner_on_skipped", result)
        self._ended(result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:  # noqa: FBT001, FBT002 - Ansible's signature
        """Show why a host failed."""
        why = advice.completed(reason.reason(result.result), os.environ)
        self._log("v2_runner_on_failed", result, ignore_errors)
        self._ended(result)
        if ignore_errors:
            return
        self._failed = True
        host = result.host.get_name()
        with self._undisturbed():
            self.story.failed(host, reason.details(host, why))

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Show that a host cannot be reached; the closing line says why."""
        self._log("v2_runner_on_unreachable", result)
        self._failed = True
        with self._undisturbed():
            self.story.failed(result.host.get_name(), ())

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """End the story; the closing lines are another callback's."""
        self._log("v2_playbook_on_stats", stats)
        with self._undisturbed():
            self.story.end_step()
            if self._failed and self._log_display.log.path:
                path = os.path.relpath(self._log_display.log.path)
                self.story.screen.say(f"The whole log of this run: {path}")

    def _ended(self, result: Any) -> None:
        host, answer = result.host.get_name(), result.result
        with self._undisturbed():
            self.story.ended(host, changed=bool(answer.get("changed")), notes=notes_of(answer))

    def _log(self, event: str, *args: Any, **kwargs: Any) -> None:
        if self._own is not None:
            self._own._current_task_result = self._current_task_result  # noqa: SLF001 - as Ansible itself sets it
            getattr(self._own, event)(*args, **kwargs)

    def _said_by(self, host: str) -> str:
        return progress_files.read(self._folder.name, host)

    def _tick(self) -> None:
        while True:
            threading.Event().wait(TICK_SECONDS)
            with self._undisturbed():
                self.story.tick()

    def _undisturbed(self) -> Any:
        """Return Ansible's own lock: no text comes between, and no worker is forked while it is held."""
        return self._display._lock  # noqa: SLF001 - Ansible offers no other way

    def _above(self, display: Callable[..., None]) -> Callable[..., None]:
        """Return a display that takes away what is redrawn before it prints, for warnings and the like."""

        def above(*args: Any, **kwargs: Any) -> None:
            # A worker hands its text to this process.
            if os.getpid() == here:
                with self._undisturbed():
                    self.story.screen.clear()
                    display(*args, **kwargs)
            else:
                display(*args, **kwargs)

        here = os.getpid()
        return above


def notes_of(answer: dict[str, Any]) -> list[str]:
    """Return the lines of a task's result that are meant for a person, as those of `debug` are."""
    said = answer.get("msg", "") if answer.get("_ansible_verbose_always") else ""
    return [str(note) for note in [*(answer.get("classvm_notes") or ()), said] if note]


def results_of(result: Any) -> list[dict[str, Any]]:
    """Return what a task, or each round of its loop, answered where it changed something."""
    rounds = result.result.get("results", []) if result.task.loop else [result.result]
    return [one for one in rounds if one.get("changed")]


def lineage(task: Any) -> list[str]:
    """Return the names of a task and of what includes it, the outermost first."""
    names: list[str] = []
    while task is not None:
        names += [task.name] if task.name else []
        task = task._parent  # noqa: SLF001 - Ansible offers no other way
    return names[::-1] or [""]
