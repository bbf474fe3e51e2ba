"""Take class VMs from an older commit to today's tree and from strategy to strategy, under load.

    pytest tests/switch --hosts=ansible://class_vms --ansible-inventory=FILE

The hosts have to be bare machines of a lab, or those that an earlier run has left. OLDER=COMMIT in
the environment names the older commit; without it, that is the last one without a host program.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import testinfra
from faults import table
from faults.table import Row
from faults.target import Target, on_each_host
from infra import expected, scope
from infra.vm import Vm, keep_open
from switch import older

ROWS: pytest.StashKey[list[Row]] = pytest.StashKey()


@dataclass(frozen=True)
class Older:
    """The older tree: its folder, and its commit."""

    folder: Path
    commit: str


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to run without the names of machines of a lab."""
    if not config.getoption("hosts"):
        pytest.exit("Name machines of a lab: --hosts=ansible://vm-148-1", 2)
    config.stash[ROWS] = []


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test on each host."""
    on_each_host(metafunc)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Make a run red that has tested nothing."""
    scope.fail_if_nothing_passed(session)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print what the clients saw of each deploy."""
    rows = config.stash[ROWS]
    if rows:
        terminalreporter.section("switch")
        terminalreporter.write_line(f"{table.markdown(rows)}\n{table.verdict(rows)}")


@pytest.fixture(scope="session")
def old_tree() -> Iterator[Older]:
    """Return the older tree."""
    with tempfile.TemporaryDirectory(prefix="classvm-older-") as folder:
        yield Older(Path(folder), older.export(Path(folder)))


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest, old_tree: Older) -> Iterator[Target]:
    """Return a host to which the older tree has deployed an app, under load from then on."""
    inventory = str(Path(request.config.getoption("ansible_inventory")).absolute())
    host = testinfra.get_host(f"ansible://{request.param}", ansible_inventory=inventory)
    facts = expected.read(inventory, [])[request.param]
    assert not facts.is_local, "the control node is no machine of a lab"
    # Under /tmp, because the path of a socket has little room.
    with tempfile.TemporaryDirectory(prefix="cw-", dir="/tmp") as folder:
        sockets = Path(folder) / "ssh"
        sockets.mkdir()
        keep_open(host, sockets)
        vm = Vm(host, facts, sockets)
        made = Target(vm, Path(folder), inventory, request.config.stash[ROWS])
        # Of these, any tree knows the settings.
        app, known = made.good_apps[0], ("service_dir", "service_environment")
        variables = {name: made.variables(app)[name] for name in known}
        done = older.deploy(old_tree.folder, inventory, facts.name, variables)
        assert done.returncode == 0, f"{old_tree.commit}: {done.stdout}{done.stderr}"
        assert made.message() == app.name
        made.tally.start()
        made.load.start()
        yield made
        made.load.stop()
        made.tally.stop()
        vm.disconnect()
