"""The document about the pages: a row for each visit, a picture for some."""

from __future__ import annotations

from pathlib import Path

from pages import report
from pages.report import Row
from pages.visit import NARROW, WIDE, Look, Place

PLACE = Place("an app", "API docs", "/ui/", "h1")
LIGHT, OTHER = Row(PLACE, Look("light", WIDE), 9, 1, 0), Row(PLACE, Look("light", NARROW), 8, 0, 2)


def test_each_visit_has_its_row_and_some_a_picture(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages/api-docs-light-1000.png").touch()
    report.write(tmp_path / "pages.md", [LIGHT, OTHER])
    text = (tmp_path / "pages.md").read_text()
    assert "| API docs | an app | light | 1000 | 9 | 1 | 0 |\n" in text
    assert "| API docs | an app | light | 375 | 8 | 0 | 2 |\n" in text
    assert text.count("![") == 1
    assert "(pages/api-docs-light-1000.png)" in text
