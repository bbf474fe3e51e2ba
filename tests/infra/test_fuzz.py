"""Thousands of generated requests, good and bad: never a server error, never a broken schema."""

from __future__ import annotations

import json
import math
import subprocess
from typing import TYPE_CHECKING

import pytest
from classvm.contract import checker

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from infra.expected import Facts
    from infra.vm import Vm

pytestmark = pytest.mark.fuzz

EVIDENCE = ("container log",)
CASES = 2000
# OpenAPI 3.0 cannot express "all four measurements or none", so a request may conform to every
# schema and still be refused.
TOO_STRICT = "positive_data_acceptance"
# Any refusal is right for a bad request: one that is also too long is refused with 414.
REFUSALS = '[checks.negative_data_rejection]\nexpected-statuses = ["4xx"]\n'


@pytest.mark.usefixtures("sealed")
def test_no_generated_request_breaks_the_contract(
    vm: Vm,
    facts: Facts,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    report = tmp_path / "report.json"
    operations = checker.list_operations(checker.load_spec(str(facts.spec)))
    varied = [one for one in operations if one.parameters or one.body]
    each = math.ceil(CASES / max(1, len(varied)))
    settings = tmp_path / "schemathesis.toml"
    settings.write_text(REFUSALS, encoding="utf-8")
    words = [
        "schemathesis",
        "--config-file",
        str(settings),
        "--no-color",
        "run",
        str(facts.spec),
        "--origin",
        facts.url(),
    ]
    words += ["--exclude-checks", TOO_STRICT, "--max-examples", str(each)]
    # Each release gets other requests, but always the same ones.
    words += ["--seed", str(int(vm.release, 16)), "--suppress-health-check", "all"]
    words += ["--report", "json", "--report-json-path", str(report)]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert report.is_file(), done.stdout + done.stderr
    found = json.loads(report.read_text(encoding="utf-8"))
    cases, tested = found["test_cases"]["generated"], found["operations"]["tested"]
    record_property("cases", cases)
    print(f"{facts.name}: {cases} generated requests to {tested} operations")  # noqa: T201 - wanted
    assert done.returncode == 0, done.stdout
    assert (tested, cases >= CASES) == (len(operations), True)
