"""The contract check that the program carries."""

from __future__ import annotations

from classvm.contract import archive
from classvm.program import resource


def test_in_a_checkout_the_check_is_packed_anew() -> None:
    assert resource.checker("/x") == archive.program("/x")
