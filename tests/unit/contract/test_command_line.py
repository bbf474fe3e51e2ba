from __future__ import annotations

from typing import NoReturn

import pytest
from classvm.contract import client, command_line
from classvm.contract.document import InputError
from tiny_service import SPEC, Service


def test_a_contract_that_is_kept(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["--spec", str(SPEC), "--url", service.url]) == 0
    assert "contract kept: 3 operations" in capsys.readouterr().out


def test_a_contract_that_is_broken(closed_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["--spec", str(SPEC), "--url", closed_url]) == 1
    assert "FAIL  sum (examples)" in capsys.readouterr().out


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
