"""The inventory decides: what it sets for a host, or for one of its groups, is in effect there."""

from __future__ import annotations

import pytest
from infra import expected
from infra.expected import Facts


def test_what_the_inventory_sets_is_in_effect(facts: Facts, pytestconfig: pytest.Config) -> None:
    option = pytestconfig.option
    if option.extra_vars:
        pytest.skip("variables of the run outrank the inventory")
    said = expected.in_inventory(option.ansible_inventory, facts.name)
    assert expected.overruled(said, facts) == []
