"""What caller and host agree on."""

from __future__ import annotations

import jsonschema
import pytest
from classvm.base.errors import ClassvmError
from classvm.program import protocol, schema


def test_what_an_app_has_printed_does_nothing_to_a_terminal() -> None:
    error = protocol.failure(ClassvmError("E: \x1b[2J", fix="\x07", details="a\n\x9b"))["error"]
    for text in (error["line"], error["fix"], error["details"]):
        assert all(one.isprintable() or one == "\n" for one in text)


def test_a_newer_clone_is_told_what_to_do() -> None:
    with pytest.raises(
        protocol.RefusedError, match="Ask your admin to run `make provision`"
    ) as told:
        protocol.require_known(protocol.PROTOCOL + 1)
    assert told.value.code == protocol.TOO_OLD


@pytest.mark.parametrize("number", range(protocol.PROTOCOL + 1))
def test_an_older_clone_is_understood(number: int) -> None:
    protocol.require_known(number)


def test_each_code_is_documented_and_has_an_exit_code_of_its_own() -> None:
    assert [*protocol.EXIT_CODES] == schema.ERROR["properties"]["code"]["enum"]
    assert len(set(protocol.EXIT_CODES.values())) == len(protocol.EXIT_CODES)
    assert 0 not in protocol.EXIT_CODES.values()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ClassvmError("a", fix="b.", details="c"), protocol.FAILED),
        (protocol.RefusedError(protocol.REQUEST, "a", fix="b."), protocol.REQUEST),
        (SystemExit("a"), protocol.FAILED),
    ],
)
def test_a_failure_is_as_its_schema_says(error: BaseException, code: str) -> None:
    told = protocol.failure(error)
    jsonschema.validate(told, schema.FAILURE)
    assert told["error"]["code"] == code
    assert told["error"]["line"].startswith("a")
