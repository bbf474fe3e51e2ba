"""Read a YAML file of an admin, and say in plain words why it cannot be read."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, Iterator, Optional, Tuple

import yaml

from ..app import yaml_mistakes
from ..base.errors import ClassvmError
from ..contract.yaml_loader import SAFE_LOADER
from . import places

# ansible-vault writes it; only Ansible can read on.
VAULT = "$ANSIBLE_VAULT"


def compose(path: Path) -> Optional[yaml.Node]:
    """Return what a file holds, with its places; None where it is empty or encrypted.

    Raises:
        ClassvmError: it cannot be read, is not YAML, has a key twice, or one that is no text.

    """
    text = read(path)
    if text.startswith(VAULT):
        return None
    try:
        node: Optional[yaml.Node] = yaml.compose(text, Loader=SAFE_LOADER)
    except yaml.MarkedYAMLError as error:
        mistake = yaml_mistakes.explain(text, error)
        place = places.shown(str(path), mistake.line + 1)
        raise ClassvmError(
            f"This is not YAML: {mistake.what}", place=place, fix=f"{mistake.fix}."
        ) from error
    except yaml.YAMLError as error:
        cause = f"This is not YAML: {str(error).splitlines()[0]}"
        raise ClassvmError(cause, place=places.shown(str(path)), fix="Correct the file.") from error
    if node is not None:
        _check_keys(node, path)
    return node


def read(path: Path) -> str:
    """Return the text of a file.

    Raises:
        ClassvmError: it cannot be read.

    """
    place = places.shown(str(path))
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ClassvmError(
            "This file is not text in UTF-8", place=place, fix="Save it as UTF-8."
        ) from error
    except OSError as error:
        fix = f"Check who may read it: `ls -l {place}`."
        raise ClassvmError(
            f"This file cannot be read: {error.strerror}", place=place, fix=fix
        ) from error


def entries(node: Optional[yaml.Node]) -> Iterator[Tuple[str, yaml.Node, yaml.Node]]:
    """Yield the keys of a mapping: as text, as they stand there, and their values."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield str(key.value), key, value


def line(node: yaml.Node) -> int:
    """Return the line where something begins, from 1."""
    return int(node.start_mark.line) + 1


def is_encrypted(path: Path) -> bool:
    """Tell whether Ansible needs a password to read a file."""
    return read(path).startswith(VAULT)


def is_empty(node: Optional[yaml.Node]) -> bool:
    """Tell whether nothing stands there."""
    return node is None or (isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null"))


def _check_keys(node: yaml.Node, path: Path) -> None:
    seen: Dict[str, int] = {}
    for name, key, value in entries(node):
        if not isinstance(key, yaml.ScalarNode):
            cause = "A value that begins with `{{` has to stand in quotes"
            fix = 'Write it so: `name: "{{ value }}"`.'
            raise ClassvmError(cause, place=places.shown(str(path), line(key)), fix=fix)
        if name in seen and name != "<<":
            cause = f"{name} stands here and in line {seen[name]}: only one of them would count"
            raise ClassvmError(cause, place=places.shown(str(path), line(key)), fix="Remove one.")
        seen[name] = line(key)
        _check_keys(value, path)
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _check_keys(item, path)
