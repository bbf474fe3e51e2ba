"""Write down what was guessed of an app, as files for its author to keep."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List

from . import local_packages, overrides, requirements_plan
from .layout import LOCK, REQUIREMENTS
from .lock import LOCK_SEAL
from .reading import App
from .written import outermost

HEAD = """\
# What classvm read of this app. Each line may go where the guess is right, and docs/classvm-yml.md explains
# each of them.
"""
# Beyond what was found in the folder: what every run of Python leaves behind.
PYTHON_JUNK = ("__pycache__/", ".venv/")


@dataclass(frozen=True)
class Addition:
    """A file that is made, or lines that are added to the end of one.

    Attributes:
        file: its path in the app's folder.
        before: its text, "" where it is not there.
        after: its text afterwards.

    """

    file: str
    before: str
    after: str

    @property
    def diff(self) -> str:
        """What is added, as `diff -u` shows it."""
        before, after = self.before.splitlines(), self.after.splitlines()
        source = self.file if self.before else "/dev/null"
        return "\n".join(difflib.unified_diff(before, after, source, self.file, lineterm="")) + "\n"


def additions(app: App, lock: str = "") -> List[Addition]:
    """Return what is missing in an app's folder; nothing that is there is changed or removed.

    An app with a sealed lock is in classvm's own layout and lacks nothing.

    Args:
        app: the app.
        lock: the lock that was compiled for it, "" where none is known. As requirements.txt beside a
            requirements.in it has the next deploy take the same versions.

    """
    if app.folder.text(LOCK).startswith(LOCK_SEAL):
        return []
    made = [
        Addition(name, "", text)
        for name, text in (
            (REQUIREMENTS, _requirements(app)),
            (LOCK, lock),
            (overrides.FILE, _overrides(app)),
        )
        if text and not app.folder.has(name)
    ]
    extended = (
        _extended(app, ".gitignore", [*PYTHON_JUNK, *_junk(app), *_secrets(app)]),
        _extended(app, ".dockerignore", [".git", *_docker_patterns(app)]),
    )
    return [*made, *(one for one in extended if one.after != one.before)]


def _requirements(app: App) -> str:
    """Return the tidy list of requirements, with the reason for each change."""
    local = local_packages.find(app.folder, app.used)
    adapted = requirements_plan.adapt(app.folder, used=app.used, for_lock=False)
    lines = [*adapted.text.splitlines(), *(f"./{one.folder}" for one in local)]
    if not lines:
        return ""
    source = app.requirements or "the imports"
    head = f"# Made of {source} by `make adopt`; each deploy locks the versions."
    reasons = [f"# {change}" for change in adapted.summary()]
    return "".join(f"{line}\n" for line in (head, *reasons, *lines))


def _overrides(app: App) -> str:
    """Return a classvm.yml that says what was guessed."""
    guesses: Dict[str, Any] = {
        "spec": [one.document.file for one in app.specs],
        "entry": app.entry,
        "port": app.port,
        "apt": app.apt,
    }
    lines = [f"{key}: {_flow(value)}" for key, value in guesses.items() if value]
    lost = [one for one in outermost(one.folder for one in app.writes) if one != "."]
    if lost:
        lines += [
            "# The app writes there; without this line a deploy empties it.",
            f"# keep: {_flow(lost)}",
        ]
    return HEAD + "".join(f"{line}\n" for line in lines) if lines else ""


def _flow(value: Any) -> str:  # noqa: ANN401 - a text, a number or a list
    """Return a value as YAML in one line: JSON is YAML."""
    return json.dumps(value, ensure_ascii=False)


def _junk(app: App) -> Iterator[str]:
    for name in app.folder.junk:
        last = name.rpartition("/")[2]
        if last not in (".git", ".venv", "__pycache__"):
            yield f"/{name}/" if (app.folder.root / name).is_dir() else f"/{name}"


def _secrets(app: App) -> Iterator[str]:
    return (f"/{one}" for one in app.folder.files if one.rpartition("/")[2] == ".env")


def _docker_patterns(app: App) -> Iterator[str]:
    """Yield the same patterns as Docker writes them: relative to the folder, `**` for any depth."""
    for pattern in (*PYTHON_JUNK, *_junk(app), *_secrets(app)):
        bare = pattern.strip("/")
        yield bare if pattern.startswith("/") else f"**/{bare}"


def _extended(app: App, name: str, wanted: List[str]) -> Addition:
    before = app.folder.text(name) if app.folder.has(name) else ""
    there = {line.strip().strip("/") for line in before.splitlines()}
    missing = [one for one in wanted if one.strip("/") not in there]
    end = "" if before.endswith("\n") or not before else "\n"
    return Addition(name, before, before + end + "".join(f"{one}\n" for one in missing))
