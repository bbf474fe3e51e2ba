from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from classvm.base.errors import ClassvmError
from classvm.inventory import groups

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "This inventory is empty"),
        ("- vm-148-1\n", "This is no inventory: it does not begin with a group"),
        ("all: vm-148-1\n", "The group all has neither hosts nor children"),
        (
            "all:\n  hots:\n    a:\n",
            "hots stands directly in the group all (h.yml:2). Is `hosts` meant?",
        ),
        (
            "all:\n  vm-148-1:\n",
            "vm-148-1 stands directly in the group all (h.yml:2). A host belongs",
        ),
        (
            "all:\n  ansible_user: admin\n",
            "(h.yml:2). Write `vars:` above it, and indent `ansible_user` below that.",
        ),
        (
            "all:\n  children:\n    a:\n      hosts:\n        - vm-148-1\n",
            "The hosts of the group a are a list (h.yml:5). Write each one as `vm-148-1:`",
        ),
        (
            "all:\n  hosts:\n    vm-148-1: 192.0.2.1\n",
            "has a text behind it (h.yml:3). Write `ansible_host: 192.0.2.1`",
        ),
        (
            "all:\n  hosts:\n    a: ansible_port=2222\n",
            "(h.yml:3). Write `ansible_port: 2222`, indented",
        ),
        (
            "all:\n  hosts:\n    a:\n    ansible_user: bob\n",
            "ansible_user stands among the hosts, and is a setting of one (h.yml:4). Indent it",
        ),
    ],
)
def test_a_slip_is_told_with_its_line(
    text: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "h.yml").write_text(text)
    with pytest.raises(ClassvmError) as error:
        groups.check(tmp_path / "h.yml")
    assert told in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "all:\n  hosts:\n    a:\n    b: {x: 1}\n  vars:\n    x: [1]\n  children:\n    c:\n",
        "all:\n  hosts: a\n",
        "plugin: constructed\nstrict: false\n",
        '{"all": {"hosts": {"a": null}}}',
    ],
)
def test_an_inventory_that_ansible_takes(text: str, tmp_path: Path) -> None:
    (tmp_path / "h.yml").write_text(text)
    groups.check(tmp_path / "h.yml")
