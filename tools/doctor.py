#!/usr/bin/env python3
"""Finds what would stop a deploy on this machine, and says how to repair it.

    python3 tools/doctor.py [--port N] [--state-dir DIR] [--data-root DIR]

It needs Python 3.8 and this tree, changes nothing, and prints one line for each check. The exit
status is 1 when a check failed, else 0: a warning does not stop a deploy.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
import sys
import time
from pathlib import Path
from typing import Callable, Iterable, Mapping, Optional, Sequence
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
# The parts of the package that need the standard library alone.
sys.path.insert(0, str(ROOT / "ansible/plugins/module_utils"))

from classvm.base import docker
from classvm.base.edge import Edge
from classvm.doctor import machine, running
from classvm.doctor.finding import FAIL, OK, WARN, Finding, look, report
from classvm.doctor.reading import Engine, Run, parse_settings, read, run
from classvm.provision import guard

VENV_PYTHON = ROOT / ".venv" / "bin" / "python"
PORTS_FILE = ROOT / "service" / "ports.env"

# The same as in tools/setup, which must find what is promised here.
PYTHONS = ("python3", "python3.13", "python3.12", "python3.11")
OLDEST_PYTHON = (3, 11)

STATE_DIR = Path("/var/lib/classvm")
HIGHEST_PORT = 65535


Which = Callable[[str], Optional[str]]


# --- The system and its Python ---------------------------------------------------------------


def python_version(name: str, run: Run = run) -> tuple[int, int] | None:
    """Return the (major, minor) version of the interpreter `name`, or None without one."""
    answer = run([name, "-c", "import sys; print(*sys.version_info[:2])"])
    numbers = re.fullmatch(r"(\d+) (\d+)", answer.out.strip())
    if answer.code or not numbers:
        return None
    return int(numbers[1]), int(numbers[2])


def find_python(names: Iterable[str], run: Run = run) -> tuple[str, list[str]]:
    """Return the first of `names` that is new enough, or "", and what was found on the way."""
    seen = []
    for name in names:
        version = python_version(name, run)
        if version is None:
            continue
        seen.append(f"{name} is {version[0]}.{version[1]}")
        if version >= OLDEST_PYTHON:
            return name, seen
    return "", seen


def python_package(os_release: str) -> str:
    """Return the distribution's package with a Python that is new enough."""
    is_jammy = parse_settings(os_release).get("VERSION_ID") == "22.04"
    return "python3.11" if is_jammy else "python3"


def check_python(python: str, seen: Sequence[str], package: str, *, installable: bool) -> Finding:
    """Check that the control node has a Python for Ansible."""
    subject = "Python"
    if python:
        return Finding(OK, subject, seen[-1])
    needed = ".".join(map(str, OLDEST_PYTHON))
    text = f"no Python {needed} or newer ({', '.join(seen) or 'none at all'})"
    fix = f"sudo apt-get install {package} {package}-venv"
    if installable:
        return Finding(WARN, subject, f"{text}; `make setup` installs {package}", fix)
    return Finding(FAIL, subject, text, fix)


def check_venv(python: str, package: str, *, installable: bool, run: Run = run) -> Finding:
    """Check that `python` can make virtual environments that have pip."""
    subject = "venv module"
    fix = f"sudo apt-get install {package}-venv"
    if not python:
        return Finding(WARN, subject, "nothing to look for before there is a Python", fix)
    if run([python, "-c", "import ensurepip, venv"]).code == 0:
        return Finding(OK, subject, f"{python} has it")
    if installable:
        return Finding(WARN, subject, f"{python} lacks it; `make setup` installs it", fix)
    return Finding(FAIL, subject, f"{python} lacks it", fix)


def check_programs(which: Which = shutil.which) -> Finding:
    """Check that git and make are there."""
    subject = "git and make"
    missing = [name for name in ("git", "make") if not which(name)]
    if not missing:
        return Finding(OK, subject, "both there")
    names = " ".join(missing)
    return Finding(FAIL, subject, f"missing: {names}", f"sudo apt-get install {names}")


# --- The port and the service ----------------------------------------------------------------


def port_number(text: str) -> int:
    """Return a TCP port.

    Raises:
        argparse.ArgumentTypeError: the text is not a number from 1 to 65535.

    """
    if not re.fullmatch("[0-9]{1,5}", text) or not 1 <= int(text) <= HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 1 to {HIGHEST_PORT}")
    return int(text)


def default_port(settings: Mapping[str, str], environment: Mapping[str, str]) -> int | None:
    """Return HOST_PORT, which the environment may override, or None where it is not a port."""
    try:
        return port_number(environment.get("HOST_PORT") or settings.get("HOST_PORT", ""))
    except argparse.ArgumentTypeError:
        return None


# --- The package index -----------------------------------------------------------------------


def configured_index(python: str, run: Run = run) -> str:
    """Return the address of the package index that pip was told to use, or ""."""
    answer = run([python, "-m", "pip", "config", "list"])
    found = dict(re.findall(r"^(\S+)\.index-url='(.*)'$", answer.out, flags=re.MULTILINE))
    from_strongest = [found.get(source, "") for source in (":env:", "index", "global")]
    return next(filter(None, from_strongest), "")


def resolves(host: str) -> bool:
    """Tell whether the machine finds an address for `host`."""
    try:
        socket.getaddrinfo(host, None)
    except OSError:
        return False
    return True


def check_index(
    python: str,
    run: Run = run,
    resolves: Callable[[str], bool] = resolves,
) -> Finding:
    """Check that pip reaches its package index, as set up on this machine."""
    subject = "package index"
    if not python or run([python, "-m", "pip", "--version"]).code:
        text = "cannot be tried without pip; `make setup` will tell"
        return Finding(WARN, subject, text, "sudo apt-get install python3-pip")
    host = urlsplit(configured_index(python, run)).hostname
    # Behind a proxy it is the proxy that looks up the name, so a miss alone proves nothing.
    unresolved = bool(host) and not resolves(str(host))
    query = [python, "-m", "pip", "index", "versions", "pip", "--timeout", "5", "--retries", "0"]
    if run(query).code == 0:
        return Finding(OK, subject, f"pip reaches {host or 'it'}")
    fix = f"{python} -m pip config debug   # look for a wrong index, a missing proxy or certificate"
    if unresolved:
        return Finding(FAIL, subject, f"the name {host} is not found (DNS)", fix)
    return Finding(FAIL, subject, f"pip does not reach {host or 'it'}", fix)


# --- All of it -------------------------------------------------------------------------------


def examine(port: int | None, state_dir: Path, data_root: Path | None) -> list[Finding]:
    """Return the findings of all checks, in the order in which a deploy would trip over them."""
    os_release = read(Path("/etc/os-release"))
    user, engine = machine.current_user(), Engine()
    installable = user.may_become_root and shutil.which("apt-get") is not None
    chosen = os.environ.get("PYTHON")
    python, seen = find_python([chosen] if chosen else PYTHONS)
    package = python_package(os_release)
    images = str(data_root or running.image_folder(engine))
    return [
        machine.check_system(os_release),
        machine.check_rights(user),
        check_programs(),
        check_python(python, seen, package, installable=installable),
        check_venv(python, package, installable=installable),
        machine.check_clock(
            time.time(), machine.newest_file([ROOT, ROOT / "tools", PORTS_FILE.parent])
        ),
        check_index(str(VENV_PYTHON) if VENV_PYTHON.exists() else python),
        machine.check_disk("disk for images", images, machine.IMAGES_MEGABYTES, running.PRUNE),
        machine.check_disk(
            "disk for state", str(state_dir), machine.STATE_MEGABYTES, running.CLEAN
        ),
        machine.check_memory(read(Path("/proc/meminfo"))),
        look("state folder", lambda: machine.check_state_folder(state_dir, user)),
        look("engine", lambda: running.check_engine(user, engine, docker.buildkit_client)),
        look(
            "guard",
            lambda: running.check_guard(guard.Files(), guard.listing, is_root=os.geteuid() == 0),
        ),
        look("port", lambda: running.check_port(port, engine, Edge.load(str(state_dir)))),
        look("service", lambda: running.check_service(engine)),
    ]


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the port and folders to look at, as given or as they are by default."""
    parser = argparse.ArgumentParser(
        description="Finds what would stop a deploy on this machine, and says how to repair it.",
    )
    port = default_port(parse_settings(read(PORTS_FILE)), os.environ)
    parser.add_argument(
        "--port",
        type=port_number,
        default=port,
        metavar="N",
        help="the port on this machine (default: HOST_PORT of service/ports.env)",
    )
    parser.add_argument(
        "--state-dir",
        type=Path,
        default=STATE_DIR,
        metavar="DIR",
        help="where releases are recorded (default: %(default)s)",
    )
    parser.add_argument(
        "--data-root",
        type=Path,
        metavar="DIR",
        help=f"where the engine keeps images (default: as it says, else {docker.DATA_ROOT})",
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Examine this machine and print the findings; return the exit status."""
    options = parse_arguments(arguments)
    findings = examine(options.port, options.state_dir, options.data_root)
    print(report(findings))
    return 1 if any(finding.level == FAIL for finding in findings) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
