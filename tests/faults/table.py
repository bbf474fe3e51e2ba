"""The table of the faults, and of what clients saw of each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from infra import scope

if TYPE_CHECKING:
    from faults.load import Seen

COLUMNS = (
    *("fault", "strategy", "promised", "healthy after", "requests", "failed", "doubled"),
    "outcome",
)
INTRODUCTION = """\
# Faults

What was done to class VMs under load, and what clients saw: `make faults {how}TABLE=docs/faults.md`
wrote this, and fails where a promise is broken. Four kinds of clients, outside the VM, send
{rate:.0f} requests a second: some open a connection for each request, some keep theirs, some send
their head slowly, some POST an id that has to be executed exactly once. "Healthy after" is the time
from the fault to the first good answer after the last failure. A fault whose outcome does not
depend on the strategy was tried with one of them. The redeploys in a row with `recreate`, and each
deploy that follows a kill, leave out the steady time and the contract check; the deploy after the
last kill is complete. Nothing was repaired by hand.
"""


@dataclass(frozen=True)
class Row:
    """One fault, and what clients saw of it.

    Attributes:
        fault: what was done, as a clause.
        strategy: how releases are swapped on that host.
        promise: what clients may notice.
        outcome: what happened.
        seen: what the clients saw meanwhile.
        kept: whether the promise was kept; None where this run did not assert it.

    """

    fault: str
    strategy: str
    promise: str
    outcome: str
    seen: Seen
    kept: bool | None

    @property
    def cells(self) -> list[str]:
        """The texts of the columns."""
        prefix = {True: "", False: "PROMISE BROKEN: ", None: "NOT ASSERTED: "}[self.kept]
        numbers = [str(self.seen.requests), str(self.seen.failures), str(self.seen.doubled)]
        return [
            *(self.fault, self.strategy, self.promise, seconds(self.seen.healthy_after)),
            *(*numbers, f"{prefix}{self.outcome}"),
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
    asserted = [row for row in rows if row.kept is not None]
    rest = len(rows) - len(asserted)
    counts = f"{sum(bool(row.kept) for row in asserted)} of {len(asserted)} promises kept"
    return f"{counts}, {rest} not asserted" if rest else counts


def write(path: Path, rows: Sequence[Row], rate: float) -> None:
    """Write the document."""
    # The reader has to know whether the run was complete.
    how = f"SCOPE={scope.QUICK_SCOPE} " if scope.QUICK else ""
    text = f"{INTRODUCTION.format(rate=rate, how=how)}\n{markdown(rows)}\n{verdict(rows)}.\n"
    path.write_text(text, encoding="utf-8")
