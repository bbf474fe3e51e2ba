"""The lab's app as a student may go on with it: what Swagger UI shows for a larger spec."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml
from playwright.sync_api import Page

LONG = "a-name-that-its-author-could-not-make-any-shorter"
OPERATION: dict[str, Any] = {
    "operationId": "src.search.get",
    "deprecated": True,
    "summary": LONG.replace("-", ""),
    "parameters": [
        {
            "name": "kinds",
            "in": "query",
            "schema": {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}},
        },
        {"name": "all", "in": "query", "schema": {"type": "boolean"}},
        {"name": "X-Reason", "in": "header", "schema": {"type": "string"}},
    ],
    "responses": {"200": {"description": "What was found"}},
}
KEY = {"type": "apiKey", "in": "header", "name": "X-Key"}
HANDLER = "def get(**_words):\n    return {}\n"


def make(service: Path, folder: Path) -> None:
    """Write the app into a folder that is not there yet."""
    shutil.copytree(service, folder, ignore=shutil.ignore_patterns("__pycache__"))
    spec = folder / "master.yml"
    document = yaml.safe_load(spec.read_text())
    document["paths"][f"/{LONG}/{LONG}/{LONG}"] = {"get": OPERATION}
    document["servers"].append({"url": "/elsewhere"})
    document["components"]["securitySchemes"] = {"key": KEY}
    spec.write_text(yaml.safe_dump(document, sort_keys=False))
    (folder / "src/search.py").write_text(HANDLER)


def open_operation(page: Page) -> None:
    """Open the operation, its form, and a schema."""
    page.locator(".opblock-deprecated button").first.click()
    page.get_by_role("button", name="Try it out").click()
    page.locator(".models .model-container button").first.click()


def open_dialog(page: Page) -> None:
    """Open the dialog that asks for the key."""
    page.get_by_role("button", name="Authorize").click()
    page.locator(".modal-ux input").wait_for()
