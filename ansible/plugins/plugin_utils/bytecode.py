"""Let Python keep what it compiles of our plugins, as it does for all other modules.

Ansible compiles the modules of a collection again in each process that imports them, which is each task.
Import this before any other module of the collection.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path

# As in ansible_collections.classvm.kit.plugins.plugin_utils.
PLUGINS = f"{__name__.rpartition('.')[0].rpartition('.')[0]}."


class Finder:
    """Finds the files of our plugins before Ansible does."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: object = None
    ) -> ModuleSpec | None:
        """Return how Python itself imports a module of ours; None for a folder without code, and for all others.

        Args:
            name: full name of the module.
            path: the folders of its package.
            target: is not used.

        """
        del target
        if not name.startswith(PLUGINS):
            return None
        last = name.rpartition(".")[2]
        places = [Path(folder, last) for folder in path or ()]
        files = [file for at in places for file in (at / "__init__.py", at.with_suffix(".py"))]
        found = next(filter(Path.is_file, files), None)
        return spec_from_file_location(name, found) if found else None


def install() -> None:
    """Ask this finder first, once for each run."""
    if Finder not in sys.meta_path:
        sys.meta_path.insert(0, Finder)


install()
