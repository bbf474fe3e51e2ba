"""The apps that are deployed for real: which of them the review refuses, and with which words."""

from __future__ import annotations

import time
from pathlib import Path

import app_expected
import pytest
from app_expected import LIVES, REFUSED, Expected
from classvm.app.findings import has_errors
from classvm.app.review import review

APPS = app_expected.read_apps(Path(__file__).parents[2] / "apps/live")
# Only the running app shows these.
AT_RUN_TIME = {"contract-lies", "crash-at-start"}


def written(folder: Path, app: Expected) -> Path:
    app_expected.write_files(folder, app.files or {})
    app_expected.prepare(app, folder)
    return folder


@pytest.mark.parametrize("app", APPS, ids=lambda app: app.name)
def test_the_review_refuses_what_cannot_live_and_nothing_else(
    app: Expected, tmp_path: Path
) -> None:
    folder = written(tmp_path, app)
    started = time.process_time()
    read, findings = review(folder)
    assert time.process_time() - started < 3
    refused = app.outcome == REFUSED and app.name not in AT_RUN_TIME
    assert has_errors(findings) == refused, findings
    told = "\n".join(f"{one.place} {one.what} {one.fix}" for one in findings)
    assert not refused or [text for text in app.sentence if text not in told] == []
    assert app.outcome == REFUSED or read.entry or read.dockerfile == "own"


def test_ten_kinds_are_deployed_by_each_test() -> None:
    assert len([app for app in APPS if app.quick]) >= 10


def test_each_app_tells_its_kind_and_is_asked_something() -> None:
    assert [app.name for app in APPS if not app.kind or not app.outcome] == []
    assert [app.name for app in APPS if app.outcome == LIVES and not app.answers] == []
    assert [app.name for app in APPS if app.outcome == REFUSED and not app.sentence] == []
