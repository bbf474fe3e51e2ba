"""The pages that are visited."""

from __future__ import annotations

from pages.visit import Place
from playwright.sync_api import Page
from src import spec

LAB, NEW_APP = "the lab's app", "a new app"


def execute(page: Page) -> None:
    """Send the request of the operation that is open in Swagger UI."""
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    page.get_by_text("Server response").wait_for()
    assert "setosa" in page.locator(".live-responses-table").inner_text()
    page.locator(".opblock.is-open").evaluate("operation => operation.scrollIntoView()")


PREDICT = next(one for one in spec.operations() if one.method == "POST")
PLACES = [
    Place(LAB, "front page", "/", ".endpoints a"),
    Place(LAB, "form", f"{spec.base_path()}/prediction", "form button"),
    Place(LAB, "API docs", spec.docs_path(), ".opblock"),
    Place(LAB, "operation", PREDICT.try_link, ".opblock.is-open", execute),
    Place(NEW_APP, "first page", "/", "main a"),
]
