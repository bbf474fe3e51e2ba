"""Check an app and print the findings: what `make check` and the program `classvm-check` do."""

from __future__ import annotations

import argparse
import dataclasses
import os
import posixpath
import signal
import sys
import time
from pathlib import Path
from typing import List, Optional, Sequence

from . import hadolint
from .findings import Finding, has_errors
from .formats import FORMATS
from .review import review

WRONG_USAGE = 2
# The readers of these look for the files from where the program was started: the top of a repository.
FROM_HERE = ("github", "sarif")


def program() -> int:
    """Run `classvm-check` as a program of its own; return its exit status."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # so that `| head` ends it without a traceback
    return main()


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run `classvm-check`, for hooks and workflows that have no Makefile; return its exit status."""
    parser = argparse.ArgumentParser(description="Check an app without deploying it.")
    parser.add_argument("app", nargs="?", default=".", help="folder of the app")
    parser.add_argument("--format", choices=sorted(FORMATS), default="text", help="for programs")
    options = parser.parse_args(arguments)
    return check(Path(options.app), options.format)


def check(folder: Path, format_: str, host_port: int = 0) -> int:
    """Check an app and print its findings.

    Args:
        folder: the app's folder.
        format_: a key of `FORMATS`.
        host_port: the port of a class VM at which the app would be served, for people who have
            classvm at hand; 0 for others.

    Returns:
        the exit status: 1 when there is an error among the findings, 0 without, 2 where there is no
        such folder.

    """
    if not folder.is_dir():
        sys.stderr.write(f"check: {folder} is not a folder. Give the folder of an app\n")
        return WRONG_USAGE
    started = time.monotonic()
    app, findings = review(folder)
    findings = [*findings, *hadolint.check(app.folder)]
    printed = FORMATS[format_](_from_here(folder, findings) if format_ in FROM_HERE else findings)
    if format_ == "text":
        printed += f" in {time.monotonic() - started:.1f} s"
        if host_port:
            printed = f"{app.summary(host_port)}\n\n{printed}"
            printed += f"; a code's lesson: make explain {findings[0].code}" if findings else ""
    # A file of a student may have a name that no encoding knows.
    sys.stdout.buffer.write(printed.encode(errors="replace") + b"\n")
    return int(has_errors(findings))


def _from_here(folder: Path, findings: List[Finding]) -> List[Finding]:
    """Return findings whose files are relative to the present folder, if the app lies in it."""
    prefix = os.path.relpath(folder)
    if prefix.startswith(".."):
        return findings
    paths = (posixpath.normpath(posixpath.join(prefix, one.file)) for one in findings)
    return [dataclasses.replace(one, file=path) for one, path in zip(findings, paths)]
