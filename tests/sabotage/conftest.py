"""The verification itself is tested: every fault has to make its own check red.

    pytest tests/sabotage --hosts=ansible://vm-148-1 --ansible-inventory=FILE

The host has to be a machine that may be broken: one of a lab. With FAULTS=quick in the environment
only a few are made.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import facts as expected
import pytest
import testinfra
from faults import FAULTS
from saboteur import Saboteur, Suite, table, undo
from vm import Vm

SABOTEUR: pytest.StashKey[Saboteur] = pytest.StashKey()
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
def saboteur(pytestconfig: pytest.Config) -> Iterator[Saboteur]:
    """Return who makes faults on the host of the options."""
    if not pytestconfig.getoption("hosts"):
        pytest.exit("Name a machine that may be broken: --hosts=ansible://vm-148-1", 2)
    inventory = str(Path(pytestconfig.getoption("ansible_inventory")).absolute())
    names = pytestconfig.getoption("hosts").split(",")
    (host,) = testinfra.get_hosts(names, ansible_inventory=inventory)
    known = expected.read(inventory, [])
    facts = known[host.backend.get_hostname()]
    assert facts.is_guarded
    assert not facts.is_local, "a control node is not sabotaged"
    # Under /tmp, because the path of a socket has little room.
    with tempfile.TemporaryDirectory(prefix="cs-", dir="/tmp") as folder:
        vm = Vm(host, facts, Path(folder))
        # A former run may have been cut off.
        undo(vm)
        saboteur = Saboteur(vm, Suite(facts.name, inventory, known, Path(folder)))
        pytestconfig.stash[SABOTEUR] = saboteur
        yield saboteur


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print which check has caught which fault, and how many were caught."""
    if SABOTEUR in config.stash and config.stash[WISHED]:
        terminalreporter.section("sabotage")
        for line in table(config.stash[SABOTEUR].outcomes, config.stash[WISHED]):
            terminalreporter.write_line(line)
