from __future__ import annotations

import pytest
from classvm.app.findings import Finding, did_you_mean, has_errors, listed


def finding(code: str, line: int = 0, column: int = 0) -> Finding:
    return Finding("a.yml", line, column, code, "what", "fix")


@pytest.mark.parametrize(
    ("line", "column", "place"), [(0, 0, "a.yml"), (7, 0, "a.yml:7"), (7, 15, "a.yml:7:15")]
)
def test_the_place_is_as_editors_read_it(line: int, column: int, place: str) -> None:
    assert finding("CV001", line, column).place == place


def test_only_errors_stop_a_deploy() -> None:
    assert has_errors([finding("CV025"), finding("CV001")])
    assert not has_errors([finding("CV025"), finding("CV036")])


@pytest.mark.parametrize(
    ("word", "meant"), [("intger", "integer"), ("goodbye", "good_bye"), ("xyz", "")]
)
def test_did_you_mean(word: str, meant: str) -> None:
    assert did_you_mean(word, ["integer", "good_bye", "string"]) == meant


def test_listed() -> None:
    assert listed([]) == "none"
    assert listed(["b"]) == "b"
    assert listed("cab") == "a, b and c"
    assert listed("abcd", most=2) == "a, b and 2 more"
