"""Each fault makes the check red that owns it, and none when it is undone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from faults import DRY_RUN, KERNEL, Fault

if TYPE_CHECKING:
    from saboteur import Saboteur


def test_a_fault_that_does_nothing_is_not_caught(saboteur: Saboteur) -> None:
    outcome = saboteur.attempt(Fault("nothing is wrong", KERNEL))
    assert not outcome.caught, saboteur.suite.log.read_text()
    if outcome.red:
        pytest.exit(f"the VM is not good: {outcome.red}\n{saboteur.suite.log.read_text()}", 1)


def test_a_fault_is_caught_by_the_check_that_owns_it(saboteur: Saboteur, fault: Fault) -> None:
    outcome = saboteur.attempt(fault)
    saboteur.outcomes.append(outcome)
    assert outcome.caught, f"{fault.owner} is green; red are: {outcome.red}"
    assert outcome.left == (), saboteur.suite.log.read_text()


def test_the_vm_is_good_in_the_end(saboteur: Saboteur) -> None:
    # With the dry run, which sees what the other checks might not.
    red = saboteur.suite.run(Fault("nothing is wrong", DRY_RUN))
    assert red == (), saboteur.suite.log.read_text()
