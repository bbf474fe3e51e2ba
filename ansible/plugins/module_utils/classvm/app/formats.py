"""Print findings for people and for other programs."""

from __future__ import annotations

import json
from typing import Any, Callable, Dict, List
from xml.sax.saxutils import quoteattr

from .codes import RULES
from .findings import Finding

LEVELS = {"error": "error", "warning": "warning", "note": "note"}


def text(findings: List[Finding]) -> str:
    """Return a block of lines for each finding, and how many there are."""
    blocks = [_block(one) for one in findings]
    counts = [_count(findings, kind) for kind in ("error", "warning", "note")]
    return "\n".join([*blocks, ", ".join(counts)])


def _count(findings: List[Finding], severity: str) -> str:
    number = sum(one.severity == severity for one in findings)
    return f"{number} {severity}{'' if number == 1 else 's'}"


def _block(one: Finding) -> str:
    excerpt = "".join(f"    | {line}\n" for line in one.excerpt.splitlines())
    return (
        f"{one.place}: {one.severity} {one.code}: {one.what}\n{excerpt}"
        f"    {one.why} {one.fix}{'' if one.fix.endswith('?') else '.'}\n"
    )


def sentence(one: Finding) -> str:
    """Return a finding as "master.yml:7:15: no type `intger`. Did you mean `integer`?"."""
    return f"{one.place}: {one.what}. {one.fix}{'' if one.fix.endswith('?') else '.'}"


def line(one: Finding) -> str:
    """Return a finding as "error CV006 master.yml:7:15: no type `intger`. Did you mean `integer`?"."""
    return f"{one.severity} {one.code} {sentence(one)}"


def as_json(findings: List[Finding]) -> str:
    """Return a JSON list with an object for each finding."""
    return json.dumps([_fields(one) for one in findings], indent=2)


def _fields(one: Finding) -> Dict[str, Any]:
    return {
        "severity": one.severity, "code": one.code, "file": one.file, "line": one.line,
        "column": one.column, "what": one.what, "why": one.why, "fix": one.fix,
    }  # fmt: skip


def sarif(findings: List[Finding]) -> str:
    """Return a SARIF 2.1.0 log, as code hosts show it beside the lines.

    Source: the OASIS standard "Static Analysis Results Interchange Format", version 2.1.0.
    """
    rules = [
        {"id": code, "shortDescription": {"text": RULES[code].title}}
        for code in sorted({one.code for one in findings})
    ]
    driver = {"name": "classvm check", "rules": rules}
    run = {"tool": {"driver": driver}, "results": [_result(one) for one in findings]}
    return json.dumps({"version": "2.1.0", "runs": [run]}, indent=2)


def _result(one: Finding) -> Dict[str, Any]:
    place: Dict[str, Any] = {"artifactLocation": {"uri": one.file or "."}}
    if one.line:
        place["region"] = {"startLine": one.line, "startColumn": max(one.column, 1)}
    message = f"{one.what}. {one.why} {one.fix}"
    return {
        "ruleId": one.code,
        "level": LEVELS[one.severity],
        "message": {"text": message},
        "locations": [{"physicalLocation": place}],
    }


def junit(findings: List[Finding]) -> str:
    """Return a JUnit report: each finding is a test case, each error a failure."""
    failures = sum(one.severity == "error" for one in findings)
    cases = "".join(map(_case, findings)) or '  <testcase name="check" classname="app"/>\n'
    head = f'<testsuite name="classvm check" tests="{max(len(findings), 1)}" failures="{failures}">'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}\n{cases}</testsuite>'


def _case(one: Finding) -> str:
    message = _attribute(f"{one.what}. {one.fix}")
    inside = (
        f"<failure message={message}/>"
        if one.severity == "error"
        else f"<skipped message={message}/>"
    )
    name = _attribute(f"{one.code} {one.place}")
    return f"  <testcase name={name} classname={_attribute(one.file or '.')}>{inside}</testcase>\n"


def _attribute(value: str) -> str:
    """Return a quoted attribute, without the characters that XML does not allow."""
    return quoteattr("".join(character for character in value if character.isprintable()))


def github(findings: List[Finding]) -> str:
    """Return commands by which a workflow of GitHub annotates the lines, and how many there are."""
    counts = ", ".join(_count(findings, kind) for kind in ("error", "warning", "note"))
    return "\n".join([*map(_annotation, findings), counts])


def _annotation(one: Finding) -> str:
    places = {"file": one.file, "line": one.line, "col": one.column, "title": one.code}
    named = ",".join(f"{key}={_property(str(value))}" for key, value in places.items() if value)
    level = "notice" if one.severity == "note" else one.severity
    return f"::{level} {named}::{_data(f'{one.what}. {one.why} {one.fix}')}"


def _data(text: str) -> str:
    """Return a message without the characters that would end it."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


FORMATS: Dict[str, Callable[[List[Finding]], str]] = {
    "text": text,
    "json": as_json,
    "sarif": sarif,
    "junit": junit,
    "github": github,
}
