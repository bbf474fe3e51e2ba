"""Each fault makes the check red that owns it, and none when it is undone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from faults import DRY_RUN, KERNEL, Fault

if TYPE_CHECKING:
    from saboteur import Outcome, Saboteur

EACH_HOST = pytest.mark.parametrize("edge", [False, True], ids=["recreate", "blue_green"])


@EACH_HOST
def test_a_fault_that_does_nothing_is_not_caught(
    saboteurs: dict[bool, Saboteur],
    edge: bool,
) -> None:
    suite = saboteurs[edge].suite
    outcome = saboteurs[edge].attempt(Fault("nothing is wrong", KERNEL))
    assert not outcome.caught, suite.log.read_text()
    if outcome.red:
        pytest.exit(f"the VM is not good: {outcome.red}\n{suite.log.read_text()}", 1)


def test_a_fault_is_caught_by_the_check_that_owns_it(
    saboteurs: dict[bool, Saboteur], outcomes: list[Outcome], fault: Fault
) -> None:
    saboteur = saboteurs[fault.edge]
    outcome = saboteur.attempt(fault)
    outcomes.append(outcome)
    assert outcome.caught, f"{fault.owner} is green; red are: {outcome.red}"
    assert outcome.left == (), saboteur.suite.log.read_text()


@EACH_HOST
def test_the_vm_is_good_in_the_end(
    saboteurs: dict[bool, Saboteur],
    edge: bool,
) -> None:
    # With the dry run, which sees what the other checks might not.
    red = saboteurs[edge].suite.run(Fault("nothing is wrong", DRY_RUN))
    assert red == (), saboteurs[edge].suite.log.read_text()
