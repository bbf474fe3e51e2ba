from __future__ import annotations

import pytest
from classvm.app.spec_words import OBJECTS, Words

SPECIAL = {"", "type", "in", "paths", "responses"}
KINDS = [(version, name) for version, objects in OBJECTS.items() for name in objects]


@pytest.mark.parametrize(("version", "name"), KINDS)
def test_the_table_is_closed(version: str, name: str) -> None:
    words: Words = OBJECTS[version][name]
    behind = {kind.rstrip("[]{}") for kind in words.keys.values()}
    assert behind <= OBJECTS[version].keys() | SPECIAL
    assert set(words.required) <= words.keys.keys()
