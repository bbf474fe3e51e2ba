from __future__ import annotations

import re

import pytest
import tree
from classvm.output import advice

CLASS = {"CLASSVM_INVENTORY": "../class", "CLASSVM_LIMIT": "vm-148-1"}


@pytest.mark.parametrize(
    ("text", "environment", "expected"),
    [
        ("stopped; `make start` starts it", {}, "stopped; `make start` starts it"),
        (
            "stopped; `make start` starts it",
            CLASS,
            "stopped; `make start INVENTORY=../class LIMIT=vm-148-1` starts it",
        ),
        (
            "`make maintenance off` ends it",
            {"CLASSVM_INVENTORY": "a b", "CLASSVM_LIMIT": ""},
            "`make maintenance off INVENTORY='a b'` ends it",
        ),
        ("`make deploy INVENTORY=file`", CLASS, "`make deploy INVENTORY=file`"),
        ("`make deploy LIMIT=a`", CLASS, "`make deploy LIMIT=a`"),
        ("`make lock` and `make lab-up`", CLASS, "`make lock` and `make lab-up`"),
        ("run make deploy", CLASS, "run make deploy"),
    ],
)
def test_commands_are_for_the_hosts_of_the_run(
    text: str, environment: dict[str, str], expected: str
) -> None:
    assert advice.completed(text, environment) == expected


def test_a_command_for_one_host_names_it() -> None:
    found = advice.for_host("`make start`", CLASS, "vm-148-2")
    assert found == "`make start INVENTORY=../class LIMIT=vm-148-2`"
    # What shows the message completes it once more.
    assert advice.completed(found, CLASS) == found
    assert advice.for_host("`make start`", {}, "vm-148-2") == "`make start LIMIT=vm-148-2`"


def test_they_are_the_targets_that_take_an_inventory() -> None:
    makefile = tree.read(tree.ROOT / "Makefile")
    played = set(re.findall(r"^\t.*\$\(call PLAY,([a-z]+)\)", makefile, re.MULTILINE))
    assert set(advice.ON_HOSTS.split("|")) == {*played, "verify"}


def test_make_hands_them_on() -> None:
    makefile = tree.read(tree.ROOT / "Makefile")
    for name, variable in advice.GIVEN.items():
        assert f"{variable}=$(call WORD_OF,$({name}))" in makefile
