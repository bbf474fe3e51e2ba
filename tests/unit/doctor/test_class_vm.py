"""All checks of a host; what they look at is this machine, whatever its state."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from classvm.doctor import class_vm
from classvm.doctor.finding import FAIL, OK, PROVISION, WARN
from classvm.provision import freshness
from fake_machine import user

if TYPE_CHECKING:
    from collections.abc import Callable

PORT = 4321


@pytest.mark.usefixtures("program")
def test_each_check_answers_on_a_bare_machine(tmp_path: Path) -> None:
    found = class_vm.examine(PORT, str(tmp_path / "none"), guarded=False)
    subjects = [one.subject for one in found]
    assert len(subjects) == len(set(subjects)) > 10
    assert any(one.startswith("port") for one in subjects)
    by_subject = {one.subject: one for one in found}
    assert by_subject["engine"].level != OK
    assert by_subject["provision"].fix == PROVISION
    assert by_subject["guard"].level == OK


def test_the_engine_is_asked_with_the_right_that_the_account_has(
    program: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    calls = program("sudo", 'shift; exec "$@"')
    program("true")
    program("docker", "echo 1")
    program("nft")
    class_vm.examine(PORT, str(tmp_path), guarded=True)
    assert re.search(r"--non-interactive env .* docker version", calls.read_text())


@pytest.mark.parametrize(
    ("provisioned", "privilege", "level"),
    [(True, "none", OK), (False, "none", FAIL), (False, "password", WARN)],
)
def test_a_host_that_was_never_provisioned_is_found(
    provisioned: bool, privilege: str, level: str
) -> None:
    assert class_vm.check_provision(provisioned, user(privilege=privilege)).level == level


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize(("record", "level"), [({"fingerprint": "x"}, FAIL), ({}, OK)])
def test_a_guard_is_expected_where_it_was_installed(
    record: dict[str, str], level: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(freshness, "read_record", lambda _: record)
    found = class_vm.examine(PORT, str(tmp_path), guarded=True)
    assert next(one for one in found if one.subject == "guard").level == level
