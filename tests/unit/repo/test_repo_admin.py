"""The inventory of the admin's guide, as its commands write it: hosts and settings are known."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import pytest
import tree
import yaml
from classvm.base.names import CLASS_VMS
from classvm.lab.simulated_vms import Machine
from e2e import guide
from plugin_loader import load_plugin

STEPS = guide.read(guide.ADMIN)
COMMANDS = "".join(step.commands for step in STEPS)
# What `make lab-up` writes, without the addresses.
HOSTS = ("vm-148-1", "vm-148-2")
LAB: Any = {"all": {"children": {CLASS_VMS: {"hosts": {host: {} for host in HOSTS}}}}}


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the inventory after all commands that need no hosts, as Ansible reads it."""
    folder = guide.linked(tmp_path_factory.mktemp("admin"))
    (folder / ".lab").mkdir()
    (folder / ".lab/inventory.yml").write_text(yaml.safe_dump(LAB))
    for step in STEPS:
        if not step.needs_machine:
            step.follow(folder, seconds=60)
    words = ["ansible-inventory", "--inventory", str(folder.parent / "class"), "--list"]
    listed = subprocess.run(words, cwd=tree.ROOT, capture_output=True, check=True, text=True)
    found: dict[str, Any] = json.loads(listed.stdout)
    return found


def of_host(inventory: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the variables that an inventory gives a host."""
    return dict(inventory["_meta"]["hostvars"].get(name, {}))


def settings(text: str) -> dict[str, str]:
    """Return the settings that some commands give to a run."""
    return dict(re.findall(r"-e ((?!ansible_)\w+)=([^\s\"]+)", text))


def test_the_hosts_are_in_the_class_and_in_their_sections(inventory: dict[str, Any]) -> None:
    assert set(inventory[CLASS_VMS]["children"]) == {"section_a", "section_b"}
    assert inventory["section_a"]["hosts"] == ["vm-148-1"]
    assert inventory["section_b"]["hosts"] == ["vm-148-2"]


def test_a_limit_names_a_host_or_a_group(inventory: dict[str, Any]) -> None:
    limits = set(re.findall(r" LIMIT=(\S+)", COMMANDS))
    assert limits
    assert limits <= {*HOSTS, *inventory}


def test_the_containers_are_those_of_the_lab() -> None:
    lab = settings(COMMANDS)["lab_name"]
    there = {Machine(host, "", CLASS_VMS, "", "").container(lab) for host in HOSTS}
    named = set(re.findall(r"^docker (?:stop|start) (\S+)", COMMANDS, re.MULTILINE))
    assert named
    assert named <= there


@pytest.mark.parametrize("host", HOSTS)
def test_the_settings_of_a_host_are_known(host: str, inventory: dict[str, Any]) -> None:
    known = load_plugin("action", "classvm_settings")
    given = {**of_host(inventory, host), **settings(COMMANDS)}
    assert given.keys() - known.options_of(tree.ROOT / "roles").keys() == set()
    assert known.check(given, [], tree.ROOT / "roles") == {"changed": False}


def test_each_setting_reaches_its_host_only(inventory: dict[str, Any]) -> None:
    assert of_host(inventory, "vm-148-1").keys() == {"docker_users"}
    assert of_host(inventory, "vm-148-2").keys() == {"service_memory"}


def test_a_setting_of_a_run_is_seen() -> None:
    assert settings('ARGS="-e lab_name=a -e ansible_user=b"') == {"lab_name": "a"}
