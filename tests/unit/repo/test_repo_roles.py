"""Every role has the same skeleton, and its argument_specs are the truth about its variables."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import role_readmes
import tree
import yaml

ROLES = sorted(path.name for path in (tree.ROOT / "roles").iterdir() if path.is_dir())
PHASE_LINES = 100
# The order in which a role does its work; a role leaves out what it does not need.
PHASES = ["preflight.yml", "install.yml", "configure.yml", "run.yml"]
# What these roles install stays: other things on the host may depend on it.
WITHOUT_ABSENT = {"docker"}
# What a role hands to the playbook; its README describes it.
PUBLISHED = {
    "service_image_built",
    "service_live",
    "service_removed",
    "common_account",
    "lab_started",
    "lab_removed",
}
# Whose settings bear the names of what they describe, because users set them.
SHARED = "common"
PLAYBOOKS = sorted((tree.ROOT / "ansible").glob("*.yml"))
TYPES: dict[str, type | tuple[type, ...]] = {
    "str": str,
    "path": str,
    "int": int,
    "float": (int, float),
    "bool": bool,
    "list": list,
    "dict": dict,
}


def load(path: Path) -> Any:
    """Return what a YAML file holds; {} where there is none."""
    return (tree.read_yaml(path) if path.exists() else None) or {}


def contradictions(options: dict[str, dict[str, Any]], defaults: dict[str, Any]) -> list[str]:
    """Return where argument_specs and defaults/main.yml say different things."""
    found = [f"{name}: not in argument_specs" for name in defaults.keys() - options.keys()]
    for name, option in options.items():
        if option.get("required"):
            if "default" in option or name in defaults:
                found.append(f"{name}: required, and yet it has a default")
        elif "default" not in option or name not in defaults:
            found.append(f"{name}: not required, so it needs a default in both files")
        elif option["default"] != defaults[name]:
            found.append(f"{name}: {option['default']!r} is {defaults[name]!r} in defaults")
        elif is_template(defaults[name]):
            continue  # Ansible validates what comes of it
        elif not isinstance(defaults[name], TYPES[option["type"]]):
            found.append(f"{name}: {defaults[name]!r} is no {option['type']}")
    return found


def is_template(value: object) -> bool:
    """Tell whether a value is an expression for Ansible to resolve."""
    return isinstance(value, str) and value.startswith("{{") and value.endswith("}}")


def missing_parts(role: Path) -> list[str]:
    """Return which parts of the skeleton a role lacks, and what is wrong with its phases."""
    wanted = ["README.md", "meta/main.yml", "meta/argument_specs.yml", "tasks/main.yml"]
    if role.name not in WITHOUT_ABSENT:
        wanted.append("tasks/absent.yml")
    found = [f"{name} is missing" for name in wanted if not (role / name).is_file()]
    entries = set(load(role / "meta/argument_specs.yml").get("argument_specs", {}))
    found += [
        f"argument_specs has `{entry}`, tasks/ has not"
        for entry in sorted(entries)
        if not (role / f"tasks/{entry}.yml").is_file()
    ]
    if "absent" not in entries and role.name not in WITHOUT_ABSENT:
        found.append("argument_specs has no `absent`")
    phases = [task for task in load(role / "tasks/main.yml") or [] if isinstance(task, dict)]
    files = [task.get("ansible.builtin.import_tasks", "") for task in phases]
    for task, file in zip(phases, files, strict=True):
        if file not in PHASES or not (role / "tasks" / file).is_file():
            found.append(f"tasks/main.yml does more than import its phases: {task}")
            continue
        found += [
            f"tasks/main.yml: {file} has `{word}`"
            for word in task.keys() - {"name", "when", "ansible.builtin.import_tasks"}
        ]
    if not found and files != sorted(files, key=PHASES.index):
        found.append(f"tasks/main.yml has its phases in the order {files}")
    for path in sorted((role / "tasks").glob("*.yml")):
        count = len(path.read_text(encoding="utf-8").splitlines())
        if count >= PHASE_LINES:
            found.append(f"tasks/{path.name} has {count} lines, {PHASE_LINES - 1} are allowed")
    return found


def strange_names(role: Path) -> list[str]:
    """Return the variables of a role that bear neither its prefix nor that of its internals.

    Ansible's own variables, such as the password to become root, keep their names.
    """
    public, internal = f"{role.name}_", f"__{role.name}_"
    options = role_readmes.options_of(role)
    found = [name for name in options if not name.startswith(public) and role.name != SHARED]
    for path in sorted((role / "tasks").glob("*.yml")):
        for task in load(path):
            made = [task.get("register"), *({} if includes(task) else task.get("vars", {}))]
            made += [*task.get("ansible.builtin.set_fact", {})]
            found += [
                name
                for name in made
                if name and not name.startswith((internal, "ansible_")) and name not in PUBLISHED
            ]
    return found


def includes(task: dict[str, Any]) -> str:
    """Return the name of the role that a task includes; "" for any other task."""
    role = task.get("ansible.builtin.include_role") or task.get("ansible.builtin.import_role") or {}
    return str(role.get("name", ""))


def foreign_variables(role: Path, roles: list[str]) -> list[str]:
    """Return the variables of other roles that a role reads; the playbook should hand them on."""
    own = set(role_readmes.options_of(role)) | PUBLISHED
    others = {
        name
        for other in roles
        if other != role.name
        for name in role_readmes.options_of(role.parent / other)
    }
    read = set()
    for path in (role / "tasks").glob("*.yml"):
        for task in load(path):
            # What a role hands to another one that it includes bears the other one's name.
            given = task.get("vars", {}) if includes(task) else {}
            kept = {key: value for key, value in task.items() if key != "vars" or not given}
            text = yaml.safe_dump([kept, list(given.values())])
            read |= set(re.findall(r"\b[a-z_]+\b", text)) - {includes(task)}
    return sorted(read & (others - own - {role.name}))


def test_there_are_roles() -> None:
    assert {"common", "docker", "firewall", "base_image", "service_image", "service"} <= set(ROLES)


@pytest.mark.parametrize("role", ROLES)
def test_the_defaults_are_those_of_the_specs(role: str) -> None:
    folder = tree.ROOT / "roles" / role
    options = role_readmes.options_of(folder)
    assert contradictions(options, load(folder / "defaults/main.yml")) == []


@pytest.mark.parametrize(
    ("option", "defaults"),
    [
        pytest.param({"type": "int", "default": 1}, {"a": 2}, id="another value"),
        pytest.param({"type": "int", "default": 1}, {}, id="no default"),
        pytest.param({"type": "int"}, {"a": 1}, id="no default in the specs"),
        pytest.param({"type": "int"}, {}, id="neither required nor with a default"),
        pytest.param({"type": "int", "required": True}, {"a": 1}, id="required with a default"),
        pytest.param({"type": "str", "default": 1}, {"a": 1}, id="another type"),
        pytest.param({"type": "int", "default": 1}, {"a": 1, "b": 2}, id="not in the specs"),
    ],
)
def test_a_contradiction_is_found(option: dict[str, Any], defaults: dict[str, Any]) -> None:
    assert len(contradictions({"a": option}, defaults)) == 1


@pytest.mark.parametrize("role", ROLES)
def test_a_role_has_the_skeleton(role: str) -> None:
    assert missing_parts(tree.ROOT / "roles" / role) == []


def make_role(folder: Path, main: str, phase: str, options: str = "{}") -> Path:
    """Write a role named `x` with one phase and return its folder."""
    role = folder / "x"
    (role / "tasks").mkdir(parents=True)
    (role / "meta").mkdir()
    (role / "README.md").touch()
    (role / "meta/main.yml").touch()
    (role / "tasks/absent.yml").write_text("[]")
    specs = f"argument_specs: {{main: {{options: {options}}}, absent: {{}}}}"
    (role / "meta/argument_specs.yml").write_text(specs)
    (role / "tasks/main.yml").write_text(main)
    (role / "tasks/run.yml").write_text(phase)
    return role


IMPORT = "- {ansible.builtin.import_tasks: run.yml}\n"
TASK = "- {ansible.builtin.command: 'true', register: __x_done}\n"


def test_a_good_role_passes(tmp_path: Path) -> None:
    role = make_role(tmp_path, IMPORT, TASK)
    assert missing_parts(role) + strange_names(role) == []


@pytest.mark.parametrize(
    ("main", "phase"),
    [
        pytest.param(IMPORT + TASK.replace(", register: __x_done", ""), TASK, id="work in main"),
        pytest.param(IMPORT.replace("}", ", tags: [x]}"), TASK, id="a tag"),
        pytest.param(IMPORT.replace("run.yml", "go.yml"), TASK, id="no such phase"),
        pytest.param(IMPORT.replace("run.yml", "install.yml"), TASK, id="a phase without a file"),
        pytest.param(IMPORT.replace("}", ", become: true}"), TASK, id="more than an import"),
        pytest.param(IMPORT, TASK * PHASE_LINES, id="a long phase"),
    ],
)
def test_a_flaw_of_the_skeleton_is_found(main: str, phase: str, tmp_path: Path) -> None:
    assert len(missing_parts(make_role(tmp_path, main, phase))) == 1


def test_phases_in_another_order_are_found(tmp_path: Path) -> None:
    role = make_role(tmp_path, IMPORT + IMPORT.replace("run", "install"), TASK)
    (role / "tasks/install.yml").write_text(TASK)
    assert len(missing_parts(role)) == 1


def test_a_missing_teardown_is_found(tmp_path: Path) -> None:
    role = make_role(tmp_path, IMPORT, TASK)
    (role / "tasks/absent.yml").unlink()
    assert missing_parts(role) == [
        "tasks/absent.yml is missing",
        "argument_specs has `absent`, tasks/ has not",
    ]
    (role / "tasks/absent.yml").write_text("[]")
    (role / "meta/argument_specs.yml").write_text("argument_specs: {main: {}}")
    assert missing_parts(role) == ["argument_specs has no `absent`"]


def test_reset_removes_what_each_role_made() -> None:
    (play,) = tree.read_yaml(tree.ROOT / "ansible/reset.yml")
    included = [task.get("ansible.builtin.import_role", {}) for task in play["tasks"]]
    removed = {role["name"] for role in included if role.get("tasks_from") == "absent"}
    # The lab is on the control node, and `make lab-down` removes it.
    assert removed == set(ROLES) - WITHOUT_ABSENT - {"lab"}


def test_a_missing_readme_is_found(tmp_path: Path) -> None:
    role = make_role(tmp_path, IMPORT, TASK)
    (role / "README.md").unlink()
    assert missing_parts(role) == ["README.md is missing"]


@pytest.mark.parametrize("role", ROLES)
def test_variables_bear_the_prefix_of_their_role(role: str) -> None:
    assert strange_names(tree.ROOT / "roles" / role) == []


@pytest.mark.parametrize(
    ("phase", "options"),
    [
        (TASK, "{y_port: {type: int}}"),
        (TASK.replace("__x_done", "done"), "{}"),
        (TASK.replace("__x_done", "x_done"), "{}"),
        ("- {ansible.builtin.set_fact: {fact: 1}}", "{}"),
        ("- {ansible.builtin.debug: {}, vars: {shown: 1}}", "{}"),
    ],
)
def test_a_strange_name_is_found(phase: str, options: str, tmp_path: Path) -> None:
    assert len(strange_names(make_role(tmp_path, IMPORT, phase, options))) == 1


@pytest.mark.parametrize("role", ROLES)
def test_no_role_reads_a_variable_of_another(role: str) -> None:
    assert foreign_variables(tree.ROOT / "roles" / role, ROLES) == []


def test_a_foreign_variable_is_found(tmp_path: Path) -> None:
    role = make_role(tmp_path, IMPORT, "- {ansible.builtin.debug: {var: y_port}}")
    other = tmp_path / "y" / "meta"
    other.mkdir(parents=True)
    specs = {"argument_specs": {"main": {"options": {"y_port": {"type": "int"}}}}}
    (other / "argument_specs.yml").write_text(yaml.safe_dump(specs))
    assert foreign_variables(role, ["x", "y"]) == ["y_port"]


def test_a_variable_for_an_included_role_is_not_foreign(tmp_path: Path) -> None:
    include = "{ansible.builtin.include_role: {name: y}, vars: {y_port: '{{ x_port }}'}}"
    role = make_role(tmp_path, IMPORT, f"- {include}")
    specs = tmp_path / "y/meta/argument_specs.yml"
    specs.parent.mkdir(parents=True)
    specs.write_text("argument_specs: {main: {options: {y: {type: str}, y_port: {type: int}}}}")
    assert foreign_variables(role, ["x", "y"]) == []
    assert strange_names(role) == []


# --- What a play sets, no inventory can change


def overruled(play: dict[str, Any], options: dict[str, dict[str, Any]]) -> list[str]:
    """Return the settings that a play decides itself, so that no inventory can.

    A play may hand a role its required inputs. An option with a default is a setting of the user;
    a play may give it only what a task before has found out.
    """
    found = []
    for name, value in (play.get("vars") or {}).items():
        is_setting = not options.get(name, {"required": True}).get("required")
        if is_setting and not PUBLISHED & set(re.findall(r"\w+", str(value))):
            found.append(name)
    return found


def all_options() -> dict[str, dict[str, Any]]:
    """Return the options of all roles; a setting of one role stays one beside other roles."""
    found: dict[str, dict[str, Any]] = {}
    for role in ROLES:
        for name, option in role_readmes.options_of(tree.ROOT / "roles" / role).items():
            if name not in found or found[name].get("required"):
                found[name] = option
    return found


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.stem)
def test_no_play_overrules_the_inventory(path: Path) -> None:
    options = all_options()
    assert [name for play in tree.read_yaml(path) for name in overruled(play, options)] == []


@pytest.mark.parametrize(
    ("value", "options", "found"),
    [
        ("{{ y }}", {"x": {"default": 1}}, ["x"]),
        ("{{ y }}", {"x": {"required": True}}, []),
        ("{{ service_image_built.release }}", {"x": {"default": 1}}, []),
        ("{{ y }}", {}, []),
    ],
)
def test_a_play_that_overrules_is_found(
    value: str,
    options: dict[str, dict[str, Any]],
    found: list[str],
) -> None:
    assert overruled({"vars": {"x": value}}, options) == found


def test_no_group_variables_lie_beside_the_playbooks() -> None:
    """They would outrank the group variables of an inventory file."""
    beside = [name for name in tree.files() if re.match(r"ansible/(group|host)_vars/", name)]
    assert beside == []


def tags(node: Any) -> list[Any]:
    """Return the tags of all tasks and plays in a document."""
    if isinstance(node, list):
        return [tag for one in node for tag in tags(one)]
    if not isinstance(node, dict):
        return []
    found = [node["tags"]] if "tags" in node else []
    return found + [tag for one in node.values() for tag in tags(one)]


TASK_FILES = [
    name for name in tree.files() if re.match(r"(ansible|roles/\w+/tasks)/\w+\.yml", name)
]


@pytest.mark.parametrize("name", TASK_FILES)
def test_there_are_no_tags(name: str) -> None:
    """A task needs what those before it found out, so a part of a playbook cannot run alone."""
    assert tags(tree.read_yaml(tree.ROOT / name)) == []


def test_a_tag_is_found() -> None:
    assert tags([{"tasks": [{"block": [{"tags": ["a"]}]}], "tags": "b"}]) == ["b", ["a"]]


# --- The examples of the READMEs


def wrong_example(name: str, readme: str, options: dict[str, dict[str, Any]], own: set[str]) -> str:
    """Return why the example of a README would not run from the collection; "" if it would.

    Args:
        name: the role's name.
        readme: the text of its README.
        options: the options of all roles.
        own: the required options of the role.

    """
    found = re.search(r"^```yaml\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)
    if not found:
        return "there is no example"
    (play,) = yaml.safe_load(found[1])
    used = [role for role in play.get("roles", []) if role["role"] == f"classvm.kit.{name}"]
    used += [task for task in play.get("tasks", []) if includes(task) == f"classvm.kit.{name}"]
    if not used:
        return f"the example does not use classvm.kit.{name}"
    given = {key for key in used[0] if "." not in key} - {"role", "name"}
    wrong = sorted(own - given) + sorted(given - options.keys())
    return f"missing or unknown: {', '.join(wrong)}" if wrong else ""


@pytest.mark.parametrize("role", ROLES)
def test_the_example_of_a_readme_gives_what_the_role_needs(role: str) -> None:
    folder = tree.ROOT / "roles" / role
    required = {
        name for name, option in role_readmes.options_of(folder).items() if option.get("required")
    }
    readme = tree.read(folder / "README.md")
    assert wrong_example(role, readme, all_options(), required) == ""


@pytest.mark.parametrize(
    ("roles", "reason"),
    [
        ("[{role: classvm.kit.x, x_a: 1}]", ""),
        ("[{role: x, x_a: 1}]", "does not use"),
        ("[{role: classvm.kit.x}]", "x_a"),
        ("[{role: classvm.kit.x, x_a: 1, x_b: 2}]", "x_b"),
    ],
)
def test_a_wrong_example_is_found(roles: str, reason: str) -> None:
    readme = f"# x\n\n```yaml\n- hosts: all\n  roles: {roles}\n```\n"
    found = wrong_example("x", readme, {"x_a": {}}, {"x_a"})
    assert reason in found
    assert bool(found) == bool(reason)


# --- The tables of the READMEs


def test_the_tables_of_the_readmes_are_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert role_readmes.main(["--check"]) == 0, "".join(capsys.readouterr())


def sample(root: Path, readme: str) -> Path:
    """Write a repository with one role and return its README."""
    role = make_role(
        root / "roles",
        IMPORT,
        TASK,
        "{x_mode: {type: str, choices: [a, 'b|c'], default: a, description: 'How.'},"
        " x_ports: {type: list, elements: int, required: true, description: 'Which.'}}",
    )
    (role / "README.md").write_text(readme)
    return role / "README.md"


MARKED = f"# x\n\n{role_readmes.BEGIN}\n{role_readmes.END}\n\nMore.\n"


def test_a_stale_table_fails_with_a_diff_and_the_repair(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    readme = sample(tmp_path, MARKED)
    assert role_readmes.main(["--check"], tmp_path) == 1
    shown = capsys.readouterr()
    assert "+| `x_mode` | str | `a` | How. Choices: `a`, `b\\|c`. |" in shown.out
    assert "+| `x_ports` | list of int | **required** | Which. |" in shown.out
    assert role_readmes.REPAIR in shown.err
    assert readme.read_text() == MARKED


def test_the_repair_repairs_and_leaves_the_rest_alone(tmp_path: Path) -> None:
    readme = sample(tmp_path, MARKED)
    assert role_readmes.main([], tmp_path) == 0
    assert role_readmes.main(["--check"], tmp_path) == 0
    assert readme.read_text().startswith("# x\n\n")
    assert readme.read_text().endswith("\n\nMore.\n")


@pytest.mark.parametrize(
    "readme",
    ["", role_readmes.BEGIN, role_readmes.END, f"{role_readmes.END}\n{MARKED}", MARKED * 2],
)
def test_a_readme_without_its_markers_is_refused(
    readme: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sample(tmp_path, readme)
    assert role_readmes.main([], tmp_path) == 1
    assert "roles/x/README.md" in capsys.readouterr().err


def test_the_repair_command_is_a_program() -> None:
    _, program = role_readmes.REPAIR.split()
    assert (tree.ROOT / program).is_file()


# --- conditions ---------------------------------------------------------------------------------


def bare_conditions(node: Any, names: set[str]) -> list[str]:
    """Return the conditions that would refuse a text such as `-e NAME=false` of a true or false."""
    if isinstance(node, list):
        return [found for one in node for found in bare_conditions(one, names)]
    if not isinstance(node, dict):
        return []
    conditions = node.get("when", [])
    listed = conditions if isinstance(conditions, list) else [conditions]
    found = [
        str(one)
        for one in listed
        for word in re.findall(r"\b\w+\b(?! *\| *bool\b)", str(one))
        if word in names
    ]
    return found + [inner for one in node.values() for inner in bare_conditions(one, names)]


TRUE_OR_FALSE = {
    name
    for role in ROLES
    for entry in load(tree.ROOT / "roles" / role / "meta/argument_specs.yml")[
        "argument_specs"
    ].values()
    for name, option in (entry.get("options") or {}).items()
    if option.get("type") == "bool"
}


@pytest.mark.parametrize("name", TASK_FILES)
def test_a_condition_takes_true_and_false_as_texts(name: str) -> None:
    assert bare_conditions(tree.read_yaml(tree.ROOT / name), TRUE_OR_FALSE) == []


@pytest.mark.parametrize(
    ("condition", "is_bare"),
    [("x_on | bool", False), ("x_on", True), (["y", "not x_on"], True), ("a_x_on", False)],
)
def test_a_condition_on_a_text_is_found(condition: Any, is_bare: bool) -> None:
    assert bool(bare_conditions([{"block": [{"when": condition}]}], {"x_on"})) is is_bare
