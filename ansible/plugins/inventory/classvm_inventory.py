"""Refuse an inventory file that cannot be read, with its line, before Ansible tries each of its own plugins on it."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from ansible import context
from ansible.errors import AnsibleError
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.inventory import BaseInventoryPlugin
from ansible.plugins.loader import inventory_loader
from ansible.utils.vars import load_extra_vars

# This is the first plugin of ours that a run loads, and this its first import.
from ..plugin_utils import bytecode  # noqa: F401 # isort: skip
from ..module_utils.classvm.base.errors import ClassvmError
from ..module_utils.classvm.inventory import groups, ini_file, kind, places, yaml_file
from ..plugin_utils import runs

DOCUMENTATION = """
name: classvm_inventory
short_description: Refuse an inventory file that cannot be read
description:
  - Looks at each file of an inventory and ends the run where it cannot be read, with one line that tells file, line and mistake.
  - Reads nothing itself; the plugins that are enabled behind it do.
options: {}
"""


class InventoryModule(BaseInventoryPlugin):  # type: ignore[misc] # ansible-core ships no types
    """Is asked first whether it takes a file, and never does."""

    NAME = "classvm.kit.classvm_inventory"

    def verify_file(self, path: str) -> bool:
        """End the run where the file, or what -e gives, cannot be read."""
        try:
            # Ansible keeps what it has read.
            load_extra_vars(DataLoader())
        except AnsibleError as error:
            # Of what is encrypted, Ansible asks for the password.
            if "decrypt" not in str(error):
                runs.end(f"{extra_vars()} cannot be read: {innermost(error)}")
        if "," not in path and os.path.isfile(path):
            try:
                check(Path(path))
            except ClassvmError as error:
                runs.end(str(error))
        elif (
            "," in path and runs.limit_given() and len(context.CLIARGS.get("inventory") or ()) == 1
        ):
            # Beside such a list there is no folder of variables, where the limit is looked at else.
            hosts = [name.strip() for name in path.split(",") if name.strip()]
            runs.require_some_host({name: {"all"} for name in hosts}, {"all"}, runs.limit_given())
        return False


def extra_vars() -> str:
    """Return what was given to -e, as it was given."""
    return " ".join(
        f"-e {shlex.quote(str(one))}" for one in context.CLIARGS.get("extra_vars") or ()
    )


def innermost(error: BaseException) -> str:
    """Return the first cause of an error, as one line."""
    while error.__cause__:
        error = error.__cause__
    return str(error).strip().partition("\n")[0]


def check(path: Path) -> None:
    """Look at an inventory file.

    Raises:
        ClassvmError: it cannot be read.

    """
    text = yaml_file.read(path)
    found = kind.of(path, text)
    if found == kind.YAML and ini_file.is_ini(text):
        place = places.shown(str(path))
        fix = f"Rename it: `mv {place} {places.shown(str(path.with_suffix('.ini')))}`."
        raise ClassvmError("This is INI, in a file for YAML", place=place, fix=fix)
    if found == kind.YAML:
        groups.check(path)
    line = ini_file.open_heading(text) if found == kind.INI else None
    if line:
        place = places.shown(str(path), line)
        raise ClassvmError(
            "A heading of a group is not closed", place=place, fix="Write `]` at its end."
        )
    if found != kind.OTHER:
        _parse(path, text, found)


def _parse(path: Path, text: str, how: str) -> None:
    """Have Ansible's own plugin read the file, for nobody."""
    try:
        inventory_loader.get(how).parse(InventoryData(), DataLoader(), str(path))
    except AnsibleError as error:
        told = ini_file.explain(str(error.__cause__ or error))
        place = places.shown(str(path), ini_file.line_of(text, told.culprit))
        raise ClassvmError(told.cause, place=place, fix=told.fix) from error
