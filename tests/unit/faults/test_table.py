"""The table of faults."""

from __future__ import annotations

import math
from pathlib import Path

from faults.load import Seen
from faults.table import COLUMNS, Row, markdown, verdict, write

KEPT = Row(
    "x", "recreate", "all is well", "it was", Seen(7, {"reset": 2}, healthy_after=1.25), kept=True
)
BROKEN = Row("y", "recreate", "all is well", "a|b\nc", Seen(3, healthy_after=math.inf), kept=False)


def test_each_row_has_all_columns() -> None:
    lines = markdown([KEPT, BROKEN]).splitlines()
    assert len(lines) == 4
    assert {line.replace("\\|", "").count("|") for line in lines} == {len(COLUMNS) + 1}
    assert lines[2] == "| x | recreate | all is well | 1.2 s | 7 | 2 | 0 | it was |"


NOT_ASSERTED = Row("z", "blue_green", "it is quick", "p99 7 ms", Seen(5), kept=None)


def test_a_row_that_was_not_asserted_does_not_count_as_kept() -> None:
    assert "| NOT ASSERTED: p99 7 ms |" in markdown([NOT_ASSERTED])
    assert verdict([KEPT, NOT_ASSERTED]) == "1 of 1 promises kept, 1 not asserted"


def test_a_broken_promise_is_named() -> None:
    line = markdown([BROKEN]).splitlines()[2]
    assert line == "| y | recreate | all is well | never | 3 | 0 | 0 | PROMISE BROKEN: a\\|b c |"
    assert verdict([KEPT, BROKEN]) == "1 of 2 promises kept"


def test_the_document_says_how_it_was_made(tmp_path: Path) -> None:
    write(tmp_path / "faults.md", [KEPT], 72)
    text = (tmp_path / "faults.md").read_text()
    assert "`make faults TABLE=docs/faults.md`" in text
    assert "72 requests a second" in text
    assert text.endswith("\n1 of 1 promises kept.\n")
