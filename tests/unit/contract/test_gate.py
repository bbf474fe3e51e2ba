"""Apps of which nothing is known but their spec, against a real server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from classvm.contract import checker, contract_document
from classvm.contract.contract_document import SpecText
from tiny_service import GET_SUM, POST_SCALE, SPEC, Reply, a_problem, a_sum

if TYPE_CHECKING:
    from tiny_service import Service

TIMEOUT = 1.0
PRICES = """\
openapi: 3.0.0
servers: [{url: /prices}]
paths:
  /total/{pieces}:
    get:
      parameters:
        - {in: path, name: pieces, required: true, schema: {type: integer, minimum: 3}}
      responses:
        '200':
          description: What so many pieces cost
          content:
            application/json:
              schema:
                required: [total]
                properties: {total: {type: number}}
  /list:
    get:
      responses:
        '200': {description: All prices}
    delete:
      responses:
        '204': {description: None is left}
"""
TOTAL, LIST = "GET /prices/total/3", "GET /prices/list"
DELETE = "DELETE /prices/list"
WRONG = "GET /prices/total/not-a-valid-value"


def ok(body: str = "{}", status: int = 200, media_type: str = "application/json") -> Reply:
    return Reply(status, media_type, body)


def serve(service: Service, **changed: Reply) -> None:
    """Have the service keep the promises of PRICES, except for ``changed``."""
    good = {
        "total": ok('{"total": 7.5}'),
        "list": ok(),
        "delete": ok("", 204),
        "wrong": ok("", 404),
    }
    replies = {**good, **changed}
    for name, line in {"total": TOTAL, "list": LIST, "delete": DELETE, "wrong": WRONG}.items():
        service.replies[line] = replies[name]


def check(
    service: Service,
    text: str = PRICES,
    *,
    mode: str = "gate",
    base_path: str | None = None,
    safe_only: bool = False,
) -> checker.Report:
    document = contract_document.write(mode, [SpecText("master.yml", text, base_path)])
    return checker.check_contract(document, service.url, TIMEOUT, safe_only=safe_only)


def test_a_service_that_keeps_its_promises(service: Service) -> None:
    serve(service)
    report = check(service)
    assert report.ok, report.lines()
    assert (report.operation_count, report.not_checked, report.notes) == (3, (), ())
    # What lists comes first, what removes last, and wrong values are tried.
    assert service.requests == [LIST, TOTAL, WRONG, DELETE]
    assert report.lines() == ["contract kept: 3 operations in 3 calls, 1 probes, 0 failures"]


@pytest.mark.parametrize(
    ("changed", "first", "line"),
    [
        ({"total": ok()}, f"{TOTAL}: 'total' is a required property", 9),
        (
            {"total": ok('{"total": "7.50"}')},
            f'{TOTAL}: `total` is text "7.50", promised a number',
            9,
        ),
        ({"list": ok(status=203)}, f"{LIST}: status 203 is not in master.yml (promised: 200)", 17),
        (
            {"total": a_problem(500)},
            f"{TOTAL}: status 500 is not in master.yml (promised: 200); its values were made up",
            5,
        ),
        ({"list": a_problem(404)}, f"{LIST}: status 404 is not in master.yml (promised: 200)", 17),
        ({"delete": a_problem(500)}, f"{DELETE}: status 500 is not in master.yml", 20),
        ({"list": ok()._replace(delay=1.5 * TIMEOUT)}, f"{LIST}: no answer from", 17),
    ],
)
def test_a_service_that_breaks_one(
    service: Service, changed: dict[str, Reply], first: str, line: int
) -> None:
    serve(service, **changed)
    report = check(service)
    assert not report.may_go_live
    assert report.first.startswith(first)
    assert [failure.place for failure in report.failures] == [f"master.yml:{line}"]
    # Nothing is said of the operations that are fine.
    assert [text for text in report.lines() if text.startswith(("FAIL", "contract"))] == [
        f"FAIL  {report.failures[0].title}",
        report.lines()[-1],
    ]


def test_a_warning_finds_the_same_and_lets_it_pass(service: Service) -> None:
    serve(service, total=ok())
    strict, warned = check(service), check(service, mode="warn")
    assert strict.failures[0].problems == warned.failures[0].problems
    assert (warned.ok, warned.may_go_live) == (False, True)


def test_an_id_that_does_not_exist_is_not_checked(service: Service) -> None:
    serve(service, total=a_problem(404))
    report = check(service)
    assert report.ok
    assert report.as_json()["not_checked"] == [
        {
            "title": "GET /prices/total/{pieces}",
            "reason": "needs an id that exists: give `example`",
            "place": "master.yml:5",
        }
    ]
    assert report.operation_count == 3
    assert report.lines()[0].startswith("not checked: GET /prices/total/{pieces} (master.yml:5): ")


def test_a_wrong_value_is_worth_advice_only(service: Service) -> None:
    serve(service, wrong=a_problem(500))
    report = check(service)
    assert report.ok
    (note,) = report.notes
    assert note.reason == (
        "wrong value for path parameter pieces is answered with 500, not with 4xx"
    )


def test_a_live_service_is_only_asked(service: Service) -> None:
    """Even a GET may write down what it is asked for, so no value is made up."""
    serve(service, wrong=a_problem(500))
    report = check(service, safe_only=True)
    assert service.requests == [LIST]
    assert [(note.title, note.reason.partition(":")[0]) for note in report.not_checked] == [
        ("GET /prices/total/{pieces}", "its values are made up"),
        (DELETE, "may change data"),
    ]
    service.requests.clear()
    text = PRICES.replace("minimum: 3}", "minimum: 3}, example: 3")
    assert check(service, text, safe_only=True).operation_count == 3
    assert service.requests == [LIST, TOTAL]


def test_of_a_live_service_it_is_asked_at_least_whether_it_answers(
    service: Service, closed_url: str
) -> None:
    assert check(service, NAMES, safe_only=True).ok
    assert service.requests == ["GET /no-such-path"]
    text = contract_document.write("gate", [SpecText("a.yml", NAMES)])
    report = checker.check_contract(text, closed_url, TIMEOUT, safe_only=True)
    assert [failure.status for failure in report.failures] == [None]


def test_a_base_path_of_the_app_counts_before_that_of_the_spec(service: Service) -> None:
    service.replies["GET /shop/list"] = service.replies["DELETE /shop/list"] = ok("", 204)
    assert check(service, base_path="/shop").first.startswith("GET /shop/list: status 204")


NAMES = """\
openapi: 3.0.0
paths:
  /greet/{name}:
    get:
      parameters:
        - {in: path, name: name, required: true, schema: {type: string}}
        - {in: query, name: loud, schema: {type: boolean}}
      responses: {'200': {description: A greeting}}
"""


def test_a_text_is_tried_in_two_ways(service: Service) -> None:
    """Some texts are numbers after all, such as an ISBN."""
    service.replies["GET /greet/text"] = a_problem(500)
    for line in ("GET /greet/1", "GET /greet/1?loud=true", "GET /greet/text?loud=true"):
        service.replies[line] = ok()
    report = check(service, NAMES)
    assert report.ok
    assert report.not_checked == ()
    assert service.requests[:2] == ["GET /greet/text", "GET /greet/1"]


def test_a_text_that_nobody_knows_is_not_checked(service: Service) -> None:
    service.replies["GET /greet/text"] = service.replies["GET /greet/1"] = a_problem(500)
    report = check(service, NAMES)
    assert report.ok
    assert [note.reason for note in report.not_checked] == [
        "answers 500 to a value made up: give `example`"
    ]


def test_optional_parameters_are_sent_too(service: Service) -> None:
    service.replies["GET /greet/text"] = ok()
    service.replies["GET /greet/text?loud=true"] = ok(status=202)
    assert check(service, NAMES).first.startswith("GET /greet/text?loud=true: status 202 is not")


def test_optional_parameters_that_are_refused_are_noted(service: Service) -> None:
    service.replies["GET /greet/text"] = ok()
    service.replies["GET /greet/text?loud=true"] = a_problem(400)
    report = check(service, NAMES)
    assert report.ok
    assert report.notes[0].reason == (
        "with its optional parameters: refuses values made up (400): give `example`"
    )


UNITS = """\
openapi: 3.0.0
paths:
  /kelvin/<float:celsius>:
    get: {responses: {'200': {description: kelvin}}}
"""


def test_a_path_as_flask_writes_it(service: Service) -> None:
    service.replies["GET /kelvin/1"] = ok()
    report = check(service, UNITS)
    assert report.ok
    assert report.not_checked == ()


SECRETS = """\
openapi: 3.0.0
paths:
  /me:
    get: {security: [{key: []}], responses: {'200': {description: Who I am}}}
components:
  securitySchemes:
    key: {type: apiKey, in: header, name: X-Key}
"""


@pytest.mark.parametrize("status", [400, 401, 403])
def test_credentials_that_nobody_gave(service: Service, status: int) -> None:
    service.replies["GET /me"] = a_problem(status)
    report = check(service, SECRETS)
    assert report.ok
    assert [note.line() for note in report.not_checked] == [
        "GET /me (master.yml:4): needs credentials"
    ]


def test_credentials_of_the_spec(service: Service) -> None:
    service.replies["GET /me?k=sesame"] = ok(status=202)
    text = SECRETS.replace("in: header, name: X-Key", "in: query, name: k, x-example: sesame")
    assert check(service, text).first.startswith("GET /me?k=sesame: status 202 is not in")


def test_a_service_that_falls_silent_is_not_asked_for_long(service: Service) -> None:
    paths = "\n".join(
        f"  /{at}: {{get: {{responses: {{'200': {{description: x}}}}}}}}" for at in range(10)
    )
    service.connections_to_close = 10**6
    report = check(service, f"openapi: 3.0.0\npaths:\n{paths}\n")
    assert (len(report.failures), len(report.not_checked)) == (3, 7)
    assert "no longer answers" in report.not_checked[0].reason


def test_several_specs_make_one_report(service: Service) -> None:
    serve(service, total=ok())
    service.replies["GET /kelvin/1"] = ok()
    specs = [SpecText("units.yml", UNITS), SpecText("master.yml", PRICES)]
    text = contract_document.write("gate", specs)
    report = checker.check_contract(text, service.url, TIMEOUT)
    assert report.operation_count == 4
    assert [failure.place for failure in report.failures] == ["master.yml:9"]


def test_without_a_spec_there_is_nothing_to_check(service: Service) -> None:
    report = checker.check_contract(contract_document.write("gate", []), service.url, wait=1)
    assert report.ok
    assert (report.operation_count, service.requests) == (0, [])


def test_a_schema_that_is_none_keeps_one_operation_from_being_checked(service: Service) -> None:
    serve(service)
    text = PRICES.replace("{type: number}", "{type: nummer}")
    report = check(service, text)
    assert report.ok
    assert "nummer" in report.not_checked[0].reason


def test_the_strict_mode_asks_for_more(service: Service) -> None:
    """An undeclared path or method, an error of the wrong type: advice at most in a gate."""
    service.replies["GET /e222/no-such-path"] = ok()
    service.replies["PATCH /e222/sum/2/3"] = ok()
    service.replies["GET /e222/sum/not-a-valid-value/3?digits=1"] = ok(status=400)
    assert check(service, SPEC.read_text()).ok
    assert len(check(service, SPEC.read_text(), mode="strict").failures) == 3


def test_a_gate_finds_broken_answers_of_the_same_service(service: Service) -> None:
    service.replies[GET_SUM] = a_sum('{"result": "5"}')
    service.replies[POST_SCALE] = Reply(201, "application/json", json.dumps({"value": 0}))
    report = check(service, SPEC.read_text())
    assert [failure.title for failure in report.failures] == [GET_SUM, POST_SCALE]


ROOMS = """\
openapi: 3.0.0
paths:
  /rooms/{number}:
    get:
      parameters: [{in: path, name: number, required: true, schema: {type: integer}}]
      responses:
        '200':
          description: One room
          content: {application/json: {schema: {required: [seats]}}}
  /rooms:
    get: {responses: {'200': {description: All rooms}}}
"""


def test_what_one_answer_lists_another_call_asks_for(service: Service) -> None:
    service.replies["GET /rooms"] = ok('[{"number": 201}]')
    service.replies["GET /rooms/201"] = ok('{"seats": 80}')
    report = check(service, ROOMS)
    assert report.ok
    assert report.not_checked == ()
    assert service.requests[:3] == ["GET /rooms", "GET /rooms/1", "GET /rooms/201"]
    service.replies["GET /rooms/201"] = ok()
    assert check(service, ROOMS).first == "GET /rooms/201: 'seats' is a required property"
