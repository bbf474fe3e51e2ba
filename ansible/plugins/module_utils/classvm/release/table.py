"""Format the history of a host's releases as a table."""

from __future__ import annotations

from typing import Collection, List, Sequence

from .history import FILE, Entry

ROWS = 20
HEAD = ["", "time (UTC)", "release", "result", "git revision", "who", "gap", ""]


def marks(entries: Sequence[Entry], live: str, kept: Collection[str]) -> List[str]:
    """Return for each attempt whether its release is "live", or "kept" for a rollback; else "".

    Args:
        entries: the history of the service, the oldest first.
        live: id of the live release, or "".
        kept: names of the images that are still here, so that their releases can be rolled back to.

    """
    marked = next((one for one in reversed(entries) if one.went_live and one.release == live), None)
    return [_mark(one, marked, kept) for one in entries]


def table(entries: Sequence[Entry], marked: Sequence[str]) -> str:
    """Return the last attempts as a table, the newest last; "" where there are none.

    Args:
        entries: the history of the service, the oldest first.
        marked: what `marks` returns of them.

    """
    if not entries:
        return ""
    rows = [row(one, mark) for one, mark in zip(entries[-ROWS:], marked[-ROWS:])]
    left_out = len(entries) - len(rows)
    more = [f"({left_out} earlier ones are in {FILE})"] if left_out else []
    return "\n".join(aligned([HEAD, *rows]) + more)


def row(entry: Entry, mark: str) -> List[str]:
    """Return the cells of one attempt."""
    gap = "-" if entry.gap is None else f"{entry.gap:.1f} s"
    when = entry.time.partition(".")[0].rstrip("Z").replace("T", " ")
    revision = entry.revision or "-"
    return [mark, when, entry.release, entry.result, revision, entry.who, gap, entry.reason]


def aligned(rows: Sequence[Sequence[str]]) -> List[str]:
    """Return one line per row, with columns as wide as their widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join(map(str.ljust, cells, widths)).rstrip() for cells in rows]


def _mark(entry: Entry, live: object, kept: Collection[str]) -> str:
    if entry is live:
        return "live"
    return "kept" if entry.went_live and entry.image in kept else ""
