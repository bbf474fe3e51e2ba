#!/usr/bin/env python3
"""Writes what was guessed of an app into its folder, for its author to keep.

    python3 tools/adopt.py [APP] [--show]

It shows first what it adds. It makes files that are missing and adds lines to .gitignore and
.dockerignore; what is there already stays as it is. The lock is among them where this host has
compiled one and the app has no requirements.txt. The exit status is 2 for wrong usage.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import List, Optional, Sequence

import yaml

ROOT = Path(__file__).resolve().parent.parent
# As in `classvm`, which Ansible copies to the hosts.
sys.path.append(str(ROOT / "ansible/plugins/module_utils"))

from classvm.app import reading  # noqa: E402 - its folder was added to the path above
from classvm.app.adopt import Addition, additions  # noqa: E402 - as above
from classvm.app.plan import make_plan  # noqa: E402 - as above
from classvm.base.docker import Docker  # noqa: E402 - as above
from classvm.image import host_lock  # noqa: E402 - as above

KIT = ROOT / "roles/service_image/files/kit"
DEFAULTS = ROOT / "roles/common/defaults/main.yml"
WRONG_USAGE = 2
# Of a file that is added.
SHOWN_LINES = 30


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Show what is missing in an app's folder and write it; return the exit status."""
    parser = argparse.ArgumentParser(description="Write down what was guessed of an app.")
    parser.add_argument("app", nargs="?", default=str(ROOT / "service"), help="folder of the app")
    parser.add_argument("--show", action="store_true", help="write nothing")
    options = parser.parse_args(arguments)
    folder = Path(options.app)
    if not folder.is_dir():
        print(f"adopt: {folder} is not a folder. Give the folder of an app", file=sys.stderr)
        return WRONG_USAGE
    app = reading.read(folder)
    found = additions(app, lock_of(app))
    for one in found:
        print(shown(one))
    if not found:
        print(f"{folder} lacks nothing.")
    elif options.show or not _is_agreed():
        print("Nothing was written.")
    else:
        write(folder, found)
        print(f"Written: {', '.join(one.file for one in found)}. Read them, then commit them.")
    return 0


def shown(addition: Addition) -> str:
    """Return what is added, of a long file its beginning: nobody reads the hashes of a lock."""
    lines = addition.diff.splitlines()
    more = len(lines) - SHOWN_LINES
    return addition.diff if more <= 1 else "\n".join([*lines[:-more], f"… {more} more lines", ""])


def lock_of(app: reading.App, docker: Optional[Docker] = None) -> str:
    """Return the lock that this host has compiled for an app, "" for none."""
    defaults = yaml.safe_load(DEFAULTS.read_text(encoding="utf-8"))
    base, state_dir = defaults["base_image_name"], defaults["classvm_state_dir"]
    return host_lock.of_app(docker or Docker(), make_plan(app, 0), KIT, base, state_dir)


def _is_agreed() -> bool:
    """Ask on a terminal; a program that calls this has decided already."""
    if not sys.stdin.isatty():
        return True
    try:
        return input("Write this? [y/N] ").strip().lower() in ("y", "yes")
    except (EOFError, KeyboardInterrupt):  # Ctrl-D, Ctrl-C
        print()
        return False


def write(folder: Path, found: List[Addition]) -> None:
    """Write the additions; a file that has appeared or changed meanwhile raises FileExistsError."""
    for one in found:
        path = folder / one.file
        if not one.before:
            with path.open("x", encoding="utf-8") as file:
                file.write(one.after)
            continue
        with path.open("a", encoding="utf-8") as file:
            file.write(one.after[len(one.before) :])


if __name__ == "__main__":
    sys.exit(main())
