from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import tree
from classvm.base.errors import ClassvmError
from classvm.base.names import CLASS_VMS
from classvm.inventory import variables

if TYPE_CHECKING:
    from pathlib import Path

NAMES = {
    "group": {"all", "ungrouped", "class_vms", "section_a", "section_b"},
    "host": {"vm-148-1", "vm-148-7.example.org"},
}
NOBODY_ELSE: dict[str, set[str]] = {"group": set(), "host": set()}


def check(folder: Path, files: dict[str, str], others: variables.Names | None = None) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    variables.check(folder, NAMES, lambda: others)


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        (
            "group_vars/secton_a.yml",
            "a: 1\n",
            "`mv group_vars/secton_a.yml group_vars/section_a.yml`.",
        ),
        ("group_vars/secton_a", "a: 1\n", "`mv group_vars/secton_a group_vars/section_a`"),
        (
            "group_vars/secton_a/docker.yml",
            "a: 1\n",
            "`mv group_vars/secton_a group_vars/section_a`",
        ),
        ("host_vars/vm-148-2.yml", "", "`mv host_vars/vm-148-2.yml host_vars/vm-148-1.yml`"),
        (
            "host_vars/vm-148-7x.example.org",
            "",
            "`mv host_vars/vm-148-7x.example.org host_vars/vm-148-7.e",
        ),
        ("group_vars/quite_other.yml", "", "Name it as one of its groups (class_vms, section_"),
        (
            "host_vars/section_a.yml",
            "",
            "section_a is a group, not a host (host_vars/section_a.yml). Move it: `mv ",
        ),
        ("group_vars/vm-148-1.yml", "", "vm-148-1 is a host, not a group"),
        ("groups_vars/section_a.yml", "", "`mv groups_vars group_vars`"),
        ("host-vars/vm-148-1.yml", "", "Nobody reads the folder host-vars (host-vars). Rename it"),
        ("group_vars/all.yml", "a: [1\n", "(group_vars/all.yml:"),
        (
            "group_vars/all/x.yml",
            "\tb: 1\n",
            "a tab, where YAML wants blanks (group_vars/all/x.yml:1)",
        ),
        (
            "group_vars/section_a.yml",
            "service_memory = 1g\n",
            "This file has no settings (group_vars/section_a.yml:1). Write `service_memory: 1g`.",
        ),
        ("group_vars/section_a.yml", "service_memory 1g\n", "Write `service_memory: 1g`."),
        ("group_vars/section_a.yml", "service_memory:1g\n", "Write `service_memory: 1g`."),
        (
            "group_vars/section_a.ylm",
            "a: 1\n",
            "Nobody reads a file that ends with .ylm (group_vars/",
        ),
        ("group_vars/section_a.yml", "- a: 1\n", "Write each setting as `name: value`."),
    ],
)
def test_a_slip_is_told(
    file: str, text: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ClassvmError) as error:
        check(tmp_path, {file: text}, NOBODY_ELSE)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "file",
    [
        "group_vars/all.yml",
        "group_vars/section_a.yaml",
        "group_vars/section_b",
        "group_vars/section_b/docker.json",
        "host_vars/vm-148-1.yml",
        "host_vars/vm-148-7.example.org",
        "host_vars/vm-148-7.example.org.yml",
        "host_vars/localhost.yml",
        *(
            "group_vars/README.md",
            "group_vars/section_a.yml.bak",
            "group_vars/.swp",
            "group_vars/x~",
        ),
        *("hosts.yml", "apps/section_x.yml"),
    ],
)
def test_a_file_that_is_in_its_place(file: str, tmp_path: Path) -> None:
    check(tmp_path, {file: "a: 1\n"}, NOBODY_ELSE)


def test_names_of_another_inventory_in_the_folder_count(tmp_path: Path) -> None:
    files = {"group_vars/spring.yml": "a: 1\n"}
    check(tmp_path, files, {"group": {"spring"}, "host": set()})
    # A program may tell other names tomorrow.
    check(tmp_path, files, None)
    with pytest.raises(ClassvmError, match="no group spring"):
        check(tmp_path, files, NOBODY_ELSE)


def test_an_encrypted_file_needs_a_password(tmp_path: Path) -> None:
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars/all.yml").write_text("$ANSIBLE_VAULT;1.1;AES256\n3132\n")
    variables.check(tmp_path, NAMES, dict, has_password=True)
    with pytest.raises(
        ClassvmError, match=r"no password was given \(.*all.yml\)\. Run .*--ask-vault"
    ):
        variables.check(tmp_path, NAMES, dict, has_password=False)


@pytest.mark.parametrize(
    ("groups", "is_slip"),
    [
        ({"all", "class_vm"}, True),
        ({"all", "class-vms"}, True),
        ({"all", "class_vm", "class_vms"}, False),
        ({"all", "section_a"}, False),
    ],
)
def test_a_group_that_is_nearly_the_class_is_a_slip(groups: set[str], is_slip: bool) -> None:
    assert ("only hosts of that one get the guard" in variables.slip_of_class(groups)) is is_slip


def test_the_group_of_the_class_is_that_of_the_playbooks() -> None:
    assert f"'{CLASS_VMS}' in group_names" in tree.read(tree.ROOT / "ansible/provision.yml")
