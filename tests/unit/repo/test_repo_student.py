"""The commands of the student's guide that need no engine run, and print what the guide shows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import tree
import yaml
from classvm.app import overrides
from classvm.app.folder import AppFolder
from e2e import guide

if TYPE_CHECKING:
    from pathlib import Path

STEPS = guide.steps(guide.GUIDE.read_text(encoding="utf-8"))
REFERENCE = tree.read(tree.ROOT / "docs/classvm-yml.md")


def test_the_commands_run_in_their_order(tmp_path: Path) -> None:
    folder = guide.clone(tmp_path)
    for step in STEPS:
        if not step.needs_machine:
            done = step.run(folder, seconds=60)
            assert (done.code != 0) == step.fails, f"{step.title}:\n{done.text}"
            assert step.missing(done.text) == [], f"{step.title}:\n{done.text}"


def test_no_step_mixes_what_needs_a_machine_with_what_does_not() -> None:
    for step in STEPS:
        lines = re.findall(r"^(?:make|curl) .*$", step.commands, re.MULTILINE)
        needs = {guide.NEEDS_MACHINE.match(line) is not None for line in lines}
        assert needs in ({step.needs_machine}, set()), step.title


def test_a_line_that_is_not_printed_is_missed() -> None:
    (step,) = guide.steps("```sh\necho a\n```\n\n```text\na\nb\n```\n")
    assert step == guide.Step("echo a\n", ("a", "b"))
    assert step.missing("a\n") == ["b"]


def test_a_command_that_fails_ends_its_step(tmp_path: Path) -> None:
    done = guide.Step("false\necho a\n", ()).run(tmp_path, seconds=10)
    assert (done.code, done.text) == (1, "")


def documented() -> dict[str, list[str]]:
    """Return the cells of each key's row in the reference of classvm.yml."""
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", REFERENCE, re.MULTILINE)
    return {key: cells.split(" | ") for key, cells in rows}


def test_the_reference_has_each_key() -> None:
    assert list(documented()) == list(overrides.KEYS)


@pytest.mark.parametrize("key", overrides.CHOICES)
def test_the_reference_has_each_choice(key: str) -> None:
    value, _, default = documented()[key]
    assert set(re.findall(r"`(\w+)`", value)) == set(overrides.CHOICES[key])
    assert default.strip("`") in overrides.CHOICES[key]


@pytest.mark.parametrize("key", overrides.KEYS)
def test_the_reference_says_which_values_are_lists(key: str) -> None:
    assert documented()[key][0].startswith("list of") == (overrides.KEYS[key] is list)


def test_the_example_is_valid_and_has_each_key(tmp_path: Path) -> None:
    (example,) = re.findall(r"^```yaml\n(.*?)^```", REFERENCE, re.DOTALL | re.MULTILINE)
    (tmp_path / "data").mkdir()
    (tmp_path / overrides.FILE).write_text(example)
    values, findings = overrides.read(AppFolder(tmp_path))
    assert findings == []
    assert set(values) == set(yaml.safe_load(example)) == set(overrides.KEYS)
