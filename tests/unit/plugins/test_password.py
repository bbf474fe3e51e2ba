"""The question for the sudo password; a person types, and sudo answers."""

from __future__ import annotations

from typing import Any

import pytest
from plugin_loader import load_plugin


def asked(monkeypatch: pytest.MonkeyPatch, typed: list[str], stderr: str = "") -> Any:
    """Return the result where a person types so, and what the terminal shows meanwhile."""
    plugin = load_plugin("action", "classvm_password")
    shown: list[str] = []

    class Terminal:
        def ask_hidden(self, question: str) -> str:
            shown.append(question)
            if not typed:
                raise plugin.terminal.NoTerminalError
            return typed.pop(0)

        def tell(self, text: str) -> None:
            shown.append(text)

    def sudo(command: str, *, sudoable: bool, in_data: bytes) -> dict[str, Any]:
        assert (command, sudoable) == (plugin.SUDO, False)
        return {"rc": 0 if in_data == b"right\n" else 1, "stderr": stderr}

    monkeypatch.setattr(plugin.terminal, "OWN", Terminal())
    monkeypatch.setattr(plugin.terminal, "is_in_foreground", lambda _: True)
    action = plugin.ActionModule.__new__(plugin.ActionModule)
    action._low_level_execute_command = sudo
    names = {"account": "alice", "host": "a"}
    try:
        return action._ask("A hint", "never provisioned", names), shown
    except plugin.terminal.NoTerminalError:
        return None, shown


def test_a_right_password_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    result, shown = asked(monkeypatch, ["right"])
    assert result == {"changed": False, "password": "right", "problem": ""}
    assert shown == ["A hint", "sudo password of alice on a (never provisioned): "]


def test_a_wrong_password_is_said_in_one_line_and_may_be_corrected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    result, shown = asked(monkeypatch, ["wrong", "right"], "Sorry, try again.")
    assert result == {"changed": False, "password": "right", "problem": ""}
    assert shown[2] == "That is not the password of alice on a."


def test_three_wrong_passwords_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    result, shown = asked(monkeypatch, ["wrong"] * 5, "Sorry, try again.")
    assert result["password"] == ""
    assert result["problem"].startswith("The password of alice on a was wrong three times")
    assert len([line for line in shown if line.endswith(": ")]) == 3


def test_an_account_that_sudo_does_not_know_is_not_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    result, shown = asked(monkeypatch, ["x"] * 3, "alice is not in the sudoers file.\n")
    assert "alice may not use sudo on a: alice is not in the sudoers file." in result["problem"]
    assert len(shown) == 2


def test_a_terminal_that_goes_ends_the_question(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked(monkeypatch, [])[0] is None
