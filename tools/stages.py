"""Run stages of the test one after the other, and print how long each took.

    python tools/stages.py lint unit "scenario S=default"

A stage is a target of the Makefile, with its variables. The first that fails ends the run.
"""

from __future__ import annotations

import subprocess
import sys
import time

from rich.console import Console
from rich.table import Table


def command(stage: str) -> list[str]:
    """Return the command of a stage."""
    return ["make", "--no-print-directory", *stage.split()]


def run(stages: list[str]) -> tuple[dict[str, float], int]:
    """Run the stages up to the first that fails; return the seconds of each, and the exit code."""
    seconds: dict[str, float] = {}
    for stage in stages:
        print(f"\n== {stage}", flush=True)
        start = time.monotonic()
        code = subprocess.run(command(stage), check=False).returncode  # noqa: S603 - our own Makefile
        seconds[stage] = time.monotonic() - start
        if code:
            return seconds, code
    return seconds, 0


def table(seconds: dict[str, float]) -> Table:
    """Return the seconds of the stages, the longest bar for the longest stage."""
    shown = Table("stage", "seconds", "", title="Where the time went", title_justify="left")
    longest = max(seconds.values())
    for stage, taken in seconds.items():
        shown.add_row(stage, f"{taken:.0f}", "█" * max(1, round(20 * taken / longest)))
    return shown


def main() -> int:
    """Run the stages that the command line names; return the exit code."""
    seconds, code = run(sys.argv[1:])
    Console(width=80).print(table(seconds))
    last, total = list(seconds)[-1], sum(seconds.values())
    verdict = f"{last} failed" if code else f"all {len(seconds)} stages passed"
    print(f"test: {verdict} after {total / 60:.1f} minutes")
    return code


if __name__ == "__main__":
    sys.exit(main())
