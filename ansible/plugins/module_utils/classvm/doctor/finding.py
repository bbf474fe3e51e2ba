"""What a check found, in words for a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Sequence

from ..base.errors import ClassvmError

OK, WARN, FAIL = "ok", "warn", "FAIL"
# Fixes that a class VM gets from the control node.
PROVISION, DEPLOY = "make provision", "make deploy"
# Shows what only root can see.
AS_ROOT = "sudo python3 tools/doctor.py"


@dataclass(frozen=True)
class Finding:
    """What one check found: level is "ok", "warn" or "FAIL", fix is a command or empty."""

    level: str
    subject: str
    text: str
    fix: str = ""


def first_line(problem: ClassvmError) -> str:
    """Return the cause in a message of the package, without the place and the fix."""
    return str(problem).partition("\n")[0]


def look(subject: str, check: Callable[[], Finding]) -> Finding:
    """Return a check's finding; a check that cannot look says why."""
    try:
        return check()
    except ClassvmError as problem:
        fix = problem.fix or "docker info"
        return Finding(WARN, subject, f"cannot be checked: {first_line(problem)}", fix)


def report(findings: Sequence[Finding]) -> str:
    """Return the findings as text: a line for each, its fix below, a summary at the end."""
    width = max(len(finding.subject) for finding in findings) + 1
    lines = []
    for finding in findings:
        lines.append(f"{finding.level:<4}  {finding.subject + ':':<{width}} {finding.text}")
        if finding.fix:
            lines.append(f"      fix: {finding.fix}")
    return "\n".join([*lines, f"doctor: {summary(findings)}"])


def summary(findings: Sequence[Finding]) -> str:
    """Return how many checks there were, and which failed."""
    failed = [finding.subject for finding in findings if finding.level == FAIL]
    warnings = sum(finding.level == WARN for finding in findings)
    checks = f"{len(findings)} check{'' if len(findings) == 1 else 's'}"
    counted = f"{checks}, {warnings} warned, {len(failed)} failed"
    return f"{counted}: {', '.join(failed)}" if failed else counted
