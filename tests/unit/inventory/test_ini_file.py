from __future__ import annotations

import pytest
from classvm.inventory import ini_file


@pytest.mark.parametrize(
    ("message", "cause", "fix"),
    [
        (
            "Expected key=value host variable assignment, got: vm-2",
            "`vm-2` is no setting of a host",
            "a line of its own",
        ),
        ("Expected key=value, got: a b", "`a b` is no setting", "name=value"),
        (
            "Invalid section entry: '[a b]'. Please make sure",
            "`[a b]` is no heading",
            "[section_a]",
        ),
        ("Section [a:hots] has unknown type: hots", "`[a:hots]` is no heading", ":children]"),
        (
            "Section [a:vars] not valid for undefined group 'a'.",
            "There is no group a",
            "section `[a]`",
        ),
        (
            "Error parsing host definition 'a b=\"': No closing quotation",
            "never closed",
            "Close it",
        ),
        (
            "Invalid host pattern '---' supplied, '---' is normally a sign this is a YAML file.",
            "This is YAML",
            "ends with .yml",
        ),
        (
            "Invalid host pattern 'a:' supplied, ending in ':' is not",
            "This is YAML",
            "ends with .yml",
        ),
        ("Something else.\nmore", "Something else", "Correct the line."),
    ],
)
def test_what_ansible_says_is_said_in_plain_words(message: str, cause: str, fix: str) -> None:
    told = ini_file.explain(message)
    assert cause in told.cause
    assert fix in told.fix


def test_a_heading_without_its_end_is_found() -> None:
    assert ini_file.open_heading("[a]\nvm-[1:3] # x\n\n[b # c]\nvm-4\n") == 4
    assert ini_file.open_heading("[a] ; note\nvm-[1:3]\n") is None


def test_the_line_is_that_of_the_culprit() -> None:
    told = ini_file.explain("Expected key=value host variable assignment, got: vm-4")
    assert ini_file.line_of("[a]\nvm-3 vm-4\n", told.culprit) == 2
    assert ini_file.line_of("[a]\n", told.culprit) == 0
    assert ini_file.line_of("[a]\n", ini_file.explain("Something else.").culprit) == 0


def test_ini_is_told_from_yaml() -> None:
    assert ini_file.is_ini("# x\n\n[class_vms]\nvm-1\n")
    assert not ini_file.is_ini("all:\n  hosts:\n")
    assert not ini_file.is_ini("[1, 2]\n")
    assert not ini_file.is_ini("")
