from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from classvm.release import settings

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS: dict[str, dict[str, Any]] = {
    "service_memory": {"type": "str"},
    "service_tmpfs_size": {"type": "str"},
    "service_strategy": {"type": "str", "choices": ["recreate", "blue_green"]},
    "service_name": {"type": "str"},
    "base_image_name": {"type": "str"},
    "service_host_port": {"type": "int"},
    "service_keep_releases": {"type": "int"},
    "service_pids": {"type": "int"},
    "service_health_timeout": {"type": "int"},
    "service_environment": {"type": "dict"},
    "service_state": {"type": "str"},
    "docker_users": {"type": "list"},
    "students": {"type": "list"},
    "host_open_tcp": {"type": "list"},
    "lab_ships_base_image": {"type": "bool"},
    "base_image_sources": {"type": "list", "choices": ["pull", "archive"]},
}
PREFIXES = ("service_", "docker_", "host_", "lab_", "base_")


def found(**given: object) -> list[str]:
    return settings.problems(given, OPTIONS, PREFIXES)


@pytest.mark.parametrize(
    ("name", "value", "takes"),
    [
        ("service_memory", "lots", "a number and k, m or g"),
        ("service_memory", "4m", "6m or more"),
        ("service_tmpfs_size", "much", "a number and k, m or g"),
        ("service_strategy", "bluegreen", "recreate or blue_green"),
        ("service_name", "My_Lab", "lower-case letters"),
        ("base_image_name", "UPPER:x", "a name in small letters"),
        ("base_image_name", "class/base:", "a name in small letters"),
        ("service_host_port", "abc", "a number"),
        ("service_host_port", 70000, "ports"),
        ("service_host_port", True, "a number"),
        ("service_keep_releases", -1, "not below 0"),
        ("service_pids", 0, "a number above 0"),
        ("service_pids", -3, "a number above 0"),
        ("service_health_timeout", "-1", "not below 0"),
        ("service_environment", "A=1", "names with values"),
        ("service_state", ["live"], "a text"),
        ("docker_users", "student", "a list, such as [student]"),
        ("host_open_tcp", [22, "ssh"], "ports"),
        ("host_open_tcp", 8443, "a list"),
        ("lab_ships_base_image", "maybe", "true or false"),
        ("base_image_sources", ["pull", "luck"], "pull or archive"),
    ],
)
def test_a_value_that_cannot_be_used(name: str, value: object, takes: str) -> None:
    (problem,) = found(**{name: value})
    assert problem.startswith(f"{name} is {value!r}, and takes ")
    assert takes in problem


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("service_memory", "512m"),
        # Its name is not longer than what the names of others begin with.
        ("students", ["ada"]),
        ("service_memory", "{{ lots }}"),
        ("service_strategy", "blue_green"),
        ("service_name", "my-lab"),
        ("base_image_name", "class/base:2"),
        ("base_image_name", "registry.example.org:5000/class/base"),
        ("service_host_port", "11000"),
        ("service_keep_releases", 0),
        ("service_health_timeout", 0),
        ("service_environment", {"A": 1}),
        ("docker_users", []),
        ("host_open_tcp", [22, "8443"]),
        ("lab_ships_base_image", False),
        ("lab_ships_base_image", "yes"),
        ("base_image_sources", ["archive"]),
    ],
)
def test_a_good_value(name: str, value: object) -> None:
    assert found(**{name: value}) == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("service_memori", "service_memory"),
        ("servise_memory", "service_memory"),
        ("dokcer_users", "docker_users"),
        ("host_open_tpc", "host_open_tcp"),
    ],
)
def test_a_slip_of_the_pen_is_named(name: str, meant: str) -> None:
    assert found(**{name: "1g"}) == [f"{name} is not known: did you mean {meant}?"]


@pytest.mark.parametrize(
    "name",
    [
        "docker_compose_files",
        "ansible_host",
        "my_service_memory",
        "app_users",
        "groups",
        "__docker_users",
    ],
)
def test_a_variable_of_somebody_else_is_none_of_ours(name: str) -> None:
    assert found(**{name: "x"}) == []


@pytest.mark.parametrize(
    ("given", "is_wrong"),
    [
        ({"service_host_port": "22"}, True),
        ({"service_host_port": 2222, "ansible_port": 2222}, True),
        ({"service_host_port": 22, "ansible_port": 2222}, False),
        ({"service_host_port": "{{ port }}"}, False),
        ({"ansible_port": 22}, False),
    ],
)
def test_the_port_of_ssh_is_not_the_service_s(given: dict[str, Any], is_wrong: bool) -> None:
    assert bool(found(**given)) is is_wrong


def test_a_slip_in_a_variable_of_ansible_is_told() -> None:
    known = {"ansible_user", "ansible_host", "ansible_ssh_user", "ansible_python_interpreter"}
    given = ["ansible_usr", "ansible_user", "ansible_facts", "ansible_python_interpretor", "usr"]
    assert settings.slips_of_connection(given, known) == [
        "ansible_python_interpretor is not known: did you mean ansible_python_interpreter?",
        "ansible_usr is not known: did you mean ansible_user?",
    ]


def test_all_are_told_at_once() -> None:
    error = settings.message(found(service_memory="lots", docker_users="student", service_memori=1))
    assert error.line == "Correct these settings: service_memori, docker_users, service_memory"
    assert len(error.details.splitlines()) == 3


def test_the_only_one_is_the_closing_line() -> None:
    assert settings.message(found(docker_users="student")).line == (
        "docker_users is 'student', and takes a list, such as [student]"
    )


def test_each_has_its_place_and_the_closing_line_the_files() -> None:
    places = {"service_memory": "b.yml:7", "docker_users": "a.yml:2", "service_pids": "a.yml:1"}
    several = settings.message(
        found(service_memory="lots", docker_users="x", service_pids=0, service_name="A"),
        lambda name: places.get(name, ""),
    )
    assert several.line.endswith("service_name, service_pids (a.yml, b.yml)")
    ends = [line.rpartition(" ")[2] for line in several.details.splitlines()]
    assert ends == ["(a.yml:2)", "(b.yml:7)", "most", "(a.yml:1)"]
    (one,) = found(service_memori="1g")
    assert settings.message([one], lambda _: "c.yml:3").line == f"{one} (c.yml:3)"


def test_a_folder_that_is_not_there_is_told_by_its_full_path(tmp_path: Path) -> None:
    assert settings.without_folder("service_dir", str(tmp_path)) == []
    (gone,) = settings.without_folder("service_dir", "apps/ada")
    assert gone.startswith("service_dir is 'apps/ada', which means /")
    assert gone.endswith("/apps/ada, and there is no such folder on this machine")
    file = tmp_path / "app"
    file.touch()
    (wrong,) = settings.without_folder("service_dir", str(file))
    assert wrong == f"service_dir is {file}, and this is no folder"
