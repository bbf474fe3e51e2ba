"""Test the verification itself: each mutation has to turn its own check red.

    pytest tests/mutation --hosts=ansible://class_vms --ansible-inventory=FILE

The hosts have to be machines that may be broken, those of a lab: one with the strategy `recreate`
and one with `blue_green`. With SCOPE=quick in the environment only a few mutations are tried.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import testinfra
from infra import expected, scope
from infra.expected import Facts
from infra.vm import Vm
from mutation.mutations import MUTATIONS
from mutation.mutator import Mutator, Outcome, Suite, table, undo

OUTCOMES: pytest.StashKey[list[Outcome]] = pytest.StashKey()
# How many mutations this run tries.
DESIRED: pytest.StashKey[int] = pytest.StashKey()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each mutation a test of its own."""
    if "mutation" in metafunc.fixturenames:
        chosen = [mutation for mutation in MUTATIONS if mutation.quick or not scope.QUICK]
        metafunc.parametrize("mutation", chosen, ids=lambda mutation: mutation.name)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave this suite out where HARM names the other one."""
    scope.keep_chosen(config, items)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Count the mutations of this run."""
    mutations = [item for item in session.items if "mutation" in getattr(item, "fixturenames", ())]
    session.config.stash[DESIRED] = len(mutations)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Make a run red that has tested nothing."""
    scope.fail_if_nothing_passed(session)


@pytest.fixture(scope="session")
def mutators(pytestconfig: pytest.Config) -> Iterator[dict[bool, Mutator]]:
    """Return what mutates each host of the options, by whether the host has HAProxy."""
    if not pytestconfig.getoption("hosts"):
        pytest.exit("Name machines that may be broken: --hosts=ansible://class_vms", 2)
    inventory = str(Path(pytestconfig.getoption("ansible_inventory")).absolute())
    names = pytestconfig.getoption("hosts").split(",")
    known = expected.read(inventory, [])
    found = {}
    with contextlib.ExitStack() as stack:
        for host in testinfra.get_hosts(names, ansible_inventory=inventory):
            facts = known[host.backend.get_hostname()]
            # Under /tmp, because the path of a socket has little room.
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="cm-", dir="/tmp"))
            found[facts.is_behind_edge] = mutator_of(host, facts, known, inventory, Path(folder))
        yield found


def mutator_of(
    host: Any,
    facts: Facts,
    known: dict[str, Facts],
    inventory: str,
    folder: Path,
) -> Mutator:
    """Return what mutates a host."""
    assert facts.is_guarded
    assert not facts.is_local, "the control node must not be broken"
    vm = Vm(host, facts, folder)
    # An earlier run may have been interrupted.
    undo(vm)
    return Mutator(vm, Suite(facts.name, inventory, known, folder))


@pytest.fixture(scope="session")
def outcomes(pytestconfig: pytest.Config) -> list[Outcome]:
    """Return the list to which each test adds the outcome of its mutation."""
    pytestconfig.stash[OUTCOMES] = []
    return pytestconfig.stash[OUTCOMES]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print which check caught which mutation, and how many were caught."""
    if OUTCOMES in config.stash and config.stash[DESIRED]:
        terminalreporter.section("mutation")
        outcomes = config.stash[OUTCOMES]
        for line in table(outcomes, config.stash[DESIRED]):
            terminalreporter.write_line(line)
