#!/usr/bin/env python3
"""Finds what would stop a deploy on this machine, and says how to repair it.

    python3 tools/doctor.py [--port N] [--state-dir DIR] [--data-root DIR]

It needs Python 3.8 and this tree, changes nothing, and prints one line for each check. The exit
status is 1 when a check failed, else 0: a warning does not stop a deploy.
"""

from __future__ import annotations

import argparse
import grp
import os
import pwd
import re
import shutil
import socket
import stat
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterable, Mapping, Optional, Sequence
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
# The parts of the package that need the standard library alone.
sys.path.insert(0, str(ROOT / "ansible/plugins/module_utils"))

from classvm.base import account, command, docker, host, systems
from classvm.base.command import Finished
from classvm.base.edge import Edge
from classvm.base.errors import ClassvmError
from classvm.provision import guard

VENV_PYTHON = ROOT / ".venv" / "bin" / "python"
PORTS_FILE = ROOT / "service" / "ports.env"

OK, WARN, FAIL = "ok", "warn", "FAIL"

GB = 10**9
MB = 10**6

# The same as in tools/setup, which must find what is promised here.
PYTHONS = ("python3", "python3.13", "python3.12", "python3.11")
OLDEST_PYTHON = (3, 11)

STATE_DIR = Path("/var/lib/classvm")
STATE_MODE = 0o2775
LABEL_SERVICE = "classvm.service"
HIGHEST_PORT = 65535

MEMORY_NEEDED = 1 * GB
# A service image unpacks to some 150 MB, and a build needs several times as much.
IMAGES_MEGABYTES, STATE_MEGABYTES = 3000, 50

# The year this project began: a clock that shows an earlier one has lost its battery.
FIRST_YEAR = 2024
CLOCK_TOLERANCE = 300  # seconds

PATIENCE = 20  # seconds that a command may take before it counts as hanging


@dataclass(frozen=True)
class Finding:
    """What one check found: level is "ok", "warn" or "FAIL", fix is a command or empty."""

    level: str
    subject: str
    text: str
    fix: str = ""


Run = Callable[[Sequence[str]], Finished]
Which = Callable[[str], Optional[str]]


class Engine(docker.Docker):
    """The engine of this machine, asked with patience that ends."""

    def run(self, *words: str, stdin: Optional[bytes] = None) -> Finished:
        """Run `docker WORDS`.

        Raises:
            ClassvmError: there is no client, or no answer within ``PATIENCE`` seconds.

        """
        return self.run_within(PATIENCE, *words, stdin=stdin)

    def check(self, *words: str, stdin: Optional[bytes] = None) -> str:
        """Run `docker WORDS`, which has to succeed, and return its output."""
        finished = self.run(*words, stdin=stdin)
        if finished.code:
            raise command.CommandError(finished)
        return finished.out


# --- Reading the machine ---------------------------------------------------------------------


def run(argv: Sequence[str]) -> Finished:
    """Run a command; one that is missing or hangs gets the exit status of a missing one."""
    try:
        return command.run(argv, timeout=PATIENCE)
    except (ClassvmError, OSError) as problem:
        return Finished(argv, 127, "", str(problem))


def read(path: Path) -> str:
    """Return the text of the file at `path`, or "" when it cannot be read."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def parse_settings(text: str) -> dict[str, str]:
    """Return the NAME=value lines of `text`, without quotes around the values."""
    pairs = re.findall(r"^(\w+)=(.*)$", text, flags=re.MULTILINE)
    return {name: value.strip().strip("\"'") for name, value in pairs}


def first_line(problem: ClassvmError) -> str:
    """Return the cause in a message of the package, without the place and the fix."""
    return str(problem).partition("\n")[0]


# --- The system and its Python ---------------------------------------------------------------


def check_system(os_release: str) -> Finding:
    """Check that the roles know this distribution; `os_release` is the text of that file."""
    subject = "operating system"
    settings = parse_settings(os_release)
    name = settings.get("PRETTY_NAME", "unknown")
    found = f"{settings.get('ID', '')}-{settings.get('VERSION_ID', '')}"
    if found in [system.name for system in systems.SUPPORTED]:
        return Finding(OK, subject, name)
    return Finding(FAIL, subject, f"{name} is not supported", f"use a VM with {systems.text()}")


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


# --- Rights ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class User:
    """Who runs the doctor.

    Attributes:
        name: login name, or the number of an account without one.
        privilege: how the account becomes root: "root", "sudo", "password" or "none".
        groups: names of the groups of this login.
        listed_groups: groups in the system's list, which the next login will have.

    """

    name: str
    privilege: str
    groups: frozenset[str]
    listed_groups: frozenset[str]

    @property
    def may_become_root(self) -> bool:
        """Tell whether apt-get and the like are open to this user, maybe with a password."""
        return self.privilege != "none"


def group_names(numbers: Iterable[int]) -> frozenset[str]:
    """Return the names of the groups with these numbers; one without a name is left out."""
    known = {group.gr_gid: group.gr_name for group in grp.getgrall()}
    return frozenset(known[number] for number in numbers if number in known)


def current_user() -> User:
    """Return the user who runs this program."""
    groups = group_names([*os.getgroups(), os.getegid()])
    privilege = account.privilege(sorted(groups))
    try:
        entry = pwd.getpwuid(os.geteuid())
    except KeyError:  # a container may run under a number that no list knows
        return User(str(os.geteuid()), privilege, groups, frozenset())
    listed = group_names(os.getgrouplist(entry.pw_name, entry.pw_gid))
    return User(entry.pw_name, privilege, groups, listed)


def check_rights(user: User) -> Finding:
    """Check what `user` may do: provision a VM (install, open ports) or release to one."""
    subject = "rights"
    if user.privilege == "root":
        return Finding(OK, subject, "root may provision and release")
    if user.privilege == "sudo":
        return Finding(OK, subject, f"{user.name} may provision and release (sudo, no password)")
    if user.privilege == "password":
        return Finding(OK, subject, f"{user.name} may provision and release (sudo, with password)")
    if "docker" in user.groups:
        return Finding(
            WARN,
            subject,
            f"{user.name} may release (docker group), but not provision a new VM (no sudo)",
            f"none needed on a provisioned VM; else an administrator: "
            f"sudo usermod -aG sudo {user.name}",
        )
    if {"docker", "sudo"} & user.listed_groups:
        text = f"{user.name} was added to a group with rights, but after this login"
        return Finding(FAIL, subject, text, "log out and in again")
    return Finding(
        FAIL,
        subject,
        f"{user.name} may neither provision nor release (no sudo, not in group docker)",
        f"an administrator: sudo usermod -aG docker {user.name}; then log out and in again",
    )


# --- Room ------------------------------------------------------------------------------------


def size(number: int) -> str:
    """Return a number of bytes as people write it."""
    return f"{number / GB:.1f} GB" if number >= GB else f"{number / MB:.0f} MB"


def check_disk(subject: str, path: str, megabytes: int, fix: str) -> Finding:
    """Check that the disk which holds a folder, present or to be made, has room and inodes."""
    try:
        host.require_space(path, megabytes)
    except ClassvmError as problem:
        return Finding(FAIL, subject, first_line(problem), fix)
    except OSError as problem:
        return Finding(WARN, subject, f"cannot be measured: {problem}", f"df -h {path}")
    return Finding(OK, subject, f"at least {size(megabytes * MB)} free for {path}")


def check_state_folder(path: Path, user: User) -> Finding:
    """Check that the group docker may write the folder that records the releases."""
    subject = "state folder"
    fix = "sudo make provision"
    try:
        found = path.stat()
    except FileNotFoundError:
        return Finding(OK, subject, f"{path} is not there yet; `make provision` makes it")
    except OSError as problem:
        return Finding(FAIL, subject, f"{path} cannot be looked at: {problem.strerror}", fix)
    mode = stat.S_IMODE(found.st_mode)
    group = next(iter(group_names([found.st_gid])), str(found.st_gid))
    if mode == STATE_MODE and group == "docker":
        return Finding(OK, subject, f"{path} belongs to the group docker")
    text = f"{path} has mode {mode:04o} and group {group} instead of {STATE_MODE:04o} and docker"
    return Finding(WARN if user.may_become_root else FAIL, subject, text, fix)


def check_memory(meminfo: str) -> Finding:
    """Check the memory that is available; `meminfo` is the text of /proc/meminfo."""
    subject = "memory"
    found = re.search(r"^MemAvailable:\s+(\d+) kB", meminfo, flags=re.MULTILINE)
    if not found:
        return Finding(WARN, subject, "the kernel does not tell what is available", "free -h")
    available = int(found[1]) * 1024
    if available >= MEMORY_NEEDED:
        return Finding(OK, subject, f"{size(available)} available")
    text = f"{size(available)} available, needs {size(MEMORY_NEEDED)}"
    return Finding(FAIL, subject, text, "ps aux --sort=-rss | head   # and stop what can wait")


# --- The engine ------------------------------------------------------------------------------


def check_engine(user: User, engine: Engine, find_client: Callable[[], str]) -> Finding:
    """Check that an engine answers, and that a client can pass secrets to a build.

    Args:
        user: who asks.
        engine: the engine of this machine.
        find_client: returns such a client, or raises ``ClassvmError``.

    """
    subject = "engine"
    problem = engine.engine_problem()
    if problem == docker.NOT_IN_GROUP and not user.may_become_root:
        fix = "an administrator: sudo usermod -aG docker $USER; then log out and in again"
        return Finding(FAIL, subject, problem, fix)
    if problem == docker.NOT_IN_GROUP:
        text = f"{problem}; `make deploy` uses sudo"
        return Finding(WARN, subject, text, "sudo usermod -aG docker $USER; then log out and in")
    if problem:
        # Both a missing engine and a stopped one are what `make deploy` repairs as root.
        text = f"{problem}; `make deploy` installs and starts it, with sudo"
        fix = "make provision"
        return Finding(WARN if user.may_become_root else FAIL, subject, text, fix)
    try:
        find_client()
    except ClassvmError as missing:
        fix = "sudo apt-get install docker-buildx   # Docker's own packages: docker-buildx-plugin"
        return Finding(FAIL, subject, first_line(missing), fix)
    return Finding(OK, subject, f"version {engine.engine_version()} answers, BuildKit is there")


def image_folder(engine: Engine) -> str:
    """Return the folder in which the engine keeps images, or will by default."""
    try:
        return engine.data_root() or docker.DATA_ROOT
    except ClassvmError:
        return docker.DATA_ROOT


# --- The guard -------------------------------------------------------------------------------


def check_guard(files: guard.Files, loaded: Callable[[], str], *, is_root: bool) -> Finding:
    """Check that the guard of a class VM is loaded as it was installed.

    Args:
        files: where the guard is installed.
        loaded: returns the guard as nftables holds it now.
        is_root: whether nftables may be asked.

    """
    subject = "guard"
    fix = "make provision"
    if not files.rules.exists():
        return Finding(OK, subject, "not installed: this machine is not a class VM")
    if not is_root:
        text = "installed; only root can see whether it is loaded"
        return Finding(WARN, subject, text, "sudo python3 tools/doctor.py")
    present = loaded()
    if not present:
        return Finding(FAIL, subject, "installed but not loaded: every port is open", fix)
    if present != read(files.listing):
        return Finding(FAIL, subject, "the loaded rules differ from the installed ones", fix)
    return Finding(OK, subject, "loaded as installed")


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


def check_port(port: int | None, engine: Engine, edge: Edge) -> Finding:
    """Check that the port is free or ours.

    Args:
        port: the port.
        engine: the engine of this machine.
        edge: what stands before the releases.

    """
    subject = f"port {port or ''}".strip()
    if port is None:
        fix = "git checkout -- service/ports.env && unset HOST_PORT"
        return Finding(FAIL, subject, "HOST_PORT is not a port in service/ports.env", fix)
    name = next(iter(_asked(lambda: engine.publishers(port))), "")
    if name:
        return _container_on_port(subject, name, engine)
    if not host.is_listened_to(port):
        return Finding(OK, subject, "free")
    if edge.slots and port == edge.port:
        return Finding(OK, subject, "held by HAProxy, before our own container")
    return _process_on_port(subject, host.port_owner(port))


def _container_on_port(subject: str, name: str, engine: Engine) -> Finding:
    container = engine.container(name)
    if container and LABEL_SERVICE in container.labels:
        return Finding(OK, subject, f"held by our own container {name}")
    text = f"held by container {name}, which is not of this project"
    return Finding(FAIL, subject, text, f"docker stop {name}")


def _process_on_port(subject: str, owner: str) -> Finding:
    process = re.search(r"process (\d+)", owner)
    if process:
        fix = f"sudo kill {process[1]}   # if you may stop it; else choose another HOST_PORT"
        return Finding(FAIL, subject, f"held by {owner}", fix)
    # It may be our own container, which neither the engine nor the kernel would show us.
    text = "held by a process or container that this login cannot see"
    return Finding(WARN, subject, text, "sudo python3 tools/doctor.py")


def check_service(engine: Engine) -> Finding:
    """Check that the containers of the service are reachable: Docker may lose their network."""
    subject = "service"
    listed = ("ps", "--filter", f"label={LABEL_SERVICE}", "--format", "{{.Names}}")
    names = _asked(lambda: engine.check(*listed).split())
    if not names:
        return Finding(OK, subject, "no container of a service runs here")
    found = engine.containers(*names).values()
    detached = [container.name for container in found if not container.ports]
    if not detached:
        return Finding(OK, subject, f"running: {', '.join(names)}")
    text = f"{', '.join(detached)} runs, but publishes no port: its network is detached"
    return Finding(WARN, subject, text, "make deploy")


def _asked(question: Callable[[], list[str]]) -> list[str]:
    """Return the engine's answer; nothing where it may not be asked or does not answer."""
    try:
        return question()
    except ClassvmError:
        return []


# --- The clock -------------------------------------------------------------------------------


def newest_file(folders: Iterable[Path]) -> float:
    """Return when the newest file in these folders changed, in seconds since 1970."""
    times = [file.lstat().st_mtime for folder in folders for file in folder.glob("*")]
    return max(times, default=0)


def check_clock(now: float, newest: float, run: Run = run) -> Finding:
    """Check the clock: apt and TLS refuse what seems to be signed in the future."""
    subject = "clock"
    shown = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(now))
    fix = "sudo timedatectl set-ntp true"
    if time.gmtime(now).tm_year < FIRST_YEAR:
        return Finding(FAIL, subject, f"{shown} is long past", fix)
    if now + CLOCK_TOLERANCE < newest:
        return Finding(FAIL, subject, f"{shown} is older than the files of this checkout", fix)
    answer = run(["timedatectl", "show", "--property=NTPSynchronized", "--value"])
    if answer.code == 0 and answer.out.strip() == "no":
        return Finding(WARN, subject, f"{shown}, but no time server keeps it right", fix)
    return Finding(OK, subject, shown)


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
    user, engine = current_user(), Engine()
    installable = user.may_become_root and shutil.which("apt-get") is not None
    chosen = os.environ.get("PYTHON")
    python, seen = find_python([chosen] if chosen else PYTHONS)
    package = python_package(os_release)
    images = str(data_root or image_folder(engine))
    return [
        check_system(os_release),
        check_rights(user),
        check_programs(),
        check_python(python, seen, package, installable=installable),
        check_venv(python, package, installable=installable),
        check_clock(time.time(), newest_file([ROOT, ROOT / "tools", PORTS_FILE.parent])),
        check_index(str(VENV_PYTHON) if VENV_PYTHON.exists() else python),
        check_disk("disk for images", images, IMAGES_MEGABYTES, "sudo docker image prune"),
        check_disk("disk for state", str(state_dir), STATE_MEGABYTES, "sudo apt-get clean"),
        check_memory(read(Path("/proc/meminfo"))),
        look("state folder", lambda: check_state_folder(state_dir, user)),
        look("engine", lambda: check_engine(user, engine, docker.buildkit_client)),
        look("guard", lambda: check_guard(guard.Files(), guard.listing, is_root=os.geteuid() == 0)),
        look("port", lambda: check_port(port, engine, Edge.load(str(state_dir)))),
        look("service", lambda: check_service(engine)),
    ]


def look(subject: str, check: Callable[[], Finding]) -> Finding:
    """Return a check's finding; a check that cannot look says why."""
    try:
        return check()
    except ClassvmError as problem:
        return Finding(WARN, subject, f"cannot be checked: {first_line(problem)}", "docker info")


def report(findings: Sequence[Finding]) -> str:
    """Return the findings as text: a line for each, its fix below, a summary at the end."""
    width = max(len(finding.subject) for finding in findings) + 1
    lines = []
    for finding in findings:
        lines.append(f"{finding.level:<4}  {finding.subject + ':':<{width}} {finding.text}")
        if finding.fix:
            lines.append(f"      fix: {finding.fix}")
    return "\n".join([*lines, summary(findings)])


def summary(findings: Sequence[Finding]) -> str:
    """Return the line that counts the findings and names the failed ones."""
    failed = [finding.subject for finding in findings if finding.level == FAIL]
    warnings = sum(finding.level == WARN for finding in findings)
    counted = f"doctor: {len(findings)} checks, {warnings} warned, {len(failed)} failed"
    return f"{counted}: {', '.join(failed)}" if failed else counted


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
