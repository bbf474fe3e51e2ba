"""Find the line of a failed build that names its cause."""

from __future__ import annotations

import re
from typing import List

from . import pip_failure

LINE_LENGTH = 200
# Docker's own words: which step failed, but not why.
FRAME = re.compile(
    r"^ERROR: exit code: |executor failed running|failed to solve: process |did not complete successfully"
    r"|^-+$|^> \[|^sha256:|^(DONE|CACHED|CANCELED)\b|^\d+ warnings? found|^\d* *(>>>|\|)"
)
# The first pattern that some line matches decides; of its lines, the last one.
CAUSES = [
    # pip: the package and the versions that there are stand in the line before "No matching …".
    re.compile(r"^ERROR: (Could not find a version|Package .* requires|Invalid requirement).*"),
    re.compile(r"^ERROR: (?!No matching distribution|failed to |Failed building).+"),
    re.compile(r"^E: .+"),  # apt
    re.compile(r"^[\w.]*(Error|Exception): .+"),  # Python
    re.compile(r"(?i).*\b(unknown instruction|parse error|not found|no such host|timed? ?out)\b.*"),
    re.compile(r"(?i).*\b(error|failed|fatal|cannot|denied)\b.*"),
]
PREFIX = re.compile(r"^#\d+ +(\d+\.\d+ +)?")
# What a step printed, with its own indentation.
OUTPUT = re.compile(r"^(?:#\d+ )?\d+\.\d+ (?P<text>.*)")
# What the builder puts before the reason; the reason comes last.
PREAMBLE = re.compile(
    r"^(ERROR: |failed to (solve|create|compute)[\w. ]*: |failed to solve with frontend [\w.]+: )+"
)


def cause(log: str) -> str:
    """Return why a build failed in one line: in words of its own for pip, else the output's own line.

    It is "" for an empty output.
    """
    lines = [PREFIX.sub("", line.strip()).strip() for line in log.splitlines()]
    explained = pip_failure.explain(lines)
    if explained:
        return explained
    telling = [line for line in lines if line and not FRAME.search(line)]
    for pattern in CAUSES:
        found = [line for line in telling if pattern.match(line)]
        if found:
            return _short(found[-1])
    return _short(telling[-1]) if telling else ""


def printed(log: str) -> List[str]:
    """Return what the steps of a build printed, line by line, without the builder's own lines."""
    found = map(OUTPUT.match, log.splitlines())
    return [match["text"] for match in found if match]


def _short(line: str) -> str:
    return PREAMBLE.sub("", line)[:LINE_LENGTH].rstrip()
