"""What a host should be, as the verification reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tree
import yaml
from classvm.base import systems
from classvm.base.docker import Image
from infra.expected import (
    Facts,
    FactsError,
    in_inventory,
    overruled,
    read,
    settings,
    supported_systems,
)

BASE = Image(id="1", labels={}, size=1, layers=("2",))


def test_the_settings_are_those_of_all_roles() -> None:
    assert {"service_name", "docker_package", "edge_slots"} <= set(settings())


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({"service_memory": "1g"}, ["service_memory"]),
        ({"service_memory": "512m"}, []),
        ({"service_memory": "{{ memory }}"}, []),
        ({"ansible_host": "other"}, []),
        ({}, []),
    ],
)
def test_a_setting_that_is_overruled_is_found(said: dict[str, Any], found: list[str]) -> None:
    facts = Facts("a", {"service_memory": "512m", "ansible_host": "a"})
    assert overruled(said, facts) == found


def test_the_variables_of_a_group_are_read_and_in_effect(tmp_path: Path) -> None:
    file = tmp_path / "class.yml"
    section = {"vars": {"service_memory": "300m"}, "hosts": {"a": {"ansible_connection": "local"}}}
    file.write_text(yaml.safe_dump({"all": {"children": {"section_b": section}}}))
    said = in_inventory(str(file), "a")
    facts = read(str(file), [])["a"]
    assert said["service_memory"] == facts["service_memory"] == "300m"
    assert overruled(said, facts) == []


def test_an_inventory_that_is_absent_is_told(tmp_path: Path) -> None:
    with pytest.raises(FactsError):
        in_inventory(str(tmp_path / "absent.yml"), "a")


def test_the_supported_systems_have_one_home() -> None:
    assert supported_systems() == [system.major for system in systems.SUPPORTED]


def facts_of(folder: Path) -> Facts:
    ports = {"service_host_port": 4321, "service_container_port": 4322}
    return Facts(
        "a", {"service_dir": folder, "service_name": "lab", "base_image_name": "b", **ports}
    )


def test_an_app_of_any_layout_has_the_recipe_of_its_deploy(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import flask\n\napp = flask.Flask(__name__)\n")
    (tmp_path / "requirements.txt").write_text("flask==2.2.5\n")
    facts = facts_of(tmp_path)
    recipe = facts.recipe(BASE)
    assert not facts.is_sealed
    assert recipe.lock
    assert (recipe.content, recipe.source_digest) == (
        facts.source.packed.content,
        facts.source.packed.digest,
    )
    sealed = facts_of(tree.ROOT / "service")
    assert sealed.is_sealed
    assert sealed.recipe(BASE).lock == ""
