"""Configure, start and restart the Docker engine, under systemd or without it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional

from ..base import command, progress
from ..base.docker import Docker
from ..base.errors import ClassvmError
from . import engine_hosts, network
from .guard import FOLDER, UNITS

DAEMON_JSON = Path("/etc/docker/daemon.json")
# What the kit wants in daemon.json, and which of it the kit wrote there.
RECORD = FOLDER / "engine.json"
UNIT_LINK = UNITS / "multi-user.target.wants" / "docker.service"
# Debian has it in /usr/sbin, Ubuntu 24.04 in /usr/bin; an account's PATH may lack the former.
DOCKERD = shutil.which("dockerd", path="/usr/sbin:/usr/bin") or "/usr/sbin/dockerd"
PIDFILE = Path("/run/docker.pid")
LOG = Path("/var/log/docker.log")
# What journalctl prints where there is nothing to show.
NO_ENTRIES = "-- No entries --"
START_SECONDS = 60
STOP_SECONDS = 60
BYTE_ORDER_MARK = "\ufeff"
# From this version on `dockerd --validate` checks a configuration without starting.
FIRST_WITH_VALIDATE = 23
# Settings of daemon.json whose option is missing or has another name.
# Source: moby v20.10, daemon/config/config.go (skipValidateOptions), cmd/dockerd/config_unix.go
FILE_ONLY = ("builder", "features", "runtimes")
# What an engine's bridge keeps from its first start on, which is when its package is installed.
OF_THE_BRIDGE = ("bip", network.POOLS, "mtu")
# Where a running engine reports a setting. Source: `docker info --format '{{json .}}'`.
REPORTED = {"log-driver": "LoggingDriver", "live-restore": "LiveRestoreEnabled"}


@dataclass(frozen=True)
class Record:
    """What the kit knows of its settings in daemon.json.

    Attributes:
        desired: the settings of the last provision.
        written: those of its settings, now or earlier, that an admin had not set before.
        pending: whether a change has begun, and no engine has started with it yet.
        former: text of daemon.json before that change; None where there was no file.

    """

    desired: Mapping[str, Any] = field(default_factory=dict)
    written: Mapping[str, Any] = field(default_factory=dict)
    pending: bool = False
    former: Optional[str] = None


@dataclass(frozen=True)
class Change:
    """What has to be done to the engine; false when there is nothing to do.

    Attributes:
        settings: the configuration to install, or None when the file is right.
        start: whether no engine answers, it runs with other settings than the file has, or a run
            was interrupted before it started the engine with them.
        record: what the kit wants, and which of it the kit wrote.

    """

    settings: Optional[Dict[str, Any]]
    start: bool
    record: Record = field(default_factory=Record)

    def __bool__(self) -> bool:
        """Tell whether there is anything to do."""
        return self.settings is not None or self.start


def major(version: str) -> int:
    """Return the first number of a version such as "Docker version 20.10.24+dfsg1"."""
    found = re.search(r"(\d+)\.", version)
    return int(found.group(1)) if found else 0


def merged(present: Mapping[str, Any], desired: Mapping[str, Any]) -> Dict[str, Any]:
    """Return the admin's settings with ours over them; theirs stay where we set nothing."""
    both = {
        name: {**present[name], **value}
        for name, value in desired.items()
        if isinstance(value, dict) and isinstance(present.get(name), dict)
    }
    return {**present, **desired, **both}


def read_settings(path: Path = DAEMON_JSON) -> Dict[str, Any]:
    """Return the engine's present configuration file, {} when there is none.

    Raises:
        ClassvmError: the file exists but is not valid JSON; it stays as it is.

    """
    try:
        settings = json.loads(read_text(path).lstrip(BYTE_ORDER_MARK).strip() or "{}")
    except ValueError as error:
        raise ClassvmError(
            f"The engine's settings are not valid JSON: {_json_mistake(error)}",
            place=f"{path}:{getattr(error, 'lineno', 1)}",
            fix=f"Correct the file (`sudo python3 -m json.tool {path}` checks it), then run the"
            " command again.",
        ) from error
    if not isinstance(settings, dict):
        raise ClassvmError(
            f"The engine's settings have to be a JSON object, not {settings!r}",
            place=str(path),
            fix="Correct the file, then run the command again.",
        )
    return settings


def read_text(path: Path) -> str:
    """Return the text of the configuration file, "" when there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def _json_mistake(error: ValueError) -> str:
    """Return what is wrong with a text that is not JSON; a trailing comma is the usual slip."""
    if isinstance(error, json.JSONDecodeError):
        # Python 3.13 names the place of the comma, older versions that of what follows it.
        around = error.doc[: error.pos].rstrip()[-1:] + error.doc[error.pos :]
        found = re.match(r".?,\s*([}\]])", around)
        if found:
            return f"the comma before `{found.group(1)}` is one too many"
    return str(error)


def without_former(
    present: Mapping[str, Any],
    written: Mapping[str, Any],
    desired: Mapping[str, Any],
) -> Dict[str, Any]:
    """Return the settings without those that the kit wrote earlier and no longer wants.

    A setting that has another value by now is the admin's.
    """
    return {
        name: value
        for name, value in present.items()
        if name in desired or name not in written or written[name] != value
    }


def read_record(path: Path = RECORD) -> Record:
    """Return what the kit knows of its settings; nothing where there is no legible record."""
    try:
        return Record(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return Record()


def write_record(record: Record, path: Path = RECORD) -> None:
    """Remember the kit's settings."""
    _replace(path, json.dumps(asdict(record), sort_keys=True) + "\n")


def _replace(path: Path, text: str) -> None:
    """Write a file that everybody may read, in one step, whatever umask this account has."""
    if not path.parent.is_dir():
        path.parent.mkdir()
        path.parent.chmod(0o755)
    new = _new(path)
    new.write_text(text, encoding="utf-8")
    new.chmod(0o644)
    new.replace(path)


def _new(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")


def with_packets(settings: Mapping[str, Any]) -> Dict[str, Any]:
    """Return the settings for the host's network; an explicit one wins."""
    return {**network.packet_settings(), **settings}


def prepare(settings: Mapping[str, Any], *, dry_run: bool = False) -> bool:
    """Look at what an engine would stumble over, before one is installed, and make it ready.

    The package starts the engine at once, so what its bridge keeps has to be there before.

    Returns:
        Whether daemon.json was changed, or would be.

    Raises:
        ClassvmError: Docker is here as a snap, daemon.json cannot be read, or the engine would take
            somebody's addresses.

    """
    engine_hosts.require_no_snap()
    present = read_settings()
    final = merged(present, with_packets(settings))
    network.require_free_addresses(final)
    early = {name: final[name] for name in OF_THE_BRIDGE if name in final}
    if os.path.exists(DOCKERD) or merged(present, early) == present:
        return False
    if not dry_run:
        last = read_record()
        written = {**last.written, **written_by_us(present, last.written, early)}
        write_record(replace(last, written=written))
        _replace(DAEMON_JSON, _formatted({**present, **early}))
    return True


def plan(docker: Docker, settings: Mapping[str, Any]) -> Change:
    """Compare the desired settings with the host's."""
    present = read_settings()
    desired = with_packets(settings)
    last = read_record()
    final = merged(without_former(present, last.written, desired), desired)
    engine_hosts.require_ours(DAEMON_JSON, final, systemd=has_systemd())
    # The engine itself does not start with a byte order mark.
    is_right = final == present and not read_text(DAEMON_JSON).startswith(BYTE_ORDER_MARK)
    return Change(
        settings=None if is_right else final,
        start=last.pending or docker.engine_version() is None or not is_in_effect(docker, desired),
        record=Record(desired, written_by_us(present, last.written, desired)),
    )


def written_by_us(
    present: Mapping[str, Any],
    former: Mapping[str, Any],
    desired: Mapping[str, Any],
) -> Dict[str, Any]:
    """Return those of the desired settings that an admin had not set before."""
    return {
        name: value
        for name, value in desired.items()
        if name in former or present.get(name) != value
    }


def is_in_effect(docker: Docker, settings: Mapping[str, Any]) -> bool:
    """Tell whether a running engine reports the settings, as far as it reports them."""
    asked = [name for name in REPORTED if name in settings]
    if not asked:
        return True
    try:
        told = docker.info()
    except ClassvmError:
        return False
    return all(
        str(told.get(REPORTED[name])).lower() == str(settings[name]).lower() for name in asked
    )


def problem(docker: Docker) -> str:
    """Return why a running engine does not have the kit's settings, or "" when it does."""
    desired = read_record().desired
    try:
        present = read_settings()
    except ClassvmError as error:
        return error.line
    except PermissionError:  # an admin's own mode of the file; the engine is asked all the same
        present = dict(desired)
    if merged(present, desired) != present:
        return f"{DAEMON_JSON} no longer has the settings of the last provision"
    if not is_in_effect(docker, desired):
        return f"the engine runs with other settings than {DAEMON_JSON} has"
    return ""


def apply(docker: Docker, change: Change) -> None:
    """Install the configuration and bring the engine up with it.

    A run that is interrupted on the way is finished by the next: the record tells that a change is
    pending, and what the file was before it.

    Raises:
        ClassvmError: the engine does not accept it; the former configuration is back in effect.

    """
    last = read_record()
    former = last.former if last.pending else _present_text()
    write_record(replace(change.record, pending=True, former=former))
    try:
        if change.settings is not None:
            install(change.settings)
        restart(docker)
    except ClassvmError:
        if former != _present_text():
            put_back(former)
            restart(docker)
        write_record(replace(last, pending=False, former=None))
        raise
    write_record(change.record)


def _present_text() -> Optional[str]:
    return read_text(DAEMON_JSON) if DAEMON_JSON.exists() else None


def install(settings: Mapping[str, Any]) -> None:
    """Validate a configuration, then replace the file in one step."""
    text = _formatted(settings)
    trial = DAEMON_JSON.with_name(f"{DAEMON_JSON.name}.trial")
    _replace(trial, text)
    try:
        validate(trial, settings)
    finally:
        trial.unlink()
    _replace(DAEMON_JSON, text)


def _formatted(settings: Mapping[str, Any]) -> str:
    return json.dumps(settings, indent=2, sort_keys=True) + "\n"


def put_back(former: Optional[str]) -> None:
    """Bring the configuration file back that a change has replaced."""
    if former is None:
        DAEMON_JSON.unlink()
    else:
        _replace(DAEMON_JSON, former)


def validate(path: Path, settings: Mapping[str, Any]) -> None:
    """Let the engine check a configuration file.

    Raises:
        ClassvmError: the engine does not accept it.

    """
    if major(command.check([DOCKERD, "--version"])) >= FIRST_WITH_VALIDATE:
        command.check([DOCKERD, "--validate", "--config-file", str(path)])
        return
    unknown = unknown_settings(settings, command.check([DOCKERD, "--help"]))
    if unknown:
        raise ClassvmError(
            f"This engine does not know the setting {', '.join(unknown)}",
            fix="Correct docker_settings.",
        )


def unknown_settings(settings: Mapping[str, Any], dockerd_help: str) -> List[str]:
    """Return the settings that an engine without `--validate` has no option for.

    A setting is named like its option; lists have the plural (log-opts, --log-opt;
    insecure-registries, --insecure-registry).
    """
    known = {*re.findall(r"--([a-z0-9-]+)", dockerd_help), *FILE_ONLY}
    return [
        name for name in settings if not known & {name, name.rstrip("s"), re.sub("ies$", "y", name)}
    ]


def has_systemd() -> bool:
    """Tell whether systemd is this host's init (as sd_booted(3) does)."""
    return os.path.isdir("/run/systemd/system")


def restart(docker: Docker) -> None:
    """Restart the engine and wait until it answers.

    Raises:
        ClassvmError: it does not answer; the message ends with the end of its log.

    """
    progress.say("starting the engine")
    since: List[str] = []
    if has_systemd():
        since = [f"--since=@{int(time.time())}"]
        command.check(["systemctl", "enable", "--quiet", "docker"])
        restarted = command.run(["systemctl", "restart", "docker"])
        log_argv = ["journalctl", "--unit=docker", "--lines=10", "--no-pager"]
    else:
        _stop_without_systemd()
        restarted = command.run(start_argv())
        log_argv = ["tail", "--lines=10", str(LOG)]
    deadline = time.monotonic() + START_SECONDS
    while restarted.code == 0 and time.monotonic() < deadline:
        if docker.engine_version() is not None:
            return
        time.sleep(0.2)
    # An older line of the log would name another failure.
    log = command.run([*log_argv, *since])
    told = restarted if log.out.strip() in ("", NO_ENTRIES) else log
    raise ClassvmError(
        f"The Docker engine does not start: {told.reason()}",
        fix=f"`{' '.join(log_argv)}` shows its log.",
        details="\n".join(filter(None, [restarted.last_lines(), log.last_lines()])),
    )


def start_argv() -> List[str]:
    """Return the command that starts the engine on a host without systemd.

    Debian's init script wants to mount cgroups and raise limits, which not every such host
    (a container, for one) allows; the daemon needs neither.
    """
    return [
        *("start-stop-daemon", "--start", "--background", "--no-close"),
        *("--pidfile", str(PIDFILE), "--exec", DOCKERD, "--output", str(LOG)),
        *("--", "--pidfile", str(PIDFILE)),
    ]


def _stop_without_systemd() -> None:
    if not PIDFILE.exists():
        return
    process = int(PIDFILE.read_text(encoding="ascii"))
    program = Path(f"/proc/{process}/exe")
    if not program.exists() or program.resolve() != Path(DOCKERD).resolve():
        return
    os.kill(process, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while program.exists():
        if time.monotonic() > deadline:
            raise ClassvmError(
                f"The Docker engine (process {process}) does not stop",
                fix=f"`sudo kill -9 {process}` ends it; then run the command again.",
            )
        time.sleep(0.1)
