#!/usr/bin/env python3
"""Finds what keeps an app from being deployed, and what a teacher would say about it.

    python3 tools/check.py [APP] [--format text|json|sarif|junit|github]
    python3 tools/check.py --explain CV012

It needs no Docker and no network, imports nothing of the app and changes nothing. The exit status
is 1 when there is an error among the findings, else 0; 2 for wrong usage.
"""

from __future__ import annotations

import argparse
import re
import signal
import sys
from pathlib import Path
from typing import Optional, Sequence

ROOT = Path(__file__).resolve().parent.parent
# As in `classvm`, which Ansible copies to the hosts.
sys.path.append(str(ROOT / "ansible/plugins/module_utils"))

from classvm.app import command_line  # noqa: E402 - its folder was added to the path above
from classvm.app.codes import RULES  # noqa: E402 - as above
from classvm.app.findings import did_you_mean  # noqa: E402 - as above
from classvm.app.formats import FORMATS  # noqa: E402 - as above

LESSONS = ROOT / "docs/findings.md"
PORTS = ROOT / "service/ports.env"
WRONG_USAGE = 2


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Check an app, or explain a code; return the exit status."""
    options = parse(arguments)
    if options.explain:
        return explain(options.explain)
    return command_line.check(Path(options.app), options.format, host_port())


def parse(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    """Read the command line; wrong usage ends the program with exit status 2."""
    parser = argparse.ArgumentParser(description="Check an app without deploying it.")
    parser.add_argument("app", nargs="?", default=str(ROOT / "service"), help="folder of the app")
    parser.add_argument("--format", choices=sorted(FORMATS), default="text", help="for programs")
    parser.add_argument("--explain", metavar="CODE", help="print the lesson of a code")
    return parser.parse_args(arguments)


def explain(code: str) -> int:
    """Print the lesson of a code."""
    text = lesson(code.upper())
    if not text:
        close = did_you_mean(code.upper(), RULES)
        hint = (
            f"Did you mean {close}?"
            if close
            else f"Codes are {min(RULES)} to {max(RULES)}: make explain {min(RULES)}"
        )
        print(f"check: {code} is not the code of a finding. {hint}", file=sys.stderr)
        return WRONG_USAGE
    print(text)
    return 0


def lesson(code: str) -> str:
    """Return the section of docs/findings.md about a code, "" where there is none."""
    text = LESSONS.read_text(encoding="utf-8")
    found = re.search(rf"^## ({re.escape(code)}: .*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    return found[1].strip() if found else ""


def host_port() -> int:
    """Return the port of a class VM at which an app is served."""
    found = re.search(r"^HOST_PORT=(\d+)$", PORTS.read_text(encoding="utf-8"), re.MULTILINE)
    return int(found[1]) if found else 0


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # so that `| head` ends it without a traceback
    sys.exit(main())
