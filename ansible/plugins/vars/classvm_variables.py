"""Refuse files of variables that cannot be read or are nobody's, and a LIMIT that leaves no host, before a run begins."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.inventory.data import InventoryData
from ansible.inventory.group import Group
from ansible.inventory.manager import IGNORED
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import inventory_loader
from ansible.plugins.vars import BaseVarsPlugin

from ..module_utils.classvm.base.errors import ClassvmError
from ..module_utils.classvm.inventory import kind, variables, yaml_file
from ..plugin_utils import runs

DOCUMENTATION = """
name: classvm_variables
short_description: Refuse files of variables that cannot be read or belong to no group or host
description:
  - Ends the run with one line where a file of C(group_vars) or C(host_vars) cannot be read, or where its name is none of the inventory.
  - Does so, too, where C(--limit) leaves no host.
  - Gives no variables.
options:
  stage:
    description: When it is called, which is once for each source of an inventory, when all of them were read.
    type: str
    choices: [all, inventory, task]
    default: inventory
"""

# The group of all hosts: with it, the whole inventory is at hand.
EVERYBODY = "all"


class VarsModule(BaseVarsPlugin):  # type: ignore[misc] # ansible-core ships no types
    """Looks at the folder of an inventory."""

    def get_vars(
        self,
        loader: DataLoader,
        path: str,
        entities: list[Group],
        cache: bool = True,  # noqa: FBT001, FBT002 - Ansible's signature
    ) -> dict[str, Any]:
        """End the run where the folder has a mistake."""
        del cache
        super().get_vars(loader, path, entities)
        for entity in entities if isinstance(entities, list) else [entities]:
            if entity.name == EVERYBODY:
                check(Path(path), entity, runs.limit_given(), loader)
        return {}


def check(folder: Path, everybody: Group, subset: str, loader: DataLoader) -> None:
    """Look at the variables beside an inventory, and at the limit of the run."""
    hosts = {
        host.name: {group.name for group in host.get_groups()} for host in everybody.get_hosts()
    }
    groups = {group.name for group in everybody.get_descendants(include_self=True)}
    if subset and hosts:
        runs.require_some_host(hosts, groups, subset)
    slip = variables.slip_of_class(groups)
    if slip:
        runs.end(slip)
    try:
        variables.check(
            folder,
            {"group": groups, "host": set(hosts)},
            lambda: names_in(folder),
            has_password=bool(loader._vault.secrets),  # noqa: SLF001 - Ansible offers no other way
        )
    except ClassvmError as error:
        runs.end(str(error))


def names_in(folder: Path) -> dict[str, set[str]] | None:
    """Return the groups and hosts of all inventories in a folder; None where one is made by a program."""
    found: dict[str, set[str]] = {"group": set(), "host": set()}
    for path in files_of(folder):
        try:
            how = kind.of(path, yaml_file.read(path))
            data = InventoryData()
            inventory_loader.get(how).parse(data, DataLoader(), str(path))
        except (ClassvmError, AnsibleError, AttributeError):
            return None
        found["group"] |= set(data.groups)
        found["host"] |= set(data.hosts)
    return found


def files_of(folder: Path) -> list[Path]:
    """Return the files of a folder that Ansible would take for inventories."""
    found: list[Path] = []
    for top, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in variables.FOLDERS and name[0] != "."]
        found += [
            Path(top, name)
            for name in names
            if not IGNORED.search(os.fsencode(name)) and name[0] != "."
        ]
    return found
