"""Checks of a machine: each once in order and once not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from classvm.base import account
from classvm.doctor import finding, machine
from fake_machine import answers, said, user

JAMMY = 'ID=ubuntu\nVERSION_ID="22.04"\nPRETTY_NAME="Ubuntu 22.04.5 LTS"\n'


BOOKWORM = 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12"\n'


NOW = 1_800_000_000.0


@pytest.mark.parametrize("text", [JAMMY, BOOKWORM])
def test_supported_systems_are_ok(text: str) -> None:
    assert machine.check_system(text).level == finding.OK


@pytest.mark.parametrize("text", ["", 'ID=fedora\nVERSION_ID="41"\n', JAMMY.replace("22", "18")])
def test_other_systems_fail(text: str) -> None:
    assert machine.check_system(text).level == finding.FAIL


@pytest.mark.parametrize(
    ("who", "level", "word"),
    [
        (user(privilege="root"), "ok", "root"),
        (user(privilege="sudo"), "ok", "no password"),
        (user("sudo", privilege="password"), "ok", "with password"),
        (user("docker"), "warn", "not provision"),
        (user("classvm"), "ok", "through `classvm`"),
        (user("classvm", "docker"), "warn", "not provision"),
        (user("classvm", privilege="sudo"), "ok", "no password"),
        (user("audio"), "FAIL", "neither"),
    ],
)
def test_rights_say_what_the_user_may_do(who: machine.User, level: str, word: str) -> None:
    found = machine.check_rights(who)
    assert found.level == level
    assert word in found.text


@pytest.fixture(autouse=True)
def not_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


@pytest.mark.parametrize("group", ["docker", "classvm"])
def test_a_group_that_this_login_lacks_asks_for_a_new_login(group: str) -> None:
    fresh = machine.User("alice", "none", frozenset(), frozenset({group}))
    found = machine.check_rights(fresh)
    assert (found.level, found.fix) == (finding.FAIL, "log out and in again")


def disk(path: Path, megabytes: int) -> finding.Finding:
    return machine.check_disk("disk", str(path), megabytes, "make room")


def test_a_folder_to_come_is_measured_where_it_will_be(tmp_path: Path) -> None:
    assert disk(tmp_path / "not" / "yet", 1).level == finding.OK


def test_a_full_disk_fails(tmp_path: Path) -> None:
    found = disk(tmp_path, 10**9)
    assert (found.level, found.fix) == (finding.FAIL, "make room")
    assert found.text.startswith("Disk full: ")


def test_a_disk_that_cannot_be_measured_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(str(path))

    monkeypatch.setattr(os, "statvfs", refuse)
    assert disk(tmp_path, 1).level == finding.WARN


@pytest.fixture
def state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a state folder as `make provision` leaves it, whatever group the test runs in."""
    monkeypatch.setattr(account, "group_names", lambda _: frozenset({"docker"}))
    folder = tmp_path / "state"
    folder.mkdir()
    folder.chmod(machine.STATE_MODE)
    return folder


def test_the_state_folder_of_the_docker_group_is_ok(state_folder: Path) -> None:
    assert machine.check_state_folder(state_folder, user()).level == finding.OK
    assert machine.check_state_folder(state_folder / "none", user()).level == finding.OK


@pytest.mark.parametrize(("privilege", "level"), [("none", "FAIL"), ("sudo", "warn")])
def test_a_closed_state_folder_is_found(state_folder: Path, privilege: str, level: str) -> None:
    state_folder.chmod(0o700)
    found = machine.check_state_folder(state_folder, user(privilege=privilege))
    assert (found.level, found.fix) == (level, "make provision")
    assert "mode 0700" in found.text


def test_a_state_folder_of_another_group_is_found(
    state_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account, "group_names", lambda _: frozenset({"root"}))
    assert machine.check_state_folder(state_folder, user()).level == finding.FAIL


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("MemAvailable:    2000000 kB\n", "ok"),
        ("MemAvailable:     500000 kB\n", "FAIL"),
        ("MemFree: 1 kB\n", "warn"),
    ],
)
def test_memory_is_read_from_the_kernel(text: str, level: str) -> None:
    assert machine.check_memory(text).level == level


def test_a_clock_past_all_files_is_ok_with_or_without_timedatectl() -> None:
    assert machine.check_clock(NOW, NOW - 1, answers({})).level == finding.OK
    synchronised = answers({"timedatectl": said("yes")})
    assert machine.check_clock(NOW, NOW - 1, synchronised).level == finding.OK


@pytest.mark.parametrize(("now", "newest"), [(0.0, 0.0), (NOW, NOW + 86400)])
def test_a_clock_in_the_past_fails(now: float, newest: float) -> None:
    assert machine.check_clock(now, newest, answers({})).level == finding.FAIL


def test_a_clock_that_nobody_keeps_right_is_a_warning() -> None:
    adrift = answers({"timedatectl": said("no")})
    assert machine.check_clock(NOW, NOW - 1, adrift).level == finding.WARN


def test_a_container_has_the_clock_of_another_machine() -> None:
    adrift = answers({"timedatectl": said("no"), "systemd-detect-virt": said("")})
    assert machine.check_clock(NOW, NOW - 1, adrift).level == finding.OK
    assert machine.check_clock(0.0, 0.0, adrift).level == finding.FAIL


def test_the_newest_file_counts(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert machine.newest_file([tmp_path]) == (tmp_path / "file").stat().st_mtime
    assert machine.newest_file([tmp_path / "none"]) == 0
