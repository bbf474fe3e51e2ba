"""Ask the host program: one exec on the host over Ansible's own connection, without a module."""

from __future__ import annotations

import json
import shlex
from typing import Any

from ..action.classvm_watched import Watched, new_token
from ..module_utils.classvm.base import installed
from ..module_utils.classvm.base.errors import ClassvmError
from ..module_utils.classvm.base.progress import FOLDER as PROGRESS_FOLDER
from ..module_utils.classvm.program.protocol import FAILED, INTERRUPTED, PROTOCOL

# Verbs that take so long that a person wants to know what is going on.
LONG = ("release", "rollback", "start", "restart")
# What a shell ends with where there is no such program.
NOT_FOUND = 127
# Of an answer with an error: the question was understood.
DECIDED = (FAILED, INTERRUPTED)
NOT_INSTALLED = ClassvmError(
    "This host has no host program, so no service runs there",
    fix="An admin can install it: `make provision`.",
)


class Asks(Watched):
    """An action that hands a question to the host program, and its answer on."""

    def ask(
        self, verb: str, request: dict[str, Any], task_vars: dict[str, Any], app: bytes = b""
    ) -> dict[str, Any]:
        """Return the answer as the result of the task.

        Args:
            verb: of the host program.
            request: what the verb needs; a dry run is a part of it.
            task_vars: as Ansible hands them to `run`.
            app: what follows the request, as the tar of a build context.

        """
        command = command_line(verb)
        asked = {**request, "protocol": PROTOCOL, "check": self._task.check_mode}
        if verb not in LONG:
            return result(self._sent(command, asked))
        token = new_token()
        far = f"{request['state_dir']}/{PROGRESS_FOLDER}/{token}"
        with self.watched(far, task_vars["inventory_hostname"]):
            return result(self._sent(command, {**asked, "progress": token}, app))

    def answer_or_none(self, verb: str, request: dict[str, Any]) -> dict[str, Any] | None:
        """Return the answer as `ask` does, or None where this host's program cannot give one.

        It is missing, older than the question, or broken: a module that is sent there can tell why.
        """
        asked = {**request, "protocol": PROTOCOL, "check": self._task.check_mode}
        done = self._sent(command_line(verb), asked)
        answer = answer_in(done["stdout"])
        if answer is None or (answer["error"] or {}).get("code", FAILED) not in DECIDED:
            return None
        return result(done)

    def is_there(self, path: str) -> bool:
        """Tell whether the host has a file or folder."""
        done = self._low_level_execute_command(f"test -e {shlex.quote(path)}")
        return bool(done["rc"] == 0)

    def _sent(self, command: str, asked: dict[str, Any], app: bytes = b"") -> dict[str, Any]:
        """Run a command on the host with a request, and what follows it, as its standard input."""
        text = json.dumps(asked).encode() + (b"\n" + app if app else b"")
        if self._connection.is_pipelining_enabled():
            return dict(self._low_level_execute_command(command, in_data=text))
        # A host whose sudo wants a terminal has no other standard input.
        folder = self._make_tmp_path()
        try:
            file = self._connection._shell.join_path(folder, "request.json")  # noqa: SLF001 - Ansible offers no other way
            self._transfer_data(file, text)
            self._fixup_perms2((folder, file))
            return dict(self._low_level_execute_command(f"{command} < {shlex.quote(file)}"))
        finally:
            self._remove_tmp_path(folder, force=True)


def command_line(verb: str) -> str:
    """Return the command by which a verb is asked."""
    return f"{installed.HERE.command} {verb} --json"


def result(done: dict[str, Any]) -> dict[str, Any]:
    """Return the result of a task.

    Args:
        done: "rc", "stdout" and "stderr" of the host program.

    """
    answer = answer_in(done["stdout"])
    if answer is None:
        return failed(NOT_INSTALLED if done["rc"] == NOT_FOUND else no_answer(done))
    error = answer.pop("error")
    answer.pop("protocol")
    if error:
        lines = [error["line"], *filter(None, [error["details"]])]
        return {"changed": False, "failed": True, "msg": "\n".join(lines)}
    return {"changed": False, **answer}


def is_bare(answer: dict[str, Any]) -> bool:
    """Tell whether the host has no host program."""
    return answer.get("msg") == str(NOT_INSTALLED)


def answer_in(printed: str) -> dict[str, Any] | None:
    """Return the answer in what was printed; a terminal or a login shell may have added lines."""
    for line in reversed(printed.splitlines()):
        if line.startswith("{"):
            try:
                answer = json.loads(line)
            except ValueError:
                continue
            if isinstance(answer, dict) and {"protocol", "error"} <= answer.keys():
                return answer
    return None


def no_answer(done: dict[str, Any]) -> ClassvmError:
    """Return the error of a program that has ended without an answer."""
    said = f"{done['stdout']}\n{done['stderr']}".strip()
    last = said.splitlines()[-1] if said else f"it ended with exit code {done['rc']}"
    return ClassvmError(
        f"The host program gave no answer: {last}",
        fix="An admin can install it anew: `make provision`.",
        details=said,
    )


def failed(error: ClassvmError) -> dict[str, Any]:
    """Return the result of a task that has failed."""
    return {"changed": False, "failed": True, "msg": str(error)}
