"""Import our Ansible plugins as in the collection: beside ``module_utils``."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path
from types import ModuleType

import classvm

PLUGINS = Path(__file__).parents[3] / "ansible/plugins"
# Stands for ansible_collections.classvm.kit.plugins, which only Ansible's own loader knows.
ROOT = "classvm_plugins"


def load_plugin(kind: str, name: str) -> ModuleType:
    """Import a plugin afresh; it shares the package ``classvm`` with the tests.

    Args:
        kind: folder of the plugin, such as "modules" or "action".
        name: its name, such as "classvm_release".

    """
    _package(ROOT, PLUGINS)
    _package(f"{ROOT}.{kind}", PLUGINS / kind)
    _package(f"{ROOT}.module_utils", PLUGINS / "module_utils")
    sys.modules[f"{ROOT}.module_utils.classvm"] = classvm
    for found in pkgutil.walk_packages(classvm.__path__, "classvm."):
        sys.modules[f"{ROOT}.module_utils.{found.name}"] = importlib.import_module(found.name)
    sys.modules.pop(f"{ROOT}.{kind}.{name}", None)
    return importlib.import_module(f"{ROOT}.{kind}.{name}")


def _package(name: str, folder: Path) -> None:
    module = ModuleType(name)
    module.__path__ = [str(folder)]
    sys.modules.setdefault(name, module)
