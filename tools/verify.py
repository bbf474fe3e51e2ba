#!/usr/bin/env python3
"""Checks every guarantee on live hosts and changes nothing there.

    python tools/verify.py [--inventory FILE] [--limit HOSTS] [--extra-vars VARS] [--quick] …

It runs the suite of tests/infra and prints a line for each host, and below it each check that
failed with the next command; with --table, all checks, and the evidence of whatever is red.
Exit status: 0 all good, 1 something is red, 2 it could not run.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shlex
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]
SUITE = ROOT / "tests/infra"
# Where the suite finds its own modules when pytest runs it.
sys.path += [str(SUITE.parent), str(ROOT / "ansible/plugins/module_utils")]

import live  # noqa: E402 - it is beside this file
from classvm.output import advice  # noqa: E402 - its folder was added to the path above
from infra import released, scan  # noqa: E402 - as above
from survey import CannotRunError, Survey, survey  # noqa: E402 - it is beside this file

# Where a scan was made, and what was seen: host; protocol, address, observer, answers as JSON.
Scan = tuple[str, Sequence[str]]
GOOD, RED, SKIPPED = "good", "red", "skipped"
SIGNS = {GOOD: ("✓", "green"), RED: ("✗", "bold red"), SKIPPED: ("\N{EN DASH}", "dim")}
# What others have written is printed as it is.
PLAIN: Mapping[str, Any] = {"markup": False, "highlight": False, "soft_wrap": True}
EVIDENCE_LINES, LINE_LENGTH = 25, 200
# Of a failed check, where not everything is asked for.
CAUSE_LINES = 6
# In the last line.
NAMED = 3
# What repairs what a part of the suite checks; of the others, a deploy.
REPAIRS = {
    **dict.fromkeys(("host", "isolation", "routed", "ufw"), "`make provision`"),
    **dict.fromkeys(("endpoints", "fuzz"), "`make logs`"),
}
SCAN_INTRODUCTION = (
    "# What a port scan sees",
    "",
    "`make verify` scanned all ports of a class VM, from the control node and from a neighbour,",
    "and wrote this.",
    "",
)
EXIT_GOOD, EXIT_RED, EXIT_UNUSABLE = 0, 1, 2


@dataclass
class Check:
    """What one check found on one host.

    Attributes:
        id: pytest's name of it.
        name: what it checks, in words.
        variant: for which of several, for example an operation; "" for the only one.
        part: which part of the suite it belongs to.
        result: "good", "red" or "skipped".
        reason: why it was skipped, or what was red.
        evidence: what the host said about it.
        seconds: how long it took.

    """

    id: str
    host: str
    name: str
    variant: str
    part: str
    result: str = GOOD
    reason: str = ""
    evidence: str = ""
    seconds: float = 0.0

    @property
    def title(self) -> str:
        """The check in words, with its variant."""
        return f"{self.name} ({self.variant})" if self.variant else self.name


# --- Running the suite ---------------------------------------------------------------------------


class Recorder:
    """A plugin of pytest that keeps what each check found, instead of printing it."""

    def __init__(self, shown: live.Live) -> None:
        """Tell how far it is."""
        self.live = shown
        self.done = 0
        self.checks: dict[str, Check] = {}
        self.scans: list[Scan] = []
        self.broken: list[str] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Name the checks."""
        for item in session.items:
            if isinstance(item, pytest.Function):
                self.checks[item.nodeid] = describe(item)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep why the suite cannot be read."""
        if report.failed:
            self.broken.append(str(report.longrepr))

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Tell which check begins."""
        self.done += 1
        check = self.checks.get(nodeid)
        if check:
            self.live.doing(f"{self.done} of {len(self.checks)}, {check.host}: {check.title}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a check found; it is red when any of its phases is."""
        check = self.checks.get(report.nodeid)
        if check is None:
            return
        check.seconds += report.duration
        if report.when == "call":
            seen: dict[str, Any] = dict(report.user_properties)
            self.scans += [(check.host, seen["scan"])] if "scan" in seen else []
        if report.failed:
            check.result = RED
            check.reason = reason_of(report)
            check.evidence = "\n".join(f"{title}:\n{last(text)}" for title, text in report.sections)
        elif report.skipped and isinstance(report.longrepr, tuple):
            check.result = SKIPPED
            check.reason = report.longrepr[2].removeprefix("Skipped: ")


def describe(item: pytest.Function) -> Check:
    """Return a check that has not run yet."""
    given: dict[str, Any] = dict(item.callspec.params)
    host = given.pop("_testinfra_host")
    return Check(
        id=item.nodeid,
        host=host.backend.get_hostname(),
        name=item.originalname.removeprefix("test_").replace("_", " "),
        variant=", ".join(map(str, given.values())),
        part=Path(item.path).stem.removeprefix("test_"),
    )


def reason_of(report: pytest.TestReport) -> str:
    """Return what a failed check says, without the code around it."""
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message) if crash else str(report.longrepr)


def last(text: str) -> str:
    """Return the last lines of a text, indented."""
    lines = text.rstrip().splitlines()[-EVIDENCE_LINES:]
    return "\n".join(f"  {line[:LINE_LENGTH]}" for line in lines)


def marks(options: argparse.Namespace) -> str:
    """Return which checks run, in pytest's words."""
    without = ["disruptive"]
    without += [] if options.fuzz else ["fuzz"]
    without += ["scan"] if options.quick else []
    return " and ".join(f"not {mark}" for mark in without)


def run(options: argparse.Namespace, found: Survey, recorder: Recorder) -> None:
    """Run the suite on the hosts that can be verified.

    Raises:
        CannotRunError: the suite cannot be read, was interrupted, or has no such check.

    """
    words = [str(SUITE), "-m", marks(options), "-k", options.k]
    words += ["--hosts", ",".join(f"ansible://{host}" for host in found.hosts)]
    words += ["--released", released.to_json(found.by_rollback)]
    words += ["--ansible-inventory", options.inventory] if options.inventory else []
    words += [word for extra in options.extra_vars for word in ("--extra-vars", extra)]
    # The recorder takes the place of pytest's own report; nothing is written into the tree.
    words += ["-p", "no:cacheprovider", "-p", "no:terminal"]
    words += ["--override-ini", "addopts=--import-mode=importlib --strict-markers"]
    status = pytest.main(list(words), plugins=[recorder])
    if status == pytest.ExitCode.NO_TESTS_COLLECTED:
        raise CannotRunError(f"no check is named like {options.k!r}\nNext: leave out -k")
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        why = "\n".join(recorder.broken) or f"the suite ended with {pytest.ExitCode(status).name}"
        raise CannotRunError(f"{why}\nNext: pytest {shlex.join(words[:-6])}")


# --- Telling -------------------------------------------------------------------------------------


def by_name(checks: Iterable[Check]) -> dict[tuple[str, str], list[Check]]:
    """Return the checks of one host, those that differ in their variant together."""
    found: dict[tuple[str, str], list[Check]] = {}
    for check in checks:
        found.setdefault((check.part, check.name), []).append(check)
    return found


def verdict(checks: Sequence[Check]) -> Text:
    """Return the sign for a row of the table."""
    results = [check.result for check in checks]
    worst = RED if RED in results else GOOD if GOOD in results else SKIPPED
    sign, style = SIGNS[worst]
    count = results.count(worst)
    of = f" of {len(checks)}" if count < len(checks) else ""
    return Text(f"{sign} {count}{of}" if len(checks) > 1 else sign, style)


def table(host: str, checks: Sequence[Check]) -> Table:
    """Return the table of a host."""
    shown = Table(title=host, title_justify="left", title_style="bold", box=None)
    shown.add_column("", style="dim")
    shown.add_column("check", overflow="fold")
    shown.add_column("", no_wrap=True)
    shown.add_column("s", justify="right", style="dim")
    part = ""
    for (of_part, name), row in by_name(checks).items():
        seconds = sum(check.seconds for check in row)
        shown.add_row(of_part if of_part != part else "", name, verdict(row), f"{seconds:.1f}")
        part = of_part
    return shown


def show(console: Console, host: str, checks: Sequence[Check], how: str = "") -> None:
    """Print in a line how one host is, and below it each check that failed, with the next command.

    Args:
        console: where.
        host: its name.
        checks: all of it.
        how: how its release came about, where that is not what the app's folder says.

    """
    count = Counter(check.result for check in checks)
    left_out = f", {count[SKIPPED]} do not apply" if count[SKIPPED] else ""
    if not count[RED]:
        sign, style = SIGNS[GOOD]
        text = f"{counted(count[GOOD], 'check')} passed{left_out}{how}"
        console.print(Text.assemble((sign, style), f" {host}: {text}"), **PLAIN)
        return
    sign, style = SIGNS[RED]
    text = f"{count[RED]} of {counted(count[RED] + count[GOOD], 'check')} failed{left_out}{how}"
    console.print(Text.assemble((sign, style), f" {host}: {text}"), **PLAIN)
    repairs: dict[str, None] = {}
    for (part, name), row in by_name(check for check in checks if check.result == RED).items():
        variants = "; ".join(check.variant for check in row if check.variant)
        console.print(f"  {name}{f' ({variants})' if variants else ''}", style="bold", **PLAIN)
        console.print(cause(row[0].reason), **PLAIN)
        repairs[REPAIRS.get(part, "`make deploy`")] = None
    for repair in repairs:
        console.print(f"  Next: {advice.for_host(repair, os.environ, host)}", **PLAIN)


def cause(reason: str) -> str:
    """Return the first lines of what a failed check says, without hints for users of pytest."""
    said = [line.strip() for line in reason.removeprefix("AssertionError: ").splitlines()]
    lines = [line for line in said if line and not line.startswith(("Use -v", "Omitting "))]
    return "\n".join(f"    {line[:LINE_LENGTH]}" for line in lines[:CAUSE_LINES])


def show_all(console: Console, host: str, checks: Sequence[Check]) -> None:
    """Print all that was found on one host: the table, what was left out, and what is red."""
    console.print(table(host, checks))
    left_out: dict[str, dict[str, None]] = {}
    for check in checks:
        if check.result == SKIPPED:
            left_out.setdefault(check.reason, {})[check.name] = None
    for reason, names in left_out.items():
        console.print(f"{SIGNS[SKIPPED][0]} {reason}: {', '.join(names)}", style="dim", **PLAIN)
    for check in checks:
        if check.result == RED:
            console.print(f"\n{SIGNS[RED][0]} {host}: {check.title}", style="bold red", **PLAIN)
            console.print(last(check.reason), **PLAIN)
            console.print(check.evidence, style="dim", **PLAIN)
    console.print()


def summary(
    checks: Sequence[Check], seconds: float, obstacles: Mapping[str, str] = MappingProxyType({})
) -> str:
    """Return the last line."""
    ran = [check for check in checks if check.result != SKIPPED]
    hosts = {check.host: [c for c in ran if c.host == check.host] for check in checks}
    red = {h: [c.name for c in found if c.result == RED] for h, found in hosts.items()}
    bad = [
        f"{host}: {len(names)} of {counted(len(hosts[host]), 'check')} failed: {some(names)}"
        for host, names in red.items()
        if names
    ]
    bad += [f"{host}: not verified" for host in obstacles]
    if bad:
        return f"verify: {'; '.join(bad)}"
    number = counted(len(ran) // max(1, len(hosts)), "check")
    each = " each" if len(hosts) > 1 else ""
    return f"verify: {counted(len(hosts), 'host')}, {number}{each}: all good in {seconds:.0f} s"


def some(names: Iterable[str]) -> str:
    """Return the first of some names, each once, and how many more there are."""
    unique = list(dict.fromkeys(names))
    more = len(unique) - NAMED
    return ", ".join([*unique[:NAMED], *([f"{more} more"] if more > 0 else [])])


def counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def as_json(
    checks: Sequence[Check], seconds: float, obstacles: Mapping[str, str] = MappingProxyType({})
) -> str:
    """Return the report for programs."""
    hosts: dict[str, list[dict[str, Any]]] = {}
    for check in checks:
        hosts.setdefault(check.host, []).append(asdict(check))
    good = not obstacles and all(check.result != RED for check in checks)
    report = {"ok": good, "seconds": round(seconds, 1), "hosts": hosts}
    return json.dumps({**report, "not_verified": dict(obstacles)}, indent=2) + "\n"


def scan_table(scans: Iterable[Scan]) -> str:
    """Return what the scans saw, as Markdown."""
    lines = [
        *SCAN_INTRODUCTION,
        "| host | seen from | ports asked | open | refused | silent | seconds |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for host, (protocol, address, observer, text) in scans:
        saw = scan.from_json(text)
        family = "IPv6" if ":" in address else "IPv4"
        no = [*saw.refused, *saw.rejected]
        silent = saw.asked - len(saw.open) - len(no)
        what = [host, observer, f"{saw.asked} {protocol} over {family}"]
        what += [scan.spans(saw.open) or "none", scan.spans(no) or "none", str(silent)]
        lines.append(f"| {' | '.join(what)} | {saw.seconds:.0f} |")
    return "\n".join(lines) + "\n"


# --- The command line ----------------------------------------------------------------------------


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; wrong usage ends the program with exit status 2."""
    parser = argparse.ArgumentParser(
        prog="verify",
        description="Check every guarantee on live hosts; nothing is changed there.",
        epilog="Exit status: 0 all good, 1 something is red, 2 it could not run.",
    )
    parser.add_argument("--inventory", "-i", metavar="FILE", help="as for ansible-playbook")
    parser.add_argument("--limit", "-l", metavar="HOSTS", help="as for ansible-playbook")
    parser.add_argument(
        *("--extra-vars", "-e"),
        action="append",
        default=[],
        metavar="VARS",
        help="what the hosts were deployed with, as for ansible-playbook",
    )
    parser.add_argument("--quick", action="store_true", help="leave out the scan of all ports")
    parser.add_argument("--fuzz", action="store_true", help="add thousands of generated requests")
    parser.add_argument(
        "-k", default="", metavar="WORDS", help="only checks named so, as for pytest"
    )
    parser.add_argument(
        "--table", action="store_true", help="print all checks, and what the host said of red ones"
    )
    parser.add_argument(
        "--json",
        nargs="?",
        const="-",
        metavar="FILE",
        help="write the report for programs, too; without FILE, print it instead of the tables",
    )
    parser.add_argument("--scan-table", metavar="FILE", help="write what the scan saw, as Markdown")
    options = parser.parse_args(arguments)
    if options.inventory and Path(options.inventory).exists():
        options.inventory = str(Path(options.inventory).absolute())  # pytest runs elsewhere
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify, tell, and return the exit status."""
    options = parse(arguments)
    console = Console(stderr=options.json == "-")
    started = time.monotonic()
    try:
        with contextlib.chdir(ROOT), live.on(console.file) as shown:
            recorder = Recorder(shown)
            shown.step("Look at the hosts")
            found = survey(options)
            shown.step(f"Verify {', '.join(found.hosts)}")
            shown.doing("reading what there should be")
            run(options, found, recorder)
    except CannotRunError as error:
        console.print(f"verify: cannot run: {error}", **PLAIN)
        return EXIT_UNUSABLE
    seconds = time.monotonic() - started
    checks = list(recorder.checks.values())
    obstacles = found.obstacles
    for host in dict.fromkeys(check.host for check in checks):
        of_host = [check for check in checks if check.host == host]
        if options.table:
            show_all(console, host, of_host)
        else:
            show(console, host, of_host, how_live(found, host))
    for host, why in obstacles.items():
        console.print(f"{SIGNS[RED][0]} {host} {why}", style="bold red", **PLAIN)
    write(options, as_json(checks, seconds, obstacles), recorder.scans)
    console.print(summary(checks, seconds, obstacles), **PLAIN)
    is_good = not obstacles and all(check.result != RED for check in checks)
    return EXIT_GOOD if is_good else EXIT_RED


def how_live(found: Survey, host: str) -> str:
    """Return how the release of a host came about, where it is not that of the app's folder."""
    one = found.by_rollback.get(host)
    return f"; release {one.release} is live by a rollback" if one else ""


def write(options: argparse.Namespace, report: str, scans: Iterable[Scan]) -> None:
    """Write the reports that were asked for."""
    if options.json == "-":
        sys.stdout.write(report)
    elif options.json:
        Path(options.json).write_text(report, encoding="utf-8")
    if options.scan_table:
        Path(options.scan_table).write_text(scan_table(scans), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
