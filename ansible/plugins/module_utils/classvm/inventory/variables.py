"""The folders group_vars and host_vars: whether each file can be read, and is one of a group or host."""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path
from typing import Callable, Collection, Iterator, List, Mapping, Optional

import yaml

from ..base.errors import ClassvmError
from ..base.names import CLASS_VMS
from . import places, yaml_file

# By the name of a folder: whose variables it has.
FOLDERS = {"group_vars": "group", "host_vars": "host"}
# What Ansible reads; a name of a host may hold more points.
ENDINGS = (".yml", ".yaml", ".json")
# Hosts and groups that need no inventory.
IMPLICIT = {"group": ("all", "ungrouped"), "host": ("localhost",)}
LIKE, LIKE_ENDING = 0.75, 0.7
# What is meant to be `name: value`.
ASSIGNMENT = re.compile(r"(\w+)\s*(?:[=:]|\s)\s*(\S+)")
MOST = 8

# By "group" and "host": the names that there are.
Names = Mapping[str, Collection[str]]


def check(
    folder: Path,
    names: Names,
    elsewhere: Callable[[], Optional[Names]],
    *,
    has_password: bool = True,
) -> None:
    """Look at the variables beside an inventory.

    Args:
        folder: of the inventory.
        names: those of the inventory.
        elsewhere: returns those of other inventories in the folder, whose variables are here, too;
            None where not all of them can be known.
        has_password: whether Ansible was given one for what ansible-vault has encrypted.

    Raises:
        ClassvmError: a file cannot be read, or is that of no group or host.

    """
    _require_no_slip(folder)
    unknown: List[Path] = []
    for name, kind in FOLDERS.items():
        for entry in _entries(folder / name):
            for file in _files(entry):
                if not has_password and yaml_file.is_encrypted(file):
                    raise ClassvmError(
                        "This file is encrypted, and no password was given",
                        place=places.shown(str(file)),
                        fix='Run the command again with ARGS="--ask-vault-pass".',
                    )
                _check_file(file)
            if not _is_of(entry, {*names[kind], *IMPLICIT[kind]}):
                unknown.append(entry)
    others = elsewhere() if unknown else None
    if others is None:
        return
    for entry in unknown:
        kind = FOLDERS[entry.parent.name]
        known = {of: {*names[of], *others[of], *IMPLICIT[of]} for of in names}
        if not _is_of(entry, known[kind]):
            raise _of_nobody(entry, kind, known)


def slip_of_class(groups: Collection[str]) -> str:
    """Return why a group that is nearly that of the class is a slip, "" where there is none."""
    like = difflib.get_close_matches(CLASS_VMS, sorted(groups), 1, LIKE)
    if CLASS_VMS in groups or not like:
        return ""
    return (
        f"The inventory has a group {like[0]}, and none {CLASS_VMS}: only hosts of that one get the guard."
        f" Rename {like[0]}, or name it otherwise"
    )


def _require_no_slip(folder: Path) -> None:
    for entry in sorted(folder.iterdir()) if folder.is_dir() else ():
        like = difflib.get_close_matches(entry.name.lower(), FOLDERS, 1, LIKE)
        if entry.is_dir() and like and entry.name not in FOLDERS:
            place = places.shown(str(entry))
            fix = f"Rename it: `mv {place} {places.shown(str(folder / like[0]))}`."
            raise ClassvmError(f"Nobody reads the folder {entry.name}", place=place, fix=fix)


def _entries(folder: Path) -> List[Path]:
    """Return the files and folders that Ansible takes for those of a group or a host."""
    shown = (
        [entry for entry in sorted(folder.iterdir()) if entry.name[0] != "."]
        if folder.is_dir()
        else []
    )
    return [entry for entry in shown if not entry.name.endswith("~")]


def _files(entry: Path) -> Iterator[Path]:
    if entry.is_dir():
        for below in _entries(entry):
            yield from _files(below)
    elif entry.suffix in ENDINGS:
        yield entry


def _check_file(file: Path) -> None:
    node = yaml_file.compose(file)
    if yaml_file.is_empty(node) or isinstance(node, yaml.MappingNode):
        return
    text = node.value if isinstance(node, yaml.ScalarNode) else ""
    meant = ASSIGNMENT.fullmatch(text)
    fix = f"`{meant[1]}: {meant[2]}`" if meant else "each setting as `name: value`"
    place = places.shown(str(file), yaml_file.line(node) if node is not None else 0)
    raise ClassvmError("This file has no settings", place=place, fix=f"Write {fix}.")


def _is_of(entry: Path, names: Collection[str]) -> bool:
    """Tell whether a file or folder is that of a group or host, or none of variables at all."""
    stem = _stem(entry.name)
    if stem in names or entry.name in names:
        return True
    # A note, a copy: Ansible does not look at it. A host's name may hold points, and so may a slip in it.
    endings = {os.path.splitext(name)[1] for name in names}
    is_slip = entry.stem in names and difflib.get_close_matches(
        entry.suffix, ENDINGS, 1, LIKE_ENDING
    )
    return stem == entry.name and entry.suffix not in endings | {""} and not is_slip


def _stem(name: str) -> str:
    return next((name[: -len(end)] for end in ENDINGS if name.endswith(end)), name)


def _of_nobody(entry: Path, kind: str, names: Names) -> ClassvmError:
    stem, place = _stem(entry.name), places.shown(str(entry))
    if entry.stem in names[kind]:
        right = places.shown(str(entry.with_suffix(ENDINGS[0])))
        cause = f"Nobody reads a file that ends with {entry.suffix}"
        return ClassvmError(cause, place=place, fix=f"Rename it: `mv {place} {right}`.")
    other = "host" if kind == "group" else "group"
    if stem in names[other]:
        folder = next(name for name, of in FOLDERS.items() if of == other)
        right = places.shown(str(entry.parent.parent / folder / entry.name))
        return ClassvmError(
            f"{stem} is a {other}, not a {kind}", place=place, fix=f"Move it: `mv {place} {right}`."
        )
    cause = f"The inventory has no {kind} {stem}, so nobody reads this"
    like = difflib.get_close_matches(stem, sorted(names[kind]), 1, LIKE)
    if not like:
        known = ", ".join(sorted({*names[kind]} - {*IMPLICIT[kind]})[:MOST])
        return ClassvmError(
            cause, place=place, fix=f"Name it as one of its {kind}s ({known}), or remove it."
        )
    right = places.shown(str(entry.parent / entry.name.replace(stem, like[0], 1)))
    return ClassvmError(cause, place=place, fix=f"Rename it: `mv {place} {right}`.")
