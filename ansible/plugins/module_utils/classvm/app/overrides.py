"""Read `classvm.yml`: what a student says about the app, where the guess would be wrong."""

from __future__ import annotations

import posixpath
from typing import Any, Dict, List, Tuple

from ..contract.contract_document import GATE, WARN
from .dockerfile import APT_PACKAGE
from .findings import Finding, did_you_mean, listed
from .folder import AppFolder
from .located import load

FILE = "classvm.yml"
# Type of each key; a list is one of texts.
KEYS: Dict[str, type] = {
    "spec": list,
    "entry": str,
    "port": int,
    "dockerfile": str,
    "contract": str,
    "keep": list,
    "writable": list,
    "apt": list,
}
CHOICES = {"dockerfile": ("own", "kit"), "contract": (GATE, WARN)}


def read(folder: AppFolder) -> Tuple[Dict[str, Any], List[Finding]]:
    """Return what the file says, as far as it is valid, and what is wrong with it."""
    if not folder.has(FILE):
        return {}, []
    found = load(FILE, folder.text(FILE))
    findings = list(found.findings)
    values: Dict[str, Any] = {}
    if found.value is not None and not isinstance(found.value, dict):
        findings.append(
            Finding(FILE, 1, 1, "CV070", "the file holds no keys", f"Keys are {listed(KEYS)}")
        )
    for key, value in found.value.items() if isinstance(found.value, dict) else ():
        problem, fix = _problem(str(key), value)
        problem, fix = (problem, fix) if problem else _folder_problem(folder, key, value)
        if problem:
            findings.append(Finding(FILE, *found.at_key((key,)), "CV070", problem, fix))
        else:
            values[key] = [value] if KEYS[key] is list and isinstance(value, str) else value
    return values, findings


def _problem(key: str, value: Any) -> Tuple[str, str]:  # noqa: ANN401 - YAML holds anything
    if key not in KEYS:
        close = did_you_mean(key, KEYS)
        return (
            f"`{key}` is not a key",
            f"Did you mean `{close}`?" if close else f"Keys are {listed(KEYS)}",
        )
    if key in CHOICES and value not in CHOICES[key]:
        return (
            f"`{key}: {value}` is not one of {listed(CHOICES[key])}",
            f"Write one of {listed(CHOICES[key])}",
        )
    if key == "port" and not (isinstance(value, int) and 0 < value < 65536):  # noqa: PLR2004 - ports
        return f"`{value}` is not a port", "Write a number from 1 to 65535"
    texts = value if isinstance(value, list) and KEYS[key] is list else [value]
    if KEYS[key] in (str, list) and not all(
        isinstance(one, str) and _is_inside(one) for one in texts
    ):
        return (
            f"`{key}` is not a path or name in the app's folder",
            "Write it relative to the folder",
        )
    return "", ""


def _folder_problem(folder: AppFolder, key: str, value: Any) -> Tuple[str, str]:  # noqa: ANN401 - YAML holds anything
    """Return what is wrong with the folders to keep, or with the packages of Ubuntu."""
    for one in value if isinstance(value, list) else [value]:
        if key == "apt" and not APT_PACKAGE.fullmatch(one):
            return f"`{one}` is not a package of Ubuntu", "Write its name, such as `libmagic1`"
        if key == "keep" and folder.has(posixpath.normpath(one)):
            return f"`{one}` is a file", "Move it into a folder and keep that: `keep: [data]`"
        if key == "keep" and posixpath.normpath(one) == ".":
            return "the app's folder holds its code, which is new in each release", (
                "Write the data into a folder and keep that: `keep: [data]`"
            )
    return "", ""


def _is_inside(path: str) -> bool:
    return not path.startswith("/") and ".." not in path.split("/") and "\0" not in path
