"""Serve the pages with gunicorn, as in production, and look at them in a headless Chromium.

With TABLE=FILE in the environment, what was seen is written there, and pictures beside it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import new_app
import pytest
from playwright.sync_api import Browser, sync_playwright

SERVICE = Path(__file__).resolve().parents[2] / "service"
# Its modules are imported as `src`.
sys.path.insert(0, str(SERVICE))

from gunicorn_server import LOOPBACK, serve  # noqa: E402 - it needs the path above
from pages import chromium, other_app, report  # noqa: E402 - they need the path above
from pages.places import LAB, LARGER, NEW_APP  # noqa: E402 - it needs the path above
from pages.report import Seen  # noqa: E402 - it needs the path above

SEEN: pytest.StashKey[Seen] = pytest.StashKey()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return a headless Chromium."""
    with sync_playwright() as playwright:
        try:
            program = chromium.provide(Path(playwright.chromium.executable_path))
        except chromium.MissingError as error:
            pytest.exit(str(error), returncode=1)
        with playwright.chromium.launch(executable_path=program) as opened:
            yield opened


@pytest.fixture(scope="session")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Serve the lab's app, a larger one and a new one; return their addresses."""
    apps = tmp_path_factory.mktemp("apps")
    new_app.make(apps / "weather")
    other_app.make(SERVICE, apps / "larger")
    logs = [tmp_path_factory.mktemp("logs") for _ in range(3)]
    with (
        serve(SERVICE, logs[0]) as lab,
        serve(apps / "larger", logs[1]) as larger,
        serve(apps / "weather", logs[2], "server:app", ready="/") as weather,
    ):
        served = {LAB: lab, LARGER: larger, NEW_APP: weather}
        yield {app: f"http://{LOOPBACK}:{server.port}" for app, server in served.items()}


@pytest.fixture(scope="session")
def seen(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """Return what the report will be made of."""
    table = os.environ.get("TABLE")
    folder = Path(table).with_suffix("") if table else tmp_path_factory.mktemp("pictures")
    folder.mkdir(exist_ok=True)
    return pytestconfig.stash.setdefault(SEEN, Seen(folder))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the table, and write it to the file of TABLE."""
    seen = config.stash.get(SEEN, None)
    if seen and seen.rows:
        terminalreporter.section("pages")
        terminalreporter.write_line(report.table(seen.rows))
        if os.environ.get("TABLE"):
            report.write(Path(os.environ["TABLE"]), seen.rows)
