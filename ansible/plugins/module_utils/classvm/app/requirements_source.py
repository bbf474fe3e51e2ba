"""Find where an app lists its requirements, and read all of the lists that belong to it."""

from __future__ import annotations

import posixpath
import re
import shlex
from typing import Callable, Dict, Iterable, Iterator, List, NamedTuple

from . import conda, dockerfile, requirement_lines, setup_script, toml_file
from .findings import Finding, did_you_mean
from .folder import AppFolder
from .packages import foreign, normal
from .requirement_lines import Line

# The first one that is there counts.
SOURCES = (
    "requirements.in",
    "requirements.txt",
    "Pipfile",
    "pyproject.toml",
    "setup.cfg",
    "setup.py",
    *conda.FILES,
)
# Those of a package that carries its own list.
PACKAGE_SOURCES = ("pyproject.toml", "setup.cfg", "setup.py")
# Lists under other names, or in another folder.
ALSO = re.compile(
    r"(?:[^/]+/)?(?:requirements?|reqs?|requirments)(?:[-_.]?(?!dev|test|doc|lint)\w+)?\.(?:in|txt)"
    r"|requirements/(?:base|common|main|prod|production)\.(?:in|txt)",
    re.IGNORECASE,
)
READERS: Dict[str, Callable[[str, str], Iterable[Line]]] = {
    "Pipfile": toml_file.pipfile,
    "pyproject.toml": toml_file.pyproject,
    "setup.cfg": setup_script.configuration,
    **dict.fromkeys(conda.FILES, conda.environment),
}


class Lists(NamedTuple):
    """The lists of an app.

    Attributes:
        lines: their lines, without `-r` and `-c`, whose lists are among them.
        findings: lists that are named and are not there.

    """

    lines: List[Line]
    findings: List[Finding]


def source(folder: AppFolder) -> str:
    """Return the file that lists the requirements, "" where there is none."""
    for name in SOURCES:
        if folder.has(name) and (
            name.startswith(("requirements", "Pipfile")) or _read(folder, name)
        ):
            return name
    others = [name for name in folder.files if ALSO.fullmatch(name)]
    return min(others, key=lambda name: (name.count("/"), len(name), name), default="")


def read(folder: AppFolder) -> Lists:
    """Return the lists of an app, and what its Dockerfile installs."""
    found = Lists([], [])
    file = source(folder)
    if file:
        _follow(folder, file, found, only_limits=False)
    if folder.has("Dockerfile"):
        found.lines.extend(_installed(folder.text("Dockerfile")))
    return found


def of_package(folder: AppFolder, package: str) -> List[Line]:
    """Return what a local package requires itself."""
    names = [posixpath.normpath(posixpath.join(package, name)) for name in PACKAGE_SOURCES]
    return [line for name in names if folder.has(name) for line in _read(folder, name)]


def _read(folder: AppFolder, file: str) -> List[Line]:
    name = posixpath.basename(file)
    if name == "setup.py":
        return list(setup_script.script(file, folder.tree(file)))
    reader = READERS.get(name, requirement_lines.split)
    return list(reader(file, folder.text(file)))


def _follow(folder: AppFolder, file: str, found: Lists, *, only_limits: bool) -> None:
    """Add the lines of a list, and of those that it names, each list once."""
    waiting, seen = [(file, only_limits)], {file}
    while waiting:
        name, limits = waiting.pop(0)
        for line in _read(folder, name):
            target = requirement_lines.followed(line._replace(only_limits=limits))
            if not target:
                found.lines.append(line._replace(only_limits=limits))
            elif not folder.has(target[0]):
                found.findings.append(_missing(folder, line, target[0]))
            elif target[0] not in seen:
                seen.add(target[0])
                waiting.append(target)


def _missing(folder: AppFolder, line: Line, target: str) -> Finding:
    close = did_you_mean(target, folder.files)
    fix = f"Did you mean `{close}`?" if close else "Add the file, or delete the line"
    return Finding(line.file, line.number, 1, "CV043", f"{line.shown}: there is no {target}", fix)


def _installed(text: str) -> Iterator[Line]:
    """Yield the packages that a Dockerfile hands to pip by name."""
    for one in dockerfile.read(text):
        for command in re.split(r"&&|;|\|\|", one.rest) if one.name == "RUN" else ():
            for word in _pip_words(command):
                yield Line("Dockerfile", one.line, word)


def _pip_words(command: str) -> List[str]:
    """Return the packages of one `pip install`, without its options and the lists that it names."""
    match = re.search(r"\bpip[\d.]*\s+install\s(.*)", command)
    try:
        words = shlex.split(match[1]) if match else []
    except ValueError:
        return []
    with_value = {
        "-r",
        "--requirement",
        "-c",
        "--constraint",
        "-i",
        "--index-url",
        "-t",
        "-e",
        "-f",
    }
    with_value |= {"--extra-index-url", "--find-links", "--trusted-host", "--target", "--editable"}
    return [
        word
        for before, word in zip(["", *words], words)
        if not word.startswith(("-", "$"))
        and before not in with_value
        and not _is_path(word)
        and not foreign(normal(word))  # the lab's Dockerfile sets pip up
    ]


def _is_path(word: str) -> bool:
    return "/" in word or word.startswith(".") or "://" in word
