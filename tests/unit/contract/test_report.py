from __future__ import annotations

from classvm.contract import checker
from tiny_service import GET_SUM, SPEC, TIMEOUT, Service, a_sum


def test_failure_shows_request_status_problem_and_start_of_answer(service: Service) -> None:
    service.replies[GET_SUM] = a_sum("x" * 1000)

    text = "\n".join(checker.check(str(SPEC), service.url, TIMEOUT).lines())

    assert f"request: GET {service.url}/e222/sum/2/3 -> 200 in" in text
    assert "problem: the body is not JSON" in text
    assert "answer:  " + "x" * 300 + "\n" in text
    assert text.endswith("contract BROKEN: 3 operations in 4 calls, 7 probes, 1 failures")
