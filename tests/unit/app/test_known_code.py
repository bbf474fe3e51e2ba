"""What code needs an older version of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from classvm.app import known_code, requirements_plan
from classvm.app.folder import AppFolder

if TYPE_CHECKING:
    from pathlib import Path


def needs(folder: Path, code: str) -> list[str]:
    (folder / "a.py").write_text(code)
    return [
        f"{one.place} {one.requirement}" for one in known_code.needs(AppFolder(folder), ["a.py"])
    ]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("from werkzeug import secure_filename", ["a.py:1 werkzeug<1", "a.py:1 flask<2"]),
        ("from werkzeug.utils import secure_filename", []),
        ("\nfrom flask.ext.cors import CORS", ["a.py:2 flask<1", "a.py:2 werkzeug<1"]),
        ("from sklearn.externals import joblib", ["a.py:1 scikit-learn<0.23"]),
        ("Column(String(8, convert_unicode=True))", ["a.py:1 sqlalchemy<2"]),
        ("try:\n    from jinja2 import Markup\nexcept ImportError:\n    pass", []),
        ("from markupsafe import Markup", []),
    ],
)
def test_what_newer_versions_do_not_have(code: str, found: list[str], tmp_path: Path) -> None:
    assert needs(tmp_path, code) == found


def test_a_list_without_versions_gets_those_of_the_code(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        "from flask import Flask\nfrom werkzeug import secure_filename\n"
    )
    (tmp_path / "requirements.txt").write_text("flask\n")
    found = requirements_plan.adapt(AppFolder(tmp_path), for_lock=False)
    assert {"flask<2", "werkzeug<1", "jinja2<3.1"} <= set(found.text.split())
    told = "\n".join(found.summary())
    assert "a.py:2 wants `werkzeug.secure_filename`, which newer ones do not have" in told


def test_a_version_that_the_list_names_stays(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("from jinja2 import Markup\n")
    (tmp_path / "requirements.txt").write_text("jinja2==3.1.2\n")
    assert requirements_plan.adapt(AppFolder(tmp_path), for_lock=False).text == "jinja2==3.1.2\n"
