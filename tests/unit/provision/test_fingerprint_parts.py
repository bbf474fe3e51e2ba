"""The parts of a fingerprint."""

from __future__ import annotations

import pytest
from classvm.provision.fingerprint_parts import Fingerprint


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("r-v-p", ("r", "v", "p")),
        # As it was recorded before there was a host program.
        ("r-v", ("r", "v", "")),
        ("", ("", "", "")),
        ("r-v-p-x", ("r", "v", "p")),
    ],
)
def test_a_text_is_taken_apart(text: str, parts: tuple[str, ...]) -> None:
    assert tuple(Fingerprint.parsed(text)) == parts


def test_the_text_has_all_parts() -> None:
    assert str(Fingerprint("r", "v", "p")) == "r-v-p"
