"""Run a module, and meanwhile show what it says of its progress.

Modules have it by `plugin_routing` in meta/runtime.yml of the collection. The module writes to a file of its
host, and a thread reads that file over the task's own connection, as long as the module works: a
module that ends at once is not asked.
"""

from __future__ import annotations

import contextlib
import copy
import os
import secrets
import threading
from collections.abc import Iterator
from typing import Any

from ansible.plugins.action import ActionBase

from ..module_utils.classvm.base import progress
from ..module_utils.classvm.output import progress_files

# Each look costs the host a process.
PAUSE_SECONDS = 1.0
FOLDER = "/tmp"  # noqa: S108 - the module refuses a file that is there


class Watched(ActionBase):  # type: ignore[misc] # ansible-core ships no types
    """An action that calls its module, and reads along."""

    def call(self, args: dict[str, Any], task_vars: Any) -> dict[str, Any]:
        """Call the task's module and return its result.

        Args:
            args: its arguments.
            task_vars: as Ansible hands them to `run`.

        """
        far, environment = f"{FOLDER}/classvm-{new_token()}", self._task.environment
        if progress_files.folder(os.environ):
            self._task.environment = [*(environment or []), {progress.VARIABLE: far}]
        try:
            with self.watched(far, task_vars["inventory_hostname"]):
                answer: dict[str, Any] = self._execute_module(
                    self._task.action, args, task_vars=task_vars
                )
        finally:
            self._task.environment = environment
        return answer

    @contextlib.contextmanager
    def watched(self, far: str, host: str) -> Iterator[None]:
        """Show meanwhile what is said in a file of the host.

        Args:
            far: path of the file there.
            host: name of the host.

        """
        near = progress_files.folder(os.environ)
        if not near:
            yield
            return
        ended = threading.Event()
        reader = Reader(without_questions(self._connection), far, near, host)
        threading.Thread(target=reader.read_until, args=(ended,), daemon=True).start()
        try:
            yield
        finally:
            ended.set()
            progress_files.clear(near, host)


class ActionModule(Watched):
    """The module as it is."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return the module's result."""
        super().run(tmp, task_vars)
        return self.call(dict(self._task.args), task_vars)


def new_token() -> str:
    """Return a name that nobody can guess, for a file of the host."""
    return secrets.token_hex(16)


class Reader:
    """Copies what a module says on its host to the control node."""

    def __init__(self, connection: Any, far: str, near: str, host: str) -> None:
        """Read nothing yet.

        Args:
            connection: to the host.
            far: the module's file there.
            near: the folder on the control node.
            host: name of the host.

        """
        self._connection, self._far, self._near, self._host = connection, far, near, host

    def read_until(self, ended: threading.Event) -> None:
        """Read again and again until the work has ended, or reading fails."""
        while not ended.wait(PAUSE_SECONDS):
            try:
                _, said, _ = self._connection.exec_command(f"cat {self._far}", sudoable=False)
            except Exception:  # noqa: BLE001 - a run does not fail for what cannot be shown
                return
            if said and not ended.is_set():
                progress_files.write(self._near, self._host, said.decode(errors="replace"))


def without_questions(connection: Any) -> Any:
    """Return a second connection to the same host, which asks the person nothing.

    SSH has it beside the first one; where that is not possible, a password is not asked for again.
    """
    second = copy.copy(connection)
    second._options = dict(connection._options)  # noqa: SLF001 - Ansible offers no other way
    if second.has_option("ssh_extra_args"):
        given = second.get_option("ssh_extra_args") or ""
        second.set_option("ssh_extra_args", f"{given} -o BatchMode=yes".strip())
    return second
