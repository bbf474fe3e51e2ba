from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from classvm.base import account
from classvm.base.docker import NOT_IN_GROUP, Docker, Image
from classvm.provision import freshness

if TYPE_CHECKING:
    from collections.abc import Callable

BASE = "classvm/base:18.04"


class Host(Docker):
    """A host with or without an engine, with or without a base image."""

    def __init__(self, *, engine: bool = True, image: bool = True, group: bool = True) -> None:
        super().__init__()
        self.has_engine = engine
        self.has_image = image
        self.in_group = group

    def engine_problem(self) -> str:
        if not self.in_group:
            return NOT_IN_GROUP
        return "" if self.has_engine else "no Docker engine answers"

    def image(self, reference: str) -> Image | None:
        return Image(reference, {}, 1) if self.has_image else None


# --- the record ---------------------------------------------------------------------------------


def test_a_recorded_provision_is_current(tmp_path: Path) -> None:
    freshness.write_record(str(tmp_path), "f1")
    assert freshness.why_stale(Host(), str(tmp_path), "f1", BASE) == ""
    record = tmp_path / freshness.RECORD
    assert json.loads(record.read_text()) == {"fingerprint": "f1"}
    assert record.stat().st_mode & 0o777 == 0o664
    assert list(tmp_path.iterdir()) == [record]


def test_never_provisioned(tmp_path: Path) -> None:
    stale = freshness.why_stale(Host(), str(tmp_path), "f1", BASE)
    assert stale == "this host was never provisioned"


@pytest.mark.parametrize(
    ("desired", "host", "reason"),
    [
        ("f2-v1", Host(), "the roles have changed since this host was provisioned"),
        ("f1-v2", Host(), "the roles' variables have changed since this host was provisioned"),
        ("f1-v1", Host(engine=False), "no Docker engine answers"),
        ("f1-v1", Host(group=False, image=False), ""),
        ("f1-v1", Host(image=False), f"the base image {BASE} is missing"),
    ],
    ids=["files", "variables", "no engine", "may not ask", "no base image"],
)
def test_why_stale(desired: str, host: Docker, reason: str, tmp_path: Path) -> None:
    freshness.write_record(str(tmp_path), "f1-v1")
    assert freshness.why_stale(host, str(tmp_path), desired, BASE) == reason


@pytest.mark.parametrize(("desired", "stale"), [("f1-v2", False), ("f2-v1", True)])
def test_a_student_s_own_variables_do_not_count(
    desired: str,
    stale: bool,
    tmp_path: Path,
) -> None:
    freshness.write_record(str(tmp_path), "f1-v1")
    why = freshness.why_stale(Host(), str(tmp_path), desired, BASE, may_provision=False)
    assert bool(why) == stale


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null"])
def test_a_record_that_a_power_cut_spoiled_means_provision_again(text: str, tmp_path: Path) -> None:
    (tmp_path / freshness.RECORD).write_text(text)
    assert freshness.why_stale(Host(), str(tmp_path), "f1", BASE)
    freshness.write_record(str(tmp_path), "f1")
    assert not freshness.why_stale(Host(), str(tmp_path), "f1", BASE)


# --- how to become root ----------------------------------------------------------------------


def test_root_is_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert account.privilege([]) == "root"


@pytest.mark.parametrize(
    ("code", "groups", "privilege"),
    [
        (0, [], "sudo"),
        (1, ["sudo"], "password"),
        (1, ["users", "wheel"], "password"),
        (1, ["users", "docker"], "none"),
        (None, ["sudo"], "none"),
    ],
)
def test_privilege(
    code: int | None,
    groups: list[str],
    privilege: str,
    program: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    if code is not None:
        calls = program("sudo", f"exit {code}")
    assert account.privilege(groups) == privilege
    if code is not None:
        assert calls.read_text() == "--non-interactive true\n"
