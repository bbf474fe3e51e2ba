"""Run HAProxy in front of the releases of a host as the edge, or remove it.

HAProxy and its unit come from the distribution; a drop-in names our configuration.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import re
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, List

from ..base import command, host, state
from ..base.docker import Docker
from ..base.edge import RECORD, RECREATE, UNIT, Edge, slot_of
from ..base.errors import ClassvmError
from ..base.names import container_name
from .guard import FOLDER, UNITS

SOCKET = "/run/haproxy/classvm.sock"
READY_SECONDS = 20
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Files:
    """The files that make HAProxy the edge."""

    config: Path = FOLDER / "edge.cfg"
    unit: Path = UNITS / f"{UNIT}.d" / "classvm-edge.conf"


@dataclass(frozen=True)
class Desired:
    """The edge that a host should have.

    Attributes:
        edge: how releases go live, and where.
        config: text of HAProxy's configuration.
        unit: text of the drop-in for its unit.
        files: where the two texts belong.

    """

    edge: Edge
    config: str
    unit: str
    files: Files = field(default_factory=Files)

    @property
    def digest(self) -> str:
        """The description that a running HAProxy reports when it runs this configuration."""
        return hashlib.sha256(self.config.encode()).hexdigest()[:12]

    @property
    def contents(self) -> Dict[str, str]:
        """The text of each file by its path."""
        return {
            str(self.files.config): f"{self.config}\nglobal\n    description {self.digest}\n",
            str(self.files.unit): self.unit,
            record_of(self.edge): record(self.edge),
        }


def watched(files: Files = Files()) -> List[Path]:
    """Return the files that decide how HAProxy runs, now and after each boot."""
    return [files.config, files.unit, UNITS / "multi-user.target.wants" / UNIT]


def problem(edge: Edge, files: Files = Files()) -> str:
    """Return why HAProxy does not run as it is configured; "" when it does, or is not desired."""
    if not edge.takes_releases:
        return ""
    if properties()["ActiveState"] not in ("active", "activating"):
        return "HAProxy does not run"
    digest = running(edge)
    if digest and f"description {digest}" not in state.read(str(files.config)):
        return f"HAProxy runs with another configuration than {files.config}"
    return ""


def record_of(edge: Edge) -> str:
    """Return the path of the record from which a release reads the edge."""
    return os.path.join(edge.state_dir, RECORD)


def record(edge: Edge) -> str:
    """Return the text of the record."""
    known = {**dataclasses.asdict(edge), "state_dir": None}
    return json.dumps({key: value for key, value in known.items() if value is not None}) + "\n"


def is_used(docker: Docker, service: str) -> bool:
    """Tell whether the live release of a host is behind the edge."""
    if docker.engine_version() is None:
        return False
    live = docker.container(container_name(service))
    return live is not None and bool(slot_of(live))


# --- Install it -------------------------------------------------------------------------------


def missing(desired: Desired) -> List[str]:
    """Return what is missing until HAProxy runs as desired; [] when nothing is."""
    found = [path for path, text in desired.contents.items() if state.read(path) != text]
    if not os.path.exists(desired.edge.map):
        found.append(desired.edge.map)
    return [*found, *filter(None, [next_verb(desired)])]


def next_verb(desired: Desired) -> str:
    """Return what systemd has to do with HAProxy: "restart", "reload", or "" for nothing."""
    shown = properties()
    if shown["UnitFileState"] != "enabled" or shown["ActiveState"] not in ("active", "activating"):
        return "restart"
    if shown["ActiveState"] == "activating":  # HAProxy waits for its port
        return "" if desired.files.unit.exists() else "restart"
    return {desired.digest: "", "": "restart"}.get(running(desired.edge), "reload")


def properties() -> Dict[str, str]:
    """Return what systemd says of HAProxy's unit; empty values where there is no systemd."""
    names = ("ActiveState", "UnitFileState")
    shown = {}
    if shutil.which("systemctl"):
        asked = command.run(["systemctl", "show", "--property", ",".join(names), UNIT])
        shown = dict(line.split("=", 1) for line in asked.out.splitlines() if "=" in line)
    return {name: shown.get(name, "") for name in names}


def running(edge: Edge) -> str:
    """Return the digest of the configuration that HAProxy runs, "" when that is not ours."""
    with contextlib.suppress(OSError):
        found = re.search(r"^description: (\S+)$", edge.tell("show info"), re.MULTILINE)
        return found.group(1) if found else ""
    return ""


def install(desired: Desired) -> None:
    """Install the configuration and run HAProxy with it.

    Raises:
        ClassvmError: HAProxy does not accept the configuration, and nothing was changed; or it
            does not start.

    """
    contents = desired.contents
    validate(contents[str(desired.files.config)], desired)
    verb = next_verb(desired)
    changed = {path for path, text in contents.items() if state.read(path) != text}
    for path in changed:
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        state.write_atomically(path, contents[path])
    if str(desired.files.unit) in changed:
        verb = "restart"
    elif str(desired.files.config) in changed:
        verb = verb or "reload"
    if (
        verb == "restart"
    ):  # an interrupted run may have written the drop-in, which systemd then has not read
        command.check(["systemctl", "daemon-reload"])
    command.check(["systemctl", "enable", "--quiet", UNIT])
    if verb:
        # HAProxy may have to wait until a release has left its port.
        command.check(["systemctl", verb, "--no-block", UNIT])
        await_start(desired)


def validate(config: str, desired: Desired) -> None:
    """Let HAProxy check a configuration, for which the map has to exist.

    Raises:
        ClassvmError: HAProxy does not accept it.

    """
    if not os.path.exists(desired.edge.map):
        desired.edge.begin()
    new = f"{desired.files.config}.check"
    os.makedirs(os.path.dirname(new), mode=0o755, exist_ok=True)
    state.write_atomically(new, config)
    try:
        command.check(["haproxy", "-c", "-q", "-f", new])
    finally:
        state.remove(new)


def await_start(desired: Desired) -> None:
    """Wait until HAProxy runs with the configuration, or waits for its port.

    Raises:
        ClassvmError: it does not start; the message ends with the end of its log.

    """
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if running(desired.edge) == desired.digest:
            return
        waits = properties()["ActiveState"] == "activating"
        if waits and host.is_listened_to(desired.edge.port):
            return
        time.sleep(POLL_SECONDS)
    last = command.run(["journalctl", f"--unit={UNIT}", "--lines=10", "--no-pager"])
    raise ClassvmError(
        f"HAProxy does not start: {last.reason()}",
        fix=f"`sudo journalctl --unit={UNIT}` shows its log.",
        details=last.last_lines(),
    )


# --- Remove it -------------------------------------------------------------------------------


def remains(files: Files, edge: Edge) -> List[str]:
    """Return the files of an edge that exist on the host."""
    paths = [str(files.unit), str(files.config), record_of(edge), edge.map]
    return [path for path in paths if os.path.exists(path)]


def leave(edge: Edge) -> None:
    """Record that the next release has to publish the port itself.

    HAProxy stays until then, because a release is behind it.
    """
    staying = dataclasses.replace(Edge.load(edge.state_dir), strategy=RECREATE)
    state.write_atomically(record_of(edge), record(staying))


def remove(files: Files, edge: Edge) -> None:
    """Stop HAProxy and remove its configuration; the package stays."""
    if files.unit.exists():
        command.check(["systemctl", "disable", "--quiet", "--now", UNIT])
    for path in remains(files, edge):
        state.remove(path)
    command.check(["systemctl", "daemon-reload"])
