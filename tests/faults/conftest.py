"""Harm class VMs under load, and see that they are well again by themselves.

    pytest tests/faults --hosts=ansible://class_vms --ansible-inventory=FILE

The hosts have to be machines that may be harmed: a lab's. With FAULTS=quick in the environment only
a few things are done; with TABLE=FILE the table of what came of them is written there.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import facts as expected
import plan
import pytest
import table
import testinfra
from accidents import ACCIDENTS, Accident
from apps import BROKEN, Broken
from load import RATES
from table import Row
from victim import Victim
from vm import Vm, keep_open

PARAMETERS: dict[str, Sequence[Broken | Accident]] = {"flaw": BROKEN, "accident": ACCIDENTS}
ROWS: pytest.StashKey[list[Row]] = pytest.StashKey()
FOLDER = Path(__file__).parent
# What harms the host most comes last.
ORDER = ("test_redeploys", "test_broken", "test_kills", "test_accidents")


def pytest_configure(config: pytest.Config) -> None:
    """Find the machines that may be harmed."""
    if not config.getoption("hosts"):
        pytest.exit("Name machines that may be harmed: --hosts=ansible://vm-148-1", 2)
    config.stash[ROWS] = []


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Do everything to each host, one host after the other."""
    if "victim" in metafunc.fixturenames:
        option = metafunc.config.option
        hosts = testinfra.get_hosts(
            option.hosts.split(","), ansible_inventory=option.ansible_inventory
        )
        names = sorted(host.backend.get_hostname() for host in hosts)
        metafunc.parametrize("victim", names, indirect=True, scope="session")
    for name, wanted in PARAMETERS.items():
        if name in metafunc.fixturenames:
            chosen = [one for one in wanted if one.quick or not plan.QUICK]
            metafunc.parametrize(name, chosen, ids=[one.name for one in chosen])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bring the files into their order, within each host, behind those of other suites."""
    others = [item for item in items if item.path.parent != FOLDER]
    ours = [item for item in items if item.path.parent == FOLDER]
    ours.sort(key=lambda item: (host_of(item), ORDER.index(item.path.stem)))
    items[:] = [*others, *ours]


def host_of(item: pytest.Item) -> str:
    """Return the host that a test harms."""
    assert isinstance(item, pytest.Function)
    return str(item.callspec.params["victim"]) if hasattr(item, "callspec") else ""


@pytest.fixture(scope="session")
def victim(request: pytest.FixtureRequest) -> Iterator[Victim]:
    """Return a host under load."""
    inventory = str(Path(request.config.getoption("ansible_inventory")).absolute())
    host = testinfra.get_host(f"ansible://{request.param}", ansible_inventory=inventory)
    facts = expected.read(inventory, [])[request.param]
    assert facts.is_guarded
    assert not facts.is_local, "a control node is not harmed"
    # Under /tmp, because the path of a socket has little room.
    with tempfile.TemporaryDirectory(prefix="cf-", dir="/tmp") as folder:
        sockets = Path(folder) / "ssh"
        sockets.mkdir()
        keep_open(host, sockets)
        vm = Vm(host, facts, sockets)
        made = Victim(vm, Path(folder), inventory, request.config.stash[ROWS])
        made.start()
        yield made
        made.stop()
        vm.disconnect()


@pytest.fixture(autouse=True)
def whole(victim: Victim) -> None:
    """After a broken promise, start anew: each test is judged on its own."""
    victim.mend()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the table, and write it where that is wanted."""
    rows = config.stash[ROWS]
    if rows:
        terminalreporter.section("faults")
        terminalreporter.write_line(f"{table.markdown(rows)}\n{table.verdict(rows)}")
        if os.environ.get("TABLE"):
            table.write(Path(os.environ["TABLE"]), rows, sum(RATES.values()))
