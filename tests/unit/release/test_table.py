"""The history as people read it."""

from __future__ import annotations

from dataclasses import replace

from classvm.release import table
from classvm.release.history import Entry

FIRST = Entry(
    time="2026-01-01T10:00:00.123Z", release="3f2a91c", image="i1", revision="abc1234", who="root"
)
REFUSED = replace(FIRST, release="9c1d2e3", image="i2").refused("no")
SECOND = replace(FIRST, release="77aa001", image="i3", revision="", who="student", gap=0.91)
BACK = replace(FIRST, result="rolled back", gap=12.0)


def tabled(entries: list[Entry], live: str, kept: list[str]) -> str:
    return table.table(entries, table.marks(entries, live, kept))


def test_the_table() -> None:
    entries = [FIRST, REFUSED, SECOND, BACK]
    assert tabled(entries, "3f2a91c", ["i1", "i2", "i3"]).splitlines() == [
        "      time (UTC)           release  result       git revision  who      gap",
        "kept  2026-01-01 10:00:00  3f2a91c  live         abc1234       root     -",
        "      2026-01-01 10:00:00  9c1d2e3  refused      abc1234       root     -       no",
        "kept  2026-01-01 10:00:00  77aa001  live         -             student  0.9 s",
        "live  2026-01-01 10:00:00  3f2a91c  rolled back  abc1234       root     12.0 s",
    ]


def test_what_was_removed_is_not_kept() -> None:
    (line,) = tabled([SECOND], "", []).splitlines()[1:]
    assert line.split()[0] == "2026-01-01"


def test_an_empty_history_is_no_table() -> None:
    assert tabled([], "", []) == ""


def test_a_long_history_shows_its_end() -> None:
    entries = [replace(FIRST, release=f"r{number}") for number in range(table.ROWS + 3)]
    shown = tabled(entries, "r5", []).splitlines()
    assert len(shown) == table.ROWS + 2
    assert shown[-1] == "(3 earlier ones are in releases.jsonl)"
    assert "r3 " in shown[1]


def test_the_live_release_is_marked_even_where_the_table_does_not_reach() -> None:
    entries = [replace(FIRST, release=f"r{number}") for number in range(table.ROWS + 3)]
    assert table.marks(entries, "r0", [])[:2] == ["live", ""]
