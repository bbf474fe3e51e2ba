"""The contract check against a tiny real service that is broken one way per case."""

from __future__ import annotations

import pathlib

import pytest
from classvm.contract import checker, contract_document
from classvm.contract.contract_document import SpecText
from tiny_service import (
    GET_PAGE,
    GET_SUM,
    GET_SUM_ROUNDED,
    GET_UNKNOWN,
    GET_WRONG_SUM,
    POST_SCALE,
    SPEC,
    TIMEOUT,
    Reply,
    Service,
    a_problem,
    a_scaled,
    a_sum,
    write_spec,
)


def problems_of(report: checker.Report) -> list[str]:
    return [problem for outcome in report.failures for problem in outcome.problems]


def test_good_service_keeps_the_contract(service: Service) -> None:
    report = checker.check(str(SPEC), service.url, TIMEOUT)

    assert report.ok, report.lines()
    assert report.operation_count == 3
    assert sorted(service.requests) == sorted(
        [
            GET_SUM,
            GET_SUM_ROUNDED,
            POST_SCALE,
            GET_PAGE,
            GET_WRONG_SUM,
            "GET /e222/sum/2/not-a-valid-value?digits=1",
            "GET /e222/sum/2/3?digits=not-a-valid-value",
            POST_SCALE,
            POST_SCALE,
            "PATCH /e222/sum/2/3",
            GET_UNKNOWN,
        ],
    )


@pytest.mark.parametrize(
    ("request_line", "reply", "problem"),
    [
        pytest.param(
            GET_SUM,
            a_sum('{"result": "5"}'),
            '`result` is text "5", promised a whole',
            id="wrong type",
        ),
        pytest.param(GET_SUM, a_sum('{"result": 5.5}'), "`result` is 5.5, promised", id="fraction"),
        pytest.param(GET_SUM, a_sum("{}"), "'result' is a required", id="missing member"),
        pytest.param(GET_SUM, a_sum('{"result": 5, "x": 1}'), "'x' was unexp", id="extra member"),
        pytest.param(GET_SUM, a_sum('{"result": 4294967296}'), "not a 'int32'", id="int32"),
        pytest.param(GET_SUM, a_sum('{"result": 5, "id": "7"}'), "not a 'uuid'", id="uuid"),
        pytest.param(GET_SUM, a_sum("five"), "not JSON", id="not JSON"),
        pytest.param(GET_SUM, a_sum('{"result": NaN}'), "NaN is not a JSON", id="NaN"),
        pytest.param(GET_SUM, a_sum(""), "the body is empty", id="empty JSON"),
        pytest.param(GET_SUM, a_sum("5", "text/plain"), "text/plain is not", id="wrong media type"),
        pytest.param(GET_SUM, a_sum("{}", status=202), "202 is not declared", id="undeclared 2xx"),
        pytest.param(GET_SUM, a_problem(404), "404 is not a success", id="declared 4xx"),
        pytest.param(GET_SUM, a_problem(500), "500 is not declared", id="server error"),
        pytest.param(
            GET_SUM, Reply(302, "text/html", "-", {"Location": GET_PAGE}), "302", id="302"
        ),
        pytest.param(
            GET_SUM,
            Reply(200, "application/json", '{"result": 5}'),
            "header X-Unit is missing",
            id="missing header",
        ),
        pytest.param(
            GET_SUM,
            a_sum("{}")._replace(delay=1.5 * TIMEOUT),
            f"within {TIMEOUT:g} s",
            id="slow answer",
        ),
        pytest.param(
            GET_SUM_ROUNDED,
            a_sum("[]"),
            "the answer is a list, promised an object",
            id="optional parameter",
        ),
        pytest.param(POST_SCALE, a_scaled(value=0), "0 is less than or equal", id="exclusive"),
        pytest.param(
            POST_SCALE,
            a_scaled(value=None),
            "`value` is null, promised a number",
            id="not nullable",
        ),
        pytest.param(
            POST_SCALE,
            a_scaled(note=7),
            "`note` is 7, promised text or null",
            id="nullable, wrong type",
        ),
        pytest.param(
            POST_SCALE, a_scaled(made="2023-02-29T12:00:00Z"), "date-time", id="no such day"
        ),
        pytest.param(POST_SCALE, a_scaled(made="yesterday"), "date-time", id="not a date"),
        pytest.param(GET_PAGE, a_problem(404), "404 is not declared", id="missing operation"),
        pytest.param(GET_PAGE, Reply(200, "text/html", ""), "the body is empty", id="empty page"),
        pytest.param(GET_WRONG_SUM, a_problem(500), "server error 500", id="500 on bad input"),
        pytest.param(
            GET_WRONG_SUM,
            a_sum('{"result": 0}'),
            "answered with status 200",
            id="accepts bad input",
        ),
        pytest.param(
            GET_WRONG_SUM,
            a_problem(400, "application/json"),
            "must be sent as application/problem+json",
            id="error of wrong type",
        ),
        pytest.param(
            GET_WRONG_SUM,
            Reply(400, "application/problem+json", '{"title": "wrong"}'),
            "'status' is a required",
            id="incomplete problem",
        ),
        pytest.param(POST_SCALE, a_scaled(), "bad input was answered", id="accepts bad body"),
        pytest.param("PATCH /e222/sum/2/3", a_sum("{}"), "200 instead of 405", id="any method"),
        pytest.param(GET_UNKNOWN, a_sum("{}"), "200 instead of 404", id="any path"),
    ],
)
def test_broken_service_is_found_out(
    service: Service, request_line: str, reply: Reply, problem: str
) -> None:
    service.replies[request_line] = reply

    report = checker.check(str(SPEC), service.url, TIMEOUT)

    assert not report.ok
    assert any(problem in found for found in problems_of(report)), report.lines()
    broken = {f"{item.method} {item.url[len(service.url) :]}" for item in report.failures}
    assert broken == {request_line}


def test_connection_refused_is_told_for_every_call_and_probes_are_left_out(closed_url: str) -> None:
    report = checker.check(str(SPEC), closed_url, TIMEOUT)

    assert [outcome.status for outcome in report.operations] == [None] * 4
    assert all("connection refused" in problem for problem in problems_of(report))
    assert report.probes == ()


def test_closed_connection_is_told_without_traceback(service: Service) -> None:
    service.connections_to_close = 1

    report = checker.check(str(SPEC), service.url, TIMEOUT)

    assert [outcome.case for outcome in report.failures] == ["examples"]
    assert problems_of(report)[0].endswith("closed the connection without an answer")


def test_wait_ends_when_the_service_answers(service: Service) -> None:
    service.connections_to_close = 2

    report = checker.check(str(SPEC), service.url, TIMEOUT, wait=5)

    assert report.ok, report.lines()
    assert service.requests[:2] == [GET_UNKNOWN, GET_SUM]


def test_wait_that_runs_out_is_one_failure(closed_url: str) -> None:
    report = checker.check(str(SPEC), closed_url, TIMEOUT, wait=0.1)

    assert len(report.failures) == 1
    assert "did not answer for 0.1 s" in problems_of(report)[0]


def test_schema_may_be_referred_to_anywhere_in_the_document(
    service: Service, tmp_path: pathlib.Path
) -> None:
    def refer_to_another_operation(document: checker.Node) -> None:
        content = document["paths"]["/scale"]["post"]["responses"]["201"]["content"]
        document["components"]["schemas"]["Scaled"] = content["application/json"]["schema"]
        content["application/json"]["schema"] = {
            "$ref": "#/paths/~1sum~1%7Ba%7D~1%7Bb%7D/x-schemas/Scaled"
        }
        document["paths"]["/sum/{a}/{b}"]["x-schemas"] = {
            "Scaled": {"$ref": "#/components/schemas/Scaled"}
        }

    service.replies[POST_SCALE] = a_scaled(note=7)
    spec = write_spec(tmp_path, refer_to_another_operation)

    report = checker.check(spec, service.url, TIMEOUT)

    assert problems_of(report)[:1] == ["`note` is 7, promised text or null"]


def remove_example(document: checker.Node) -> None:
    del document["paths"]["/sum/{a}/{b}"]["parameters"][0]["example"]


def remove_body_example(document: checker.Node) -> None:
    del document["paths"]["/scale"]["post"]["requestBody"]["content"]["application/json"]["example"]


def remove_parameter(document: checker.Node) -> None:
    document["paths"]["/sum/{a}/{b}"]["parameters"].pop()


def test_a_parameter_that_is_not_declared_is_a_problem(
    service: Service, tmp_path: pathlib.Path
) -> None:
    report = checker.check(write_spec(tmp_path, remove_parameter), service.url, TIMEOUT)

    assert len(report.failures) == 1
    assert "path parameter b is not declared" in problems_of(report)[0]
    assert report.operation_count == 3


def test_values_are_made_up_where_a_spec_has_no_example(
    service: Service, tmp_path: pathlib.Path
) -> None:
    report = checker.check(write_spec(tmp_path, remove_example), service.url, TIMEOUT)

    assert report.ok, report.lines()
    assert report.operation_count == 3
    assert "GET /e222/sum/1/3" in service.requests


def test_nothing_is_made_up_for_a_live_service(service: Service, tmp_path: pathlib.Path) -> None:
    text = contract_document.write(
        "strict",
        [SpecText("master.yml", pathlib.Path(write_spec(tmp_path, remove_example)).read_text())],
    )
    report = checker.check_contract(text, service.url, TIMEOUT, safe_only=True)

    assert report.ok, report.lines()
    assert [note.title for note in report.not_checked] == ["GET /e222/sum/{a}/{b}"]
    assert POST_SCALE in service.requests


def test_an_operation_for_which_made_up_values_tell_nothing_is_named(
    service: Service, tmp_path: pathlib.Path
) -> None:
    report = checker.check(write_spec(tmp_path, remove_body_example), service.url, TIMEOUT)

    assert report.ok, report.lines()
    (note,) = report.not_checked
    assert note.title == "POST /e222/scale"
    assert "master.yml:" in note.place


def forget_refusal(document: checker.Node) -> None:
    del document["paths"]["/sum/{a}/{b}"]["get"]["responses"]["4XX"]


def test_a_refusal_that_is_not_declared_is_worth_advice(
    service: Service, tmp_path: pathlib.Path
) -> None:
    report = checker.check(write_spec(tmp_path, forget_refusal), service.url, TIMEOUT)

    assert report.ok, report.lines()
    (note,) = report.notes
    assert note.line().startswith("GET /sum/{a}/{b} (")
    assert "does not declare 400" in note.reason


def test_another_refusal_that_is_not_declared_is_a_failure(
    service: Service, tmp_path: pathlib.Path
) -> None:
    service.replies[GET_WRONG_SUM] = a_problem(418)
    report = checker.check(write_spec(tmp_path, forget_refusal), service.url, TIMEOUT)

    assert ["418 is not declared" in problem for problem in problems_of(report)] == [True]


def test_a_live_service_is_only_asked_for_what_changes_nothing(service: Service) -> None:
    text = contract_document.write("gate", [SpecText("master.yml", SPEC.read_text())])
    assert checker.check_contract(text, service.url, TIMEOUT, safe_only=True).ok
    assert {request.partition(" ")[0] for request in service.requests} == {"GET"}
