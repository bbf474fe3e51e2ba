"""A YAML document together with the place of each of its values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, Iterator, List, Optional, Tuple

import yaml

from ..contract.document import MAX_BYTES, MISFITS, InputError, Json, check_bounds
from ..contract.libraries import SAFE_LOADER
from . import yaml_mistakes
from .findings import Finding

# The keys and indexes that lead to a value.
Path = Tuple[Any, ...]
Place = Tuple[int, int]


@dataclass
class Located:
    """What a YAML file holds, and where.

    Attributes:
        file: its path in the app's folder.
        value: what it holds.
        keys: line and column, from 1, of each key or list item, by its path.
        values: the same of the value behind it.
        findings: what keeps it from being read, and keys that stand twice.

    """

    file: str
    value: Json = None
    keys: Dict[Path, Place] = field(default_factory=dict)
    values: Dict[Path, Place] = field(default_factory=dict)
    findings: List[Finding] = field(default_factory=list)

    def at_key(self, path: Path) -> Place:
        """Return the place of a key, or of the nearest thing around it that has one."""
        return self._nearest(self.keys, path)

    def at_value(self, path: Path) -> Place:
        """Return the place of a value, or of the nearest thing around it that has one."""
        return self._nearest(self.values, path)

    def _nearest(self, places: Dict[Path, Place], path: Path) -> Place:
        while path and path not in places:
            path = path[:-1]
        return places.get(path, (1, 1))


def load(file: str, text: str) -> Located:
    """Read a YAML or JSON document, within the bounds of the contract check. Never raises."""
    found = Located(file)
    if len(text) > MAX_BYTES:
        fix = "Split it, or leave out what the app does not serve"
        found.findings.append(Finding(file, 0, 0, "CV002", f"more than {MAX_BYTES:,} bytes", fix))
        return found
    if file.endswith(".json"):
        text = text.replace("\t", " ")  # JSON may be indented by tabs, YAML may not
    try:
        check_bounds(text, file)
        _read(found, text)
    except InputError as error:
        what = str(error).partition(": ")[2] or str(error)
        line = int(str(error).partition(", line ")[2].partition(":")[0] or 0)
        fix = "Write out what is meant, at most a few levels deep"
        found.findings.append(Finding(file, line, 0, "CV002", what, fix))
    except yaml.MarkedYAMLError as error:
        found.findings.append(broken(file, text, error))
    except (AttributeError, KeyError):  # their texts are about PyYAML
        what = "a value does not fit the tag before it, such as `!!bool` or `!!timestamp`"
        found.findings.append(Finding(file, 0, 0, "CV001", what, "Correct it, or remove the tag"))
    except (yaml.YAMLError, *MISFITS, RecursionError) as error:
        reason = str(error).partition("\n")[0]
        found.findings.append(Finding(file, 0, 0, "CV001", reason, "Correct or remove that value"))
    return found


def _read(found: Located, text: str) -> None:
    loader = SAFE_LOADER(text)
    try:
        node = loader.get_single_node()
        if node is not None:
            _locate(found, node, ())
            found.value = loader.construct_document(node)
    finally:
        loader.dispose()


def _locate(found: Located, node: Any, path: Path) -> None:  # noqa: ANN401 - PyYAML's own class
    found.values[path] = _place(node)
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            found.keys[(*path, index)] = _place(item)
            _locate(found, item, (*path, index))
    if isinstance(node, yaml.MappingNode):
        node.value = _without_doubles(node, found)
        for key, value in node.value:
            at = (*path, _key(key))
            found.keys[at] = _place(key)
            _locate(found, value, at)


def _without_doubles(node: Any, found: Optional[Located]) -> List[Tuple[Any, Any]]:  # noqa: ANN401 - PyYAML's own class
    """Return the pairs of a mapping, those with the same key as one.

    YAML keeps the last of them. Here both contents stay, so that what is wrong in the first one is
    found in the same run.

    Args:
        node: the mapping.
        found: where to report a key that stands twice; None inside of one that was reported.

    """
    pairs: Dict[Any, Tuple[Any, Any]] = {}
    for key, value in node.value:
        name = _key(key)
        first_key, first = pairs.get(name, (None, None))
        if first_key is not None and found is not None:
            found.findings.append(_twice(found.file, name, _place(key), _place(first_key)))
        if isinstance(first, yaml.MappingNode) and isinstance(value, yaml.MappingNode):
            first.value = [*first.value, *value.value]
            first.value = _without_doubles(first, None)
            value = first  # noqa: PLW2901 - the pair now has both contents
        pairs[name] = (key, value)
    return list(pairs.values())


def _key(node: Any) -> Any:  # noqa: ANN401 - PyYAML's own class
    """Return a key as the document's value has it, as far as a spec needs it."""
    if node.tag.endswith(":int") and str(node.value).isdigit():
        return int(node.value)
    return node.value if isinstance(node.value, str) else str(node.value)


def _place(node: Any) -> Place:  # noqa: ANN401 - PyYAML's own class
    return node.start_mark.line + 1, node.start_mark.column + 1


def _twice(file: str, name: Any, place: Place, first: Place) -> Finding:  # noqa: ANN401 - any key
    what = f"`{name}` stands here again, first in line {first[0]}: YAML keeps this one only"
    return Finding(file, *place, "CV005", what, "Put both contents under one key")


def broken(file: str, text: str, error: yaml.MarkedYAMLError) -> Finding:
    """Return the finding for a document that is not YAML: the line, and a caret."""
    found = yaml_mistakes.explain(text, error)
    line = (text.splitlines() or [""])[found.line]
    excerpt = _excerpt(line, found.column)
    place = (found.line + 1, found.column + 1)
    return Finding(file, *place, "CV001", found.what, found.fix, excerpt)


def _excerpt(line: str, column: int) -> str:
    return f"{line.replace(chr(9), ' ')[:120]}\n{' ' * min(column, 120)}^"


def walk(value: Json, path: Path = ()) -> Iterator[Tuple[Path, Json]]:
    """Yield each value of a document with its path, the outermost first."""
    yield path, value
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, item in items:
        yield from walk(item, (*path, key))
