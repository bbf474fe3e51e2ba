from __future__ import annotations

from classvm.contract import checker, report
from classvm.contract.report import Note, Outcome, Report
from tiny_service import GET_SUM, SPEC, TIMEOUT, Service, a_sum

GOOD = Outcome("sum", "GET", "http://h/sum/2/3", 200, 0.1, ())
BAD = Outcome(
    "hello",
    "GET",
    "http://h/e222/hello?a=1",
    200,
    0.25,
    ("'message' is a required property", "second", "third"),
    answer='{"mesage": 1}',
    place="master.yml:35",
    sent="{}",
)


def test_failure_shows_request_status_problem_and_start_of_answer(service: Service) -> None:
    service.replies[GET_SUM] = a_sum("x" * 1000)

    text = "\n".join(checker.check(str(SPEC), service.url, TIMEOUT).lines())

    assert f"request: GET {service.url}/e222/sum/2/3 -> 200 in" in text
    assert "problem: the body is not JSON" in text
    assert "answer:  " + "x" * 300 + "\n" in text
    assert text.endswith("contract BROKEN: 3 operations in 4 calls, 7 probes, 1 failures")


def test_only_failures_have_lines() -> None:
    found = Report((GOOD, BAD), (GOOD,), not_checked=(Note("GET /a", "needs credentials", "m:1"),))
    assert found.lines() == [
        "FAIL  GET /e222/hello?a=1 (hello)",
        "      problem: 'message' is a required property",
        "      problem: second",
        "      problem: third",
        "      request: GET http://h/e222/hello?a=1 {} -> 200 in 0.250 s",
        '      answer:  {"mesage": 1}',
        "      promise: master.yml:35",
        "not checked: GET /a (m:1): needs credentials",
        "contract BROKEN: 3 operations in 2 calls, 1 probes, 1 not checked, 1 failures",
    ]


def test_the_report_for_programs() -> None:
    note = Note("GET /a", "why", "m:1")
    found = Report((GOOD, BAD), (), "warn", (note,), (note,)).as_json()
    failure = {
        "title": "GET /e222/hello?a=1",
        "request": "GET http://h/e222/hello?a=1 {}",
        "status": 200,
        "problems": list(BAD.problems),
        "place": "master.yml:35",
        "answer": '{"mesage": 1}',
    }
    assert found == {
        "ok": False,
        "mode": "warn",
        "operations": 3,
        "probes": 0,
        "failures": [failure],
        "not_checked": [{"title": "GET /a", "reason": "why", "place": "m:1"}],
        "notes": [{"title": "GET /a", "reason": "why", "place": "m:1"}],
        "remarks": ["not checked, why: GET /a (m:1)", "advice, why: GET /a (m:1)"],
        "first": "GET /e222/hello?a=1: 'message' is a required property; second",
    }
    assert Report((GOOD,)).as_json()["first"] == ""


def test_the_first_failure_fits_a_closing_line() -> None:
    long = Outcome("a", "GET", "http://h/" + "a" * 1000, 200, 0.1, ("x" * 1000,))
    first = Report((long,)).first
    assert len(first) == report.FIRST_LENGTH
    assert first.startswith("GET /aaa")
    assert "xxx" in first


def test_several_reports_are_one() -> None:
    one = Report((GOOD,), (BAD,), not_checked=(Note("a", "b"),), notes=(Note("c", "d"),))
    both = report.joined([one, one])
    assert both == Report(
        (GOOD, GOOD), (BAD, BAD), not_checked=one.not_checked * 2, notes=one.notes * 2
    )
    assert report.joined([]) == Report()


def test_the_remarks_are_few_lines() -> None:
    notes = tuple(Note(f"GET /{at}", "needs credentials", f"m:{at}") for at in range(9))
    assert Report(not_checked=notes).remarks == [
        "not checked, needs credentials: GET /0 (m:0), GET /1 (m:1), GET /2 (m:2) and 6 more"
    ]
    many = tuple(Note("GET /a", f"reason {at}") for at in range(10))
    assert Report(notes=many).remarks[-2:] == ["advice, reason 5: GET /a", "4 more remarks"]
