"""Run stages of the test one after the other, and print how long each took.

    python tools/stages.py lint unit "scenario S=default"

A stage is a target of the Makefile, with its variables. The first that fails ends the run. A stage
that calls pytest or molecule fails, too, when no test passed in it: a misspelt option that selects
nothing must not look like success.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

# What pytest says of a test that failed: in its closing list, and of why.
FAILED_TEST = re.compile(r"^\W*((?:FAILED|ERROR) \S+\.py\b.*)$", re.MULTILINE)
FAILED_WHY = re.compile(r"^\W*(E  +\S.*)$", re.MULTILINE)
# Molecule quotes what it runs, and breaks it at 80 columns: within a word where a line is full.
FULL_LINE = re.compile(r"^( *│ .{76,})\n *│   (?=\S)", re.MULTILINE)
SHORT_LINE = re.compile(r"\n *│   (?=\S)")
MOST_LINES, MOST_CHARACTERS = 30, 300
TEST_RUNNERS = r"\b(?:pytest|molecule test)\b"
# The exit status of pytest where it collected no test.
NO_TESTS = 5
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Result:
    """How a stage ended.

    Attributes:
        code: exit status.
        seconds: how long it took.
        reason: why it failed where its exit status does not say so.
        said: what its tests said of their failures, a line each.

    """

    code: int
    seconds: float
    reason: str = ""
    said: tuple[str, ...] = ()


def command(stage: str) -> list[str]:
    """Return the command of a stage."""
    return ["make", "--no-print-directory", *stage.split()]


def runs_tests(stage: str) -> bool:
    """Tell whether a stage calls a test runner, as make itself says in a dry run."""
    words = [*command(stage), "--dry-run"]
    plan = subprocess.run(words, capture_output=True, check=False, text=True)  # noqa: S603 - our own Makefile
    return bool(re.search(TEST_RUNNERS, plan.stdout))


def passed_tests(output: str) -> int:
    """Return the number of passed tests in all closing lines of pytest."""
    plain = COLOUR.sub("", output)
    # Ansible indents and quotes what it shows of a command on a VM.
    closing = re.findall(r"^\W*((?:\d+ \w+, )*\d+ \w+) in [\d.]+s", plain, re.MULTILINE)
    return sum(int(count) for line in closing for count in re.findall(r"(\d+) passed", line))


def failures(output: str) -> tuple[str, ...]:
    """Return why tests failed, and which: much else may follow them, as the end of a VM."""
    plain = FULL_LINE.sub(r"\1", COLOUR.sub("", output).replace("\r", ""))
    plain = SHORT_LINE.sub(" ", plain)
    why, failed = (pattern.findall(plain) for pattern in (FAILED_WHY, FAILED_TEST))
    lines = (*why[:MOST_LINES], *failed[-MOST_LINES:])
    return tuple(line[:MOST_CHARACTERS] for line in lines)


def run_stage(stage: str) -> Result:
    """Run one stage, showing its output as it comes."""
    start = time.monotonic()
    # Python programs would otherwise keep their lines back where no terminal listens.
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    output = b""
    with subprocess.Popen(  # noqa: S603 - our own Makefile
        command(stage), env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None  # noqa: S101 - for the type checker: it is a pipe
        while part := os.read(process.stdout.fileno(), 1 << 16):
            os.write(sys.stdout.fileno(), part)
            output += part
        code = process.wait()
    text, seconds = output.decode(errors="replace"), time.monotonic() - start
    if code:
        return Result(code, seconds, said=failures(text))
    if runs_tests(stage) and not passed_tests(text):
        return Result(NO_TESTS, seconds, "no test passed in it")
    return Result(code, seconds)


def run(stages: list[str]) -> dict[str, Result]:
    """Run the stages up to the first that fails; return how each ended."""
    results: dict[str, Result] = {}
    for stage in stages:
        print(f"\n== {stage}", flush=True)
        results[stage] = run_stage(stage)
        if results[stage].code:
            break
    return results


def table(results: dict[str, Result]) -> Table:
    """Return the seconds of the stages, the longest bar for the longest stage."""
    shown = Table("stage", "seconds", "", title="Where the time went", title_justify="left")
    longest = max(result.seconds for result in results.values())
    for stage, result in results.items():
        bar = "█" * max(1, round(20 * result.seconds / longest))
        shown.add_row(stage, f"{result.seconds:.0f}", bar)
    return shown


def main() -> int:
    """Run the stages that the command line names; return the exit code."""
    results = run(sys.argv[1:])
    Console(width=80).print(table(results))
    last, result = list(results.items())[-1]
    if result.said:
        print(f"What failed in {last}", *result.said, sep="\n  ")
    minutes = sum(one.seconds for one in results.values()) / 60
    verdict = f"{last} failed" if result.code else f"all {len(results)} stages passed"
    reason = f": {result.reason}" if result.reason else ""
    print(f"test: {verdict} after {minutes:.1f} minutes{reason}")
    return result.code


if __name__ == "__main__":
    sys.exit(main())
