"""The loader of YAML, for those who check no contract, too."""

from __future__ import annotations

import subprocess
import sys

import pytest
import tree
import yaml
from classvm.contract.yaml_loader import SAFE_LOADER

# Loads plugins as Ansible does, and tells whether the validator was loaded.
LOADED = """
import importlib, sys
from ansible.plugins.loader import init_plugin_loader
init_plugin_loader([sys.argv[1]])
for name in sys.argv[2:]:
    importlib.import_module(f"ansible_collections.classvm.kit.plugins.{name}")
print("jsonschema" in sys.modules)
"""
OF_A_ROLLBACK = (
    "inventory.classvm_inventory",
    "callback.classvm_output",
    "callback.classvm_summary",
    "action.classvm_settings",
    "action.classvm_provisioned",
    "action.classvm_release",
)


def test_it_makes_no_objects() -> None:
    with pytest.raises(yaml.YAMLError):
        yaml.load("!!python/object/apply:os.getcwd []", Loader=SAFE_LOADER)  # noqa: S506 - that is the test


@pytest.mark.parametrize(
    ("plugins", "loaded"),
    [(OF_A_ROLLBACK, "False"), ((*OF_A_ROLLBACK, "action.classvm_contract"), "True")],
)
def test_a_command_that_checks_no_contract_loads_no_validator(
    plugins: tuple[str, ...], loaded: str
) -> None:
    """To load jsonschema takes a tenth of a second."""
    argv = [sys.executable, "-c", LOADED, str(tree.ROOT / "ansible/collections"), *plugins]
    ran = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == [loaded]
