"""All findings of an app in one run: no Docker, no network, nothing imported."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Iterator, List, NamedTuple

from . import (
    answers,
    code,
    entry,
    folder_checks,
    handlers,
    local_packages,
    other_python,
    own_modules,
    python_checks,
    reading,
    requirements,
    requirements_list,
    runtime_checks,
    shadowing,
    spec_checks,
    written,
)
from .findings import Finding

ORDER = {"error": 0, "warning": 1, "note": 2}
# Statements that only name something; an import may well start an app.
IDLE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Pass)


class Review(NamedTuple):
    """What was read of an app, and what was found in it."""

    app: reading.App
    findings: List[Finding]


def review(root: Path) -> Review:
    """Read an app's folder and return all findings, the errors first."""
    app = reading.read(root)
    return Review(app, findings_of(app))


def findings_of(app: reading.App) -> List[Finding]:
    """Return all findings in an app that was read, the errors first."""
    found = set(app.findings)
    for spec in app.specs:
        if spec.call:  # what else looks like a spec may be another program's file
            found.update(spec_checks.check_version(spec.document))
        found.update(spec_checks.check(spec.document))
        if spec.call or app.imports("connexion"):  # others find no handler by its operationId
            found.update(handlers.check(app.folder, spec.document, spec.call))
        found.update(answers.check(app.folder, spec.document, spec.call))
    found.update(python_checks.check(app.folder, app.code, app.used))
    brought = requirements.read(app.folder, app.used).modules(app.folder)
    found.update(own_modules.check(app.folder, app.used, brought))
    modules = {
        name.partition(".")[0] for one in app.used for name in code.imported(app.folder.tree(one))
    }
    program = entry.file_of(app.folder, app.entry)
    found.update(shadowing.check(app.folder, program, modules))
    found.update(written.check(app.writes))
    found.update(runtime_checks.check(app.folder, app.used, program))
    found.update(requirements_list.check(app.folder, app.used))
    found.update(other_python.check(app.folder))
    found.update(local_packages.check(app.folder, app.used, app.requirements))
    found.update(folder_checks.check(app.folder, app.code))
    found.update(_missing(app))
    found.update(_starts_nothing(app, program))
    return sorted(found, key=lambda one: (ORDER[one.severity], one))


def _starts_nothing(app: reading.App, program: str) -> Iterator[Finding]:
    """Yield that a program comes to its end at once: it defines at most what nobody uses."""
    tree = app.folder.parsed(program) if app.folder.has(program) else None
    if app.entry != program or not isinstance(tree, ast.Module):
        return
    makes_app = any(file in app.used for file, _ in app.code.apps)
    if not makes_app and all(isinstance(one, IDLE) for one in _statements(tree)):
        what = "it is the program of the app, and starts nothing"
        yield Finding(program, 1, 0, "CV027", what, "Make the app in it and start it")


def _statements(tree: ast.Module) -> List[ast.stmt]:
    """Return the statements of a file without its docstring."""
    first = tree.body[0] if tree.body else None
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return tree.body[1:] if is_text else tree.body


def _missing(app: reading.App) -> Iterator[Finding]:
    if not app.entry:
        fix = "Add server.py, or name the program in classvm.yml: `entry: file.py`"
        notebook = next((name for name in app.folder.files if name.endswith(".ipynb")), "")
        if notebook:
            fix += f"; `jupyter nbconvert --to script` makes one of {notebook}"
        yield Finding("", 0, 0, "CV027", "no Python file makes an app and starts it", fix)
    if not app.specs and not any(one.code == "CV004" for one in app.findings):
        fix = "Describe the endpoints in a file such as master.yml"
        yield Finding("", 0, 0, "CV003", "no OpenAPI or Swagger file", fix)
