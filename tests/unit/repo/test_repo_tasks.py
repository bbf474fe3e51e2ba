"""Tasks give our own modules the options that these document; the linter cannot load them."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import tree
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

MODULES = tree.ROOT / "ansible/plugins/modules"
COLLECTION = "classvm.kit."
# What an action plugin takes from the task on the control node, and hands to the module instead.
REPLACED = {
    "classvm_image": (
        {"folder", "files", "host_port", "container_port", "known", "sent"},
        {"source_digest", "contract_digest", "context", "secrets"},
    ),
    "classvm_checker_image": ({"folder"}, {"digest", "context", "secrets"}),
    "classvm_provisioned": ({"playbook"}, {"fingerprint"}),
}


def documented(module: Path) -> dict[str, dict[str, Any]]:
    """Return the options of a module by name, from its DOCUMENTATION."""
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "DOCUMENTATION":
            return dict(yaml.safe_load(ast.literal_eval(node.value)).get("options") or {})
    return {}


def tasks(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every dictionary in a YAML document; the tasks are among them."""
    if isinstance(node, dict):
        yield node
    children = node.values() if isinstance(node, dict) else node
    for child in children if isinstance(node, (dict, list)) else ():
        yield from tasks(child)


def wrong_options(document: Any, modules: Path) -> list[str]:
    """Return the options that a module does not know, and those that it misses."""
    found = []
    for task in tasks(document):
        for full_name in (name for name in task if str(name).startswith(COLLECTION)):
            name = full_name.removeprefix(COLLECTION)
            if not isinstance(task[full_name], dict) or not (modules / f"{name}.py").is_file():
                continue
            options = documented(modules / f"{name}.py")
            added, filled = REPLACED.get(name, (set(), set()))
            required = {key for key, option in options.items() if option.get("required")}
            given = set(task[full_name])
            if task[full_name].get("state") in ("account", "absent", "settled"):
                added = set()  # the plugin hands these on as they are
            known = {*options, *added}
            found += [f"{name}: no option {key}" for key in given - known]
            found += [f"{name}: {key} comes from the plugin" for key in given & filled]
            found += [f"{name} misses {key}" for key in ((required - filled) | added) - given]
    return found


FILES = [
    name
    for name in tree.files()
    if name.endswith(".yml")
    and name.startswith(("ansible/", "roles/", "molecule/"))
    and "/meta/" not in name
]


@pytest.mark.parametrize("name", FILES)
def test_tasks_give_the_options_that_modules_know(name: str) -> None:
    assert wrong_options(tree.read_yaml(tree.ROOT / name), MODULES) == []


def test_every_module_of_ours_is_used() -> None:
    documents = [tree.read_yaml(tree.ROOT / name) for name in FILES]
    used = {key for document in documents for task in tasks(document) for key in task}
    assert {COLLECTION + path.stem for path in MODULES.glob("*.py")} <= used


def test_every_module_documents_itself() -> None:
    assert [path.name for path in MODULES.glob("*.py") if not documented(path)] == []


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({"a": 1}, 0),
        ({"a": 1, "b": 2}, 0),
        ({"a": 1, "c": 3}, 1),
        ({"b": 2}, 1),
    ],
)
def test_a_wrong_option_is_found(options: dict[str, int], count: int, tmp_path: Path) -> None:
    module = tmp_path / "classvm_x.py"
    module.write_text('DOCUMENTATION = "options: {a: {required: true}, b: {type: int}}"\n')
    document = [{"tasks": [{"block": [{COLLECTION + "classvm_x": options}]}]}]
    assert len(wrong_options(document, tmp_path)) == count


# A line break in an expression.
BREAK = re.compile(r"\{\{(?:(?!\}\}).)*\\n", re.DOTALL)


def literal_breaks(text: str) -> list[int]:
    """Return the lines with texts in which Ansible leaves a line break as two letters.

    It doubles the backslashes of an expression. In double quotes, YAML has read them before.
    """
    nodes = [yaml.compose(text)]
    found = []
    for node in nodes:
        if isinstance(node, yaml.ScalarNode) and BREAK.search(node.value):
            found.append(node.start_mark.line + 1)
        for child in node.value if isinstance(node, yaml.CollectionNode) else ():
            nodes += child if isinstance(child, tuple) else [child]
    return found


def test_a_line_break_is_one() -> None:
    paths = [*tree.ROOT.glob("ansible/*.yml"), *tree.ROOT.glob("roles/*/tasks/*.yml")]
    assert {str(path): lines for path in paths if (lines := literal_breaks(tree.read(path)))} == {}


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a: |-\n  {{ '\\n' ~ b }}\n", [1]),
        ("a: >-\n  x {{ b\n  | join('\\n') }}\n", [1]),
        ("a: 1\nb: [\"{{ '\\n' ~ b }}\"]\n", []),
        ("a: |-\n  {{ b }} printf '\\n'\n", []),
    ],
)
def test_two_letters_are_found(text: str, lines: list[int]) -> None:
    assert literal_breaks(text) == lines


# --- What a host was asked, it is not asked again with less ------------------------------------

ACCOUNT = "common_account"


def asks_again(playbook: list[dict[str, Any]]) -> bool:
    """Tell whether a play that knows more of a host replaces it by what its account may do."""
    knows = False
    for task in [task for play in playbook for task in tasks(play.get("pre_tasks", []))]:
        role = task.get("ansible.builtin.import_role") or task.get("ansible.builtin.include_role")
        is_account = role is not None and role.get("tasks_from") == "account"
        if knows and is_account and f"{ACCOUNT} is not defined" not in str(task.get("when")):
            return True
        knows = knows or task.get("register") == ACCOUNT
    return False


@pytest.mark.parametrize(
    "path", sorted((tree.ROOT / "ansible").glob("*.yml")), ids=lambda p: p.name
)
def test_no_play_forgets_what_it_has_asked(path: Path) -> None:
    assert not asks_again(tree.read_yaml(path))


def test_a_play_that_forgets_is_found() -> None:
    asked = {"classvm.kit.classvm_provisioned": {"state": "compared"}, "register": ACCOUNT}
    again = {"ansible.builtin.import_role": {"name": "common", "tasks_from": "account"}}
    assert asks_again([{"pre_tasks": [asked, again]}])
    assert not asks_again([{"pre_tasks": [again, asked]}])
    assert not asks_again([{"pre_tasks": [asked, {**again, "when": f"{ACCOUNT} is not defined"}]}])
