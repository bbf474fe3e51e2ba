"""The limits: what Docker is told, what it reports, and how few files a new one touches."""

from __future__ import annotations

import pytest
import role_readmes
import tree
from classvm.base.errors import ClassvmError
from classvm.release import limits

GIVEN = {"memory": "512m", "pids": "128", "tmpfs_size": "64m"}
REPORTED = {
    "Memory": 512 << 20,
    "PidsLimit": 128,
    "Tmpfs": {"/tmp": "rw,noexec,nosuid,nodev,size=64m"},  # noqa: S108 - the container's own
    "ShmSize": 64 << 20,
}


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ("512m", 512 << 20),
        ("1.5g", 3 << 29),
        ("64MB", 64 << 20),
        ("10k", 10240),
        ("7b", 7),
        ("7", 7),
    ],
)
def test_a_size_in_bytes(size: str, expected: int) -> None:
    assert limits.in_bytes(size) == expected


@pytest.mark.parametrize("size", ["", "m", "much", "-1m", "1t", "1m\n2"])
def test_what_is_not_a_size_is_refused(size: str) -> None:
    with pytest.raises(ClassvmError, match=r"is not a size\. Write a number and k, m or g"):
        limits.in_bytes(size)


def test_each_limit_reaches_the_command_line() -> None:
    argv = limits.argv(GIVEN)
    assert len(argv) % 2 == 0
    for value in GIVEN.values():
        assert any(value in word for word in argv)


def test_a_limit_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ClassvmError, match=r"no limit 'cpus'. The limits are memory, pids"):
        limits.argv({**GIVEN, "cpus": "2"})


@pytest.mark.parametrize(
    ("name", "value"), [("memory", "512MiB"), ("tmpfs_size", "1t"), ("pids", "many")]
)
def test_a_value_that_cannot_be_compared_later_is_refused_at_once(name: str, value: str) -> None:
    """Docker would take some of them, and the next deploy could not tell whether they are set."""
    with pytest.raises(ClassvmError, match=f"{value!r} is not a "):
        limits.argv({**GIVEN, name: value})


def test_what_the_engine_reports_as_set_is_no_difference() -> None:
    assert limits.differences({**GIVEN, "strategy": "recreate"}, REPORTED) == []


@pytest.mark.parametrize(
    ("changed", "phrase"),
    [
        ({"Memory": 96 << 20}, "memory is not 512m (the engine reports 100663296)"),
        ({"PidsLimit": 20}, "pids is not 128 (the engine reports 20)"),
        ({"PidsLimit": -1}, "pids is not 128 (the engine reports -1)"),
        ({"Tmpfs": {"/tmp": "size=1g"}}, "tmpfs_size is not 64m"),  # noqa: S108 - as above
    ],
)
def test_a_limit_that_was_changed_is_told(changed: dict[str, object], phrase: str) -> None:
    (found,) = limits.differences(GIVEN, {**REPORTED, **changed})
    assert found.startswith(phrase)


@pytest.mark.parametrize("dropped", [{"Memory": 0}, {"PidsLimit": None}])
def test_a_limit_that_the_kernel_lacks_is_not_set_for_ever(dropped: dict[str, object]) -> None:
    assert limits.differences(GIVEN, {**REPORTED, **dropped}) == []


def test_each_limit_is_a_variable_of_the_role_and_handed_to_the_module() -> None:
    options = role_readmes.options_of(tree.ROOT / "roles/service")
    (task,) = tree.read_yaml(tree.ROOT / "roles/service/tasks/run.yml")
    handed = task["classvm.kit.classvm_release"]["limits"]
    assert handed == {name: f"{{{{ service_{name} }}}}" for name in limits.LIMITS}
    assert {f"service_{name}" for name in limits.LIMITS} <= options.keys()


def test_each_limit_is_recorded_for_the_releases_of_students() -> None:
    (task,) = tree.read_yaml(tree.ROOT / "roles/service/tasks/recorded.yml")
    recorded = task["classvm.kit.classvm_student_record"]["settings"]["limits"]
    assert recorded == {name: f"{{{{ service_{name} | string }}}}" for name in limits.LIMITS}


def test_a_limit_stands_in_five_files() -> None:
    """A new limit touches the files in which an old one stands; its README is generated."""
    product = [
        name
        for name in tree.files()
        if name.startswith(("ansible/plugins/module_utils", "ansible/plugins/action", "roles/"))
        and not name.endswith("README.md")
    ]
    found = [name for name in product if "tmpfs_size" in tree.code(tree.ROOT / name)]
    assert sorted(found) == [
        "ansible/plugins/module_utils/classvm/release/limits.py",
        "roles/service/defaults/main.yml",
        "roles/service/meta/argument_specs.yml",
        "roles/service/tasks/recorded.yml",
        "roles/service/tasks/run.yml",
    ]
