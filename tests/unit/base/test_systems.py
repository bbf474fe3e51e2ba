"""The supported systems have one home; what names them elsewhere says the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import tree
from classvm.base import systems
from classvm.lab import system_image

SUITES = {
    distribution: sorted(s.suite for s in systems.SUPPORTED if s.distribution == distribution)
    for distribution in systems.versions()
}


def test_the_text_for_people() -> None:
    assert systems.text() == "Debian 12 or 13, Ubuntu 22.04 or 24.04"


def test_the_names_of_a_system() -> None:
    system = systems.System("Ubuntu", "24.04", "noble")
    assert (system.name, system.major) == ("ubuntu-24.04", "Ubuntu 24")


def test_the_role_docker_knows_the_packages_of_each_system() -> None:
    known = tree.read_yaml(tree.ROOT / "roles/docker/vars/main.yml")["__docker_client_packages"]
    assert list(known) == [system.major for system in systems.SUPPORTED]


def test_the_lab_makes_each_system() -> None:
    made = {name: system.suite for name, system in system_image.SYSTEMS.items()}
    assert made == {system.name: system.suite for system in systems.SUPPORTED}


def test_the_fast_checks_run_on_each_system() -> None:
    scenario = tree.read_yaml(tree.ROOT / "molecule/systems/molecule.yml")
    made = [platform["system"] for platform in scenario["platforms"]]
    assert made == [system.name for system in systems.SUPPORTED]


ROLES = sorted((tree.ROOT / "roles").glob("*/meta/main.yml"))


@pytest.mark.parametrize("path", ROLES, ids=lambda path: path.parents[1].name)
def test_each_role_names_the_systems(path: Path) -> None:
    platforms = tree.read_yaml(path)["galaxy_info"]["platforms"]
    assert {one["name"]: sorted(one["versions"]) for one in platforms} == SUITES


@pytest.mark.parametrize("name", ["README.md", "tools/setup"])
def test_what_people_read_names_the_systems(name: str) -> None:
    assert systems.text() in told(tree.read(tree.ROOT / name))


def told(text: str) -> str:
    """Return a text on one line, with a list of systems as `systems.text` writes it."""
    return re.sub(r",? or (?=Ubuntu)", ", ", " ".join(text.split()))


def test_another_list_of_systems_is_seen() -> None:
    assert systems.text() in told("It needs Debian 12 or\n13, or Ubuntu 22.04 or 24.04.")
    assert systems.text() not in told("It needs Debian 12, or Ubuntu 22.04 or 24.04.")
