"""What the action plugins do themselves, on the control node."""

from __future__ import annotations

from typing import Any

import pytest
from classvm.contract import checker
from plugin_loader import load_plugin

URL = "http://127.0.0.1:1"
OPTIONS = {"spec": "master.yml", "url": URL, "timeout": 1.0, "wait": 0.0}


# --- classvm_contract ----------------------------------------------------------------------------


def outcome(*problems: str, status: int | None = 200, name: str = "src.sum.get") -> Any:
    return checker.Outcome(name, "GET", URL, status, 0.01, problems, case="a case")


def checked(
    monkeypatch: pytest.MonkeyPatch, operations: tuple[Any, ...], probes: tuple[Any, ...] = ()
) -> dict[str, Any]:
    """Return the task's result where the service does as told."""
    report = checker.Report(operations, probes)
    monkeypatch.setattr(checker, "check", lambda **options: report if options else None)
    result: dict[str, Any] = load_plugin("action", "classvm_contract").check(OPTIONS)
    return result


def test_a_contract_that_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checked(monkeypatch, (outcome(), outcome()), (outcome(name=""),)) == {
        "changed": False,
        "operations": 1,
        "probes": 1,
        "failures": [],
    }


def test_a_contract_that_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = outcome("no number")
    result = checked(monkeypatch, (outcome(), broken, broken), (outcome("took it", name=""),))
    assert result["failed"] is True
    assert result["msg"] == (
        "The service breaks its contract in: src.sum.get, a case. Read its log next: make logs"
    )
    assert "no number" in result["failures"][0]


def test_a_service_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    result = checked(monkeypatch, (outcome("refused", status=None),))
    assert result["msg"].startswith(f"Nobody answers at {URL}, though the release is live")


def test_one_answer_that_does_not_come_is_not_a_service_out_of_reach(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    result = checked(monkeypatch, (outcome(), outcome("timed out", status=None)))
    assert result["msg"].startswith("The service breaks its contract in: src.sum.get")


def test_a_document_that_cannot_be_read() -> None:
    result = load_plugin("action", "classvm_contract").check({**OPTIONS, "spec": "/no/such"})
    assert result["failed"] is True
    assert "/no/such" in result["msg"]


def test_libraries_that_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checker, "IMPORT_ERROR", "Traceback")
    result = load_plugin("action", "classvm_contract").check(OPTIONS)
    assert result["failed"] is True
    assert "PyYAML" in result["msg"]
