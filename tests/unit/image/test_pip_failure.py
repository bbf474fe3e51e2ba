from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from classvm.image import pip_failure
from hypothesis import given, strategies

TABLE = yaml.safe_load(Path(__file__).with_name("pip_failures.yml").read_text())
WORDS = sorted({word for one in TABLE.values() for word in one["log"].split()})


@pytest.mark.parametrize("name", TABLE)
def test_a_failure_of_pip_in_a_sentence(name: str) -> None:
    log, explained = TABLE[name]["log"], TABLE[name]["explained"]
    assert pip_failure.explain(line.strip() for line in log.splitlines()) == explained


@given(
    words=strategies.lists(strategies.sampled_from([*WORDS, "\n"]) | strategies.text(max_size=5))
)
def test_any_output_is_read(words: list[str]) -> None:
    assert "\n" not in pip_failure.explain(" ".join(words).splitlines())
