"""Find what keeps the Python files of an app from starting, without importing them."""

from __future__ import annotations

import ast
import posixpath
import re
from typing import Any, Dict, Iterator, List, Mapping, Set, Tuple

from . import imports, newer_python
from .code import Code
from .findings import Finding, did_you_mean, listed
from .folder import AppFolder
from .handlers import defined
from .located import load

# Hosts that the lab's exercises start as a second container.
SERVERS = {
    "mongo",
    "mongodb",
    "redis",
    "mysql",
    "postgres",
    "db",
    "database",
    "rabbitmq",
    "elasticsearch",
}
COMPOSE_FILES = ("docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml")
DATABASE = re.compile(r"(postgres|mysql|mariadb|mongodb|redis|amqp|mssql|oracle)\w*(\+\w+)?://")


def check(folder: AppFolder, code: Code, files: Mapping[str, str]) -> List[Finding]:
    """Return the findings in those Python files that the app uses.

    Args:
        folder: the app's folder.
        code: what its files say about its start.
        files: the files, each with the place that leads to it, as `reached` returns them.

    """
    found: List[Finding] = []
    for file in files:
        if folder.is_utf_16(file):
            what = "the file is UTF-16, not UTF-8"
            found.append(Finding(file, 1, 0, "CV020", what, "Save it as UTF-8"))
            continue
        parsed = folder.parsed(file)
        if not isinstance(parsed, ast.Module):
            found.append(_broken(file, parsed))
            continue
        found += _other_containers(folder, file, parsed)
        found += newer_python.check(file, parsed, folder.text(file))
        for node in ast.walk(parsed):
            found += _connexion3(file, node)
            if isinstance(node, ast.ImportFrom):
                found += _import(folder, file, node, files[file])
    return found + list(_starts(code))


def _broken(file: str, error: SyntaxError) -> Finding:
    line, column = error.lineno or 1, max(error.offset or 1, 1)
    excerpt = (
        f"{(error.text or '').rstrip()[:120]}\n{' ' * min(column - 1, 120)}^" if error.text else ""
    )
    what, fix = str(error.msg), "Correct the line, or the one before it"
    if "codec can't decode" in what:  # Python's own words are about bytes
        what, fix = "a letter that is not UTF-8", "Save the file as UTF-8"
    return Finding(file, line, column, "CV020", what, fix, excerpt)


def _connexion3(file: str, node: ast.AST) -> Iterator[Finding]:
    if isinstance(node, ast.Attribute) and node.attr == "AsyncApp":
        what, fix = (
            "`AsyncApp` is connexion 3",
            "Use `connexion.FlaskApp` and `connexion[swagger-ui]<3`",
        )
        yield Finding(file, node.lineno, node.col_offset + 1, "CV023", what, fix)


def _other_containers(folder: AppFolder, file: str, tree: ast.Module) -> Iterator[Finding]:
    """Yield the databases on other hosts, one a line: a call tells more than the address in it."""
    lines: Set[int] = set()
    for node in ast.walk(tree):
        what = ""
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", "") or getattr(node.func, "id", "")
            values = [*node.args, *(word.value for word in node.keywords)]
            hosts = (_other_container(folder, value) for value in values if _is_client(name))
            what = next((f"`{name}` connects to {host}" for host in hosts if host), "")
        elif isinstance(node, ast.Constant) and DATABASE.match(str(node.value)):
            # An address of a database says by itself what it is.
            host = _other_container(folder, node)
            what = f"an address leads to {host}" if host else ""
        if what and isinstance(node, ast.expr) and node.lineno not in lines:
            lines.add(node.lineno)
            fix = "Keep the data in a file (SQLite): one service is one container here"
            yield Finding(file, node.lineno, node.col_offset + 1, "CV029", what, fix)


def _is_client(name: str) -> bool:
    return any(word in name.lower() for word in ("client", "redis", "connect", "create_engine"))


def _other_container(folder: AppFolder, value: ast.expr) -> str:
    """Return which second container a text names, "" for none."""
    host = value.value if isinstance(value, ast.Constant) else None
    if not isinstance(host, str):
        return ""
    bare = host.rpartition("@")[2].partition("://")[2] or host.rpartition("@")[2]
    other = re.split("[:/]", bare)[0]
    starter = _starter(folder, other) if other else ""
    if not starter and other.lower() not in SERVERS:
        return ""
    which = f"which {starter} starts as " if starter else ""
    return f"the host `{bare[:40]}`, {which}a second container"


def _starter(folder: AppFolder, host: str) -> str:
    """Return the place where the app's Makefile or compose file starts a container of that name, or ""."""
    start = re.compile(rf"docker run\b.*--name[ =]{re.escape(host)}\b")
    for number, line in enumerate(folder.text("Makefile").splitlines(), start=1):
        if start.search(line):
            return f"Makefile:{number}"
    for name in filter(folder.has, COMPOSE_FILES):
        found = load(name, folder.text(name))
        services = found.value.get("services") if isinstance(found.value, dict) else None
        if isinstance(services, dict) and host in services:
            return f"{name}:{found.at_key(('services', host))[0]}"
    return ""


def _import(
    folder: AppFolder, file: str, node: ast.ImportFrom, reached_from: str
) -> Iterator[Finding]:
    """Yield the names that a module of the app is asked for and does not have."""
    target = _target(folder, file, node)
    if not target:
        yield from _of_plain_folder(folder, file, node, reached_from)
    if not target or not isinstance(folder.parsed(target), ast.Module):
        return
    names = defined(folder.tree(target).body)
    package = posixpath.dirname(target) if target.endswith("__init__.py") else ""
    for one in node.names:
        inside = (f"{package}/{one.name}.py", f"{package}/{one.name}/__init__.py")
        if one.name in names or {"*", "__getattr__"} & {one.name, *names}:
            continue
        if package and any(map(folder.has, inside)):
            continue
        close = did_you_mean(one.name, names) or _same_end(one.name, names)
        what = f"{target} has no `{one.name}`; it has {listed(names)}"
        what += f"; {reached_from} leads here" if reached_from else ""
        fix = (
            f"Did you mean `{close}`?"
            if close
            else f"Define `{one.name}` there, or correct the import"
        )
        yield Finding(file, node.lineno, node.col_offset + 1, "CV022", what, fix)


def _of_plain_folder(
    folder: AppFolder, file: str, node: ast.ImportFrom, reached_from: str
) -> Iterator[Finding]:
    """Yield the modules that a folder without an `__init__.py` is asked for and does not have."""
    home = (node.module or "").replace(".", "/")
    known = imports.modules(folder, home) if home and not node.level else set()
    for one in node.names if known else ():
        if one.name not in known and one.name != "*":
            close = did_you_mean(one.name, known)
            what = f"{home}/ has no module `{one.name}`; it has {listed(sorted(known))}"
            what += f"; {reached_from} leads here" if reached_from else ""
            fix = (
                f"Did you mean `{close}`?"
                if close
                else f"Add {home}/{one.name}.py, or correct the import"
            )
            yield Finding(file, node.lineno, node.col_offset + 1, "CV022", what, fix)


def _same_end(name: str, names: Any) -> str:  # noqa: ANN401 - any collection of names
    """Return the name that ends alike: `mean_of` for `average_of`."""
    end = name.rpartition("_")[2]
    return next((one for one in names if "_" in one and one.rpartition("_")[2] == end), "")


def reached(folder: AppFolder, starts: Mapping[str, str]) -> Dict[str, str]:
    """Return the Python files that the app uses: those that are started, and what these import.

    Args:
        folder: the app's folder.
        starts: by file, what names it: "master.yml:5", or "" for the program itself. What an earlier
            one leads to counts for it.

    Returns:
        by file, sorted, the place that leads to it, such as "server.py:3".

    """
    places: Dict[str, str] = {}
    for start, named in starts.items():
        waiting = [] if start in places else [start]
        places.setdefault(start, named)
        while waiting:
            file = waiting.pop(0)
            for line, target in _imports(folder, file):
                if target not in places:
                    places[target] = places[file] or f"{file}:{line}"
                    waiting.append(target)
    return dict(sorted(places.items()))


def _imports(folder: AppFolder, file: str) -> Iterator[Tuple[int, str]]:
    """Yield the line of each import of one of the app's own files, and that file."""
    for node in ast.walk(folder.tree(file)):
        if isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, one) for one in [_target(folder, file, node)] if one)
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from ((node.lineno, one) for one, _ in origins(folder, file, node).values())


def origins(
    folder: AppFolder, file: str, node: ast.Import | ast.ImportFrom
) -> Dict[str, Tuple[str, str]]:
    """Return the app's file from which each name of an import comes, and its name there.

    For `from src import sum as add` it is "add": ("src/sum.py", "sum") where that file is there,
    else "add": ("src/__init__.py", "sum").
    """
    found: Dict[str, Tuple[str, str]] = {}
    for one in node.names:
        if isinstance(node, ast.Import):
            target = _target(folder, file, ast.ImportFrom(one.name, [], 0))
        else:
            inside = ast.ImportFrom(_joined(node.module, one.name), [], node.level)
            target = _target(folder, file, inside) or _target(folder, file, node)
        if target:
            found[one.asname or one.name] = (target, one.name)
    return found


def _joined(module: str | None, name: str) -> str:
    return f"{module}.{name}" if module else name


def _target(folder: AppFolder, file: str, node: ast.ImportFrom) -> str:
    """Return the file of the app that a `from … import` reads, "" for a package of others."""
    base = posixpath.dirname(file)
    for _ in range(max(node.level - 1, 0)):
        base = posixpath.dirname(base)
    stem = (node.module or "").replace(".", "/")
    roots = [base] if node.level else ["", base, *folder.roots]
    for root in roots:
        path = posixpath.join(root, stem) if stem else root
        for name in (f"{path}.py", f"{path}/__init__.py"):
            if stem and folder.has(name):
                return name
    return ""


def _starts(code: Code) -> Iterator[Finding]:
    for start in code.starts:
        place = (start.file, start.line, 0)
        if start.at_import:
            fix = 'Put it under `if __name__ == "__main__":`'
            yield Finding(*place, "CV024", "whoever imports this file starts a server", fix)
        if start.debug:
            yield Finding(*place, "CV025", "`debug=True`", "Remove it before you deploy")
        if start.host in ("127.0.0.1", "localhost"):
            what = f"it listens on {start.host}, which is the container itself"
            yield Finding(*place, "CV026", what, 'Write `host="0.0.0.0"`')
