"""What an account may do; `sudo` is a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from classvm.base import account

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize(
    ("code", "groups", "privilege"),
    [
        (0, [], "sudo"),
        (1, ["sudo"], "password"),
        (1, ["wheel"], "password"),
        (1, ["docker", "users"], "none"),
    ],
)
def test_privilege(
    code: int,
    groups: list[str],
    privilege: str,
    program: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    calls = program("sudo", f"exit {code}")
    assert account.privilege(groups) == privilege
    assert calls.read_text() == "--non-interactive true\n"


def test_a_sudo_that_wants_a_terminal_is_an_obstacle_that_no_password_removes(
    program: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    program("sudo", "echo sudo: sorry, you must have a tty to run sudo >&2; exit 1")
    assert account.privilege(["sudo"]) == "none"
    assert "ansible_pipelining=false" in account.obstacle()
    program("sudo", "echo sudo: a password is required >&2; exit 1")
    assert account.obstacle() == ""


def test_root_is_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert account.privilege([]) == "root"


@pytest.mark.usefixtures("program")
def test_without_sudo_a_group_does_not_help(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert account.privilege(["sudo"]) == "none"


@pytest.mark.parametrize(
    ("privilege", "argv"),
    [("root", ()), ("sudo", ("sudo", "--non-interactive")), ("password", None), ("none", None)],
)
def test_root_argv(privilege: str, argv: tuple[str, ...] | None) -> None:
    assert account.root_argv(privilege) == argv


@pytest.mark.parametrize(
    ("here", "listed", "hint"),
    [
        (["docker"], ["docker"], ""),
        (["docker"], [], ""),
        (["sudo"], ["sudo", "docker"], "log out and in again, and no password"),
        (["sudo"], ["sudo"], "sudo usermod -aG docker alice, then log out and in again"),
    ],
)
def test_an_account_is_told_how_to_need_no_password(
    here: list[str], listed: list[str], hint: str
) -> None:
    said = account.without_password("alice", here, listed)
    assert hint in said
    assert bool(said) is bool(hint)
    assert "\n" not in said


def test_the_account_of_this_process_is_known() -> None:
    assert account.listed_groups(account.name()) <= account.group_names(range(70_000))
    assert account.listed_groups("no such account") == frozenset()


def test_a_group_without_a_name_is_left_out() -> None:
    assert account.group_names([0, 2**31 - 2]) == frozenset({"root"})
