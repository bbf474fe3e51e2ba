"""To which release one can go back, and what is said when there is none."""

from __future__ import annotations

import pytest
from classvm.base.errors import ClassvmError
from classvm.release import rollback
from classvm.release.history import LIVE, REFUSED, ROLLED_BACK, Entry
from fake_engine import GOOD, Engine

History = list[tuple[str, str]]
A, B, C = ("a", LIVE), ("b", LIVE), ("c", LIVE)


def entries(history: History) -> list[Entry]:
    return [
        Entry(
            release=name, image=f"classvm/lab:{name}", result=result, reason="why", revision="f00"
        )
        for name, result in history
    ]


def resolve(history: History, asked: str, live: str, gone: str = "") -> str:
    engine = Engine()
    names = {name for name, _ in history} - set(gone)
    engine.behaviours = {f"classvm/lab:{name}": GOOD for name in names}
    return rollback.resolve(engine, entries(history), asked, live).release


@pytest.mark.parametrize(
    ("history", "live", "gone", "expected"),
    [
        ([A, B, C], "c", "", "b"),
        ([A, B, C], "c", "b", "a"),
        ([A, B, ("c", REFUSED)], "b", "", "a"),
        ([A, B, ("a", ROLLED_BACK)], "a", "", "b"),
        ([A, B, C, ("b", ROLLED_BACK)], "b", "", "c"),
        ([A, B, B], "b", "", "a"),
        ([A, B], "", "", "b"),
        ([A], "unknown", "", "a"),
    ],
)
def test_the_previous_one(history: History, live: str, gone: str, expected: str) -> None:
    assert resolve(history, rollback.PREVIOUS, live, gone) == expected


@pytest.mark.parametrize("asked", ["a", "b", "c"])
def test_a_named_one(asked: str) -> None:
    assert resolve([A, B, C, ("a", REFUSED)], asked, "c") == asked


@pytest.mark.parametrize(
    ("history", "asked", "live", "gone", "message"),
    [
        ([A], rollback.PREVIOUS, "a", "", "Nothing to roll back to: there is no earlier release"),
        ([("b", REFUSED), A], rollback.PREVIOUS, "a", "", "there is no earlier release"),
        ([A, B], rollback.PREVIOUS, "b", "a", "the images of all earlier releases are gone"),
        ([A], "z", "a", "", "Release z was never on this host"),
        ([A, ("b", REFUSED)], "b", "a", "", "Release b was never live here, it was refused: why"),
        ([A, B], "a", "b", "a", "image of release a is no longer on this host.*git revision f00"),
    ],
)
def test_what_cannot_be(history: History, asked: str, live: str, gone: str, message: str) -> None:
    with pytest.raises(ClassvmError, match=f"(?s){message}.*`make releases` shows"):
        resolve(history, asked, live, gone)


@pytest.mark.parametrize("asked", [rollback.PREVIOUS, "z"])
def test_where_nothing_was_ever_deployed_a_deploy_comes_first(asked: str) -> None:
    with pytest.raises(ClassvmError, match=r"no release is in the history .*`make deploy`"):
        resolve([], asked, "")


def test_without_a_revision_the_sources_are_named_otherwise() -> None:
    with pytest.raises(ClassvmError, match="a checkout of its sources"):
        rollback.resolve(Engine(), [Entry(release="a", image="gone")], "a", "b")
