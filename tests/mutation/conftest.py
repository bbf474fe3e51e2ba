"""The verification itself is tested: every fault has to make its own check red.

    pytest tests/sabotage --hosts=ansible://class_vms --ansible-inventory=FILE

The hosts have to be machines that may be broken, those of a lab: one whose strategy is recreate,
and one with blue_green. With FAULTS=quick in the environment
only a few are made.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import facts as expected
import pytest
import testinfra
from facts import Facts
from faults import FAULTS
from saboteur import Outcome, Saboteur, Suite, table, undo
from vm import Vm

OUTCOMES: pytest.StashKey[list[Outcome]] = pytest.StashKey()
WISHED: pytest.StashKey[int] = pytest.StashKey()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each fault a test of its own."""
    if "fault" in metafunc.fixturenames:
        wanted = os.environ.get("FAULTS")
        chosen = [fault for fault in FAULTS if fault.quick or wanted != "quick"]
        metafunc.parametrize("fault", chosen, ids=lambda fault: fault.name)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Count the faults of this run."""
    faults = [item for item in session.items if "fault" in getattr(item, "fixturenames", ())]
    session.config.stash[WISHED] = len(faults)


@pytest.fixture(scope="session")
def saboteurs(pytestconfig: pytest.Config) -> Iterator[dict[bool, Saboteur]]:
    """Return who makes faults on the hosts of the options, by whether HAProxy is there."""
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
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="cs-", dir="/tmp"))
            found[facts.is_behind_edge] = saboteur_of(host, facts, known, inventory, Path(folder))
        yield found


def saboteur_of(
    host: Any,
    facts: Facts,
    known: dict[str, Facts],
    inventory: str,
    folder: Path,
) -> Saboteur:
    """Return who makes faults on a host."""
    assert facts.is_guarded
    assert not facts.is_local, "a control node is not sabotaged"
    vm = Vm(host, facts, folder)
    # A former run may have been cut off.
    undo(vm)
    return Saboteur(vm, Suite(facts.name, inventory, known, folder))


@pytest.fixture(scope="session")
def outcomes(pytestconfig: pytest.Config) -> list[Outcome]:
    """Return where the tests note what came of each fault."""
    pytestconfig.stash[OUTCOMES] = []
    return pytestconfig.stash[OUTCOMES]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print which check has caught which fault, and how many were caught."""
    if OUTCOMES in config.stash and config.stash[WISHED]:
        terminalreporter.section("sabotage")
        outcomes = config.stash[OUTCOMES]
        for line in table(outcomes, config.stash[WISHED]):
            terminalreporter.write_line(line)
