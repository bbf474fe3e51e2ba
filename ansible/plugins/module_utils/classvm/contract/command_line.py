"""The check as a program: exit code 0, or the report and exit code 1."""

from __future__ import annotations

import argparse
import sys
from typing import Sequence

from .checker import check
from .client import DEFAULT_TIMEOUT
from .document import InputError
from .libraries import IMPORT_ERROR

EXIT_OK, EXIT_BROKEN, EXIT_UNUSABLE = 0, 1, 2


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; wrong usage ends the program with exit code 2."""
    parser = argparse.ArgumentParser(
        prog="classvm-contract",
        description="Check a running service against its OpenAPI 3.0 document.",
        epilog="Exit codes: 0 contract kept, 1 contract broken, 2 unusable arguments or document.",
    )
    parser.add_argument("--spec", required=True, metavar="FILE", help="the spec (OpenAPI 3.0)")
    parser.add_argument("--url", required=True, help="e.g. http://localhost:11000")
    parser.add_argument(
        "--timeout",
        type=float,
        default=DEFAULT_TIMEOUT,
        metavar="SECONDS",
        help="longest silence of the service during one call (default: %(default)s)",
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the check from the command line and return the exit code."""
    options = parse_arguments(arguments)
    if IMPORT_ERROR:
        reason = IMPORT_ERROR.strip().splitlines()[-1]
        sys.stderr.write(f"classvm-contract: {reason}; install PyYAML and jsonschema\n")
        return EXIT_UNUSABLE
    try:
        report = check(options.spec, options.url, options.timeout)
    except InputError as error:
        sys.stderr.write(f"classvm-contract: {error}\n")
        return EXIT_UNUSABLE
    sys.stdout.write("\n".join(report.lines()) + "\n")
    return EXIT_OK if report.ok else EXIT_BROKEN
