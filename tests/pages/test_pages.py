"""Nothing is wrong with a page, in the light and in the dark, on a phone and on a computer."""

from __future__ import annotations

import pytest
from pages import report
from pages.places import LAB, PICTURED, PLACES
from pages.report import Row, Seen
from pages.visit import LOOKS, NARROW, Look, Place, visit
from playwright.sync_api import Browser
from src import favicon, spec

VISITS = [(place, look) for place in PLACES for look in place.looks]
LOOK = Look("light", NARROW)
ICON_IS_DRAWN = """async (path) => {
    const icon = new Image();
    icon.src = path;
    await icon.decode();
    return icon.naturalWidth > 0;
}"""


@pytest.mark.parametrize(("place", "look"), VISITS, ids=str)
def test_a_page_has_no_flaw(
    place: Place,
    look: Look,
    browser: Browser,
    sites: dict[str, str],
    seen: Seen,
) -> None:
    opened = visit(browser, sites[place.app] + place.path, look)
    opened.page.locator(place.shows).first.wait_for()
    place.act(opened.page)
    flaws = opened.flaws()
    seen.rows.append(Row(place, look, opened.rules_passed, opened.unsure, len(flaws)))
    if (place, look) in PICTURED:
        opened.page.screenshot(path=seen.folder / report.picture(place, look))
    opened.page.close()
    assert flaws == []


def test_what_the_front_page_leads_to_leaves_no_message(
    browser: Browser, sites: dict[str, str]
) -> None:
    links = [sites[LAB] + operation.try_link for operation in spec.operations()]
    opened = visit(browser, links[0], LOOK)
    answers = [opened.page.goto(link, wait_until="load") for link in links[1:]]
    opened.page.wait_for_load_state("networkidle")
    opened.page.close()
    assert [answer.status for answer in answers if answer] == [200] * len(answers)
    assert opened.messages == []


def test_the_icon_is_a_picture_for_the_browser(browser: Browser, sites: dict[str, str]) -> None:
    opened = visit(browser, sites[LAB], LOOK)
    assert opened.page.evaluate(ICON_IS_DRAWN, favicon.PATH)
    opened.page.close()


def test_on_a_phone_the_parts_of_an_endpoint_stand_one_below_the_other(
    browser: Browser, sites: dict[str, str]
) -> None:
    tops = {}
    for look in LOOKS:
        opened = visit(browser, sites[LAB], look)
        parts = opened.page.locator(".endpoints li").first.locator("> *").all()
        tops[look] = {round(box["y"]) // 10 for part in parts if (box := part.bounding_box())}
        opened.page.close()
    assert {look: len(found) for look, found in tops.items()} == {
        look: 3 if look.width == NARROW else 1 for look in LOOKS
    }


# --- A flaw is noticed --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("harm", "flaw"),
    [
        ("document.body.append(new Image())", "axe: image-alt"),
        ("document.body.style.color = '#ddd'", "axe: color-contrast"),
        ("document.querySelector('main').style.width = '2000px'", "scrolls sideways"),
        ("console.info('hello')", "console: info: hello"),
        ("setTimeout(() => { throw new Error('lost') })", "console: error: lost"),
        ("fetch('/nope')", "console: error: Failed to load resource"),
        ("fetch('http://127.0.0.2/')", "Content Security Policy"),
    ],
)
def test_a_flaw_is_noticed(harm: str, flaw: str, browser: Browser, sites: dict[str, str]) -> None:
    opened = visit(browser, sites[LAB], LOOK)
    opened.page.evaluate(f"() => {{ {harm} }}")
    opened.page.wait_for_load_state("networkidle")
    flaws = opened.flaws()
    opened.page.close()
    assert [text for text in flaws if flaw in text], flaws
