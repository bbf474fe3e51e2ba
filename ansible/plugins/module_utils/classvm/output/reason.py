"""Why a host failed, from what Ansible says of its task."""

from __future__ import annotations

import re
from typing import Any, List, Mapping

from ..base import ssh

# A closing line is read at a glance.
LONGEST_LINE = 300
# What Ansible says where sudo asks again, over SSH and on the machine itself.
WRONG_PASSWORD = ("Incorrect sudo password", "Duplicate become password prompt")
# What it says where the program that is to ask does not.
NO_PROMPT = "waiting for privilege escalation prompt"
# What Ansible says of a module that printed nothing.
NO_RESULT = "Module result deserialization failed"
# Exit code of a shell that does not find a program.
NOT_FOUND = 127
NO_SUDO = re.compile(r"\bsudo: (?:command )?not found")


def reason(result: Mapping[str, Any], host: str = "") -> str:
    """Return why a task failed: the cause in its first line, details below.

    Args:
        result: of the task, as Ansible hands it to a callback.
        host: its name in the inventory.

    """
    if result.get("unreachable"):
        return _unreachable(str(result.get("msg", "")), host)
    if result.get("argument_errors"):
        return _wrong_values([str(error) for error in result["argument_errors"]])
    failed_items = [item for item in result.get("results") or [] if item.get("failed")]
    if failed_items:
        return reason(failed_items[0])
    text = str(result.get("msg", "")).strip()
    if text.startswith(NO_RESULT) and not result.get("module_stdout"):
        return _no_answer(result)
    if any(sign in text for sign in WRONG_PASSWORD):
        return "The sudo password is wrong on this host. Correct it, then run the command again"
    return text if result.get("rc") is None else "\n".join([text, *_output(result)]).strip()


def closing_line(host: str, why: str) -> str:
    """Return the closing line of a host that failed: the first line of the reason, bounded."""
    line = f"classvm: {host} failed: {cause(why)}"
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1]}…"


def cause(why: str) -> str:
    """Return the first line of a reason."""
    return why.strip().partition("\n")[0]


def details(host: str, why: str) -> List[str]:
    """Return the lines of a reason that the closing line does not hold."""
    lines = [line.rstrip() for line in why.strip().split("\n")]
    return lines if closing_line(host, why).endswith("…") else lines[1:]


def _unreachable(message: str, host: str) -> str:
    if NO_PROMPT in message:
        return (
            "This account cannot become root there: nobody asked for its password in time."
            f" Correct ansible_become_method of {host or 'the host'} in the inventory"
        )
    trouble = ssh.trouble(message)
    action = re.sub(", then$", "", trouble.action.replace("{host}", host or "the host"))
    # Only the doctor knows the words that ssh needs to reach the host.
    command = f": `{trouble.command}`" if trouble.command and "{" not in trouble.command else ""
    return (
        f"It cannot be reached: {trouble.cause}."
        f" {action[0].upper()}{action[1:]}{command}; `make doctor` tells more"
    )


def _no_answer(result: Mapping[str, Any]) -> str:
    if result.get("rc") != NOT_FOUND:
        return "The host gave no answer: its connection, or the work there, was ended. `make status` tells how it stands"
    said = str(result.get("module_stderr", "")).strip().partition("\n")[0] or "it is not there"
    if NO_SUDO.search(said):
        return "There is no sudo on this host. Log in as root (ansible_user=root), or install it there: `apt-get install sudo`"
    return (
        f"The host's Python does not start: {said.rstrip('.')}."
        " Name another one in the inventory: ansible_python_interpreter=/usr/bin/python3"
    )


def _wrong_values(errors: List[str]) -> str:
    """Return the reason where the values of a role's variables are wrong: all of them in a line."""
    unique = list(dict.fromkeys(errors))
    return f"Correct these settings: {'; '.join(unique)}"


def _output(result: Mapping[str, Any]) -> List[str]:
    """Return what a command printed before it failed."""
    texts = [str(result.get(key) or "").strip() for key in ("stdout", "stderr")]
    return [text for text in texts if text and text not in str(result.get("msg"))]
