"""How the kit deploys an app that is not in classvm's own layout: decided before anything is built."""

from __future__ import annotations

import ast
import posixpath
from dataclasses import dataclass
from typing import Optional, Tuple

from .reading import App
from .written import outermost

FRAMEWORKS = {"flask", "connexion"}


@dataclass(frozen=True)
class SpecFile:
    """A spec that the contract check reads.

    Attributes:
        file: its path in the app's folder.
        base_path: the path before all of its paths, where the code sets it; None: as the spec says.

    """

    file: str
    base_path: Optional[str]


@dataclass(frozen=True)
class Plan:
    """How an app is built, started and checked.

    Attributes:
        entry: the program that starts it: "server.py" or "-m package"; "" where there is none.
        own_server: whether the program serves by itself: neither flask nor connexion is in it.
        port: the port that the program names, 0 where that is not seen.
        dockerfile: "kit", or "own" where the student's Dockerfile is built.
        apt: packages of the system beyond Python.
        path: folders with local packages, relative to the app, for PYTHONPATH.
        writable: folders that the app writes into, relative to it; "." for all of it.
        keep: folders that survive releases, relative to the app.
        requirements: text of the list of packages from which the lock is compiled.
        changes: what was changed in the student's list, a line each.
        contract: "gate" where a broken answer refuses, "warn" where it is only told.
        specs: the specs that the contract check reads.
        notes: lines for the person; the first one says what was read.

    """

    entry: str
    own_server: bool
    port: int
    dockerfile: str
    apt: Tuple[str, ...]
    path: Tuple[str, ...]
    writable: Tuple[str, ...]
    keep: Tuple[str, ...]
    requirements: str
    changes: Tuple[str, ...]
    contract: str
    specs: Tuple[SpecFile, ...]
    notes: Tuple[str, ...]


def make_plan(app: App, host_port: int) -> Plan:
    """Decide how to deploy an app; never raises for its content.

    Args:
        app: the app, as `reading.read` returns it.
        host_port: the host's port that leads to it, for the first note.

    """
    said = app.said
    keep = tuple(posixpath.normpath(one) for one in said.get("keep", ()))
    return Plan(
        entry=app.entry,
        own_server=not _uses_framework(app),
        port=app.port,
        dockerfile=said.get("dockerfile", "kit"),
        apt=tuple(app.apt),
        path=(),
        writable=outermost([*(one.folder for one in app.writes), *said.get("writable", ()), *keep]),
        keep=keep,
        requirements=app.folder.text(app.requirements) if app.requirements else "",
        changes=(),
        contract=said.get("contract", "gate"),
        specs=tuple(_spec_files(app)),
        notes=(app.summary(host_port),),
    )


def _spec_files(app: App) -> Tuple[SpecFile, ...]:
    return tuple(
        SpecFile(one.document.file, one.base_path if one.call and one.call.base_path else None)
        for one in app.specs
    )


def _uses_framework(app: App) -> bool:
    """Tell whether the app imports flask, connexion, or something that is built on them."""
    for file in app.used:
        for node in ast.walk(app.folder.tree(file)):
            if isinstance(node, ast.Import):
                names = [one.name for one in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            else:
                continue
            if any(name.partition(".")[0].partition("_")[0] in FRAMEWORKS for name in names):
                return True
    return False
