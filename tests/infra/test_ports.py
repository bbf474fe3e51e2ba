"""The port mapping as seen by the engine, on the host, and from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from classvm.base import docker
from classvm.contract import checker
from infra.observer import CONTROL

if TYPE_CHECKING:
    from infra.expected import Facts
    from infra.vm import Vm

EVIDENCE = ("containers", "listening")
ANYWHERE = ("0.0.0.0", "[::]")
SECONDS = 5.0


# Prints the status of the first page; it runs on the host.
ASKING = """
import http.client, sys
connection = http.client.HTTPConnection("localhost", int(sys.argv[1]), timeout=5)
connection.request("GET", "/")
print(connection.getresponse().status)
"""


def ask(url: str) -> int:
    """Return the status of the service's first page.

    Raises:
        NoAnswerError: there is no answer.

    """
    return checker.send(checker.Call("", "", "GET", url), SECONDS).status


def test_docker_port_shows_exactly_the_mapping(vm: Vm, engine: docker.Docker, facts: Facts) -> None:
    # Older clients write IPv6 addresses without brackets.
    shown = engine.check("port", facts.container).replace(" :::", " [::]:").splitlines()
    desired = [f"{at}:{facts.host_port}" for at in ANYWHERE]
    if facts.is_behind_edge:
        desired = [f"127.0.0.1:{facts.edge.slots[vm.slot]}"]
    assert sorted(shown) == [f"{vm.release_spec.container_port}/tcp -> {at}" for at in desired]


def test_the_host_listens_on_the_port_everywhere(vm: Vm, facts: Facts) -> None:
    listed = vm.read("ss -Hltn %s", f"sport = :{facts.host_port}").splitlines()
    held = {line.split()[3] for line in listed}
    assert held == {f"{at}:{facts.host_port}" for at in ANYWHERE}


def test_the_service_answers_from_outside(address: str, facts: Facts) -> None:
    host = f"[{address}]" if ":" in address else address
    status = ask(f"http://{host}:{facts.host_port}/")
    # Not every app has a front page.
    assert status == 200 if facts.is_sealed else status


def test_the_container_port_is_closed_from_outside(address: str, facts: Facts) -> None:
    answers = CONTROL.ask(address, [facts.container_port], patience=0.5)
    assert answers.open == []


def test_the_service_answers_on_the_host_itself(vm: Vm, facts: Facts) -> None:
    status = int(vm.read("python3 -c %s %s", ASKING, str(facts.host_port)))
    assert status == 200 if facts.is_sealed else status


@pytest.mark.usefixtures("vm")
def test_the_service_answers_by_the_name_of_the_host(facts: Facts) -> None:
    assert ask(f"{facts.url()}/") == 200
