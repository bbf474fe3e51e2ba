"""Find a Chromium on this machine, or install one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

# Debian's package, and what some machines of continuous integration come with.
PROGRAMS = ("chromium", "google-chrome")
PACKAGE = "chromium"
# A program of a snap is a link to this one, and sees neither /tmp nor hidden folders.
SNAP = "snap"
ANSIBLE_APT = ("ansible", "localhost", "--module-name", "apt", "--args")
PLAYWRIGHT = (sys.executable, "-m", "playwright", "install")

Run = Callable[[Sequence[str]], object]
Which = Callable[[str], str | None]


class MissingError(Exception):
    """No Chromium is here, and none could be installed."""


def find(own: Path, which: Which = shutil.which) -> Path | None:
    """Return the program, None where there is none.

    Args:
        own: where Playwright would install its own.
        which: tells the path of a program.

    """
    found = [Path(path) for name in PROGRAMS if (path := which(name))]
    usable = [path for path in found if path.resolve().name != SNAP]
    return next((path for path in [*usable, own] if path.exists()), None)


def commands(os_release: str, is_root: bool) -> list[list[str]]:
    """Return what installs it, by the text of /etc/os-release.

    Raises:
        MissingError: only root can.

    """
    # Ubuntu's package only installs a snap.
    if "ID=debian" not in os_release.splitlines():
        return [[*PLAYWRIGHT, *(["--with-deps"] if is_root else []), "chromium"]]
    if not is_root:
        raise MissingError(f"No Chromium is here. Install it: sudo apt-get install {PACKAGE}")
    return [[*ANSIBLE_APT, f"name={PACKAGE} update_cache=true install_recommends=false"]]


def install(run: Run) -> None:
    """Install it.

    Raises:
        MissingError: only root can.

    """
    for command in commands(Path("/etc/os-release").read_text(), is_root=os.geteuid() == 0):
        run(command)


def provide(own: Path) -> Path:
    """Return the program, and install it first where it is missing.

    Raises:
        MissingError: it is missing, and could not be installed.

    """
    if (found := find(own)) is None:
        try:
            install(lambda command: subprocess.run(command, check=True))
        except subprocess.CalledProcessError as error:
            words = " ".join(error.cmd)
            raise MissingError(f"Chromium could not be installed; this failed: {words}") from None
        found = find(own)
    if found is None:
        raise MissingError("Chromium was installed, but is not where it was expected.")
    return found
