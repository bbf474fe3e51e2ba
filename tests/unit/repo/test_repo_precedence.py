"""Whatever an inventory says outranks the project's own values: for a host, a group or a run."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import tree
import yaml

if TYPE_CHECKING:
    from pathlib import Path

SETTING = "service_memory"
# One variable of each kind: of the role `common`, of another role, and one that others are made of.
GIVEN: dict[str, Any] = {
    "service_strategy": "blue_green",
    "service_memory": "300m",
    "service_host_port": 12345,
    "docker_package": "docker-ce",
}
DERIVED = {"host_open_tcp": [12345], "firewall_open_tcp": [12345], "edge_strategy": "blue_green"}


def provision_play() -> list[dict[str, Any]]:
    """Return the provision's play with its variables and roles, which only prints them."""
    (play,) = tree.read_yaml(tree.ROOT / "ansible/provision.yml")
    names = [*GIVEN, *DERIVED]
    shown = {name: f"{{{{ {name} }}}}" for name in names}
    roles = [path.parents[1].name for path in sorted(tree.ROOT.glob("roles/*/defaults/main.yml"))]
    return [
        {
            "hosts": "all",
            "gather_facts": False,
            "vars": play["vars"],
            "tasks": [
                {"ansible.builtin.debug": {"msg": shown}},
                {"ansible.builtin.meta": "end_play"},
                *({"ansible.builtin.import_role": {"name": role}} for role in roles),
            ],
        },
    ]


def resolved(folder: Path, inventory: Path, *options: str) -> dict[str, dict[str, Any]]:
    """Return the variables of each host, as Ansible resolves them in a play of ours."""
    playbook = folder / "play.json"
    playbook.write_text(json.dumps(provision_play()))
    done = subprocess.run(
        ["ansible-playbook", str(playbook), "--inventory", str(inventory), *options],
        cwd=tree.ROOT,
        env={
            **os.environ,
            "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1",
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    said, _ = json.JSONDecoder().raw_decode(done.stdout.lstrip())
    hosts = said["plays"][0]["tasks"][0]["hosts"]
    return {host: answer["msg"] for host, answer in hosts.items()}


def write_inventory(folder: Path, *, at_group: bool) -> Path:
    """Write an inventory in which section_b, or its one host, has settings, and return its file."""
    host: dict[str, Any] = {"ansible_connection": "local"}
    section: dict[str, Any] = {"hosts": {"b": {**host, **({} if at_group else GIVEN)}}}
    if at_group:
        section["vars"] = GIVEN
    groups = {"section_a": {"hosts": {"a": host}}, "section_b": section}
    file = folder / "class.yml"
    file.write_text(yaml.safe_dump({"all": {"children": {"class_vms": {"children": groups}}}}))
    return file


@pytest.mark.parametrize("at_group", [True, False], ids=["group", "host"])
def test_the_inventory_decides(tmp_path: Path, *, at_group: bool) -> None:
    found = resolved(tmp_path, write_inventory(tmp_path, at_group=at_group))
    assert found["b"] == GIVEN | DERIVED
    # The other section keeps each default.
    assert all(found["a"][name] != value for name, value in (GIVEN | DERIVED).items())


def test_a_folder_of_group_variables_beside_the_inventory_decides(tmp_path: Path) -> None:
    inventory = write_inventory(tmp_path, at_group=False)
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars/section_a.yml").write_text(yaml.safe_dump(GIVEN))
    assert resolved(tmp_path, inventory)["a"] == GIVEN | DERIVED


def test_a_run_decides_over_the_inventory(tmp_path: Path) -> None:
    inventory = write_inventory(tmp_path, at_group=True)
    found = resolved(tmp_path, inventory, "--extra-vars", json.dumps({SETTING: "200m"}))
    assert [found[host][SETTING] for host in "ab"] == ["200m", "200m"]
