"""One suite of checks for every host: molecule and `make verify` run it.

    pytest tests/infra --hosts=ansible://class_vms --ansible-inventory=FILE

Without options it checks the hosts of the default inventory.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import os
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
import testinfra
from classvm.base import docker
from classvm.contract import checker
from infra import expected, released
from infra.expected import FAMILIES, NEIGHBOURS, Facts
from infra.observer import CONTROL, TARGETS, Observer
from infra.vm import Vm, keep_open

MARKS = {
    "scan": "probes all ports of the host: takes minutes",
    "fuzz": "sends thousands of generated requests: takes a minute",
    "disruptive": "restarts the engine and the host: never on a live host",
}
# How many other hosts are tried as the neighbour before the tests that need one are skipped.
NEIGHBOURS_ASKED = 3
# Why a check of the lab's own layout says nothing about another app.
EARLIER = "a rollback made an earlier release live, and the app's folder holds a later one"
OTHER_LAYOUT = "the app is not in the layout of service/, with a Dockerfile and a lock of its own"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add options for the variables of the deploy, and for what rollbacks have made live."""
    group = parser.getgroup("testinfra")
    group.addoption(
        "--released", default="{}", help="JSON of infra.released, by host: live by a rollback"
    )
    group.addoption(
        "--extra-vars",
        action="append",
        default=[],
        help="as for ansible-playbook: what the hosts were deployed with",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register the marks, and choose the hosts where no option names them."""
    for name, meaning in MARKS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    inventory = config.getoption("ansible_inventory") or os.environ.get("MOLECULE_INVENTORY_FILE")
    if inventory and Path(inventory).exists():
        # Ansible runs in another folder than pytest.
        inventory = str(Path(inventory).absolute())
    config.option.ansible_inventory = inventory
    config.option.hosts = config.option.hosts or "ansible://all"


# --- What the hosts should be -------------------------------------------------------------------

FACTS: pytest.StashKey[dict[str, Facts]] = pytest.StashKey()
VMS: pytest.StashKey[dict[str, Vm]] = pytest.StashKey()


def all_facts(config: pytest.Config) -> dict[str, Facts]:
    """Return what each host of the inventory should be."""
    if FACTS not in config.stash:
        options = config.option
        known = expected.read(options.ansible_inventory, options.extra_vars)
        by_rollback = released.from_json(options.released)
        config.stash[FACTS] = {
            host: dataclasses.replace(one, released=by_rollback.get(host))
            for host, one in known.items()
        }
        for one in config.stash[FACTS].values():
            TARGETS.update(filter(None, map(one.address, FAMILIES)))
    return config.stash[FACTS]


def under_test(config: pytest.Config) -> list[str]:
    """Return the names of the hosts that the options name."""
    option = config.option
    hosts = testinfra.get_hosts(
        option.hosts.split(","),
        ansible_inventory=option.ansible_inventory,
    )
    return sorted({host.backend.get_hostname() for host in hosts})


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each operation of the contract a test of its own."""
    for name in {"operation", "refusing_operation"} & set(metafunc.fixturenames):
        known = all_facts(metafunc.config)
        hosts = [known[host] for host in under_test(metafunc.config) if host in known]
        specs = {one.spec for one in hosts if one.is_sealed}
        found = [operation_ids(spec, refusing=name != "operation") for spec in sorted(specs)]
        found += [[] if one.is_sealed else [expected.WHOLE_CONTRACT] for one in hosts]
        metafunc.parametrize(name, list(dict.fromkeys(one for ids in found for one in ids)))


def operation_ids(spec: Path, *, refusing: bool) -> list[str]:
    """Return the operations of a contract, or only those for which a wrong value is known."""
    try:
        document = checker.load_spec(str(spec))
    except checker.InputError:  # the tests of that host report it
        return []
    return [
        one.operation_id
        for one in checker.list_operations(document)
        if not refusing or checker.wrong_value_calls(document, one, "")
    ]


# --- The hosts ----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def ssh_folder(pytestconfig: pytest.Config) -> Iterator[Path]:
    """Return the folder for the sockets of the shared SSH connections."""
    # Under /tmp, because the path of a socket must be short.
    with tempfile.TemporaryDirectory(prefix="cv-", dir="/tmp") as folder:
        yield Path(folder)
        for vm in pytestconfig.stash.get(VMS, {}).values():
            vm.disconnect()


def vm_of(name: str, host: Any, config: pytest.Config, folder: Path) -> Vm:
    """Return a host of the inventory, with what it should be."""
    known = config.stash.setdefault(VMS, {})
    if name not in known:
        if name not in all_facts(config):
            raise expected.FactsError(f"Ansible cannot resolve all variables of {name}")
        keep_open(host, folder)
        known[name] = Vm(host, all_facts(config)[name], folder)
    return known[name]


@pytest.fixture(scope="module")
def vm(host: Any, pytestconfig: pytest.Config, ssh_folder: Path) -> Vm:
    """Return the host under test."""
    found = vm_of(host.backend.get_hostname(), host, pytestconfig, ssh_folder)
    found.settle()
    return found


@pytest.fixture(scope="module")
def facts(vm: Vm) -> Facts:
    """Return what the host under test should be."""
    return vm.facts


@pytest.fixture(scope="module")
def engine(vm: Vm) -> docker.Docker:
    """Return the engine of the host under test."""
    return vm.docker


@pytest.fixture(scope="module")
def sealed(facts: Facts) -> None:
    """Skip a test of what the folder of the app says on a host with another kind of app."""
    if not facts.is_sealed:
        pytest.skip(OTHER_LAYOUT)


@pytest.fixture(scope="module")
def sources(facts: Facts) -> None:
    """Skip a test that compares with the app's folder where an earlier release is live."""
    if facts.released:
        pytest.skip(EARLIER)


@pytest.fixture
def guarded(facts: Facts) -> None:
    """Skip a test of the guard on a host that has none."""
    if not facts.is_guarded:
        pytest.skip(f"{facts.name} is not in class_vms: it has no guard")


@pytest.fixture
def systemd(vm: Vm) -> None:
    """Skip a test of systemd on a host without it."""
    if not vm.has_systemd:
        pytest.skip(f"{vm.facts.name} is not run by systemd")


# --- Seen from outside --------------------------------------------------------------------------


@pytest.fixture(params=list(FAMILIES))
def address(request: pytest.FixtureRequest, facts: Facts) -> str:
    """Return the host's address, over IPv4 and over IPv6."""
    found = facts.address(request.param)
    if found is None:
        pytest.skip(f"no {request.param} address of {facts.name} is known")
    return found


@pytest.fixture
def address6(facts: Facts) -> str:
    """Return the host's IPv6 address."""
    found = facts.address("IPv6")
    if found is None:
        pytest.skip(f"no IPv6 address of {facts.name} is known")
    return found


@pytest.fixture(scope="module")
def neighbour(facts: Facts, pytestconfig: pytest.Config, ssh_folder: Path) -> Observer:
    """Return another machine on the host's network: a bare one, or else another class VM."""
    known = all_facts(pytestconfig).values()
    others = [one for one in known if one.name != facts.name and not one.is_local]
    others.sort(key=lambda one: NEIGHBOURS not in one["group_names"])
    inventory = pytestconfig.option.ansible_inventory
    for name in [one.name for one in others][:NEIGHBOURS_ASKED]:
        host = testinfra.get_host(f"ansible://{name}", ansible_inventory=inventory)
        found = vm_of(name, host, pytestconfig, ssh_folder)
        with contextlib.suppress(RuntimeError):  # it is out of reach; the next one may not be
            found.run("true")
            return Observer(name, found)
    pytest.skip(f"the inventory has no second host, within reach, to see {facts.name} from")


@pytest.fixture(params=["control node", "neighbour"])
def observer(request: pytest.FixtureRequest) -> Observer:
    """Return each machine that probes the host from outside."""
    found = CONTROL if request.param != "neighbour" else request.getfixturevalue("neighbour")
    assert isinstance(found, Observer)
    return found


# --- A dry run ----------------------------------------------------------------------------------


DRY_RUN: pytest.StashKey[concurrent.futures.Future[expected.Finished]] = pytest.StashKey()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what the dry run must not meet after it, and the disruptive tests last."""
    items.sort(key=turn)


def turn(item: pytest.Item) -> int:
    """Return when a test runs: the smaller, the earlier."""
    if item.get_closest_marker("disruptive"):
        return 2
    return int("after_dry_run" in getattr(item, "fixturenames", ()))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start a dry run of the main job in the background: it takes longer than all other tests."""
    wanted = any("dry_run" in getattr(item, "fixturenames", ()) for item in session.items)
    if not wanted or session.config.option.collectonly:
        return
    option = session.config.option
    known = all_facts(session.config)
    hosts = [host for host in under_test(session.config) if not known[host].released]
    if not hosts:
        return
    words = ["ansible-playbook", "ansible/deploy.yml", "--check", "--limit", ",".join(hosts)]
    words += expected.options(option.ansible_inventory, option.extra_vars)
    pool = concurrent.futures.ThreadPoolExecutor(1)
    session.config.stash[DRY_RUN] = pool.submit(expected.run, words)


@pytest.fixture
def dry_run(pytestconfig: pytest.Config, sources: None) -> expected.Finished:
    """Wait for the dry run, and return it."""
    del sources
    return pytestconfig.stash[DRY_RUN].result()


@pytest.fixture
def after_dry_run(pytestconfig: pytest.Config) -> None:
    """Wait for the dry run, which could not connect while a test holds all connections."""
    if DRY_RUN in pytestconfig.stash:
        pytestconfig.stash[DRY_RUN].result()


# --- Evidence -----------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the logs that the test's module lists in EVIDENCE to the report of a failure."""
    report = yield
    vm = item.funcargs.get("vm")
    if report.failed and isinstance(vm, Vm):
        for name in getattr(item.module, "EVIDENCE", ()):
            report.sections.append((name, vm.evidence(name)))
    return report
