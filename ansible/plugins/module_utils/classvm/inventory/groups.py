"""What an inventory in YAML has to look like: groups, each with hosts, children and vars."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Optional

import yaml

from ..base.errors import ClassvmError
from . import places, yaml_file

PARTS = ("hosts", "children", "vars")
LIKE = 0.6
# What the names of Ansible's own settings begin with.
OF_ANSIBLE = "ansible_"
EXAMPLE = "`all:`, and below it, indented, `hosts:` and `vm-148-1:`"


def check(path: Path) -> None:
    """Look at an inventory file.

    Raises:
        ClassvmError: Ansible would refuse it, or leave a part of it out.

    """
    node = yaml_file.compose(path)
    if yaml_file.is_empty(node):
        raise _wrong(path, node, "This inventory is empty", f"Write {EXAMPLE}.")
    if not isinstance(node, yaml.MappingNode):
        raise _wrong(
            path, node, "This is no inventory: it does not begin with a group", f"Write {EXAMPLE}."
        )
    found = list(yaml_file.entries(node))
    if any(name == "plugin" for name, _, _ in found):
        return  # settings of a plugin, which asks elsewhere for the hosts
    for name, key, group in found:
        _check_group(path, name, key, group)


def _check_group(path: Path, name: str, key: yaml.Node, group: yaml.Node) -> None:
    if yaml_file.is_empty(group):
        return
    if not isinstance(group, yaml.MappingNode):
        fix = "Write `hosts:` below it, and below that each host with a colon behind it."
        raise _wrong(path, key, f"The group {name} has neither hosts nor children", fix)
    for part, at, value in yaml_file.entries(group):
        if part not in PARTS:
            raise _wrong(
                path, at, f"{part} stands directly in the group {name}", _meant(part, value)
            )
        if isinstance(value, yaml.SequenceNode):
            first = value.value[0] if value.value else None
            example = first.value if isinstance(first, yaml.ScalarNode) else "vm-148-1"
            fix = f"Write each one as `{example}:`, without a dash before it."
            raise _wrong(path, value, f"The {part} of the group {name} are a list", fix)
        for child, child_key, below in yaml_file.entries(value):
            if part == "children":
                _check_group(path, child, child_key, below)
            elif part == "hosts" and not yaml_file.is_empty(below):
                _check_host(path, child, child_key, below)


def _check_host(path: Path, host: str, key: yaml.Node, below: yaml.Node) -> None:
    if host.startswith(OF_ANSIBLE):
        fix = "Indent it further than the host above it."
        raise _wrong(path, key, f"{host} stands among the hosts, and is a setting of one", fix)
    if not isinstance(below, yaml.MappingNode):
        name, _, value = str(below.value).rpartition("=")
        fix = f"Write `{name or 'ansible_host'}: {value}`, indented, in a line below."
        raise _wrong(path, below, f"The host {host} has a text behind it", fix)


def _meant(part: str, value: yaml.Node) -> str:
    like = difflib.get_close_matches(part, PARTS, 1, LIKE)
    if like:
        return f"Is `{like[0]}` meant?"
    if isinstance(value, yaml.ScalarNode) and not yaml_file.is_empty(value):
        return f"Write `vars:` above it, and indent `{part}` below that."
    return "A host belongs below `hosts:`, a group below `children:`."


def _wrong(path: Path, node: Optional[yaml.Node], cause: str, fix: str) -> ClassvmError:
    place = places.shown(str(path), yaml_file.line(node) if node is not None else 0)
    return ClassvmError(cause, place=place, fix=fix)
