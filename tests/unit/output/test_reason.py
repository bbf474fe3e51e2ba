from __future__ import annotations

from typing import Any

import pytest
from classvm.output import reason


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ({"msg": "\nRefused\ndetails\n"}, "Refused\ndetails"),
        ({}, ""),
        ({"msg": "non-zero return code", "rc": 1, "stderr": "why"}, "non-zero return code\nwhy"),
        ({"msg": "it said why", "rc": 1, "stderr": "why"}, "it said why"),
        (
            {
                "msg": "One or more items failed",
                "results": [{"msg": "a"}, {"failed": 1, "msg": "b"}],
            },
            "b",
        ),
        (
            {"msg": "Validation of arguments failed:\nx", "argument_errors": ["x", "y", "x"]},
            "Correct these settings: x; y",
        ),
    ],
)
def test_the_reason_of_a_failure(result: dict[str, Any], expected: str) -> None:
    assert reason.reason(result) == expected


@pytest.mark.parametrize(
    "said",
    [
        "Task failed: Incorrect sudo password",
        "Task failed: Duplicate become password prompt encountered.\n>>> Standard Error",
    ],
)
def test_a_wrong_password_is_said_as_such(said: str) -> None:
    assert reason.reason({"msg": said}) == (
        "The sudo password is wrong on this host. Correct it, then run the command again"
    )


def test_an_unreachable_host_has_one_line() -> None:
    said = (
        "Task failed: Failed to connect to the host via ssh: Warning: added a key\n"
        "ssh: connect to host 192.0.2.1 port 22: No route to host"
    )
    assert reason.reason({"unreachable": True, "msg": said}, "vm-1") == (
        "It cannot be reached: it does not answer (No route to host). Start the machine;"
        " `make doctor` tells more"
    )
    denied = "bob@x: Permission denied (publickey)."
    assert reason.reason({"unreachable": True, "msg": denied}, "vm-1").endswith(
        "Correct ansible_user or the key of vm-1 in the inventory, or bring the key there;"
        " `make doctor` tells more"
    )
    others = f"Permissions 0644 for '/k' are too open.\n{denied}"
    assert "Close it: `chmod 600 /k`; `make" in reason.reason({"unreachable": 1, "msg": others})
    assert "no answer" in reason.reason({"unreachable": True})


def test_a_way_to_become_root_that_does_not_ask_is_told() -> None:
    said = "Task failed: Timeout (12s) waiting for privilege escalation prompt:"
    why = reason.reason({"unreachable": True, "msg": said}, "vm-1")
    assert why.endswith("Correct ansible_become_method of vm-1 in the inventory")


def test_a_host_without_sudo_is_told_from_one_without_python() -> None:
    said = "Module result deserialization failed: No start of json char found"
    gone = "/bin/sh: 1: sudo: not found"
    why = reason.reason({"msg": said, "rc": 127, "module_stdout": "", "module_stderr": gone})
    assert why.startswith("There is no sudo on this host. ")


def test_the_closing_line_is_the_first_line_of_the_reason() -> None:
    assert reason.closing_line("a", "Refused\nwhy") == "classvm: a failed: Refused"
    assert reason.details("a", "Refused\nwhy \n\nmore") == ["why", "", "more"]


def test_a_closing_line_is_bounded_and_then_told_in_full_above() -> None:
    why = "x" * 43_700
    line = reason.closing_line("a", why)
    assert len(line) == reason.LONGEST_LINE
    assert line.endswith("…")
    assert reason.details("a", why) == [why]


@pytest.mark.parametrize(("printed", "is_told"), [("", True), ("Traceback", False)])
def test_a_module_that_was_cut_off_says_nothing(printed: str, is_told: bool) -> None:
    said = "Module result deserialization failed: No start of json char found"
    why = reason.reason({"msg": said, "rc": -9, "module_stdout": printed})
    assert why.startswith("The host gave no answer: its connection") is is_told


def test_a_python_that_does_not_start_is_named() -> None:
    said = "Module result deserialization failed: No start of json char found"
    gone = "/bin/sh: 1: /opt/python3: not found\nmore"
    why = reason.reason({"msg": said, "rc": 127, "module_stdout": "", "module_stderr": gone})
    assert why.startswith("The host's Python does not start: /bin/sh: 1: /opt/python3: not found. ")
    assert "ansible_python_interpreter=" in why
