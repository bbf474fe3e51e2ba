"""The contract as seen from outside: what every operation accepts, answers and refuses."""

from __future__ import annotations

import functools
import json
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from classvm.contract import checker
from infra.expected import WHOLE_CONTRACT

if TYPE_CHECKING:
    from infra.expected import Facts
    from infra.vm import Vm

EVIDENCE = ("container log",)
SECONDS = 2.0
TRIES = 3
UNDECLARED = "an_undeclared_field"


class Service:
    """The service under test, and its contract."""

    def __init__(self, facts: Facts) -> None:
        """Read the contract of a host."""
        self.facts = facts
        self.document = checker.load_spec(str(facts.spec))
        self.operations = {one.operation_id: one for one in checker.list_operations(self.document)}
        self.base = checker.base_url(self.document, facts.url())

    def operation(self, name: str) -> checker.Operation:
        """Return an operation; another host's contract may have it and this one not."""
        if name not in self.operations:
            pytest.skip(f"the contract of {self.facts.name} has no {name}")
        return self.operations[name]

    def ending(self, name: str) -> checker.Operation:
        """Return an operation about which this suite checks more than the contract states."""
        found = [one for one in self.operations.values() if one.operation_id.endswith(name)]
        if not found:
            pytest.skip(f"the contract of {self.facts.name} has no operation {name}")
        return found[0]

    def example(self, operation: checker.Operation) -> checker.Call:
        """Return the first call that the operation has to answer."""
        return checker.example_calls(self.document, operation, self.base)[0]

    def ask(self, operation: checker.Operation) -> dict[str, Any]:
        """Return what the operation answers to its example."""
        answer = checker.send(self.example(operation), checker.DEFAULT_TIMEOUT)
        found: dict[str, Any] = json.loads(answer.body)
        return found


@pytest.fixture(scope="module")
def service(vm: Vm, sealed: None) -> Service:
    """Return the service under test, one whose spec promises all that is asked here."""
    del sealed
    return Service(vm.facts)


def problems(outcomes: list[checker.Outcome]) -> str:
    """Return the requests and answers of all bad outcomes, "" if there are none."""
    return "\n".join(line for one in outcomes if not one.ok for line in one.lines())


def broken_promises(facts: Facts) -> str:
    """Return what breaks the contract of an app of any layout, checked as after a deploy.

    Nothing is sent that may change the data of a live service.
    """
    report = checker.check_contract(
        text=facts.source.contract,
        safe_only=True,
        url=facts.url(),
        timeout=checker.DEFAULT_TIMEOUT,
        wait=0,
    )
    found = "\n".join(line for failure in report.failures for line in failure.lines())
    return "" if report.may_go_live else found


# --- Each operation -----------------------------------------------------------------------------


def test_an_operation_answers_its_examples(
    facts: Facts, operation: str, request: pytest.FixtureRequest
) -> None:
    if operation == WHOLE_CONTRACT and not facts.is_sealed:
        if facts.released:
            pytest.skip("no host keeps the contract of an earlier release of such an app")
        assert not broken_promises(facts)
        return
    service: Service = request.getfixturevalue("service")
    wanted = service.operation(operation)
    timeout = checker.DEFAULT_TIMEOUT
    outcomes = checker.check_operation(service.document, wanted, service.base, timeout)
    assert not problems(outcomes)


def test_an_operation_answers_no_undeclared_field(service: Service, operation: str) -> None:
    wanted = service.operation(operation)
    closed = checker.list_operations(close(service.document))
    strict = next(one for one in closed if one.operation_id == wanted.operation_id)
    judge = functools.partial(undeclared_fields, close(service.document), strict)
    call = service.example(wanted)
    assert not problems([checker.perform(call, judge, checker.DEFAULT_TIMEOUT)])


def undeclared_fields(
    document: checker.Node,
    operation: checker.Operation,
    answer: checker.Answer,
) -> list[str]:
    """Return the problems of an answer that are undeclared fields."""
    found = checker.success_problems(document, operation, answer)
    return [problem for problem in found if "Additional properties" in problem]


def close(node: checker.Json) -> checker.Json:
    """Return a copy of a contract that forbids undeclared fields in every object."""
    if isinstance(node, list):
        return [close(item) for item in node]
    if not isinstance(node, dict):
        return node
    copy = {key: close(value) for key, value in node.items()}
    if node.get("type") == "object" and "properties" in node:
        copy.setdefault("additionalProperties", False)
    return copy


def test_an_operation_refuses_wrong_values(service: Service, refusing_operation: str) -> None:
    wanted = service.operation(refusing_operation)
    judge = functools.partial(checker.refusal_problems, service.document, wanted)
    calls = checker.wrong_value_calls(service.document, wanted, service.base)
    timeout = checker.DEFAULT_TIMEOUT
    assert not problems([checker.perform(call, judge, timeout) for call in calls])


def test_an_operation_answers_quickly(service: Service, operation: str) -> None:
    call = service.example(service.operation(operation))
    taken = []
    for _ in range(TRIES):
        started = time.monotonic()
        checker.send(call, SECONDS * TRIES)
        taken.append(time.monotonic() - started)
    assert statistics.median(taken) <= SECONDS, f"{call.method} {call.url}"


# --- The service as a whole ---------------------------------------------------------------------


def test_an_undeclared_field_of_a_request_is_refused(service: Service) -> None:
    outcomes = []
    for operation in service.operations.values():
        schema = checker.resolve(service.document, operation.body.get("schema"))
        if schema.get("additionalProperties") is False:
            body = {**checker.example_of(service.document, operation.body), UNDECLARED: 1}
            call = checker.build_call(operation, service.base, "undeclared field", {}, body)
            judge = functools.partial(checker.refusal_problems, service.document, operation)
            outcomes.append(checker.perform(call, judge, checker.DEFAULT_TIMEOUT))
    if not outcomes:
        pytest.skip("no operation has a body with a fixed set of fields")
    assert not problems(outcomes)


def test_an_undeclared_method_is_refused(service: Service) -> None:
    operations = list(service.operations.values())
    calls = checker.undeclared_method_calls(service.document, operations, service.base)
    judge = functools.partial(checker.status_problems, 405)
    timeout = checker.DEFAULT_TIMEOUT
    assert not problems([checker.perform(call, judge, timeout) for call in calls])


def test_an_unknown_path_is_not_found(service: Service) -> None:
    call = checker.unknown_path_call(service.base, "unknown path")
    judge = functools.partial(checker.status_problems, 404)
    assert not problems([checker.perform(call, judge, checker.DEFAULT_TIMEOUT)])


@pytest.mark.usefixtures("address6")
def test_an_operation_answers_over_ipv6(service: Service) -> None:
    base = checker.base_url(service.document, service.facts.url("IPv6"))
    first = next(iter(service.operations.values()))
    timeout = checker.DEFAULT_TIMEOUT
    assert not problems(checker.check_operation(service.document, first, base, timeout))


def test_the_service_describes_the_operations_of_the_contract(service: Service) -> None:
    described = service.ask(service.ending("describe.get"))["endpoints"]
    prefix = checker.base_url(service.document, "http://host").removeprefix("http://host")
    desired = [(one.method, prefix + one.path) for one in service.operations.values()]
    assert sorted((one["method"], one["path"]) for one in described) == sorted(desired)


# --- Health -------------------------------------------------------------------------------------


def test_the_health_endpoint_names_the_model_of_the_tree(service: Service) -> None:
    folder = service.facts.service_dir
    said = service.ask(service.ending("health.get"))
    if (
        service.facts.released
        or not (folder / "src/model.py").is_file()
        or "model_version" not in said
    ):
        pytest.skip("this service has no model, or its release is an earlier one")
    script = "from src import model; print(model.load().version)"
    words = [sys.executable, "-B", "-c", script]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True)
    assert said["model_version"] == done.stdout.strip()


def test_the_uptime_is_that_of_the_container(service: Service, vm: Vm) -> None:
    health = service.ending("health.get")
    first = service.ask(health)["uptime_seconds"]
    second = service.ask(health)["uptime_seconds"]
    started = f"date --date {vm.live['State']['StartedAt']} +%s.%N; date +%s.%N"
    since, now = map(float, vm.read(started).split())
    assert 0 < first < second <= now - since


def test_the_health_check_and_the_health_endpoint_agree(service: Service, vm: Vm) -> None:
    call = service.example(service.ending("health.get"))
    answer = checker.send(call, checker.DEFAULT_TIMEOUT)
    words = vm.live["Config"].get("Healthcheck", {}).get("Test", [])[1:]
    if not words:
        pytest.skip("the image has no health check")
    checked = vm.docker.run("exec", vm.facts.container, *words)
    assert (answer.status == 200) == (checked.code == 0), f"{answer.status}, {checked.last_lines()}"
