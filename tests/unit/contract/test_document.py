"""A spec is written by a stranger: what it costs to read it has bounds."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from classvm.contract import client, document
from classvm.contract.document import InputError, parse_document, read_document

LAUGHS = "a0: &a0 x\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 9)
)
MERGES = "a0: &a0 {k: 1}\n" + "".join(
    f"a{level}: &a{level} {{<<: [{', '.join([f'*a{level - 1}'] * 9)}]}}\n" for level in range(1, 9)
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1", {"a": 1}),
        ('{"a": [true, null]}', {"a": [True, None]}),
        ("\ufeffa: 1", {"a": 1}),
        ("one: &x {a: 1}\ntwo: *x\nthree: {<<: *x, b: 2}", None),
        ("[" * 50 + "]" * 50, None),
        ("", None),
    ],
)
def test_a_document_is_read(text: str, value: object) -> None:
    read = parse_document(text.encode(), "a.yml")
    assert value is None or read == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(LAUGHS, r"a\.yml, line \d: more than 10,000 values", id="aliases"),
        pytest.param(MERGES, r"line \d: more than 10,000 values", id="merged mappings"),
        pytest.param("a: &a [*a]", r"line 1: \*a stands for a value inside itself", id="circle"),
        pytest.param("a: &a {<<: *a}", "inside itself", id="merged into itself"),
        pytest.param("[" * 200_000, "nested more than 60 levels", id="brackets"),
        pytest.param('{"a":' * 100_000, "nested more than 60 levels", id="braces"),
        pytest.param("- " * 100_000, "nested more than 60 levels", id="lists"),
        pytest.param(
            "\n".join(" " * level + "a:" for level in range(1000)), "nested more", id="mappings"
        ),
        pytest.param("a: " + "9" * 500_000, "line 1: a number of 500,000 characters", id="number"),
        pytest.param("a: -0x" + "f" * 500_000, "a number of", id="hexadecimal number"),
        pytest.param("a: b\n" * 1_000_000, r"a\.yml has more than 1,000,000 bytes", id="bytes"),
        pytest.param("- a\n" * 200_000, "more than 10,000 values", id="values"),
        pytest.param("a: [", "is not valid YAML: .*line", id="open bracket"),
        pytest.param("a: *nowhere", "is not valid YAML: .*undefined alias", id="unknown alias"),
        pytest.param("a: 2024-02-30", "is not valid YAML: ", id="no such day"),
        pytest.param(
            "? {a: 1}\n: 2", "is not valid YAML: .*unhashable", id="key that is a mapping"
        ),
        pytest.param("a: !!python/object:os.system {}", "is not valid YAML", id="tag"),
        pytest.param("a: \x07", "is not valid YAML", id="control character"),
    ],
)
def test_what_is_beyond_the_bounds_is_refused_quickly(text: str, message: str) -> None:
    started = time.process_time()
    with pytest.raises(InputError, match=f"(?s){message}"):
        parse_document(text.encode(), "a.yml")
    assert time.process_time() - started < 3


def test_a_document_at_the_bounds_is_read_in_time() -> None:
    started = time.process_time()
    text = "".join(f"- {{a: {number}}}\n" for number in range(document.MAX_VALUES // 3 - 1))
    assert len(parse_document(text.encode(), "a.yml")) == document.MAX_VALUES // 3 - 1
    assert time.process_time() - started < 3


def test_a_text_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(InputError, match="is not valid YAML"):
        parse_document(b"\xff\xfe\0", "a.yml")


def test_of_an_endless_file_no_more_is_read_than_allowed() -> None:
    with pytest.raises(InputError, match="has more than"):
        read_document("/dev/zero")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read .*none\.yml: No such file"):
        read_document(str(tmp_path / "none.yml"))


@pytest.mark.parametrize("value", ["!!timestamp zz", "!!bool q", "!!int abc", "!!float z"])
def test_a_value_that_does_not_fit_its_tag_is_refused(value: str) -> None:
    with pytest.raises(InputError, match="not valid YAML"):
        parse_document(f"a: {value}\n".encode(), "a.yml")


def test_the_page_about_the_check_names_the_bounds() -> None:
    page = (Path(__file__).parents[3] / "docs/contract.md").read_text()
    text = " ".join(page.split())
    assert (
        f"at most {document.MAX_BYTES:,} bytes, {document.MAX_VALUES:,} values and"
        f" {document.MAX_DEPTH} levels"
    ) in text
    assert f"up to {client.MAX_BODY:,} bytes" in text
