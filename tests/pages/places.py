"""The pages that are visited."""

from __future__ import annotations

from pages import other_app
from pages.visit import ENDS, Place
from playwright.sync_api import Page
from src import spec

LAB, LARGER, NEW_APP = "the lab's app", "a larger app", "a new app"


def execute(page: Page) -> None:
    """Send the request of the operation that is open in Swagger UI."""
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    page.get_by_text("Server response").wait_for()
    assert "setosa" in page.locator(".live-responses-table").inner_text()
    page.locator(".opblock.is-open").evaluate("operation => operation.scrollIntoView()")


DOCS = spec.docs_path()
PREDICT = next(one for one in spec.operations() if one.method == "POST")
PLACES = [
    Place(LAB, "front page", "/", ".endpoints a"),
    Place(LAB, "form", f"{spec.base_path()}/prediction", "form button"),
    Place(LAB, "API docs", DOCS, ".opblock"),
    Place(LAB, "operation", PREDICT.try_link, ".opblock.is-open", execute),
    Place(LARGER, "long names", "/", ".endpoints a", looks=ENDS),
    Place(LARGER, "form of an operation", DOCS, ".opblock", other_app.open_operation, ENDS),
    Place(LARGER, "dialog for a key", DOCS, ".opblock", other_app.open_dialog, ENDS),
    Place(NEW_APP, "first page", "/", "main a"),
]
# The other pages look like these.
PICTURED = [(place, look) for place in PLACES if place.app == LAB for look in ENDS]
