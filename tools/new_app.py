#!/usr/bin/env python3
"""Makes a small app to start from: a spec, two handlers, a test.

    python3 tools/new_app.py FOLDER

The app gets the name of its folder, which may not be there yet. The exit status is 2 for wrong
usage.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path
from typing import Dict, Optional, Sequence

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "tools/app_template"
PORTS = ROOT / "service/ports.env"
WRONG_USAGE = 2


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Make an app; return the exit status."""
    parser = argparse.ArgumentParser(description="Make a small app to start from.")
    parser.add_argument("folder", nargs="?", help="where to make it; its last part is the name")
    named: str = parser.parse_args(arguments).folder or ""
    if not named:
        print("new-app: the app has no name. Give one: make new-app NAME=weather", file=sys.stderr)
        return WRONG_USAGE
    folder = Path(named)
    # The front door validates the name, whoever gives it.
    door = [str(ROOT / "tools/front_door"), f"NAME={folder.absolute()}"]
    if subprocess.run(door, check=False).returncode:  # noqa: S603 - a program of this tree
        return WRONG_USAGE
    make(folder)
    leave_out(folder.resolve())
    print(f"{folder}: a new app. Next: make check APP={folder} && make deploy APP={folder}")
    return 0


def make(folder: Path) -> None:
    """Fill in the template."""
    import copier  # noqa: PLC0415 - takes half a second to load

    answers = {"name": folder.name, **ports()}
    copier.run_copy(str(TEMPLATE), folder, data=answers, defaults=True, quiet=True)


def leave_out(folder: Path, clone: Path = ROOT) -> None:
    """Tell the git of this clone, if the app lies in it, that the app is no part of classvm.

    Args:
        folder: the app's folder, without links.
        clone: the top of the clone.

    """
    if clone not in folder.parents:
        return
    command = ("git", "-C", str(clone), "rev-parse", "--git-path", "info/exclude")
    found = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - a program by its name
    if found.returncode:
        return  # an unpacked archive
    exclude = clone / found.stdout.strip()
    exclude.parent.mkdir(exist_ok=True)
    with exclude.open("a", encoding="utf-8") as file:
        file.write(f"/{folder.relative_to(clone)}/\n")


def ports() -> Dict[str, int]:
    """Return the ports of the lab, in the container and on the host."""
    found = dict(re.findall(r"^([A-Z_]+)=(\d+)$", PORTS.read_text(encoding="utf-8"), re.MULTILINE))
    return {name.lower(): int(number) for name, number in found.items()}


if __name__ == "__main__":
    sys.exit(main())
