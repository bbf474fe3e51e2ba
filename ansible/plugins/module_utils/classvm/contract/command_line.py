"""The check as a program: exit code 0, or the report and exit code 1."""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
from typing import Sequence

from .checker import check, check_contract
from .client import DEFAULT_TIMEOUT
from .document import InputError
from .libraries import IMPORT_ERROR
from .report import Report

# Before a line of standard error that tells how far the check has come.
PROGRESS = "progress: "
EXIT_OK, EXIT_BROKEN, EXIT_UNUSABLE = 0, 1, 2


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; wrong usage ends the program with exit code 2."""
    parser = argparse.ArgumentParser(
        prog="classvm-contract",
        description="Check a running service against what its OpenAPI documents promise.",
        epilog="Exit codes: 0 may go live, 1 contract broken, 2 unusable arguments or document.",
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--spec", metavar="FILE", help="the spec (OpenAPI 3.0)")
    what.add_argument("--contract", metavar="FILE", help="the contract document (JSON)")
    parser.add_argument("--url", required=True, help="e.g. http://localhost:11000")
    parser.add_argument(
        "--timeout",
        type=float,
        default=DEFAULT_TIMEOUT,
        metavar="SECONDS",
        help="longest silence of the service during one call (default: %(default)s)",
    )
    parser.add_argument(
        "--safe-only", action="store_true", help="send only what changes nothing: GET and HEAD"
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the check from the command line and return the exit code."""
    options = parse_arguments(arguments)
    if IMPORT_ERROR:
        reason = IMPORT_ERROR.strip().splitlines()[-1]
        sys.stderr.write(f"classvm-contract: {reason}; install PyYAML and jsonschema\n")
        return EXIT_UNUSABLE
    try:
        report = run(options)
    except InputError as error:
        sys.stderr.write(f"classvm-contract: {error}\n")
        return EXIT_UNUSABLE
    text = json.dumps(report.as_json()) if options.json else "\n".join(report.lines())
    sys.stdout.write(text + "\n")
    return EXIT_OK if report.may_go_live else EXIT_BROKEN


def run(options: argparse.Namespace) -> Report:
    """Check what the arguments name.

    Raises:
        InputError: an argument, a file or what it holds cannot be used.

    """
    if options.spec:
        return check(options.spec, options.url, options.timeout)
    try:
        text = pathlib.Path(options.contract).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read the contract {options.contract}: {error}") from error
    return check_contract(
        text, options.url, options.timeout, safe_only=options.safe_only, tell=tell
    )


def tell(text: str) -> None:
    """Print how far the check has come, for a program that reads along."""
    sys.stderr.write(f"{PROGRESS}{text}\n")
    sys.stderr.flush()
