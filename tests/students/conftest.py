"""Attack a class VM as students who are not root, and see that each attack is refused or harmless.

    pytest tests/students --hosts=ansible://class_vms --ansible-inventory=FILE

The host has to be one that may be attacked, of a lab, with two accounts that `students` names and
that the lab's key lets in. Each attack has a twin where there is one: the same deed where nothing
forbids it, which succeeds. Whatever a test does, the service has to answer after it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import testinfra
from faults.target import Target
from infra import expected, scope
from infra.vm import Vm, keep_open
from students.account import MARK, ROOTS_MARK, Account, login
from students.contexts import App

# What changes who may do what comes last.
LAST = "test_switching"


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to run without the name of a machine that may be attacked."""
    if not config.getoption("hosts"):
        pytest.exit("Name a machine that may be attacked: --hosts=ansible://vm-148-1", 2)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what changes the rights last."""
    items.sort(key=lambda item: item.path.stem == LAST)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Make a run red that has tested nothing."""
    scope.fail_if_nothing_passed(session)


@pytest.fixture(scope="session")
def inventory(request: pytest.FixtureRequest) -> str:
    """Return the path of the inventory."""
    return str(Path(request.config.getoption("ansible_inventory")).absolute())


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """Return a folder for apps and sockets."""
    # Under /tmp, because the path of a socket has little room.
    with tempfile.TemporaryDirectory(prefix="cs-", dir="/tmp") as path:
        yield Path(path)


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest, inventory: str, folder: Path) -> Iterator[Target]:
    """Return the host, with two releases, so that there is one to roll back to."""
    (host,) = testinfra.get_hosts(
        request.config.getoption("hosts").split(","), ansible_inventory=inventory
    )
    facts = expected.read(inventory, [])[host.backend.get_hostname()]
    assert not facts.is_local, "the control node must not be attacked"
    sockets = folder / "ssh"
    sockets.mkdir()
    keep_open(host, sockets)
    made = Target(Vm(host, facts, sockets), folder, inventory, [])
    for app in made.good_apps:
        made.release(app)
    yield made
    made.vm.disconnect()


@pytest.fixture(scope="session")
def vm(target: Target) -> Vm:
    """Return the host, used as root."""
    return target.vm


@pytest.fixture(scope="session")
def logins(target: Target, folder: Path) -> dict[str, Account]:
    """Return the accounts of the host, by name: those of the students, and the admin's."""
    names = [*target.facts["students"], "admin"]
    host = target.facts.name
    return {one: login(one, target.inventory, host, str(folder / "ssh")) for one in names}


@pytest.fixture(scope="session")
def ada(logins: dict[str, Account], target: Target) -> Account:
    """Return the first student."""
    return logins[target.facts["students"][0]]


@pytest.fixture(scope="session")
def bob(logins: dict[str, Account], target: Target) -> Account:
    """Return the second student."""
    return logins[target.facts["students"][1]]


@pytest.fixture(scope="session")
def admin(logins: dict[str, Account]) -> Account:
    """Return an account that may become root."""
    return logins["admin"]


@pytest.fixture(scope="session")
def app(target: Target) -> App:
    """Return an app that is in order, as a clone sends it."""
    facts = target.facts
    return App.of(expected.read_app(target.good_apps[0], facts.host_port, facts.container_port))


@pytest.fixture(autouse=True)
def _unharmed(vm: Vm, target: Target) -> Iterator[None]:
    """Make sure that no attack has run code as root, and that the service answers after it."""
    vm.read(f"rm -f {MARK}-*")
    yield
    assert vm.root("test -e %s", ROOTS_MARK).rc != 0, "code of a student ran as root"
    target.wait_until_healthy()
