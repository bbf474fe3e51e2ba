"""Visit a page as a person does, and note what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, ViewportSize

Scheme = Literal["light", "dark"]
HEIGHT = 800
# Axe leaves this rule to those who ask for it: links and buttons are large enough for a thumb.
OPTIONS = {"rules": {"target-size": {"enabled": True}}}
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@dataclass(frozen=True)
class Look:
    """How a person looks at a page: the colours that the browser asks for, the width in pixels."""

    scheme: Scheme
    width: int

    def __str__(self) -> str:
        return f"{self.scheme}-{self.width}"


SCHEMES: tuple[Scheme, ...] = ("light", "dark")
# A small phone, and a window on a computer.
NARROW, WIDE = 375, 1000
LOOKS = tuple(Look(scheme, width) for scheme, width in product(SCHEMES, (NARROW, WIDE)))
# Whatever differs between two looks differs between these.
ENDS = (Look("light", WIDE), Look("dark", NARROW))
# A page that is not complete by then never is.
SECONDS = 15


def nothing(_page: Page) -> None:
    """Only look."""


@dataclass(frozen=True)
class Place:
    """A page, and what is done there before it is judged.

    Attributes:
        app: whose page it is.
        name: what it is.
        path: its path.
        shows: a selector of what is there once the page is complete.
        act: what is done then.
        looks: how it is looked at.

    """

    app: str
    name: str
    path: str
    shows: str
    act: Callable[[Page], None] = nothing
    looks: Sequence[Look] = LOOKS

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


@dataclass
class Visit:
    """A page that is open, and what the browser said of it meanwhile."""

    page: Page
    messages: list[str] = field(default_factory=list)
    rules_passed: int = 0
    unsure: int = 0

    def note(self, message: ConsoleMessage) -> None:
        """Keep a message of the console."""
        self.messages.append(f"{message.type}: {message.text} ({message.location.get('url')})")

    def flaws(self) -> list[str]:
        """Return what is wrong: messages of the console, violations of axe, scrolling sideways."""
        results: dict[str, Any] = Axe().run(self.page, options=OPTIONS).response
        self.rules_passed = len(results["passes"])
        self.unsure = sum(len(one["nodes"]) for one in results["incomplete"])
        found = [f"console: {message}" for message in self.messages]
        found += [f"axe: {text}" for one in results["violations"] for text in violations(one)]
        if (pixels := self.page.evaluate(SIDEWAYS)) > 0:
            found.append(f"scrolls sideways by {pixels} pixels")
        return found


def violations(rule: dict[str, Any]) -> list[str]:
    """Return a text for each element that violates a rule."""
    return [f"{rule['id']}: {rule['help']}: {node['html']}" for node in rule["nodes"]]


def visit(browser: Browser, address: str, look: Look) -> Visit:
    """Open a page in a window that remembers nothing, and wait until it is complete."""
    size = ViewportSize(width=look.width, height=HEIGHT)
    page = browser.new_page(color_scheme=look.scheme, viewport=size)
    page.set_default_timeout(SECONDS * 1000)
    opened = Visit(page)
    page.on("console", opened.note)
    page.on("pageerror", lambda error: opened.messages.append(f"error: {error}"))
    page.goto(address, wait_until="networkidle")
    return opened
