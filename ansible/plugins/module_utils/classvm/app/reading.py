"""Read an app: what it is, as far as its files tell without being run."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Dict, List, Optional
from urllib.parse import urlsplit

from . import (
    code,
    dockerfile,
    entry,
    handlers,
    lock_files,
    overrides,
    python_checks,
    requirements_source,
    roots,
    written,
)
from .findings import Finding, listed
from .folder import AppFolder
from .located import Located, load
from .spec_checks import version

SPEC_START = re.compile(r"""^\s*\{?\s*["']?(openapi|swagger)["']?\s*:""", re.MULTILINE)
SPEC_BEGINNING = 4096


@dataclass
class Spec:
    """A spec of the app.

    Attributes:
        document: what it holds, and where.
        call: how the code adds it; None where that is not seen.
        base_path: the path before all of its paths, "" for none.

    """

    document: Located
    call: Optional[code.SpecCall]
    base_path: str


@dataclass
class App:
    """What an app is.

    Attributes:
        folder: its files.
        code: what its Python files say about its start.
        specs: its specs.
        entry: the program that starts it: "server.py", "-m package", "module:app", or "".
        port: the port on which it listens, 0 where that is not seen.
        requirements: the file that lists its packages, or "".
        lock: the file beside it with the versions that a program chose, or "".
        dockerfile: "none", "lab" or "own".
        apt: packages of the system that it needs beyond Python.
        used: the Python files that it uses, each with the place in a started file that leads to it;
            what else lies in the folder, it does not run.
        writes: what it writes at run time.
        said: what its classvm.yml says, by key.
        findings: what was wrong while it was read.

    """

    folder: AppFolder
    code: code.Code
    specs: List[Spec] = field(default_factory=list)
    entry: str = ""
    port: int = 0
    requirements: str = ""
    lock: str = ""
    dockerfile: str = "none"
    apt: List[str] = field(default_factory=list)
    used: Dict[str, str] = field(default_factory=dict)
    writes: List[written.Write] = field(default_factory=list)
    said: Dict[str, Any] = field(default_factory=dict)
    findings: List[Finding] = field(default_factory=list)

    def summary(self, host_port: int) -> str:
        """Return what was read in one line: "spec: cpu.yaml · entry: server.py · port 20000 → 11000"."""
        specs = ", ".join(one.document.file for one in self.specs) or "none"
        parts = [
            f"spec: {specs}",
            f"entry: {self.entry or 'none'}",
            f"port {self.port or '?'} → {host_port}",
        ]
        parts += [
            f"requirements: {self.requirements or 'none'}{f' with {self.lock}' * bool(self.lock)}"
        ]
        parts += [f"apt: {' '.join(self.apt)}"] if self.apt else []
        return " · ".join(parts)

    def imports(self, package: str) -> bool:
        """Tell whether the code that it uses imports a package, or something that is built on it."""
        names = (name for file in self.used for name in code.imported(self.folder.tree(file)))
        return any(name.partition(".")[0].partition("_")[0] == package for name in names)


def read(root: Path) -> App:
    """Read an app's folder. Nothing is imported, nothing is fetched; never raises for its content."""
    folder = AppFolder(root)
    said, findings = overrides.read(folder)
    app = App(folder, code.read(folder), said=said, findings=findings)
    instructions = dockerfile.read(folder.text("Dockerfile")) if folder.has("Dockerfile") else []
    folder.roots = roots.find(folder, instructions)
    app.requirements = requirements_source.source(folder)
    app.lock = lock_files.name_of(folder, app.requirements)
    app.dockerfile = dockerfile.kind(instructions)
    app.apt = list(said.get("apt") or dockerfile.apt_packages(instructions))
    app.entry = str(said.get("entry") or entry.find(folder, app.code, instructions))
    several = entry.twins(folder, app.code, instructions, _started(app))
    if several and not said.get("entry"):
        what = f"there is an app in each of {listed(several)}"
        fix = (
            f"Deploy one of them, such as `APP=…/{several[-1]}`, or name its program in classvm.yml"
        )
        findings.append(Finding("", 0, 0, "CV087", what, fix))
    app.code = _of_program(app)
    app.port = int(said.get("port") or _port(app))
    _find_specs(app, said)
    app.used = _used(app)
    app.writes = written.writes(folder, app.used)
    return app


def _of_program(app: App) -> code.Code:
    """Return what the files say that the program uses: a second program of the folder does not run."""
    started = _started(app)
    if not app.folder.has(started):
        return app.code
    files = python_checks.reached(app.folder, {started: ""})
    specs = tuple(call for call in app.code.specs if call.file in files)
    starts = tuple(start for start in app.code.starts if start.file in files)
    return replace(app.code, specs=specs or app.code.specs, starts=starts or app.code.starts)


def _started(app: App) -> str:
    """Return the file of the program."""
    return entry.file_of(app.folder, app.entry)


def _find_specs(app: App, said: Dict[str, Any]) -> None:
    """Take the specs that classvm.yml names, else those of the code, else those that are there."""
    calls = {call.spec: call for call in app.code.specs if call.spec}
    there = [name for name in app.folder.files if _is_spec(app.folder, name)]
    for call in app.code.specs:
        if call.spec and not app.folder.has(call.spec):
            named = next(
                (
                    name
                    for name in there
                    if posixpath.basename(name) == posixpath.basename(call.spec)
                ),
                "",
            )
            calls.pop(call.spec, None)
            if named:  # the code works the folder out at run time
                calls[named] = call
                continue
            what = f"it names the spec {call.spec}, which is not there"
            fix = (
                f"There is {there[0]}: name that" if there else "Add the file, or correct its name"
            )
            app.findings.append(Finding(call.file, call.line, 0, "CV004", what, fix))
    names = list(said.get("spec") or ()) or sorted(calls) or there
    if len(names) == len(app.code.specs) == 1 and not calls:  # it works the name out at run time
        calls[names[0]] = app.code.specs[0]
    for name in names:
        if not app.folder.has(name):
            what = f"it names the spec {name}, which is not there"
            app.findings.append(Finding(overrides.FILE, 0, 0, "CV004", what, "Correct its name"))
            continue
        document = load(name, app.folder.text(name))
        call_ = calls.get(name)
        app.specs.append(Spec(document, call_, _base_path(document, call_)))
        if call_ and app.folder.is_utf_16(name):
            what = "the file is UTF-16, and connexion reads UTF-8 only"
            app.findings.append(Finding(name, 0, 0, "CV001", what, "Save it as UTF-8"))


def _used(app: App) -> Dict[str, str]:
    """Return the Python files that the app uses, all of them where that cannot be seen."""
    started = _started(app)
    if not app.folder.has(started) or any(call.has_resolver for call in app.code.specs):
        return dict.fromkeys(app.folder.python_files(), "")
    starts = {started: ""}
    for spec in app.specs:
        document = spec.document
        for one in (*handlers.operations(document), *handlers.security_functions(document)):
            file = handlers.file_of(app.folder, one, spec.call)
            line, _ = document.at_value((*one.path, "operationId"))
            if file:
                starts.setdefault(file, f"{document.file}:{line}")
    return python_checks.reached(app.folder, starts)


def _is_spec(folder: AppFolder, name: str) -> bool:
    is_document = name.lower().endswith((".yml", ".yaml", ".json"))
    return is_document and bool(SPEC_START.search(folder.text(name)[:SPEC_BEGINNING]))


def _base_path(document: Located, call: Optional[code.SpecCall]) -> str:
    if call and call.base_path:
        return call.base_path.rstrip("/")
    value = document.value if isinstance(document.value, dict) else {}
    if version(document) == "2":
        return str(value.get("basePath") or "").rstrip("/")
    servers = value.get("servers")
    first = servers[0] if isinstance(servers, list) and servers else {}
    url = str(first.get("url") or "") if isinstance(first, dict) else ""
    try:
        return urlsplit(url).path.rstrip("/")
    except ValueError:
        return ""


def _port(app: App) -> int:
    file = _started(app)
    starts = sorted(app.code.starts, key=lambda start: (start.file != file, start.file, start.line))
    found = next((start.port for start in starts if start.port), 0)
    if found or not app.folder.has("ports.env"):
        return found
    named = re.search(r"^CONTAINER_PORT=(\d{1,5})$", app.folder.text("ports.env"), re.MULTILINE)
    return int(named[1]) if named else 0
