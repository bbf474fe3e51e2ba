"""The history survives what kills its writer, and tells what became of each attempt."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from classvm.release import history
from classvm.release.history import LIVE, REFUSED, ROLLED_BACK, Entry
from hypothesis import given
from hypothesis import strategies as st

ENTRY = Entry(time="2026-01-01T00:00:00.001Z", service="lab", release="r1", image="classvm/lab:r1")
NEXT = replace(ENTRY, time="2026-01-01T00:00:00.002Z", release="r2")


@pytest.fixture
def state_dir(tmp_path: Path) -> str:
    return str(tmp_path)


def unchanged(entry: Entry) -> Entry:
    return entry


def never(entry: Entry) -> Entry:
    raise AssertionError(entry)


def test_what_is_recorded_is_read(state_dir: str) -> None:
    assert history.read(state_dir, "lab") == []
    other = replace(ENTRY, service="other")
    for entry in (ENTRY, other, NEXT):
        history.finish(state_dir, entry)
    assert history.read(state_dir, "lab") == [ENTRY, NEXT]
    assert history.read(state_dir, "other") == [other]


@pytest.mark.parametrize("torn", ['{"time": "20', "{", "\0\0\0\0", "[1]", "12", '"x"', "\x80"])
def test_a_torn_last_line_spoils_nothing(torn: str, state_dir: str) -> None:
    history.finish(state_dir, ENTRY)
    with open(os.path.join(state_dir, history.FILE), "a", encoding="utf-8") as file:
        file.write(torn)
    assert history.read(state_dir, "lab") == [ENTRY]
    history.finish(state_dir, NEXT)
    assert history.read(state_dir, "lab") == [ENTRY, NEXT]


@pytest.mark.parametrize(
    "line",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        json.dumps({"service": "lab", "release": 5}),
        json.dumps({"service": "lab", "time": None}),
        json.dumps({"service": "lab", "gap": "long"}),
        json.dumps({"service": "lab", "gap": True}),
        json.dumps({"service": "lab", "seconds": [1]}),
        json.dumps({"service": ["lab"]}),
    ],
    ids=lambda line: line[:30],
)
def test_a_line_that_is_not_legible_spoils_nothing(line: str, state_dir: str) -> None:
    history.finish(state_dir, ENTRY)
    with open(os.path.join(state_dir, history.FILE), "a", encoding="utf-8") as file:
        file.write(line + "\n")
    history.finish(state_dir, NEXT)
    assert history.read(state_dir, "lab") == [ENTRY, NEXT]
    # It is not lost: a person may still read it.
    with open(os.path.join(state_dir, history.FILE), encoding="utf-8") as file:
        assert line in file.read()


@given(cut=st.integers(min_value=0))
def test_a_line_torn_anywhere_spoils_nothing(
    cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = str(tmp_path_factory.mktemp("state"))
    history.finish(folder, ENTRY)
    path = os.path.join(folder, history.FILE)
    with open(path, encoding="utf-8") as file:
        line = file.read()
    with open(path, "a", encoding="utf-8") as file:
        file.write(line[: cut % len(line)])
    history.finish(folder, NEXT)
    found = history.read(folder, "lab")
    assert (found[0], found[-1]) == (ENTRY, NEXT)


def test_a_line_of_another_version_is_read(state_dir: str) -> None:
    with open(os.path.join(state_dir, history.FILE), "w", encoding="utf-8") as file:
        file.write(json.dumps({"service": "lab", "release": "r0", "unknown": 1}) + "\n")
    (entry,) = history.read(state_dir, "lab")
    assert (entry.release, entry.result, entry.went_live) == ("r0", LIVE, True)


@pytest.mark.parametrize(("result", "live"), [(LIVE, True), (ROLLED_BACK, True), (REFUSED, False)])
def test_which_went_live(result: str, live: bool) -> None:
    assert replace(ENTRY, result=result).went_live is live


@pytest.mark.parametrize(
    ("reason", "kept"), [("one\ntwo", "one"), ("\n one", "one"), ("", ""), ("x" * 999, "x" * 200)]
)
def test_of_a_reason_the_first_line_is_kept(reason: str, kept: str) -> None:
    refused = ENTRY.refused(reason)
    assert (refused.result, refused.reason) == (REFUSED, kept)


def test_a_swap_that_was_cut_off_gets_its_line(state_dir: str) -> None:
    history.intend(state_dir, ENTRY)
    history.settle(state_dir, "other", never)
    history.settle(state_dir, "lab", lambda entry: entry.refused("cut off"))
    history.settle(state_dir, "lab", never)
    assert history.read(state_dir, "lab") == [ENTRY.refused("cut off")]
    assert os.listdir(state_dir) == [history.FILE]


def test_a_swap_that_was_recorded_is_not_recorded_twice(state_dir: str) -> None:
    history.finish(state_dir, ENTRY)
    history.intend(state_dir, ENTRY)
    history.settle(state_dir, "lab", never)
    assert history.read(state_dir, "lab") == [ENTRY]
    assert os.listdir(state_dir) == [history.FILE]


def test_the_same_release_again_is_another_attempt(state_dir: str) -> None:
    history.finish(state_dir, ENTRY)
    again = replace(ENTRY, time=NEXT.time)
    history.intend(state_dir, again)
    history.settle(state_dir, "lab", unchanged)
    assert history.read(state_dir, "lab") == [ENTRY, again]


def test_of_a_complete_history_nothing_is_said(state_dir: str) -> None:
    assert history.remark(state_dir, "lab", "") == ""
    history.finish(state_dir, ENTRY)
    assert history.remark(state_dir, "lab", "r1") == ""
    assert history.remark(state_dir, "lab", "") == ""


def test_a_history_that_is_missing_is_said_where_a_release_is_live(state_dir: str) -> None:
    path = os.path.join(state_dir, history.FILE)
    missing = f"Release r1 is live, but {path} is missing; `make deploy` of it writes its line."
    assert history.remark(state_dir, "lab", "r1") == missing
    history.finish(state_dir, NEXT)
    history.finish(state_dir, replace(ENTRY, result=REFUSED))
    assert f"r1 is live, but {path} does not show it" in history.remark(state_dir, "lab", "r1")


def test_damaged_lines_are_said_with_their_numbers(state_dir: str) -> None:
    path = os.path.join(state_dir, history.FILE)
    history.finish(state_dir, ENTRY)
    with open(path, "a", encoding="utf-8") as file:
        file.write("\0\0\n")
    found = history.remark(state_dir, "lab", "r1")
    assert found.startswith(f"{path} is damaged: line 2 cannot be read and is left out.")
    assert f"`sed -n 2p {path}`" in found
    history.finish(state_dir, NEXT)
    with open(path, "a", encoding="utf-8") as file:
        file.write("\n[1]\n")
    assert "lines 2, 5 cannot be read and are left out" in history.remark(state_dir, "lab", "r1")


def test_what_an_app_has_printed_does_nothing_to_a_terminal() -> None:
    reason = history.Entry("t", "lab", "r1", "i").refused("E: \x1b[2Jevil\nmore").reason
    assert reason == "E: \N{REPLACEMENT CHARACTER}[2Jevil"
