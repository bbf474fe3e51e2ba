"""Find the program that starts an app: as its other files start it, else by its name and its code."""

from __future__ import annotations

import ast
import posixpath
import re
from typing import Collection, Dict, Iterator, List, Optional, Tuple

from . import code, dockerfile, python_checks
from .folder import AppFolder
from .imports import ASIDE

PYTHON_COMMAND = re.compile(r"\bpython[\d.]*\s+(?:-u\s+)?(-m\s+[\w.]+|[\w./-]+\.py)")
WSGI_COMMAND = re.compile(r"\b(?:gunicorn|waitress-serve|uwsgi)\b.*?\s([\w.]+):(\w+(?:\(\))?)")
# The app that `flask run` serves.
FLASK_APP = re.compile(
    r"\bFLASK_APP\s*=\s*[\"']?([\w./]+?)(?:\.py)?(?::(\w+)(?:\(\))?)?[\"']?(?=\s|$)"
)
SCRIPT = re.compile(r"[\w./-]+\.sh\b")
STARTS_SERVER = re.compile(r"^\w*(start|run|serve|all)\w*:")
# Beyond these, a folder holds more than one app's programs.
MOST_PROGRAMS = 50


def find(folder: AppFolder, said: code.Code, instructions: List[dockerfile.Instruction]) -> str:
    """Return the program: "server.py", "-m package", "module:app" or "module:factory()"; "" for none.

    Args:
        folder: the app's files.
        said: what its Python files say about its start.
        instructions: its Dockerfile.

    """
    found = _of_commands(folder, instructions)
    if found:
        return found
    files = (
        {start.file for start in said.starts}
        or {file for file, _ in said.apps}
        or {file for file in folder.python_files() if _is_program(folder, file)}
    )
    with_spec = {call.file for call in said.specs}
    best = min(files, key=lambda file: _rank(file, with_spec), default="")
    if not best or _starts_itself(folder, best):
        return _as_program(folder, best)
    user = min(_users(folder, best), key=lambda file: _rank(file, with_spec), default="")
    return _as_program(folder, user) if user else _as_call(folder, best, said)


def twins(
    folder: AppFolder, said: code.Code, instructions: List[dockerfile.Instruction], started: str
) -> List[str]:
    """Return the folders, two or more, that hold the same program, where nothing says which one is meant.

    Args:
        folder: the app's files.
        said: what its Python files say about its start.
        instructions: its Dockerfile.
        started: the file of the program.

    """
    inside = started.partition("/")[2]
    files = {start.file for start in said.starts} | {file for file, _ in said.apps}
    homes = {
        file.partition("/")[0] for file in files if inside and file.partition("/")[2] == inside
    }
    is_named = len(homes) > 1 and _of_commands(folder, instructions)
    return sorted(homes) if len(homes) > 1 and not is_named else []


def _of_commands(folder: AppFolder, instructions: List[dockerfile.Instruction]) -> str:
    """Return the program that other files of the app start, "" for none."""
    found = (_of_command(folder, command) for command in _commands(folder, instructions))
    return next(filter(None, found), "")


def file_of(folder: AppFolder, entry: str) -> str:
    """Return the file of a program, "" where it is not there."""
    if entry.startswith("-m "):
        return _module_file(folder, entry[3:])
    if ":" in entry:
        module = entry.partition(":")[0]
        return _module_file(folder, module) or _package_file(folder, module)
    return entry if folder.has(entry) else ""


def _commands(folder: AppFolder, instructions: List[dockerfile.Instruction]) -> Iterator[str]:
    """Yield the commands that start the app, those that count most first."""
    commands = [" ".join(dockerfile.command(instructions)), *_recipes(folder), *_procfile(folder)]
    for command in commands:
        yield command
        for name in SCRIPT.findall(command):
            script = posixpath.normpath(name)
            yield from folder.text(script).splitlines() if folder.has(script) else ()
    variables = [one.rest for one in instructions if one.name == "ENV"]
    for text in (
        *variables,
        *(folder.text(one) for one in (".flaskenv", "Makefile") if folder.has(one)),
    ):
        yield from (line for line in text.splitlines() if "FLASK_APP" in line)


def _recipes(folder: AppFolder) -> List[str]:
    """Return the commands of the Makefile's targets that start the app."""
    found: List[str] = []
    inside = False
    for line in folder.text("Makefile").splitlines() if folder.has("Makefile") else ():
        if line.startswith("\t"):
            found += [line] if inside else []
        else:
            inside = STARTS_SERVER.match(line.replace("-", "_")) is not None
    return found


def _procfile(folder: AppFolder) -> List[str]:
    lines = folder.text("Procfile").splitlines() if folder.has("Procfile") else []
    return [line for line in lines if line.startswith("web:")]


def _of_command(folder: AppFolder, command: str) -> str:
    """Return the program that a command starts, "" where it is none of the app's."""
    python, wsgi = PYTHON_COMMAND.search(command), WSGI_COMMAND.search(command)
    entry = re.sub(r"\s+", " ", python[1]).replace("./", "", 1) if python else ""
    if entry and file_of(folder, entry):
        return entry
    if wsgi and "." not in wsgi[1] and _module_file(folder, wsgi[1]):
        return _module_file(folder, wsgi[1])
    if wsgi and file_of(folder, f"{wsgi[1]}:"):
        return f"{wsgi[1]}:{wsgi[2]}"
    named = FLASK_APP.search(command)
    module = named[1].replace("/", ".") if named else ""
    if module and _module_file(folder, module):
        return _module_file(folder, module)
    package = _package_file(folder, module) if module else ""
    return _call(folder, package) if package else ""


def _is_program(folder: AppFolder, file: str) -> bool:
    """Tell whether a file that makes no app looks like the program of one, by its name and place."""
    stem = posixpath.basename(file)[: -len(".py")]
    return stem in code.ENTRY_NAMES and code.is_program(folder.tree(file))


def _rank(file: str, with_spec: Collection[str]) -> Tuple[int, int, bool, str]:
    """Order programs: those next to the top, by their usual names, then those that add a spec."""
    stem = posixpath.basename(file)[: -len(".py")]
    names = code.ENTRY_NAMES
    name = names.index(stem) if stem in names else len(names)
    return file.count("/"), name, file not in with_spec, file


def _starts_itself(folder: AppFolder, file: str) -> bool:
    """Tell whether a file that is run starts the app, or holds it; a package is not run."""
    tree = folder.tree(file)
    if file.endswith("/__init__.py"):
        return False
    return (
        code.is_program(tree) or bool(code.app_names(tree)) or _factory(tree, 0) in code.FACTORIES
    )


def _users(folder: AppFolder, file: str) -> Iterator[str]:
    """Yield the programs that import a file, directly or not."""
    programs = [
        one
        for one in folder.python_files()
        if one != file
        and not ASIDE.search(one)
        and not one.endswith("/__init__.py")
        and (code.is_program(folder.tree(one)) or code.app_names(folder.tree(one)))
    ]
    for one in programs[:MOST_PROGRAMS]:
        if file in python_checks.reached(folder, {one: ""}):
            yield one


def _as_program(folder: AppFolder, file: str) -> str:
    """Return how a file is run: as a module where it names others relative to itself."""
    home, name = posixpath.split(file)
    if home and name == "__main__.py":
        return f"-m {_module(folder, home)}"
    nodes = ast.walk(folder.tree(file)) if home else ()
    is_relative = any(isinstance(node, ast.ImportFrom) and node.level for node in nodes)
    return f"-m {_module(folder, file[: -len('.py')])}" if is_relative else file


def _as_call(folder: AppFolder, file: str, said: code.Code) -> str:
    """Return the function of a file that makes or starts the app, as WSGI servers name it."""
    line = next((one.line for one in said.starts if one.file == file), 0)
    line = line or next((number for name, number in said.apps if name == file), 0)
    return _call(folder, file, line) or file


def _call(folder: AppFolder, file: str, line: int = 0) -> str:
    """Return the app of a file, or the function that makes it, such as "shop:create_app()"."""
    tree = folder.tree(file)
    module = _module(folder, re.sub(r"(/__init__)?\.py$", "", file))
    name = next(iter(code.app_names(tree)), "")
    function = _factory(tree, line)
    if name:
        return f"{module}:{name}"
    return f"{module}:{function}()" if function else ""


def _factory(tree: ast.Module, line: int) -> str:
    """Return the function around a line, or one by its usual name, that needs no argument."""
    functions: Dict[str, ast.FunctionDef] = {
        node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)
    }
    around = [one for one in functions.values() if one.lineno <= line <= _end(one)]
    known = [functions[name] for name in code.FACTORIES if name in functions]
    found: Optional[ast.FunctionDef] = next(iter(around + known), None)
    needs = found and len(found.args.args) > len(found.args.defaults)
    return found.name if found and not needs else ""


def _end(node: ast.AST) -> int:
    return max((getattr(one, "lineno", 0) for one in ast.walk(node)), default=0)


def _module(folder: AppFolder, stem: str) -> str:
    """Return the module's name of a path without its ending."""
    inside = (stem[len(root) + 1 :] for root in folder.roots if stem.startswith(f"{root}/"))
    return next(inside, stem).replace("/", ".")


def _module_file(folder: AppFolder, module: str) -> str:
    """Return the file of a module that can be run."""
    stem = module.replace(".", "/")
    return _there(folder, f"{stem}/__main__.py", f"{stem}.py")


def _package_file(folder: AppFolder, module: str) -> str:
    return _there(folder, f"{module.replace('.', '/')}/__init__.py")


def _there(folder: AppFolder, *names: str) -> str:
    """Return the first of these files that is there, below the app's folder or one of its roots."""
    paths = (posixpath.join(root, name) for root in ("", *folder.roots) for name in names)
    return next(filter(folder.has, paths), "")
