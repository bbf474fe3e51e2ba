"""The findings about hosts, as the control node shows them: a line for each that is not in order."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import List, Optional, Sequence

from ..base import ssh
from .finding import AS_ROOT, FAIL, OK, WARN, Finding
from .machine import CLOCK_TOLERANCE

# With it, every check looks as root.
ROOT_OPTIONS = 'ARGS="--become --ask-become-pass"'
SSH_PORT = str(ssh.SSH_PORT)
# What is wrong there is corrected here.
SUBJECT = "SSH"
KNOWN_HOSTS = re.compile(r"(?i)UserKnownHostsFile[= ]+\"?([^\"]+)")
# Two clocks that are asked over SSH, with what the asking takes left out, and rounded.
CLOCK_SECONDS = 5


@dataclass(frozen=True)
class Reached:
    """How Ansible reaches a host.

    Attributes:
        host: its name in the inventory.
        name: its address, or its name for SSH.
        user: account there, or "" for the one of this login.
        port: of SSH.
        key: file of the private key, or "".
        arguments: of ssh, as the inventory has them.

    """

    host: str
    name: str
    user: str = ""
    port: str = SSH_PORT
    key: str = ""
    arguments: str = ""

    @property
    def address(self) -> str:
        """What ssh and ssh-copy-id need to reach it, as words of a shell."""
        words = ["-i", self.key] if self.key else []
        words += ["-p", self.port] if self.port != SSH_PORT else []
        words += shlex.split(self.arguments)
        return shlex.join([*words, f"{self.user}@{self.name}" if self.user else self.name])

    @property
    def forget(self) -> str:
        """What ssh-keygen needs to forget its host key, as words of a shell."""
        files = [found[1] for found in map(KNOWN_HOSTS.match, shlex.split(self.arguments)) if found]
        name = self.name if self.port == SSH_PORT else f"[{self.name}]:{self.port}"
        return shlex.join([*(["-f", files[0]] if files else []), "-R", name])


def unreachable(reached: Reached, message: str) -> Finding:
    """Return the finding about a host that cannot be reached.

    Args:
        reached: how it would be.
        message: what Ansible says of it.

    """
    trouble = ssh.trouble(message)
    fix = ": ".join(filter(None, (trouble.action, trouble.command)))
    for name in ("host", "address", "forget"):
        fix = fix.replace(f"{{{name}}}", getattr(reached, name))
    return Finding(FAIL, SUBJECT, trouble.cause, fix)


def clock(there: float, before: float, after: float) -> Optional[Finding]:
    """Return the finding about a host's clock that is not ours, None for one that is.

    Args:
        there: what it showed, in seconds since 1970, like the others.
        before: what ours showed before it was asked.
        after: what ours showed afterwards.

    """
    ahead = there - after if there > after else there - before if there < before else 0.0
    if abs(ahead) <= CLOCK_SECONDS:
        return None
    level = FAIL if abs(ahead) > CLOCK_TOLERANCE else WARN
    text = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the one of this machine"
    return Finding(level, "clock", text, "sudo timedatectl set-ntp true")


def lines(host: str, findings: Sequence[Finding]) -> List[str]:
    """Return a line for each finding that is not in order, the failed ones first.

    Args:
        host: its name in the inventory.
        findings: of all checks.

    """
    wrong = sorted((one for one in findings if one.level != OK), key=lambda one: one.level != FAIL)
    return [f"{host}: {one.level}: {one.subject}: {one.text}{_fix(host, one)}" for one in wrong]


def _fix(host: str, finding: Finding) -> str:
    fix = finding.fix
    if not fix:
        return ""
    if fix == AS_ROOT:
        return f"; fix: `make doctor {ROOT_OPTIONS}`"
    if fix.startswith("make "):
        return f"; fix: `{fix}`"
    is_here = finding.subject == SUBJECT or fix.startswith("an administrator: `make")
    return f"; fix: {fix}" if is_here else f"; fix on {host}: {fix}"
