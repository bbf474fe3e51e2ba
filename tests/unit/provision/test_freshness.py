from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from classvm.base import account
from classvm.base.docker import NOT_IN_GROUP, Docker, Image
from classvm.provision import fingerprint, freshness

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


@pytest.fixture
def role(tmp_path: Path) -> Path:
    role = tmp_path / "roles" / "docker"
    (role / "tasks").mkdir(parents=True)
    (role / "tasks" / "main.yml").write_text("- name: One\n")
    (role / "tasks" / "run.yml").write_text("- name: Two\n")
    return role


# --- the fingerprint ---------------------------------------------------------------------------


def test_the_fingerprint_stays() -> None:
    here = [Path(__file__)]
    assert fingerprint.fingerprint(here, {"a": 1, "b": 2}) == fingerprint.fingerprint(
        here, {"b": 2, "a": 1}
    )


def test_the_fingerprint_does_not_depend_on_the_place(role: Path, tmp_path: Path) -> None:
    before = fingerprint.fingerprint([role], {})
    elsewhere = role.parent.rename(tmp_path / "moved") / "docker"
    assert fingerprint.fingerprint([elsewhere], {}) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda role: (role / "tasks" / "run.yml").write_text("- name: Other\n"),
        lambda role: (role / "tasks" / "new.yml").write_text(""),
        lambda role: (role / "tasks" / "run.yml").unlink(),
        lambda role: (role / "tasks" / "run.yml").rename(role / "tasks" / "go.yml"),
        lambda role: (role / "tasks" / "run.yml").rename(role / "run.yml"),
    ],
    ids=["content", "one more", "one less", "name", "folder"],
)
def test_the_fingerprint_changes_with_files(change: Callable[[Path], object], role: Path) -> None:
    before = fingerprint.fingerprint([role], {})
    change(role)
    assert fingerprint.fingerprint([role], {}) != before


def test_the_fingerprint_changes_with_variables(role: Path) -> None:
    variables: list[dict[str, Any]] = [
        {},
        {"docker_a": 1},
        {"docker_a": 2},
        {"docker_b": 1},
        {"docker_a": {"b": 1}},
    ]
    assert len({fingerprint.fingerprint([role], each) for each in variables}) == len(variables)


def test_compiled_files_do_not_count(role: Path) -> None:
    before = fingerprint.fingerprint([role], {})
    (role / "__pycache__").mkdir()
    (role / "__pycache__" / "x.cpython-311.pyc").write_bytes(b"\0")
    assert fingerprint.fingerprint([role], {}) == before


def test_values_that_json_does_not_know_count_by_their_text(role: Path) -> None:
    one, other = ({"path": Path(text)} for text in ("/a", "/b"))
    assert fingerprint.fingerprint([role], one) == fingerprint.fingerprint([role], dict(one))
    assert fingerprint.fingerprint([role], one) != fingerprint.fingerprint([role], other)


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
