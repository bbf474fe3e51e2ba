"""The patterns of .dockerignore, read by Docker's own package for Python."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import sys
from types import ModuleType
from typing import Any, Iterable, List

# Under this name, beside the whole package that other code may import.
_ALIAS = "_classvm_docker"


def matcher(patterns: List[str]) -> Any:  # noqa: ANN401 - of a module without types
    """Return what tells by ``matches(path)`` whether the patterns leave out a path."""
    return _build_module().PatternMatcher(patterns)


def files(folder: str, patterns: List[str], dockerfile: str) -> Iterable[str]:
    """Return the paths in a folder that the patterns do not leave out.

    Raises:
        OSError: a folder cannot be read.
        re.error: a pattern is not valid.

    """
    found: Iterable[str] = _build_module().exclude_paths(folder, patterns, dockerfile=dockerfile)
    return found


@functools.lru_cache(maxsize=None)
def _build_module() -> Any:  # noqa: ANN401 - a module without types
    """Return ``docker.utils.build``, without the client of the engine's API around it.

    That client brings `requests` along, whose import takes every deploy a tenth of a second.

    Raises:
        ModuleNotFoundError: the package is not installed.

    """
    found = importlib.util.find_spec("docker")
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError("No module named 'docker'", name="docker")
    folder = found.submodule_search_locations[0]
    for name, path in ((_ALIAS, folder), (f"{_ALIAS}.utils", f"{folder}/utils")):
        package = ModuleType(name)
        package.__path__ = [path]
        sys.modules[name] = package
    return importlib.import_module(f"{_ALIAS}.utils.build")
