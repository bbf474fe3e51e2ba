"""Requests are validated as the library jsonschema does it, and in no point less strictly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import hypothesis
import jsonschema
import pytest
from classvm.program import checked, schema
from classvm.program.protocol import REQUEST, RefusedError
from hypothesis import strategies
from program_requests import RELEASE, ROLLBACK, SHORT

GOOD = {
    "release": RELEASE,
    "rollback": ROLLBACK,
    "status": SHORT,
    "maintenance": {**SHORT, "on": True},
}


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in RELEASE.items() if name != key}


def with_settings(**changes: Any) -> dict[str, Any]:
    return {**RELEASE, "settings": {**RELEASE["settings"], **changes}}


BAD = [
    without("protocol"),
    without("release"),
    without("settings"),
    {**RELEASE, "state_dir": "etc"},
    {**RELEASE, "state_dir": "/a\nb"},
    {**RELEASE, "volumes": ["/:/host"]},
    {**RELEASE, "service": "../x"},
    {**RELEASE, "service": "Lab"},
    {**RELEASE, "service": "a" * 41},
    {**RELEASE, "service": ["lab"]},
    {**RELEASE, "release": "-rm"},
    {**RELEASE, "release": "a/b"},
    {**RELEASE, "release": "r1 --privileged"},
    {**RELEASE, "release": 1},
    {**RELEASE, "check": "true"},
    {**RELEASE, "check": 1},
    {**RELEASE, "keep_releases": True},
    {**RELEASE, "keep_releases": -1},
    {**RELEASE, "progress": "../../etc/passwd"},
    {**RELEASE, "progress": "A" * 32},
    {**RELEASE, "checker_image": "--privileged"},
    {**RELEASE, "revision": "a\nb"},
    with_settings(host_port=0),
    with_settings(host_port=65536),
    with_settings(host_port="11000"),
    with_settings(host_port=1.5),
    with_settings(limits={}),
    with_settings(limits={**RELEASE["settings"]["limits"], "privileged": "1"}),
    with_settings(limits={**RELEASE["settings"]["limits"], "memory": "512m --privileged"}),
    with_settings(seconds={**RELEASE["settings"]["seconds"], "health": -1}),
    with_settings(environment={"A": 1}),
    with_settings(environment={"A=B": "1"}),
    with_settings(environment={"A\nB": "1"}),
    with_settings(environment={"": "1"}),
    with_settings(environment={f"A{n}": "" for n in range(501)}),
    with_settings(volumes=["/:/host"]),
]


@pytest.mark.parametrize(("verb", "request_"), GOOD.items())
def test_a_good_request_is_taken(verb: str, request_: dict[str, Any]) -> None:
    checked.require(request_, schema.REQUESTS[verb])
    jsonschema.validate(request_, schema.REQUESTS[verb])


@pytest.mark.parametrize("request_", BAD, ids=[str(number) for number in range(len(BAD))])
def test_a_bad_request_is_refused_by_both(request_: dict[str, Any]) -> None:
    with pytest.raises(RefusedError, match="The request is not valid: ") as refused:
        checked.require(request_, schema.REQUESTS["release"])
    assert refused.value.code == REQUEST
    assert len(str(refused.value).splitlines()) == 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(request_, schema.REQUESTS["release"])


@pytest.mark.parametrize("key", ["service", "release", "revision", "progress"])
def test_a_line_feed_at_the_end_is_no_end(key: str) -> None:
    """`$` of a pattern would take it."""
    good = {**RELEASE, "progress": "a" * 32}
    with pytest.raises(RefusedError, match=key):
        checked.require({**good, key: f"{good[key]}\n"}, schema.REQUESTS["release"])


VALUES = strategies.recursive(
    strategies.none()
    | strategies.booleans()
    | strategies.integers(-2, 70000)
    | strategies.text(max_size=4)
    | strategies.sampled_from(["lab", "r1", "512m", "a" * 32]),
    lambda inner: (
        strategies.lists(inner, max_size=2)
        | strategies.dictionaries(
            strategies.sampled_from(["memory", "health", "A"]), inner, max_size=3
        )
    ),
    max_leaves=4,
)
MEMBERS = sorted({name for one in schema.REQUESTS.values() for name in one["properties"]})


@hypothesis.given(
    verb=strategies.sampled_from(schema.VERBS),
    request_=strategies.dictionaries(strategies.sampled_from([*MEMBERS, "x"]), VALUES, max_size=6),
)
def test_whatever_comes_the_library_says_the_same(verb: str, request_: dict[str, Any]) -> None:
    found = next(checked.problems(request_, schema.REQUESTS[verb]), "")
    valid = jsonschema.Draft202012Validator(schema.REQUESTS[verb]).is_valid(request_)
    # The library lets a line feed stand at the end.
    assert bool(found) != valid or "\n" in json.dumps(request_).encode().decode("unicode_escape")


def words(of: Any) -> Iterator[str]:
    """Yield the words of JSON Schema that a schema uses."""
    yield from of
    for name in ("additionalProperties", "propertyNames"):
        if isinstance(of.get(name), dict):
            yield from words(of[name])
    for one in of.get("properties", {}).values():
        yield from words(one)


def test_every_word_of_the_requests_is_understood() -> None:
    used = {word for one in schema.REQUESTS.values() for word in words(one)}
    assert used <= checked.WORDS


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"1",
        b"{",
        b"\xff",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b"[" * 100_000,
        b"{}" * 2,
        b" " * (checked.LARGEST + 1),
    ],
)
def test_what_is_no_request_is_refused(text: bytes) -> None:
    with pytest.raises(RefusedError, match="The request is"):
        checked.parse(text)


def test_a_request_is_read() -> None:
    assert checked.parse(b'{"protocol": 1}\n') == {"protocol": 1}


@pytest.mark.parametrize(("text", "is_text"), [(r"\ud800", False), (r"\uD83D\uDE00", True)])
def test_half_a_character_is_refused_before_a_file_or_a_program_gets_it(
    text: str, is_text: bool
) -> None:
    request = f'{{"app": "{text}"}}'.encode()
    if is_text:
        assert checked.parse(request) == {"app": "\U0001f600"}
        return
    with pytest.raises(RefusedError, match="not JSON"):
        checked.parse(request)
