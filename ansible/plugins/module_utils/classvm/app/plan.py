"""How the kit deploys an app that is not in classvm's own layout: decided before anything is built."""

from __future__ import annotations

import functools
import posixpath
import re
from dataclasses import dataclass, replace
from typing import Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from ..contract.contract_document import GATE
from . import code, dockerfile, dockerfile_effect, requirements_plan, spec_checks
from .findings import listed
from .reading import App
from .written import outermost

FRAMEWORKS = ("flask", "connexion")
# Who builds the image: a student's own Dockerfile, or the kit.
OWN, KIT = "own", "kit"
# What makes a command one for a shell, whose words cannot be taken as they are.
SHELL = set("$&|;<>`*")


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
        entry: the program that starts it: "server.py", "-m package", "module:app" or
            "module:factory()"; "" where there is none.
        words: what stands behind `python` on its command line, the entry first.
        environment: variables that its Dockerfile sets for it, by name.
        own_server: whether the program serves by itself: neither flask nor connexion is in it.
        port: the port that the program names, 0 where that is not seen.
        dockerfile: `KIT`, or `OWN` where the student's Dockerfile is built.
        apt: packages of the system beyond Python.
        path: folders with modules, relative to the app, for PYTHONPATH.
        writable: folders that the app writes into, relative to it; "." for all of it.
        keep: folders that survive releases, relative to the app.
        requirements: text of the list of packages from which the lock is compiled.
        changes: what was changed in the student's list, a line each.
        places: where each package is named, by its normal name: "requirements.txt:3".
        contract: "gate" where a broken answer refuses, "warn" where it is only told.
        specs: the specs that the contract check reads.
        notes: lines for the person; the first one says what was read.

    """

    entry: str
    words: Tuple[str, ...]
    environment: Dict[str, str]
    own_server: bool
    port: int
    dockerfile: str
    apt: Tuple[str, ...]
    path: Tuple[str, ...]
    writable: Tuple[str, ...]
    keep: Tuple[str, ...]
    requirements: str
    changes: Tuple[str, ...]
    places: Mapping[str, str]
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
    own_server = code.makes_aiohttp_app(app.folder, app.used) or not any(
        map(app.imports, FRAMEWORKS)
    )
    adapt = functools.partial(
        requirements_plan.adapt,
        app.folder,
        used=app.used,
        serves=not own_server,
        number_paths=_has_number_paths(app),
    )
    adapted = adapt()
    instructions = _instructions(app)
    plan = Plan(
        entry=app.entry,
        words=_words(app.entry, instructions),
        environment=dockerfile_effect.environment(instructions),
        own_server=own_server,
        port=app.port,
        dockerfile=said.get("dockerfile", KIT) if instructions else KIT,
        apt=tuple(app.apt),
        path=_path(app, adapted.local),
        writable=outermost([*(one.folder for one in app.writes), *said.get("writable", ()), *keep]),
        keep=keep,
        requirements=adapted.text,
        # What only the lock needs is no news for the student.
        changes=adapt(for_lock=False).summary(),
        places=adapted.places,
        contract=said.get("contract", GATE),
        specs=_spec_files(app),
        notes=(),
    )
    return replace(plan, notes=(app.summary(host_port), *_notes(app, plan, instructions)))


def _path(app: App, local: Sequence[str]) -> Tuple[str, ...]:
    """Return the folders for PYTHONPATH: also the app's, where a file of another folder is run."""
    beside = ["."] if app.entry.endswith(".py") and "/" in app.entry else []
    return tuple(dict.fromkeys([*app.folder.roots, *local, *beside]))


def _instructions(app: App) -> List[dockerfile.Instruction]:
    name = "Dockerfile"
    return dockerfile.read(app.folder.text(name)) if app.folder.has(name) else []


def _words(entry: str, instructions: List[dockerfile.Instruction]) -> Tuple[str, ...]:
    """Return the entry as words, with the arguments that the Dockerfile's command gives it."""
    words = entry.split() if entry.startswith("-m ") else [entry]
    command = dockerfile.command(instructions)
    names = [one[2:] if one.startswith("./") else one for one in command]
    if words[-1] not in names or any(set(word) & SHELL for word in command):
        return tuple(words)
    return (*words, *command[names.index(words[-1]) + 1 :])


def _notes(app: App, plan: Plan, instructions: List[dockerfile.Instruction]) -> Iterator[str]:
    """Yield what a person has to know of a plan, beyond what was read."""
    yield from plan.changes if plan.dockerfile != OWN else ()
    yield from _dockerfile_notes(plan, instructions)
    local = [one for one in plan.path if one != "."]
    if local:
        yield f"{listed(local)}: a local package, which is used from the folder"
    if plan.own_server:
        yield "no app of Flask: the program serves by itself"
    lost = [one for one in plan.writable if one not in plan.keep]
    if lost:
        writes = [one for one in app.writes if outermost([*lost, one.folder]) == tuple(lost)]
        shown = [f"{one.file}:{one.line} writes `{one.path or one.folder}`" for one in writes[:3]]
        where = "the app's folder" if lost == ["."] else listed(lost)
        yield (
            f"{', '.join(shown) or 'classvm.yml'}: a copy of {where} takes it, which is lost with the"
            " next deploy; `keep: [folder]` in classvm.yml keeps a folder"
        )
    if plan.keep:
        yield f"kept from release to release: {listed(plan.keep)}"
    if not plan.specs:
        yield "no OpenAPI file: its answers are not checked"


def _dockerfile_notes(plan: Plan, instructions: List[dockerfile.Instruction]) -> Iterator[str]:
    if not instructions:
        return
    if plan.dockerfile == OWN:
        yield "Dockerfile: yours is built, as classvm.yml says"
        return
    idle = dockerfile_effect.without_effect(instructions)
    lines = [f"line {one.line} `{one.name} {_begin(one.rest)}`" for one in idle]
    shown = f"; without effect: {', '.join(lines[:4])}" if lines else ""
    more = f" and {len(lines) - 4} more" if len(lines) > 4 else ""  # noqa: PLR2004 - as many as shown
    yield f"Dockerfile: the kit builds with its own{shown}{more} (`dockerfile: own` in classvm.yml builds yours)"


def _begin(rest: str) -> str:
    """Return what an instruction does first; its mounts tell a person nothing."""
    return re.sub(r"--mount=\S+\s+", "", rest)[:40].strip()


def _has_number_paths(app: App) -> bool:
    found = (finding for spec in app.specs for finding in spec_checks.check(spec.document))
    return any(finding.code == "CV018" for finding in found)


def _spec_files(app: App) -> Tuple[SpecFile, ...]:
    return tuple(
        SpecFile(one.document.file, one.base_path if one.call and one.call.base_path else None)
        for one in app.specs
    )
