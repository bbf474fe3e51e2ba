"""Do harm to class VMs under load, and see that they recover by themselves.

    pytest tests/faults --hosts=ansible://class_vms --ansible-inventory=FILE

The hosts have to be machines that may be harmed, those of a lab. With SCOPE=quick in the
environment only a few faults are tried; with TABLE=FILE the table of the outcomes is written there.

"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import testinfra
from faults import table
from faults.apps import BROKEN_RELEASES, BrokenRelease
from faults.faults import FAULTS, Fault
from faults.load import RATES
from faults.table import Row
from faults.target import Target, on_each_host
from infra import expected, scope
from infra.vm import Vm, keep_open

PARAMETERS: dict[str, Sequence[BrokenRelease | Fault]] = {
    "flaw": BROKEN_RELEASES,
    "fault": FAULTS,
}
ROWS: pytest.StashKey[list[Row]] = pytest.StashKey()
FOLDER = Path(__file__).parent
# What harms the host most comes last.
ORDER = (
    *("test_redeploys", "test_bad_clients", "test_broken_releases", "test_killed_deploys"),
    "test_host_faults",
)


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to run without the names of machines that may be harmed."""
    if not config.getoption("hosts"):
        pytest.exit("Name machines that may be harmed: --hosts=ansible://vm-148-1", 2)
    config.stash[ROWS] = []


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test on each host, and once for each broken release or fault."""
    on_each_host(metafunc)
    for name, known in PARAMETERS.items():
        if name in metafunc.fixturenames:
            chosen = [one for one in known if one.quick or not scope.QUICK]
            metafunc.parametrize(name, chosen, ids=[one.name for one in chosen])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Order the tests by host and file, after those of other suites."""
    scope.keep_chosen(config, items)
    others = [item for item in items if item.path.parent != FOLDER]
    ours = [item for item in items if item.path.parent == FOLDER]
    ours.sort(key=lambda item: (host_of(item), ORDER.index(item.path.stem)))
    items[:] = [*others, *ours]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Make a run red that has tested nothing."""
    scope.fail_if_nothing_passed(session)


def host_of(item: pytest.Item) -> str:
    """Return the host that a test harms."""
    assert isinstance(item, pytest.Function)
    return str(item.callspec.params["target"]) if hasattr(item, "callspec") else ""


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    """Return a host under load."""
    inventory = str(Path(request.config.getoption("ansible_inventory")).absolute())
    host = testinfra.get_host(f"ansible://{request.param}", ansible_inventory=inventory)
    facts = expected.read(inventory, [])[request.param]
    assert facts.is_guarded
    assert not facts.is_local, "the control node must not be harmed"
    # Under /tmp, because the path of a socket has little room.
    with tempfile.TemporaryDirectory(prefix="cf-", dir="/tmp") as folder:
        sockets = Path(folder) / "ssh"
        sockets.mkdir()
        keep_open(host, sockets)
        vm = Vm(host, facts, sockets)
        made = Target(vm, Path(folder), inventory, request.config.stash[ROWS])
        made.start()
        yield made
        made.stop()
        vm.disconnect()


@pytest.fixture(scope="session")
def neighbour(target: Target) -> Iterator[Vm]:
    """Return another machine on the host's network: a bare one, or else another class VM."""
    known = expected.read(target.inventory, []).values()
    others = [one for one in known if one.name != target.facts.name and not one.is_local]
    others.sort(key=lambda one: expected.NEIGHBOURS not in one["group_names"])
    assert others, "the inventory has no second host"
    host = testinfra.get_host(f"ansible://{others[0].name}", ansible_inventory=target.inventory)
    with tempfile.TemporaryDirectory(prefix="cf-", dir="/tmp") as folder:
        keep_open(host, Path(folder))
        vm = Vm(host, others[0], Path(folder))
        yield vm
        vm.disconnect()


@pytest.fixture(autouse=True)
def _recovered(target: Target) -> None:
    """Redeploy after a broken promise: each test is judged on its own."""
    target.redeploy_if_broken()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the table, and write it to the file of TABLE."""
    rows = config.stash[ROWS]
    if rows:
        terminalreporter.section("faults")
        terminalreporter.write_line(f"{table.markdown(rows)}\n{table.verdict(rows)}")
        if os.environ.get("TABLE"):
            table.write(Path(os.environ["TABLE"]), rows, sum(RATES.values()))
