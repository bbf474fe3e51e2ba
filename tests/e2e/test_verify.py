"""`make verify` where an app of a student is live: what applies to it is checked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e.machine import ROOT, Run, docker, live, play, run

pytestmark = pytest.mark.usefixtures("deployed")


@pytest.fixture(scope="module")
def weather(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Deploy a new app, which has another layout, and the lab's own one at the end."""
    folder = tmp_path_factory.mktemp("apps") / "weather"
    made = run("python", "tools/new_app.py", str(folder))
    assert made.code == 0, made.text
    released = play("deploy", service_dir=str(folder))
    assert released.code == 0, released.text
    yield folder
    assert play("deploy").code == 0


def verify(folder: Path | None = None, *options: str) -> Run:
    """Verify this machine, with an app or with the lab's own."""
    named = ["--extra-vars", json.dumps({"service_dir": str(folder)})] if folder else []
    return run("python", str(ROOT / "tools/verify.py"), "--quick", *named, *options)


def test_an_app_of_another_layout_is_verified(weather: Path) -> None:
    verified = verify(weather, "--table")
    assert verified.code == 0, verified.text
    assert "all good" in verified.last_line
    assert "the app is not in the layout of service/" in verified.text


def test_who_names_no_app_is_told_to(weather: Path) -> None:
    assert weather.is_dir()
    refused = verify()
    assert refused.code == 2
    assert "runs another release than service/ here" in refused.last_line
    assert "make verify APP=folder" in refused.last_line


def test_a_release_that_a_rollback_made_live_is_verified_as_what_it_is(weather: Path) -> None:
    assert play("rollback").code == 0  # to the lab's own app, while the folder is that of weather
    try:
        verified = verify(weather)
    finally:
        assert play("rollback").code == 0
    assert verified.code == 0, verified.text
    assert "is live by a rollback" in verified.text
    assert "all good" in verified.last_line


def test_an_app_that_breaks_its_contract_is_red(weather: Path) -> None:
    name = live()["Name"].lstrip("/")
    docker("pause", name)
    try:
        verified = verify(weather, "-k", "answers_its_examples")
    finally:
        docker("unpause", name)
    assert verified.code == 1, verified.text
    assert "an operation answers its examples" in verified.last_line
