from __future__ import annotations

from classvm.contract.perform import perform
from classvm.contract.requests import Call
from tiny_service import Service


def test_what_a_failure_keeps(service: Service) -> None:
    call = Call("a", "a case", "POST", f"{service.url}/e222/scale", body=b'{"factor":  1.5}')
    found = perform(call, lambda _: ["wrong"], 1, lambda status: f"a.yml:{status}")
    assert (found.status, found.problems, found.place) == (201, ("wrong",), "a.yml:201")
    assert found.sent == '{"factor": 1.5}'
    assert found.answer.startswith('{"value"')


def test_of_a_success_no_body_is_kept(service: Service) -> None:
    found = perform(Call("a", "", "GET", f"{service.url}/e222/page"), lambda _: [], 1)
    assert found.ok
    assert (found.answer, found.sent, found.place) == ("", "", "")


def test_without_an_answer_the_operation_has_a_place(closed_url: str) -> None:
    found = perform(Call("a", "", "GET", closed_url), lambda _: [], 1, lambda _: "a.yml:1")
    assert found.status is None
    assert "connection refused" in found.problems[0]
    assert found.place == "a.yml:1"
