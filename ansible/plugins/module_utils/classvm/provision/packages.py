"""Install packages of the distribution; the network is used only when one is missing."""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
import time
from typing import List, NoReturn, Sequence

from ..base import command, progress
from ..base.errors import ClassvmError

# At first boot a system may update itself for some minutes, and holds apt's locks meanwhile.
LOCK_SECONDS = 300
POLL_SECONDS = 2.0
# What apt-get prints: "0 upgraded, 12 newly installed, …", then "Get:3 ADDRESS …" and "Setting up NAME …".
COUNTED = re.compile(r"^(\d+) upgraded, (\d+) newly installed")
FETCHED = re.compile(r"Get:(\d+)$")
LOCKED = "Could not get lock"
# An installation that a power cut or a kill has cut off.
INTERRUPTED = "dpkg was interrupted"
# What apt says when the lists, or their signatures, are of tomorrow.
WRONG_CLOCK = ("is not valid yet", "invalid signature was encountered")
# What apt says when nobody answers.
NO_CONNECTION = "Could not connect to"
# What apt says when it would have to remove packages to install others.
NO_ROOM_BESIDE = "remove is disabled"
CONFIGURE = ("dpkg", "--force-confdef", "--force-confold", "--configure", "--pending")
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"
SETTINGS = {"DEBIAN_FRONTEND": "noninteractive"}
INSTALL = (
    *("apt-get", "install", "--yes", "--no-install-recommends", "--allow-change-held-packages"),
    # What an admin has installed stays, such as Docker's own packages.
    "--no-remove",
    # An admin's own version of a configuration file stays.
    *("-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold"),
)


def missing(names: Sequence[str], unless_program: str = "") -> List[str]:
    """Return the packages that are not installed.

    Args:
        names: names of packages, each with "=VERSION" where it has to be a certain one; the
            version may hold wildcards.
        unless_program: nothing is missing where this program is here from elsewhere, unless a
            certain version is asked for.

    """
    wanted = [name for name in names if not _is_installed(name)]
    asks_for_version = any("=" in name for name in names)
    if wanted and not asks_for_version and _is_from_elsewhere(unless_program, names):
        return []
    return wanted


def _is_from_elsewhere(program: str, names: Sequence[str]) -> bool:
    """Tell whether a program of the system is here, and is part of none of the packages."""
    path = shutil.which(program, path=SYSTEM_PATH) if program else None
    if path is None:
        return False
    # "PACKAGE[, PACKAGE]: PATH"; nothing for a program that no package brought.
    owners = command.run(["dpkg-query", "--search", path]).out.partition(":")[0]
    return not {*owners.split(", ")} & {*names}


def _is_installed(name: str) -> bool:
    package, _, version = name.partition("=")
    shown = command.run(["dpkg-query", "--show", "--showformat", _SHOWN, package])
    status, _, installed = shown.out.partition(" ")
    return status == "installed" and fnmatch.fnmatch(installed, version or "*")


_SHOWN = "${db:Status-Status} ${Version}"


def install(names: Sequence[str]) -> None:
    """Refresh the package lists and install packages.

    Raises:
        ClassvmError: they cannot be installed, or another program keeps apt's locks for too long.

    """
    deadline = time.monotonic() + LOCK_SECONDS
    refreshed = _run_unlocked(["apt-get", "update"], deadline)
    installed = _run_unlocked([*INSTALL, *names], deadline)
    if INTERRUPTED in installed.err:
        _run_unlocked(CONFIGURE, deadline)
        installed = _run_unlocked([*INSTALL, *names], deadline)
    if installed.code == 0:
        return
    _fail(names, [one for one in (refreshed, installed) if one.code])


def _fail(names: Sequence[str], failed: Sequence[command.Finished]) -> NoReturn:
    """Tell why packages cannot be installed.

    Raises:
        ClassvmError: always.

    """
    said = "\n".join(one.out + one.err for one in failed)
    details = "\n".join(one.last_lines() for one in failed)
    listed = ", ".join(names)
    if any(words in said for words in WRONG_CLOCK):
        now = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
        raise ClassvmError(
            f"Packages cannot be installed: {listed}. The package lists are not valid at the time that"
            f" this host has, {now} UTC",
            fix="If its clock is wrong, set it (`sudo timedatectl set-ntp true`), then run the command"
            " again.",
            details=details,
        )
    if NO_ROOM_BESIDE in said:
        found = re.search(r"packages will be REMOVED:\n((?:  .*\n)+)", said)
        others = ", ".join(found.group(1).split()) if found else "other packages"
        raise ClassvmError(
            f"{listed} cannot be installed beside {others}; nothing was changed",
            fix=f"Remove what is in the way, if nobody needs it (`sudo apt-get remove"
            f" {others.replace(',', '')}`), then run the command again.",
            details=details,
        )
    if NO_CONNECTION in said and proxies():
        raise ClassvmError(
            f"Packages cannot be installed: {listed}. apt asks the proxy {', '.join(proxies())}",
            fix="Correct it where it is set (`grep -r Proxy /etc/apt`, or http_proxy), then run the"
            " command again.",
            details=details,
        )
    raise ClassvmError(
        f"Packages cannot be installed: {listed}",
        fix="Check that this host reaches its package archive (`sudo apt-get update`), then run the"
        " command again.",
        details=details,
    )


def proxies() -> List[str]:
    """Return the proxies that apt is set to, by its own settings or by the environment."""
    shown = command.run(["apt-config", "dump", "--format", "%f=%v%n", "Acquire"]).out
    found = re.findall(r"::proxy[^=]*=(\w+://.+)$", shown, re.MULTILINE | re.IGNORECASE)
    named = [os.environ.get(name, "") for name in ("http_proxy", "https_proxy")]
    return sorted({*found, *filter(None, named)})


def _run_unlocked(argv: Sequence[str], deadline: float) -> command.Finished:
    """Run apt-get, again and again while another program holds its locks."""
    while True:
        finished = command.run(argv, env=SETTINGS, heard=AptProgress().heard)
        if finished.code == 0 or LOCKED not in finished.err:
            return finished
        if time.monotonic() > deadline:
            raise ClassvmError(
                f"Another program has held apt's locks for {LOCK_SECONDS} s; it may be the system's"
                " own update",
                fix="`ps -e | grep -E 'apt|dpkg|unattended'` shows it. Run the command again when it"
                " has ended.",
                details=finished.last_lines(),
            )
        progress.say("waiting for another program that installs packages")
        time.sleep(POLL_SECONDS)


class AptProgress:
    """Says from what apt-get prints how far it has come."""

    def __init__(self) -> None:
        """Begin before the first line."""
        self._new, self._set_up = 0, 0

    def heard(self, line: str) -> None:
        """Take a line that apt-get has printed."""
        text = self.text(line)
        if text:
            progress.say(text)

    def text(self, line: str) -> str:
        """Return how far apt-get is by that line, "" where the line does not tell."""
        doing, _, rest = line.partition(" ")
        fetched = FETCHED.match(doing)
        counted = COUNTED.search(line)
        if counted:
            self._new = sum(map(int, counted.groups()))
        if fetched:
            # Before apt-get knows what is new, it is the lists that it fetches.
            return (
                f"downloading {fetched[1]} of {self._new} packages"
                if self._new
                else "downloading package lists"
            )
        if doing == "Unpacking":
            return f"unpacking {rest.partition(' ')[0]}"
        if line.startswith("Setting up "):
            self._set_up += 1
            package = line.split()[2]
            return f"installing {package}" + (
                f", {self._set_up} of {self._new}" if self._new else ""
            )
        return ""
