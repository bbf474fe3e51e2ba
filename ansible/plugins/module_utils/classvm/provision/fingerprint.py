"""The fingerprint of a provision: a digest of everything that decides how a provisioned host looks.

Nobody lists the files. They are found by following the references from the playbook: the roles and
task files that its plays import, the plugins that those name, and the modules that the plugins
import. What a play does in `pre_tasks` does not count: that only looks at the host.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Iterator, List, Mapping, Set, Tuple

from ..base import imports
from .fingerprint_parts import Fingerprint

Load = Callable[[str], Any]
# Parts of a play that change the host.
WORK = ("roles", "tasks", "post_tasks", "handlers")
IMPORT_ROLE = ("import_role", "include_role")
IMPORT_FILE = ("import_tasks", "include_tasks", "import_playbook")
# A file of a role is parsed only if it may name another role: parsing takes most of the time.
MAY_NAME_A_ROLE = re.compile(r"\b(import_role|include_role|dependencies):(?! \[\])")


@dataclass
class Closure:
    """Everything that a playbook uses from the collection.

    Attributes:
        collection: folder of the collection, with `roles` and `plugins`; its last two parts are the
            collection's namespace and name.
        load: returns the content of YAML, given as text.
        files: the files found so far.
        roles: the names of the roles found so far; a role of which a play imports a single file
            with `tasks_from` is not among them.

    """

    collection: Path
    load: Load
    files: Set[Path] = field(default_factory=set)
    roles: Set[str] = field(default_factory=set)

    def add_playbook(self, path: Path) -> None:
        """Add a playbook with what its plays use."""
        self.files.add(path)
        for play in self.load(path.read_text(encoding="utf-8")) or ():
            used = {
                key: value
                for key, value in play.items()
                if key in WORK or key.endswith("import_playbook")
            }
            self._add_references(used, path.parent)
            self._add_plugins(json.dumps(used, default=str))

    def name_of(self, file: Path) -> str:
        """Return the name of a file that is the same wherever the collection is installed."""
        is_inside = self.collection in file.parents
        return str(file.relative_to(self.collection)) if is_inside else file.name

    def _add_references(self, content: Any, folder: Path) -> None:  # noqa: ANN401 - YAML holds anything
        """Add the roles and files that a part of a YAML file in a folder refers to."""
        for key, value in _pairs(content):
            action = key.rpartition(".")[2]
            if action in IMPORT_ROLE:
                self._add_role(value["name"], value.get("tasks_from", ""))
            elif isinstance(value, str) and key in ("role", "roles", "dependencies"):
                self._add_role(value)
            elif action == "import_playbook":
                self.add_playbook(folder / value)
            elif action in IMPORT_FILE:
                self._add_yaml(folder / (value["file"] if isinstance(value, dict) else value))

    def _add_role(self, name: str, tasks_from: str = "") -> None:
        """Add all files of a role, or only one with tasks, and what they refer to."""
        role = name.rpartition(".")[2]
        if tasks_from:
            self._add_yaml(self.collection / "roles" / role / "tasks" / f"{tasks_from}.yml")
            return
        if role in self.roles:
            return
        self.roles.add(role)
        for path in _files(self.collection / "roles" / role):
            if path.suffix == ".yml":
                self._add_yaml(path)
            self.files.add(path)

    def _add_yaml(self, path: Path) -> None:
        """Add a file with tasks or with a role's dependencies, and what it refers to."""
        if path in self.files or not path.is_file():
            return
        self.files.add(path)
        text = path.read_text(encoding="utf-8")
        self._add_plugins(text)
        in_a_role = self.collection / "roles" in path.parents
        if not in_a_role or MAY_NAME_A_ROLE.search(text):
            self._add_references(self.load(text), path.parent)

    def _add_plugins(self, text: str) -> None:
        """Add the plugins that a text names in full, such as `classvm.kit.classvm_engine`."""
        prefix = ".".join(self.collection.parts[-2:])
        for name in set(re.findall(rf"\b{re.escape(prefix)}\.(\w+)", text)):
            for path in (self.collection / "plugins").glob(f"*/{name}.py"):
                self._add_module(path)

    def _add_module(self, path: Path) -> None:
        """Add a Python file, and the files that it imports."""
        self.files |= imports.closure(path, self.files)


def _pairs(content: Any) -> Iterator[Tuple[str, Any]]:  # noqa: ANN401 - YAML holds anything
    """Yield each key with its value, at any depth; an element of a list has the list's key."""
    waiting: List[Tuple[str, Any]] = [("", content)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [(str(key), element) for key, element in value.items()]
        elif isinstance(value, list):
            waiting += [(name, element) for element in value]
        yield name, value


def _files(folder: Path) -> List[Path]:
    return sorted(
        file
        for file in folder.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts and file.suffix != ".md"
    )


def closure(playbook: Path, collection: Path, load: Load) -> Closure:
    """Return what a playbook uses from the collection.

    Args:
        playbook: path of the playbook, which need not be in the collection.
        collection: folder of the collection.
        load: returns the content of YAML, given as text.

    Raises:
        OSError: a file cannot be read.

    """
    found = Closure(collection, load)
    found.add_playbook(playbook)
    return found


def fingerprint(used: Closure, variables: Mapping[str, Any], program: str = "") -> str:
    """Return the fingerprint as text: see `Fingerprint`.

    Args:
        used: what the playbook uses.
        variables: values that the roles are given.
        program: digest of the host program.

    """
    digest = hashlib.sha256()
    for name, file in sorted((used.name_of(file), file) for file in used.files):
        digest.update(f"{name}\0".encode() + file.read_bytes())
    values = json.dumps(variables, sort_keys=True, default=str).encode()
    return str(Fingerprint(digest.hexdigest(), hashlib.sha256(values).hexdigest(), program))
