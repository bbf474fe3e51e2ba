"""Each mutation turns the check red that owns it; once it is undone or healed, no check is red."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from mutation.mutations import DRY_RUN, KERNEL, Mutation

if TYPE_CHECKING:
    from mutation.mutator import Mutator, Outcome

EACH_HOST = pytest.mark.parametrize("edge", [False, True], ids=["recreate", "blue_green"])


@EACH_HOST
def test_a_mutation_that_changes_nothing_is_not_caught(
    mutators: dict[bool, Mutator],
    edge: bool,
) -> None:
    suite = mutators[edge].suite
    outcome = mutators[edge].attempt(Mutation("nothing is wrong", KERNEL), whole=True)
    assert not outcome.caught, suite.log.read_text()
    if outcome.red:
        pytest.exit(
            f"checks are red before any mutation: {outcome.red}\n{suite.log.read_text()}", 1
        )


def test_a_mutation_is_caught_by_the_check_that_owns_it(
    mutators: dict[bool, Mutator], outcomes: list[Outcome], mutation: Mutation
) -> None:
    mutator = mutators[mutation.edge]
    outcome = mutator.attempt(mutation)
    outcomes.append(outcome)
    assert outcome.caught, f"{mutation.owner} is green; red are: {outcome.red}"
    assert outcome.left == (), f"{outcome.deployed}\n{mutator.suite.log.read_text()}"


@EACH_HOST
def test_the_vm_is_in_order_at_the_end(
    mutators: dict[bool, Mutator],
    edge: bool,
) -> None:
    # With the dry run, which notices changes that the other checks might not.
    red = mutators[edge].suite.run(Mutation("nothing is wrong", DRY_RUN), whole=True)
    assert red == (), mutators[edge].suite.log.read_text()
