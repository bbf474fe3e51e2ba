"""The host as the program knows it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from classvm.base import host as host_choices
from classvm.base import installed, state
from classvm.base.errors import ClassvmError
from classvm.program.host import Host
from classvm.program.protocol import NOT_PROVISIONED, RefusedError
from program_requests import SETTINGS


def test_the_provision_has_left_the_state_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "state_dir", lambda: "/state")
    assert Host.here().state_dir == "/state"
    assert Host.here("/other").state_dir == "/other"


def test_a_bare_host_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "state_dir", lambda: "")
    with pytest.raises(RefusedError, match="make provision") as refused:
        Host.here()
    assert refused.value.code == NOT_PROVISIONED


def test_the_service_is_the_one_that_is_named_or_that_of_the_provision(tmp_path: Path) -> None:
    host = Host(str(tmp_path))
    with pytest.raises(RefusedError, match="no record of its service"):
        host.service({})
    (tmp_path / host_choices.CHOICES).write_text('{"service": "weather"}')
    assert host.service({}) == "weather"
    assert host.service({"service": "lab"}) == "lab"
    with pytest.raises(ClassvmError, match="not valid"):
        host.service({"service": "lab-candidate"})


def test_settings_are_remembered_and_secret(tmp_path: Path) -> None:
    host = Host(str(tmp_path))
    with pytest.raises(ClassvmError, match=r"no record of how lab runs.*make deploy"):
        host.settings("lab", {})
    host.remember("lab", SETTINGS)
    assert host.settings("lab", {}) == SETTINGS
    assert host.settings("lab", {"settings": {"host_port": 1}}) == {"host_port": 1}
    assert host.last_settings("other") == {}
    (file,) = os.scandir(tmp_path)
    assert file.name.startswith(state.SECRET)
    assert file.stat().st_mode & 0o777 == state.SECRET_MODE


def test_what_is_known_already_is_not_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = Host(str(tmp_path))
    host.remember("lab", SETTINGS)
    monkeypatch.setattr(state, "write_atomically", None)
    host.remember("lab", json.loads(json.dumps(SETTINGS)))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000])
def test_a_torn_record_counts_as_none(text: str, tmp_path: Path) -> None:
    (tmp_path / f"{state.SECRET}-lab.json").write_text(text)
    assert Host(str(tmp_path)).last_settings("lab") == {}
