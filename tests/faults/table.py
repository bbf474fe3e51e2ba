"""The table of what was done to the class VMs, and what came of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import plan

if TYPE_CHECKING:
    from load import Seen

COLUMNS = (
    *("fault", "strategy", "promised", "healthy after", "requests", "failed", "doubled"),
    "what became of it",
)
INTRODUCTION = """\
# Faults

What was done to class VMs under load, and what clients saw: `make faults {how}TABLE=docs/faults.md`
wrote this, and fails where a promise is broken. Four kinds of clients, {rate:.0f} requests a second
together, ask from outside: some open a connection for each request, some keep theirs, some send
their head slowly, some POST an id that has to be executed exactly once. "Healthy after" is the time
from the fault to the first good answer after the last failure. What does not depend on the strategy
was tried with one of them. A deploy that follows a kill is the module on the host, without its wait
and its contract, and after the last kill the whole of it. Nothing was repaired by hand.
"""


@dataclass(frozen=True)
class Row:
    """One thing that was done, and what came of it.

    Attributes:
        fault: what was done, as a clause.
        strategy: how releases are swapped on that host.
        promise: what was to become of it.
        outcome: what became of it.
        seen: what the clients saw meanwhile.
        kept: whether the promise was kept.

    """

    fault: str
    strategy: str
    promise: str
    outcome: str
    seen: Seen
    kept: bool

    @property
    def cells(self) -> list[str]:
        """What stands in the columns."""
        outcome = self.outcome if self.kept else f"PROMISE BROKEN: {self.outcome}"
        numbers = [str(self.seen.requests), str(self.seen.failures), str(self.seen.doubled)]
        return [
            *(self.fault, self.strategy, self.promise, seconds(self.seen.healthy_after)),
            *(*numbers, outcome),
        ]


def seconds(value: float) -> str:
    """Write a duration."""
    if math.isinf(value):
        return "never"
    return f"{value:.1f} s" if value else "at once"


def markdown(rows: Sequence[Row]) -> str:
    """Return the table."""
    lines = [COLUMNS, ["---"] * len(COLUMNS), *(row.cells for row in rows)]
    return "".join(f"| {' | '.join(map(plain, line))} |\n" for line in lines)


def plain(text: str) -> str:
    """Return a text as it may stand in a cell."""
    return " ".join(text.replace("|", "\\|").split())


def verdict(rows: Sequence[Row]) -> str:
    """Return the closing line."""
    kept = sum(row.kept for row in rows)
    return f"{kept} of {len(rows)} promises kept"


def write(path: Path, rows: Sequence[Row], rate: float) -> None:
    """Write the document."""
    # Whoever reads it shall know whether all of it was done, or a few of each kind.
    how = "FAULTS=quick " if plan.QUICK else ""
    text = f"{INTRODUCTION.format(rate=rate, how=how)}\n{markdown(rows)}\n{verdict(rows)}.\n"
    path.write_text(text, encoding="utf-8")
