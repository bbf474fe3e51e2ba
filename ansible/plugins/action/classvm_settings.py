"""Look at the settings of a host before anything else happens."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from ansible import constants
from ansible._internal._datatag._tags import Origin  # Ansible shows it to nobody else
from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase

from ..module_utils.classvm.contract.yaml_loader import SAFE_LOADER
from ..module_utils.classvm.inventory import places
from ..module_utils.classvm.release import settings

# Of a collection: plugins/action/classvm_settings.py lies two folders below its own.
COLLECTION = Path(__file__).parents[2]
# What the playbooks of the kit have beside the settings of the roles.
PLAYBOOK_SETTINGS = ["service_answer_seconds"]
ARGUMENTS = {
    "also": {"type": "list", "elements": "str", "default": PLAYBOOK_SETTINGS},
    "app": {"type": "str", "default": ""},
}
# By which Ansible reaches a host.
CONNECTION = {
    *constants.COMMON_CONNECTION_VARS,
    *itertools.chain(*constants.MAGIC_VARIABLE_MAPPING.values()),
    *("ansible_python_interpreter", "ansible_host_key_checking"),
}
# The setting that names the app's folder.
APP_SETTING = "service_dir"


class ActionModule(ActionBase):  # type: ignore[misc] # ansible-core ships no types
    """The whole work, without a module: what it looks at is on the control node."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Return what is wrong with the settings."""
        super().run(tmp, task_vars)
        _, arguments = self.validate_argument_spec(argument_spec=ARGUMENTS)
        given = dict(task_vars or {})
        roles = COLLECTION / "roles"
        return check(given, arguments["also"], roles, arguments["app"], self._templar.template)


def check(
    given: dict[str, Any],
    also: list[str],
    roles: Path,
    app: str = "",
    template: Callable[[Any], Any] = lambda value: value,
) -> dict[str, Any]:
    """Return the task's result.

    Args:
        given: all variables of the host.
        also: settings that a playbook itself has, beside those of the roles.
        roles: folder of the roles.
        app: the app's folder, where the playbook reads it.
        template: resolves the expressions in a value.

    """
    options = options_of(roles)
    prefixes = {f"{name.partition('_')[0]}_" for name in options}
    found = settings.problems(given, {**{name: {} for name in also}, **options}, prefixes)
    looked_at = [name for name in given if name in options or name.startswith("ansible_")]
    written = [name for name in looked_at if place(name, given[name], roles)]
    for name in sorted(options.keys() & {*written}):
        if "{{" in str(given[name]) and not is_of_a_play(given[name], given):
            found += mistakes_of_expression(name, given[name], options[name], template)
    found += settings.slips_of_connection(written, CONNECTION)
    found += settings.without_folder(APP_SETTING, app) if app else []
    if not found:
        return {"changed": False}
    names = {name: name for name in given}
    error = settings.message(found, lambda name: place(names.get(name, ""), given.get(name), roles))
    return {"changed": False, "failed": True, "msg": str(error)}


def mistakes_of_expression(
    name: str, value: Any, option: dict[str, Any], template: Callable[[Any], Any]
) -> list[str]:
    """Return why the expressions in a setting have no value, or none that it takes."""
    try:
        found = template(value)
    except AnsibleError as error:
        cause: BaseException = error
        while cause.__cause__:
            cause = cause.__cause__
        # What Ansible finds out of a host, it may find out later.
        if str(cause).startswith("'ansible_"):
            return []
        return [f"{name} has no value: {str(cause).partition(chr(10))[0].rstrip('.')}"]
    return list(filter(None, [settings.wrong(name, found, option)]))


def is_of_a_play(value: Any, given: dict[str, Any]) -> bool:
    """Tell whether a play gives a variable: tasks may find out later what it holds."""
    origin = Origin.get_tag(value)
    path = origin.path if origin else None
    return path is not None and str(Path(path).parent) == given.get("playbook_dir")


def place(name: str, value: Any, roles: Path) -> str:
    """Return where a variable is given: "FILE:LINE", "-e", or "" where Ansible does not know.

    Args:
        name: as Ansible read it first; where a role has a default, that is the role's line.
        value: of the variable; true and false have no place.
        roles: folder of the roles.

    """
    for origin in filter(None, (Origin.get_tag(value), Origin.get_tag(name))):
        if origin.path is None:
            return "-e" if "'-e'" in str(origin.description) else ""
        if not Path(origin.path).resolve().is_relative_to(roles.resolve()):
            return places.shown(str(origin.path), origin.line_num or 0)
    return ""


def options_of(roles: Path) -> dict[str, dict[str, Any]]:
    """Return the options of all roles by name."""
    found: dict[str, dict[str, Any]] = {}
    for file in sorted(roles.glob("*/meta/argument_specs.yml")):
        text = file.read_text(encoding="utf-8")
        specs = yaml.load(text, Loader=SAFE_LOADER)["argument_specs"]  # noqa: S506 - one of the safe loaders
        for entry in specs.values():
            found.update(entry.get("options") or {})
    return found
