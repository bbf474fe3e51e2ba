from __future__ import annotations

from pathlib import Path

import pytest
from classvm.app.folder import AppFolder
from classvm.app.requirements_plan import adapt


@pytest.mark.parametrize(
    ("text", "serves", "adapted"),
    [
        ("flask==2.2.5\r\n\r\n", False, "flask==2.2.5\n"),
        ("flask==2.2.5\n", True, "flask==2.2.5\ngunicorn<24\n"),
        ("gunicorn==20.1.0\n", True, "gunicorn==20.1.0\n"),
    ],
)
def test_gunicorn_is_added_where_it_serves(
    text: str, serves: bool, adapted: str, tmp_path: Path
) -> None:
    (tmp_path / "requirements.txt").write_bytes(text.encode())
    found = adapt(AppFolder(tmp_path), serves=serves)
    assert found.text == adapted
    assert [str(one) for one in found.changes] == (
        ["requirements.txt `gunicorn<24` is added: it serves the app"]
        if adapted != text and serves
        else []
    )
