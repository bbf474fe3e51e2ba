"""Read the requirements of a Pipfile and of a pyproject.toml, in the notation of a requirements.txt."""

from __future__ import annotations

import re
from typing import Any, Dict, Iterator, Mapping

import tomllib

from .requirement_lines import Line

# Poetry's own notations: ^2.2.1 and ~2.2.
CARET_OR_TILDE = re.compile(r"([\^~])\s*(\d+(?:\.\d+){0,3})(.*)")


def pipfile(file: str, text: str) -> Iterator[Line]:
    """Yield the packages of a Pipfile; those for developers are not part of a service."""
    for name, wanted in table(document(text), "packages").items():
        yield _line(file, text, name, wanted)


def pyproject(file: str, text: str) -> Iterator[Line]:
    """Yield the packages of a pyproject.toml: those of `[project]`, else those of Poetry."""
    whole = document(text)
    listed = table(whole, "project").get("dependencies")
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, str):
            yield Line(file, line_of(text, re.escape(one)), one.strip())
    if isinstance(listed, list):
        return
    for name, wanted in table(whole, "tool", "poetry", "dependencies").items():
        for one in wanted if isinstance(wanted, list) else [wanted]:
            if name != "python":
                yield _line(file, text, name, one)


def document(text: str) -> Dict[str, Any]:
    """Return what a TOML file holds, {} where it is not valid."""
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        return {}


def table(document: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """Return a table inside of others, {} where it is not there."""
    for name in names:
        inner = document.get(name)
        document = inner if isinstance(inner, dict) else {}
    return document


def _line(file: str, text: str, name: str, wanted: object) -> Line:
    """Return an entry as a line of a requirements.txt."""
    number = line_of(text, rf"""["']?{re.escape(name)}["']?\s*[=.]|\[\S*\.{re.escape(name)}\]""")
    if not isinstance(wanted, dict):
        return Line(file, number, name + version(str(wanted)))
    for key in ("git", "hg", "svn", "bzr"):
        if key in wanted:
            return Line(file, number, f"{name} @ {key}+{wanted[key]}")
    if "url" in wanted or "file" in wanted:
        return Line(file, number, f"{name} @ {wanted.get('url') or wanted.get('file')}")
    if "path" in wanted:
        return Line(file, number, f"{name} @ file:{wanted['path']}")
    extras = wanted.get("extras")
    joined = f"[{','.join(map(str, extras))}]" if isinstance(extras, list) and extras else ""
    markers = [str(wanted["markers"])] if "markers" in wanted else []
    markers += [f"{key} {wanted[key]}" for key in ("sys_platform", "os_name") if key in wanted]
    marker = f" ; {' and '.join(markers)}" if markers else ""
    return Line(file, number, f"{name}{joined}{version(str(wanted.get('version', '*')))}{marker}")


def version(text: str) -> str:
    """Return a version as pip writes it: "*" is none, "2.2" is that one, "^2.2" goes up to below 3."""
    text = text.strip()
    if text in ("*", "", "latest") or "||" in text:
        return ""
    if text[0].isdigit():
        return f"=={text}"
    match = CARET_OR_TILDE.fullmatch(text)
    if not match or (match[1] == "~" and text.startswith("~=")):
        return text
    numbers = [int(part) for part in match[2].split(".")]
    if match[1] == "~":
        kept = min(2, len(numbers))
    else:  # up to the first number that is not 0
        kept = next((at for at, one in enumerate(numbers, start=1) if one), len(numbers))
    upper = [*numbers[: kept - 1], numbers[kept - 1] + 1]
    return f">={match[2]},<{'.'.join(map(str, upper))}{match[3]}"


def line_of(text: str, pattern: str) -> int:
    """Return the number of the first line in which a pattern is found, 0 for none."""
    match = re.search(pattern, text)
    return text.count("\n", 0, match.start()) + 1 if match else 0
