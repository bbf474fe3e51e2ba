from __future__ import annotations

import json
from xml.etree import ElementTree as ET

from classvm.app import formats
from classvm.app.findings import Finding

ERROR = Finding("a b.yml", 7, 15, "CV006", '`type: "intger"`', "Did you mean `integer`?", "x\n^")
WARNING = Finding("", 0, 0, "CV003", "no spec <\x07&>", "Write one")


def test_people_read_place_cause_reason_and_fix() -> None:
    assert formats.text([ERROR, WARNING]) == (
        'a b.yml:7:15: error CV006: `type: "intger"`\n    | x\n    | ^\n'
        "    The app refuses its spec. Did you mean `integer`?\n\n"
        ".: warning CV003: no spec <\x07&>\n"
        "    Without a spec no answer can be checked. Write one.\n\n"
        "1 error, 1 warning, 0 notes"
    )


def test_a_line_for_each() -> None:
    assert formats.line(ERROR) == (
        'error CV006 a b.yml:7:15: `type: "intger"`. Did you mean `integer`?'
    )
    assert formats.sentence(WARNING) == ".: no spec <\x07&>. Write one."


def test_json() -> None:
    first, second = json.loads(formats.as_json([ERROR, WARNING]))
    assert (first["code"], first["line"], first["severity"]) == ("CV006", 7, "error")
    assert second["file"] == ""


def test_sarif() -> None:
    run = json.loads(formats.sarif([ERROR, WARNING]))["runs"][0]
    assert [one["level"] for one in run["results"]] == ["error", "warning"]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["region"] == {"startLine": 7, "startColumn": 15}
    assert "region" not in run["results"][1]["locations"][0]["physicalLocation"]
    assert {one["id"] for one in run["tool"]["driver"]["rules"]} == {"CV003", "CV006"}


def test_junit() -> None:
    suite = ET.fromstring(formats.junit([ERROR, WARNING]))  # noqa: S314 - our own text
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert [len(case.findall("failure")) for case in suite] == [1, 0]
    assert ET.fromstring(formats.junit([])).get("tests") == "1"  # noqa: S314 - our own text


def message(one: Finding) -> str:
    return f"{one.what}. {one.why} {one.fix}"


def test_annotations() -> None:
    odd = Finding("a,b:c%.yml", 1, 0, "CV036", "one\ntwo", "Write 100%")
    assert formats.github([ERROR, WARNING, odd]).splitlines() == [
        f"::error file=a b.yml,line=7,col=15,title=CV006::{message(ERROR)}",
        f"::warning title=CV003::{message(WARNING)}",
        f"::notice file=a%2Cb%3Ac%25.yml,line=1,title=CV036::one%0Atwo. {odd.why} Write 100%25",
        "1 error, 1 warning, 1 note",
    ]
