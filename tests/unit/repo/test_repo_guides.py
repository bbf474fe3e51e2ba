"""Both guides, without a machine: their commands can be read, and name what is there."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import tree
from e2e import guide

GUIDES = [guide.STUDENT, guide.ADMIN]
MAKEFILE = tree.read(tree.ROOT / "Makefile")
# A command of the Makefile at the top, without what a comment says of it.
MAKE = re.compile(r"^make (?!-C)[^#\n]*", re.MULTILINE)
OPTION = re.compile(r"^([A-Z_]+)=(.*)$", re.DOTALL)


def shell_fault(commands: str) -> str:
    """Return why a shell cannot read some commands, "" where it can."""
    asked = ["bash", "-n"]
    read = subprocess.run(asked, input=commands, capture_output=True, check=False, text=True)
    return read.stderr


def variables(makefile: str) -> set[str]:
    """Return the variables that the front door takes."""
    (names,) = re.findall(r"^VALIDATED := (.*)$", makefile, re.MULTILINE)
    return {*names.split(), "ARGS"}


def make_fault(command: str) -> str:
    """Return why make cannot do what a command asks for, "" where it can."""
    words = shlex.split(command)[1:]
    options = [option[1] for word in words if (option := OPTION.match(word))]
    unknown = set(options) - variables(MAKEFILE)
    if unknown:
        return f"{command}: no variable {', '.join(sorted(unknown))}"
    targets = [word for word in words if not OPTION.match(word)]
    # The folders that the guide's reader names are not there.
    asked = ["make", "--old-file=setup", "--dry-run", *targets]
    planned = subprocess.run(asked, cwd=tree.ROOT, capture_output=True, check=False, text=True)
    if "front_door TARGET=" in planned.stdout:  # what make does with a word that is no target
        return f"{command}: no such target"
    return planned.stderr


@pytest.mark.parametrize("name", GUIDES)
def test_a_shell_reads_the_commands(name: str) -> None:
    assert [fault for step in guide.read(name) if (fault := shell_fault(step.commands))] == []


@pytest.mark.parametrize("name", GUIDES)
def test_make_knows_the_targets_and_variables(name: str) -> None:
    commands = [one for step in guide.read(name) for one in MAKE.findall(step.commands)]
    assert commands
    assert [fault for one in dict.fromkeys(commands) if (fault := make_fault(one))] == []


@pytest.mark.parametrize("command", ["make nope", "make deploy INVENTOR=x", "make deploy NO=1"])
def test_an_unknown_target_or_variable_is_found(command: str) -> None:
    assert make_fault(command)


def test_commands_that_no_shell_reads_are_found() -> None:
    assert shell_fault("echo 'a\n")


@pytest.mark.parametrize("name", GUIDES)
def test_the_programs_are_there(name: str) -> None:
    programs = re.findall(r"\.venv/bin/(\S+)", "".join(one.commands for one in guide.read(name)))
    assert [one for one in programs if not (Path(sys.executable).parent / one).exists()] == []


@pytest.mark.parametrize("name", GUIDES)
def test_no_step_mixes_what_needs_a_machine_with_what_does_not(name: str) -> None:
    for step in guide.read(name):
        lines = re.findall(r"^(?:make|curl|docker|\.venv/bin/\w+) .*$", step.commands, re.MULTILINE)
        needs = {guide.NEEDS_MACHINE.match(line) is not None for line in lines}
        assert needs in ({step.needs_machine}, set()), step.title


def test_a_line_that_is_not_printed_is_missed(tmp_path: Path) -> None:
    (step,) = guide.steps("```sh\necho a\n```\n\n```text\na\nb\n```\n")
    assert step == guide.Step("echo a\n", ("a", "b"))
    assert step.missing("a\n") == ["b"]
    with pytest.raises(AssertionError, match="'b'"):
        step.follow(tmp_path, seconds=10)


def test_a_command_that_fails_ends_its_step(tmp_path: Path) -> None:
    step = guide.Step("false\necho a\n", ())
    done = step.run(tmp_path, seconds=10)
    assert (done.code, done.text) == (1, "")
    with pytest.raises(AssertionError, match="false"):
        step.follow(tmp_path, seconds=10)


def test_a_command_that_shall_fail_and_does_not_is_found(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="true"):
        guide.Step(f"true   {guide.FAILS}", ()).follow(tmp_path, seconds=10)
