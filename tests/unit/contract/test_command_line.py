from __future__ import annotations

import json
from typing import TYPE_CHECKING, NoReturn

import pytest
from classvm.contract import client, command_line, contract_document
from classvm.contract.contract_document import SpecText
from classvm.contract.document import InputError
from tiny_service import SPEC, Service

if TYPE_CHECKING:
    from pathlib import Path


def test_a_contract_that_is_kept(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["--spec", str(SPEC), "--url", service.url]) == 0
    assert "contract kept: 3 operations" in capsys.readouterr().out


def test_a_contract_that_is_broken(closed_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["--spec", str(SPEC), "--url", closed_url]) == 1
    assert "FAIL  GET /e222/sum/2/3 (sum, examples)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("url", "spec", "message"),
    [
        ("http://h", "no/such.yml", "cannot read the specification"),
        ("ftp://h", str(SPEC), "not a usable URL"),
    ],
)
def test_unusable_arguments_are_explained(
    url: str, spec: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line.main(["--spec", spec, "--url", url]) == 2
    told = capsys.readouterr()
    assert message in told.err
    assert told.out == ""


def test_missing_libraries_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command_line, "IMPORT_ERROR", "Traceback\nNo module named 'yaml'\n")
    assert command_line.main(["--spec", str(SPEC), "--url", "http://h"]) == 2
    assert "No module named 'yaml'; install PyYAML and jsonschema" in capsys.readouterr().err


def test_wrong_usage_ends_with_2() -> None:
    with pytest.raises(SystemExit) as ended:
        command_line.main(["--url", "http://h"])
    assert ended.value.code == 2


def test_the_time_for_an_answer_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def check(spec: str, url: str, timeout: float) -> NoReturn:
        seen.append((spec, url, timeout))
        raise InputError("")

    monkeypatch.setattr(command_line, "check", check)
    command_line.main(["--spec", "s", "--url", "u", "--timeout", "30"])
    command_line.main(["--spec", "s", "--url", "u"])
    assert seen == [("s", "u", 30), ("s", "u", client.DEFAULT_TIMEOUT)]


def contract(folder: Path, mode: str) -> str:
    """Write the contract document of the tiny service; return its path."""
    file = folder / "contract.json"
    file.write_text(contract_document.write(mode, [SpecText("master.yml", SPEC.read_text())]))
    return str(file)


def test_a_contract_document_is_checked(
    service: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = contract(tmp_path, "strict")
    assert command_line.main(["--contract", file, "--url", service.url, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["ok"], report["mode"], report["operations"]) == (True, "strict", 3)


@pytest.mark.parametrize(("mode", "code"), [("strict", 1), ("gate", 1), ("warn", 0)])
def test_only_a_warning_lets_a_broken_contract_pass(
    mode: str, code: int, closed_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = contract(tmp_path, mode)
    assert command_line.main(["--contract", file, "--url", closed_url, "--json"]) == code
    report = json.loads(capsys.readouterr().out)
    assert (report["ok"], report["mode"]) == (False, mode)
    assert report["first"].startswith("GET /e222/sum/2/3: connection refused")


def test_a_contract_that_cannot_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["--contract", "no/such", "--url", "http://h"]) == 2
    assert "cannot read the contract no/such" in capsys.readouterr().err
