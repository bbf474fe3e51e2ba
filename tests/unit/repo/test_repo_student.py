"""The student's guide runs as far as no engine is needed; the reference of classvm.yml is whole."""

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

REFERENCE = tree.read(tree.ROOT / "docs/classvm-yml.md")


def test_the_commands_run_in_their_order(tmp_path: Path) -> None:
    folder = guide.linked(tmp_path)
    for step in guide.read(guide.STUDENT):
        if not step.needs_machine:
            step.follow(folder, seconds=60)


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
