"""The steps of a play: which of its entries a person is told of, and under which name.

A step is an entry of a playbook that does something to a host: a role, a module of ours, or a block. What
prepares, asserts or reports is a part of the step before it. So the names are those of the playbook, and a
new role or module is a new step without a list to keep.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Mapping, Sequence

COLLECTION = "classvm.kit."
ROLES = ("ansible.builtin.import_role", "ansible.builtin.include_role")
# Ansible's convention for modules that only ask, and ours that keeps the books of the provision.
ASKING = ("_info", "_provisioned")
FIRST = "Look at the host"


@dataclass(frozen=True)
class Step:
    """A step of a play.

    Attributes:
        name: what is done, as an imperative: "Build the service image".
        kept: whether its result stays on the screen; the answer of a step that only asks stands at the end.

    """

    name: str
    kept: bool


def of_play(play: Mapping[str, Any]) -> Dict[str, Step]:
    """Return by the name of each entry of a play the step that it belongs to.

    Args:
        play: the play as its YAML says it.

    """
    current = Step(FIRST, kept=False)
    found = {str(entry.get("name")): current for entry in _entries(play, "pre_tasks")}
    for entry in _entries(play, "tasks"):
        name = str(entry.get("name"))
        if _is_step(entry):
            current = Step(name, kept=_is_kept(entry))
        found[name] = current
    return found


def step_of(names: Sequence[str], steps: Mapping[str, Step], otherwise: str) -> Step:
    """Return the step of a task.

    Args:
        names: of the entry of the play, of the role's task that includes it, ..., of the task itself.
        steps: those of the play, by entry.
        otherwise: what to call a step of which the play says nothing, as in a playbook with `roles:`.

    """
    for name in names:
        if name in steps:
            return steps[name]
    return Step(otherwise, kept=True)


def _entries(play: Mapping[str, Any], section: str) -> Iterable[Mapping[str, Any]]:
    entries: List[Mapping[str, Any]] = play.get(section) or []
    return entries


def _actions(entry: Mapping[str, Any]) -> List[str]:
    return [str(key) for key in entry if key in ROLES or str(key).startswith(COLLECTION)]


def _is_step(entry: Mapping[str, Any]) -> bool:
    return "block" in entry or any(
        not action.endswith("_provisioned") for action in _actions(entry)
    )


def _is_kept(entry: Mapping[str, Any]) -> bool:
    return not any(action.endswith(ASKING) for action in _actions(entry))
