"""Every error is written for its reader: a cause in plain words, in the first line."""

from __future__ import annotations

import errors
import pytest
from errors import Raised

RAISED = errors.raised()
LONGEST_CAUSE = 250
# Names of programs, and the end of a sentence: "Release 1a2b3c4 was refused: it was not healthy".
LOWER_CASE = ("mmdebstrap ", "nftables ", "it was not healthy")


def flaw(cause: str) -> str:
    """Return why a first line is no cause in plain words; "" where it is one."""
    if cause.startswith("`"):
        return "it begins with a command"
    if cause.endswith(":"):
        return "it announces the cause instead of telling it"
    if " " not in cause:
        return "it is no sentence"
    if len(cause) > LONGEST_CAUSE:
        return "it is too long for a closing line"
    if cause[0].islower() and not cause.startswith(LOWER_CASE):
        return "it does not begin as a sentence does"
    return ""


def test_there_are_fifty_and_more() -> None:
    assert len(RAISED) > 50


@pytest.mark.parametrize("one", RAISED, ids=lambda one: f"{one.file}:{one.line}")
def test_each_error_has_a_cause_as_its_first_line(one: Raised) -> None:
    if one.cause:
        assert flaw(one.cause) == ""


@pytest.mark.parametrize(
    "cause",
    [
        "`docker create --memory lots` failed",
        "The build's last lines:",
        "Failed",
        "x " * LONGEST_CAUSE,
        "not valid",
    ],
)
def test_a_first_line_that_is_no_cause_is_found(cause: str) -> None:
    assert flaw(cause)


@pytest.mark.parametrize("one", RAISED, ids=lambda one: f"{one.file}:{one.line}")
def test_each_cause_that_is_told_has_what_to_do(one: Raised) -> None:
    assert one.fix or not one.cause


def called(text: str) -> list[Raised]:
    return [errors.of_call("x.py", call) for call in errors.calls(text)]


@pytest.mark.parametrize(
    ("text", "cause", "fix"),
    [
        ("raise ClassvmError('It broke')", "It broke", ""),
        ("raise ClassvmError(f'{a.name!r} broke', fix='Mend it.')", "<name> broke", "Mend it."),
        ("raise ClassvmError(f'{path} broke. Mend it.\\n{log}')", "<path> broke", "Mend it."),
        ("raise ClassvmError(reason)", "", ""),
        ("raise ClassvmError(f'{text}\\n{more}')", "", ""),
        ("raise command.CommandError(done)", "", ""),
        ("raise command.CommandError(done, 'It broke')", "It broke: <reason>", ""),
    ],
)
def test_what_a_raise_says(text: str, cause: str, fix: str) -> None:
    (one,) = called(text)
    assert (one.cause, one.fix) == (cause, fix)


@pytest.mark.parametrize(
    ("text", "has_place", "fix"),
    [
        ("raise ClassvmError('It broke', place=path, fix='Mend it.')", True, "Mend it."),
        ("raise ClassvmError('It broke', fix=error.fix)", False, "<fix>"),
        ("raise command.CommandError(done, 'It broke', fix='Mend it.')", False, "Mend it."),
        ("raise RefusedError(REQUEST, 'It broke', fix='Mend it.')", False, "Mend it."),
    ],
)
def test_a_place_and_what_to_do_are_seen(text: str, *, has_place: bool, fix: str) -> None:
    (one,) = called(text)
    assert (one.has_place, one.fix) == (has_place, fix)


def test_other_errors_are_not_for_a_person() -> None:
    assert called("raise ValueError('x')\nraise\nraise ClassvmError\n") == []


def test_a_cell_is_safe() -> None:
    assert errors.cell("`a | b` <long name> 1<2") == r"`a \| b` *long name* 1&lt;2"


def test_each_cause_is_in_the_table_once() -> None:
    one = Raised("a.py", 1, "It broke", "Mend it.", has_place=True)
    other = Raised("b.py", 7, "It broke", "Mend it.", has_place=True)
    assert errors.table([one, other, Raised("c.py", 1, "", "", has_place=False)]).splitlines()[
        -1
    ] == ("| It broke | yes | Mend it. | a.py, b.py |")


def test_the_table_is_current() -> None:
    path = errors.ROOT / errors.DOCUMENT
    assert path.read_text(encoding="utf-8") == errors.table(RAISED), "run tools/errors.py"
