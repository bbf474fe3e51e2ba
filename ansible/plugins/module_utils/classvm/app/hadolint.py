"""Ask hadolint about an app's Dockerfile, where that program is there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import Any, Dict, List

from .findings import Finding
from .folder import AppFolder

FILE = "Dockerfile"
# CV050 names a misspelt instruction already. And versions of Ubuntu's packages need no pin, because
# the archive of 18.04 no longer changes.
UNNEEDED = {"DL1000", "DL3008"}
LEVELS = ("error", "warning")
TIMEOUT_SECONDS = 2


def check(folder: AppFolder) -> List[Finding]:
    """Return hadolint's errors and warnings, each kind once; [] where it is not there."""
    program = _program()
    if not program or not folder.has(FILE):
        return []
    command = [program, "--no-color", "--format", "json", "-"]
    try:
        done = subprocess.run(  # noqa: S603 - the app's text is its input, no argument
            command,
            input=folder.content(FILE),
            capture_output=True,
            check=False,
            cwd=str(folder.root),  # its own .hadolint.yaml counts
            timeout=TIMEOUT_SECONDS,
        )
        return _findings(json.loads(done.stdout))
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return []


def _program() -> str:
    """Return the program's path: beside this Python, else on the PATH; "" where it is not there."""
    beside = os.path.join(os.path.dirname(sys.executable), "hadolint")
    return beside if os.access(beside, os.X_OK) else shutil.which("hadolint") or ""


def _findings(advice: Any) -> List[Finding]:  # noqa: ANN401 - another program's JSON
    first: Dict[str, Finding] = {}
    for one in advice if isinstance(advice, list) else ():
        code = str(one.get("code"))
        if one.get("level") in LEVELS and code not in {*UNNEEDED, *first}:
            what = f"{code}: {' '.join(str(one.get('message')).split())}"
            fix = f"Follow it, or write `ignored: [{code}]` into .hadolint.yaml"
            first[code] = Finding(FILE, int(one.get("line") or 0), 1, "CV057", what, fix)
    return list(first.values())
