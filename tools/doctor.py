#!/usr/bin/env python3
"""Finds what would stop a deploy on this machine, and says how to repair it.

    python3 tools/doctor.py [--port N] [--state-dir DIR] [--data-root DIR]

It needs nothing but Python 3.8, changes nothing, and prints one line for each check. The exit
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
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterable, Mapping, Optional, Sequence
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
VENV_PYTHON = ROOT / ".venv" / "bin" / "python"
PORTS_FILE = ROOT / "service" / "ports.env"

OK, WARN, FAIL = "ok", "warn", "FAIL"

GB = 10**9
MB = 10**6

SUPPORTED = {
    "debian": ("12", "13"),
    "ubuntu": ("22.04", "24.04"),
}
SUPPORTED_TEXT = "Debian 12 or 13, Ubuntu 22.04 or 24.04"

# The same as in tools/setup, which must find what is promised here.
PYTHONS = ("python3", "python3.13", "python3.12", "python3.11")
OLDEST_PYTHON = (3, 11)

DATA_ROOT = Path("/var/lib/docker")
STATE_DIR = Path("/var/lib/classvm")
LABEL_PREFIX = "classvm."

MEMORY_NEEDED = 1 * GB

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


@dataclass(frozen=True)
class Finished:
    """A command's exit status, and what it wrote to both its streams."""

    code: int
    output: str


@dataclass(frozen=True)
class Space:
    """What a disk has free: bytes, and inodes, which are None where the disk counts none."""

    free_bytes: int
    free_inodes: int | None


Run = Callable[[Sequence[str]], Finished]
Which = Callable[[str], Optional[str]]


# --- Reading the machine ---------------------------------------------------------------------


def run(command: Sequence[str], env: Mapping[str, str] | None = None) -> Finished:
    """Run `command` and wait for it, with `env` added to the environment."""
    try:
        done = subprocess.run(  # noqa: S603 - no command here comes from outside
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=PATIENCE,
            check=False,
            # The checks read messages, which are translated in other locales.
            env={**os.environ, "LC_ALL": "C", **(env or {})},
        )
    except subprocess.TimeoutExpired:
        return Finished(124, f"no answer in {PATIENCE} s")
    except OSError as problem:
        return Finished(127, str(problem))
    return Finished(done.returncode, done.stdout.decode(errors="replace").strip())


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


def existing_parent(path: Path) -> Path:
    """Return `path` or the nearest folder above it that exists and may be looked at."""
    for folder in (path, *path.parents):
        if os.access(folder, os.F_OK):
            return folder
    return Path("/")


def measure(path: Path) -> Space:
    """Return what is free, to users who are not root, on the disk that holds `path`."""
    disk = os.statvfs(path)
    # Some file systems, such as btrfs, make inodes as they go and report none at all.
    inodes = disk.f_favail if disk.f_files else None
    return Space(disk.f_bavail * disk.f_frsize, inodes)


def last_line(text: str) -> str:
    """Return the last line of `text` that has something on it, or ""."""
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""


# --- The system and its Python ---------------------------------------------------------------


def check_system(os_release: str) -> Finding:
    """Check that the roles know this distribution; `os_release` is the text of that file."""
    subject = "operating system"
    settings = parse_settings(os_release)
    name = settings.get("PRETTY_NAME", "unknown")
    if settings.get("VERSION_ID", "") in SUPPORTED.get(settings.get("ID", ""), ()):
        return Finding(OK, subject, name)
    return Finding(FAIL, subject, f"{name} is not supported", f"use a VM with {SUPPORTED_TEXT}")


def python_version(name: str, run: Run = run) -> tuple[int, int] | None:
    """Return the (major, minor) version of the interpreter `name`, or None without one."""
    answer = run([name, "-c", "import sys; print(*sys.version_info[:2])"])
    numbers = re.fullmatch(r"(\d+) (\d+)", answer.output)
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
    """Who runs the doctor, and what they may do."""

    name: str
    is_root: bool
    sudo_without_password: bool
    groups: set[str]  # those of this login
    listed_groups: set[str]  # those in the system's list, which the next login will have

    @property
    def may_become_root(self) -> bool:
        """Tell whether apt-get and the like are open to this user, maybe with a password."""
        return self.is_root or self.sudo_without_password or "sudo" in self.groups


def group_names(numbers: Iterable[int]) -> set[str]:
    """Return the names of the groups with these numbers; one without a name is left out."""
    known = {group.gr_gid: group.gr_name for group in grp.getgrall()}
    return {known[number] for number in numbers if number in known}


def current_user(run: Run = run, which: Which = shutil.which) -> User:
    """Return the user who runs this program."""
    try:
        entry = pwd.getpwuid(os.geteuid())
    except KeyError:  # a container may run under a number that no list knows
        return User(
            name=str(os.geteuid()),
            is_root=False,
            sudo_without_password=False,
            groups=group_names(os.getgroups()),
            listed_groups=set(),
        )
    return User(
        name=entry.pw_name,
        is_root=entry.pw_uid == 0,
        sudo_without_password=bool(which("sudo")) and run(["sudo", "-n", "true"]).code == 0,
        groups=group_names([*os.getgroups(), os.getegid()]),
        listed_groups=group_names(os.getgrouplist(entry.pw_name, entry.pw_gid)),
    )


def check_rights(user: User) -> Finding:
    """Check what `user` may do: provision a VM (install, open ports) or release to one."""
    subject = "rights"
    if user.is_root:
        return Finding(OK, subject, "root may provision and release")
    if user.sudo_without_password:
        return Finding(OK, subject, f"{user.name} may provision and release (sudo, no password)")
    if "sudo" in user.groups:
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


@dataclass(frozen=True)
class Need:
    """How much room a folder needs, and how to make some."""

    subject: str
    free_bytes: int
    free_inodes: int
    fix: str


# A service image unpacks to some ten thousand files; a release record is a handful.
DATA_ROOT_NEED = Need("disk for images", 3 * GB, 50_000, "sudo docker image prune")
STATE_DIR_NEED = Need("disk for state", 50 * MB, 1_000, "sudo apt-get clean")


def size(number: int) -> str:
    """Return a number of bytes as people write it."""
    return f"{number / GB:.1f} GB" if number >= GB else f"{number / MB:.0f} MB"


def check_disk(
    need: Need,
    path: Path,
    measure: Callable[[Path], Space] = measure,
) -> Finding:
    """Check that the disk which holds `path`, or will, has room and inodes left."""
    try:
        space = measure(existing_parent(path))
    except OSError as problem:
        return Finding(WARN, need.subject, f"cannot be measured: {problem}", f"df -h {path}")
    if space.free_bytes < need.free_bytes:
        text = f"{size(space.free_bytes)} free for {path}, needs {size(need.free_bytes)}"
        return Finding(FAIL, need.subject, text, need.fix)
    if space.free_inodes is not None and space.free_inodes < need.free_inodes:
        text = f"{space.free_inodes} inodes free for {path}, needs {need.free_inodes}"
        return Finding(FAIL, need.subject, text, need.fix)
    return Finding(OK, need.subject, f"{size(space.free_bytes)} free for {path}")


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


def docker_clients(search_path: str) -> list[str]:
    """Return all Docker clients on `search_path`, because the first one may be incomplete."""
    clients = [Path(folder, "docker") for folder in search_path.split(os.pathsep) if folder]
    return [str(client) for client in clients if os.access(client, os.X_OK)]


def run_buildkit(command: Sequence[str]) -> Finished:
    """Run a Docker command with BuildKit switched on."""
    return run(command, env={"DOCKER_BUILDKIT": "1"})


def check_engine(
    clients: Sequence[str],
    run: Run = run,
    run_buildkit: Run = run_buildkit,
) -> Finding:
    """Check that an engine answers, and that one of the `clients` can pass secrets to a build."""
    subject = "engine"
    if not clients:
        text = "no Docker client here; `make deploy` installs one if you may use sudo"
        return Finding(WARN, subject, text, "sudo apt-get install docker.io")
    answer = run([clients[0], "version", "--format", "{{.Server.Version}}"])
    if answer.code and "permission denied" in answer.output.lower():
        text = "this login may not talk to the engine"
        return Finding(WARN, subject, text, "sudo usermod -aG docker $USER; then log out and in")
    if answer.code:
        text = f"the engine does not answer: {last_line(answer.output)}"
        return Finding(FAIL, subject, text, "sudo systemctl start docker")
    if not any("--secret" in run_buildkit([c, "build", "--help"]).output for c in clients):
        text = f"version {answer.output} answers, but no client here can build with BuildKit"
        fix = "sudo apt-get install docker-buildx   # Docker's own packages: docker-buildx-plugin"
        return Finding(FAIL, subject, text, fix)
    return Finding(OK, subject, f"version {answer.output} answers, BuildKit is there")


def engine_data_root(run: Run = run) -> Path:
    """Return the folder where the engine keeps its images, by default where it will."""
    answer = run(["docker", "info", "--format", "{{.DockerRootDir}}"])
    found = last_line(answer.output)
    return Path(found) if answer.code == 0 and found.startswith("/") else DATA_ROOT


# --- The port --------------------------------------------------------------------------------


def default_port(settings: Mapping[str, str], environment: Mapping[str, str]) -> int | None:
    """Return HOST_PORT, which the environment may override, or None where it is no number."""
    text = environment.get("HOST_PORT") or settings.get("HOST_PORT", "")
    return int(text) if text.isdigit() else None


def listening_sockets(port: int, proc: Path = Path("/proc")) -> set[str]:
    """Return the inode numbers of the sockets that listen on `port`, for IPv4 and IPv6."""
    listens = "0A"  # the kernel's number for this state, see its include/net/tcp_states.h
    found = set()
    for table in ("tcp", "tcp6"):
        for line in read(proc / "net" / table).splitlines()[1:]:
            columns = line.split()
            address, state, inode = columns[1], columns[3], columns[9]
            if state == listens and int(address.rpartition(":")[2], 16) == port:
                found.add(inode)
    return found


def holds(process: Path, links: set[str]) -> bool:
    """Tell whether the process has one of `links` open; False where it is not ours to look."""
    try:
        return any(os.readlink(link) in links for link in (process / "fd").iterdir())
    except OSError:
        return False


def socket_owner(inodes: set[str], proc: Path = Path("/proc")) -> tuple[int, str] | None:
    """Return the number and name of a process that holds one of the sockets, if visible."""
    links = {f"socket:[{inode}]" for inode in inodes}
    for process in proc.iterdir():
        if process.name.isdigit() and holds(process, links):
            return int(process.name), read(process / "comm").strip() or "a process"
    return None


@dataclass(frozen=True)
class Container:
    """A running container: its name, and whether its labels say that classvm made it."""

    name: str
    is_ours: bool


def publishing_container(port: int, run: Run = run) -> Container | None:
    """Return the container that publishes `port` on this machine, if the engine tells."""
    answer = run(
        ["docker", "ps", "--filter", f"publish={port}", "--format", "{{.Names}}\t{{.Labels}}"],
    )
    line = last_line(answer.output)
    if answer.code or not line:
        return None
    name, _, labels = line.partition("\t")
    is_ours = any(label.startswith(LABEL_PREFIX) for label in labels.split(","))
    return Container(name, is_ours)


def check_port(
    port: int | None,
    container: Container | None,
    inodes: set[str],
    owner: tuple[int, str] | None,
    edge: int | None = None,
) -> Finding:
    """Check that the port is free or ours.

    Args:
        port: the port.
        container: who publishes it.
        inodes: the sockets that listen on it.
        owner: who holds one of them.
        edge: the port that our own HAProxy holds, with strategy blue_green.

    """
    subject = f"port {port or ''}".strip()
    if port is None:
        fix = "git checkout -- service/ports.env && unset HOST_PORT"
        return Finding(FAIL, subject, "HOST_PORT is not a number in service/ports.env", fix)
    ours = f"our own container {container.name}" if container and container.is_ours else ""
    if inodes and port == edge:
        ours = "HAProxy, before our own container"
    if ours:
        return Finding(OK, subject, f"held by {ours}")
    if container:
        text = f"held by container {container.name}, which is not of this project"
        return Finding(FAIL, subject, text, f"docker stop {container.name}")
    if not inodes:
        return Finding(OK, subject, "free")
    if owner:
        text = f"held by process {owner[0]} ({owner[1]})"
        fix = f"sudo kill {owner[0]}   # if you may stop it; else choose another HOST_PORT"
        return Finding(FAIL, subject, text, fix)
    # It may be our own container, which neither the engine nor the kernel would show us.
    text = "held by a process or container that this login cannot see"
    return Finding(WARN, subject, text, "sudo python3 tools/doctor.py")


def edge_port(state_dir: Path) -> int | None:
    """Return the port that our own HAProxy holds, None where there is none."""
    found = re.search(r'"port": (\d+)', read(state_dir / "edge.json"))
    return int(found.group(1)) if found else None


def look_at_port(port: int | None, state_dir: Path) -> Finding:
    """Gather what `check_port` judges."""
    if port is None:
        return check_port(None, None, set(), None)
    inodes = listening_sockets(port)
    container, owner = publishing_container(port), socket_owner(inodes)
    return check_port(port, container, inodes, owner, edge_port(state_dir))


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
    if answer.code == 0 and answer.output == "no":
        return Finding(WARN, subject, f"{shown}, but no time server keeps it right", fix)
    return Finding(OK, subject, shown)


# --- The package index -----------------------------------------------------------------------


def configured_index(python: str, run: Run = run) -> str:
    """Return the address of the package index that pip was told to use, or ""."""
    answer = run([python, "-m", "pip", "config", "list"])
    found = dict(re.findall(r"^(\S+)\.index-url='(.*)'$", answer.output, flags=re.MULTILINE))
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
    user = current_user()
    installable = user.may_become_root and shutil.which("apt-get") is not None
    chosen = os.environ.get("PYTHON")
    python, seen = find_python([chosen] if chosen else PYTHONS)
    package = python_package(os_release)
    return [
        check_system(os_release),
        check_rights(user),
        check_programs(),
        check_python(python, seen, package, installable=installable),
        check_venv(python, package, installable=installable),
        check_clock(time.time(), newest_file([ROOT, ROOT / "tools", PORTS_FILE.parent])),
        check_index(str(VENV_PYTHON) if VENV_PYTHON.exists() else python),
        check_disk(DATA_ROOT_NEED, data_root or engine_data_root()),
        check_disk(STATE_DIR_NEED, state_dir),
        check_memory(read(Path("/proc/meminfo"))),
        check_engine(docker_clients(os.environ.get("PATH", os.defpath))),
        look_at_port(port, state_dir),
    ]


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
        type=int,
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
        help=f"where the engine keeps its images (default: as it says, else {DATA_ROOT})",
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
