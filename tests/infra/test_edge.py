"""HAProxy before the releases, with strategy blue_green."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from typing import TYPE_CHECKING

import pytest
from classvm.base import edge
from classvm.provision import haproxy

if TYPE_CHECKING:
    from infra.expected import Facts
    from infra.vm import Vm

EVIDENCE = ("edge", "containers", "listening")
# Of this many connections beyond a client's share, one has to be refused; and within these seconds
# after connections were closed, the share has to be free again.
REFUSED_WITHIN, FREE_SECONDS = 3, 5.0
# More of a body than HAProxy buffers before it decides.
SENT = 1 << 15
TELL = """
import socket, sys
with socket.socket(socket.AF_UNIX) as haproxy:
    haproxy.connect(sys.argv[1])
    haproxy.sendall(sys.argv[2].encode() + b"\\n")
    sys.stdout.write(b"".join(iter(lambda: haproxy.recv(4096), b"")).decode())
"""


@pytest.fixture(scope="module", autouse=True)
def behind_edge(facts: Facts) -> None:
    """Skip where a release publishes the port itself."""
    if not facts.is_behind_edge:
        pytest.skip(f"the strategy of {facts.name} is {facts.edge.strategy}")


@pytest.fixture(scope="module")
def desired(facts: Facts) -> haproxy.Desired:
    """Return the files that the role would install."""
    files = haproxy.Files()
    config, unit = (facts.edge_file(path) for path in (files.config, files.unit))
    return haproxy.Desired(facts.edge, config, unit)


def tell(vm: Vm, words: str) -> str:
    return vm.read("python3 -c %s %s %s", TELL, haproxy.SOCKET, words)


def test_haproxy_runs_and_starts_at_boot(vm: Vm) -> None:
    states = [vm.unit(edge.UNIT, key) for key in ("ActiveState", "UnitFileState")]
    assert states == ["active", "enabled"]


def test_the_files_of_the_edge_are_those_of_the_role(vm: Vm, desired: haproxy.Desired) -> None:
    found = {path: vm.read("cat %s", path) for path in desired.contents}
    expected = dict(desired.contents)
    # The order of its keys has no meaning.
    record = haproxy.record_of(desired.edge)
    assert json.loads(found.pop(record)) == json.loads(expected.pop(record))
    assert found == expected


def test_haproxy_runs_with_that_configuration(vm: Vm, desired: haproxy.Desired) -> None:
    assert f"\ndescription: {desired.digest}\n" in tell(vm, "show info")


def test_the_port_leads_to_the_live_container(vm: Vm, facts: Facts) -> None:
    written = vm.read("cat %s", facts.edge.map).splitlines()
    shown = tell(vm, f"show map {facts.edge.map}").splitlines()
    told = [line.split(" ", 1)[1] for line in shown if line]
    assert sorted(written) == sorted(told) == [f"live {vm.slot}", f"maintenance {edge.OFF}"]


def test_whoever_may_use_docker_may_tell_haproxy(vm: Vm) -> None:
    shown = vm.read("stat --format '%%U %%G %%a' %s", haproxy.SOCKET)
    assert shown == "root docker 660\n"


def test_a_body_that_is_too_large_gets_no_further(facts: Facts) -> None:
    size = int(facts["edge_body_limit"]) + 1
    head = f"POST / HTTP/1.1\r\nHost: {facts.name}\r\nContent-Length: {size}\r\n\r\n"
    with socket.create_connection((facts.address("IPv4"), facts.host_port), 5) as client:
        client.sendall(head.encode() + b" " * SENT)
        answer = client.recv(4096).decode()
    assert answer.startswith("HTTP/1.1 413 ")
    # The service has a limit of its own, with another text.
    assert f"larger than {facts['edge_body_limit']} bytes" in answer


def connect(facts: Facts) -> socket.socket:
    return socket.create_connection((facts.address("IPv4"), facts.host_port), 5)


def is_refused(facts: Facts, stack: contextlib.ExitStack) -> bool:
    """Open one more connection; tell whether HAProxy closes it at once."""
    try:
        client = stack.enter_context(connect(facts))
        client.settimeout(1)
        return client.recv(1) == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False


def is_refused_alone(facts: Facts) -> bool:
    """Tell whether HAProxy refuses a client that opens one connection and closes it."""
    with contextlib.ExitStack() as stack:
        return is_refused(facts, stack)


def becomes_free(facts: Facts) -> bool:
    """Wait until HAProxy has noticed that connections were closed."""
    deadline = time.monotonic() + FREE_SECONDS
    while is_refused_alone(facts):
        if time.monotonic() > deadline:
            return False
    return True


@pytest.mark.usefixtures("after_dry_run")
def test_a_client_has_only_its_share_of_the_connections(facts: Facts) -> None:
    assert becomes_free(facts)
    with contextlib.ExitStack() as stack:
        for _ in range(int(facts["edge_connections_per_client"])):
            stack.enter_context(connect(facts))
        # HAProxy's threads accept connections in any order.
        assert any(is_refused(facts, stack) for _ in range(REFUSED_WITHIN))
    assert becomes_free(facts)


def test_http_2_is_not_offered(facts: Facts) -> None:
    with connect(facts) as client:
        client.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 400 ")
