"""The findings about hosts, as the control node shows them: a line for each that is not in order."""

from __future__ import annotations

import re
from typing import List, Sequence

from .finding import AS_ROOT, FAIL, OK, Finding

# With it, every check looks as root.
ROOT_OPTIONS = 'ARGS="--become --ask-become-pass"'
# What ssh says, and the command that mends it; the last one fits every other cause.
SSH_FIXES = (
    ("host key verification failed", "ssh-keygen -R {address}   # if the machine is a new one"),
    ("permission denied", "ssh-copy-id {port}{address}"),
    ("could not resolve", "correct ansible_host of {host} in the inventory"),
    ("", "start the machine, then: ssh {port}{address}"),
)


def unreachable(host: str, address: str, port: str, message: str) -> Finding:
    """Return the finding about a host that cannot be reached.

    Args:
        host: its name in the inventory.
        address: as ssh takes it, with the account's name where there is one.
        port: option of ssh for another port than its own, "-p 2222 ", or "".
        message: what Ansible says of it.

    """
    said = [line.strip() for line in message.splitlines() if line.strip()] or ["no answer"]
    cause = said[-1].rpartition("ssh: ")[2]
    fix = next(fix for sign, fix in SSH_FIXES if sign in message.lower())
    return Finding(FAIL, "SSH", cause, fix.format(host=host, address=address, port=port))


def lines(host: str, findings: Sequence[Finding], options: str) -> List[str]:
    """Return a line for each finding that is not in order, the failed ones first.

    Args:
        host: its name in the inventory.
        findings: of all checks.
        options: of a command here that is for this host alone: "INVENTORY=class.yml LIMIT=vm-1".

    """
    wrong = sorted((one for one in findings if one.level != OK), key=lambda one: one.level != FAIL)
    return [
        f"{host}: {one.level}: {one.subject}: {one.text}{_fix(host, one.fix, options)}"
        for one in wrong
    ]


def _fix(host: str, fix: str, options: str) -> str:
    if not fix:
        return ""
    if fix == AS_ROOT:
        return f"; fix: make doctor {options} {ROOT_OPTIONS}"
    if fix.startswith("make "):
        return f"; fix: {fix} {options}"
    is_here = re.match(r"ssh|start the machine|correct ", fix)
    return f"; fix: {fix}" if is_here else f"; fix on {host}: {fix}"
