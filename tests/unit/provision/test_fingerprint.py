"""The fingerprint follows the references from the playbook, in this tree and when installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from classvm.provision import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[3]
COLLECTION = ROOT / "ansible/collections/ansible_collections/classvm/kit"
PLAYBOOK = ROOT / "ansible/provision.yml"
# A third of this on a machine at rest.
SECONDS = 0.05


def load(text: str) -> Any:
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - one of the safe loaders


USED = fingerprint.closure(PLAYBOOK, COLLECTION, load)


def take(playbook: Path, collection: Path, variables: dict[str, Any] | None = None) -> str:
    used = fingerprint.closure(playbook, collection, load)
    return fingerprint.fingerprint(used, variables or {})


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a collection as it is installed, without symbolic links, beside the playbook."""
    folder = tmp_path_factory.mktemp("installed")
    kit = folder / "ansible_collections/classvm/kit"
    for part in ("roles", "plugins"):
        shutil.copytree(COLLECTION / part, kit / part)
    shutil.copy(PLAYBOOK, folder)
    return kit


def touch(file: Path) -> str:
    """Append an empty line to a file, and return its former text."""
    former = file.read_bytes()
    file.write_bytes(former + b"\n")
    return former.decode("latin-1")


# --- This tree ----------------------------------------------------------------------------------


def test_an_installed_collection_has_the_fingerprint_of_this_tree(installed: Path) -> None:
    assert take(installed.parents[2] / PLAYBOOK.name, installed) == take(PLAYBOOK, COLLECTION)


@pytest.mark.parametrize("name", sorted(map(USED.name_of, USED.files)))
def test_each_file_that_is_used_counts(name: str, installed: Path) -> None:
    playbook = installed.parents[2] / PLAYBOOK.name
    file = playbook if name == PLAYBOOK.name else installed / name
    before = take(playbook, installed)
    former = touch(file)
    changed = take(playbook, installed)
    file.write_bytes(former.encode("latin-1"))
    assert changed != before
    assert take(playbook, installed) == before


@pytest.mark.parametrize(
    "name",
    [
        "plugins/module_utils/classvm/release/swap.py",
        "plugins/module_utils/classvm/contract/checker.py",
        "plugins/modules/classvm_release.py",
        "roles/service/tasks/main.yml",
        "roles/common/defaults/main.yml",
        "roles/docker/README.md",
    ],
)
def test_a_file_that_only_the_release_uses_does_not_count(name: str, installed: Path) -> None:
    playbook = installed.parents[2] / PLAYBOOK.name
    before = take(playbook, installed)
    former = touch(installed / name)
    assert take(playbook, installed) == before
    (installed / name).write_bytes(former.encode("latin-1"))


def test_the_roles_are_those_that_the_tasks_import() -> None:
    assert USED.roles == {"docker", "firewall", "base_image", "program", "students", "edge"}


def test_python_loads_no_module_that_does_not_count() -> None:
    utils = COLLECTION / "plugins/module_utils"
    used = [path for path in USED.files if utils in path.parents]
    names = [".".join(path.relative_to(utils).with_suffix("").parts) for path in used]
    script = "import importlib, sys\nsys.path.insert(0, sys.argv[1])\n"
    script += "for name in sys.argv[2:]: importlib.import_module(name)\n"
    script += "print(*(m.__file__ for n, m in sys.modules.items() if n.startswith('classvm.')))"
    listed = subprocess.run(
        [sys.executable, "-c", script, str(utils), *names],
        check=True,
        capture_output=True,
        text=True,
    )
    assert set(map(Path, listed.stdout.split())) == set(used)


def test_it_is_quick() -> None:
    def seconds() -> float:
        began = time.process_time()
        take(PLAYBOOK, COLLECTION)
        return time.process_time() - began

    # The best of some: other tests run beside this one.
    assert min(seconds() for _ in range(5)) < SECONDS


# --- How references are followed -----------------------------------------------------------------


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    """Return a small collection: one playbook, some roles, a module with its imports."""
    kit = tmp_path / "acme" / "kit"
    files = {
        "roles/first/tasks/main.yml": "- import_tasks: run.yml\n",
        "roles/first/tasks/run.yml": "- acme.kit.guard: {}\n",
        "roles/first/meta/main.yml": "dependencies: [second, {role: third}]\n",
        "roles/second/tasks/main.yml": "- include_role: {name: acme.kit.fourth}\n",
        "roles/third/tasks/main.yml": "[]\n",
        "roles/fourth/defaults/main.yml": "a: \"{{ lookup('acme.kit.look') }}\"\n",
        "roles/other/tasks/main.yml": "- acme.kit.other: {}\n",
        "plugins/modules/guard.py": "from ..module_utils.acme.base import (\n one,\n Two,\n)\n",
        "plugins/modules/other.py": "",
        "plugins/lookup/look.py": "def f():\n    from ..module_utils.acme.late import x\n",
        "plugins/module_utils/acme/__init__.py": "",
        "plugins/module_utils/acme/base/__init__.py": "",
        "plugins/module_utils/acme/base/one.py": "from . import three\nfrom .three import x\n",
        "plugins/module_utils/acme/base/three.py": "import json\n",
        "plugins/module_utils/acme/base/unused.py": "",
        "plugins/module_utils/acme/late.py": "",
    }
    for name, text in files.items():
        (kit / name).parent.mkdir(parents=True, exist_ok=True)
        (kit / name).write_text(text)
    return kit


def used(kit: Path, playbook: str) -> fingerprint.Closure:
    path = kit / "site.yml"
    path.write_text(playbook)
    return fingerprint.closure(path, kit, load)


IMPORTED = (
    "- hosts: all\n  tasks:\n    - block:\n        - ansible.builtin.import_role: {name: first}\n"
)


@pytest.mark.parametrize(
    "playbook",
    [IMPORTED, "- hosts: all\n  roles: [first]\n", "- hosts: all\n  roles: [{role: first}]\n"],
    ids=["import_role in a block", "roles by name", "roles with options"],
)
def test_references_are_followed_through_all_kinds(kit: Path, playbook: str) -> None:
    found = used(kit, playbook)
    assert found.roles == {"first", "second", "third", "fourth"}
    every = {path for path in kit.rglob("*") if path.is_file()}
    unused = {path.relative_to(kit).as_posix() for path in every - found.files}
    assert unused == {
        "roles/other/tasks/main.yml",
        "plugins/modules/other.py",
        "plugins/module_utils/acme/base/unused.py",
    }


def test_what_only_looks_does_not_count(kit: Path) -> None:
    found = used(kit, "- hosts: all\n  pre_tasks:\n    - import_role: {name: first}\n")
    assert found.roles == set()


def test_of_a_role_with_tasks_from_only_that_file_counts(kit: Path) -> None:
    task = "{import_role: {name: other, tasks_from: main}}"
    found = used(kit, f"- hosts: all\n  tasks: [{task}]\n")
    assert found.roles == set()
    assert found.files == {
        kit / "site.yml",
        kit / "roles/other/tasks/main.yml",
        kit / "plugins/modules/other.py",
    }


def test_imported_playbooks_and_task_files_count(kit: Path) -> None:
    (kit / "more.yml").write_text("- hosts: all\n  tasks: [{include_tasks: {file: extra.yml}}]\n")
    (kit / "extra.yml").write_text("- import_role: {name: other}\n")
    found = used(kit, "- ansible.builtin.import_playbook: more.yml\n")
    assert found.roles == {"other"}
    assert {kit / "more.yml", kit / "extra.yml", kit / "plugins/modules/other.py"} <= found.files


# --- The digest ----------------------------------------------------------------------------------


def run_of(kit: Path) -> Path:
    return kit / "roles/first/tasks/run.yml"


@pytest.mark.parametrize(
    "change",
    [
        lambda kit: run_of(kit).write_text("- name: Other\n"),
        lambda kit: run_of(kit).with_name("new.yml").write_text(""),
        lambda kit: run_of(kit).unlink(),
        lambda kit: run_of(kit).rename(run_of(kit).with_name("go.yml")),
        lambda kit: run_of(kit).rename(kit / "roles/first/run.yml"),
    ],
    ids=["content", "one more", "one less", "name", "folder"],
)
def test_the_fingerprint_changes_with_files(change: Callable[[Path], object], kit: Path) -> None:
    before = fingerprint.fingerprint(used(kit, IMPORTED), {})
    change(kit)
    assert fingerprint.fingerprint(used(kit, IMPORTED), {}) != before


def test_the_fingerprint_changes_with_variables(kit: Path) -> None:
    variables: list[dict[str, Any]] = [
        {},
        {"docker_a": 1},
        {"docker_a": 2},
        {"docker_b": 1},
        {"docker_a": {"b": 1}},
        {"docker_a": Path("/a")},
        {"docker_a": Path("/b")},
    ]
    closure = used(kit, IMPORTED)
    assert len({fingerprint.fingerprint(closure, each) for each in variables}) == len(variables)
    one, other = (fingerprint.fingerprint(closure, {"a": 1, "b": 2}) for _ in range(2))
    assert one == other == fingerprint.fingerprint(closure, {"b": 2, "a": 1})


def test_compiled_files_do_not_count(kit: Path) -> None:
    before = fingerprint.fingerprint(used(kit, IMPORTED), {})
    (kit / "roles/first/__pycache__").mkdir()
    (kit / "roles/first/__pycache__/x.pyc").write_bytes(b"\0")
    assert fingerprint.fingerprint(used(kit, IMPORTED), {}) == before
