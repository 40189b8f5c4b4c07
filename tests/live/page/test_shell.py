"""What is around every room: the way to the others, the clock, light and dark."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from outsim.live.page.front import ROOMS

from .opening import DESK, PHONE

PATHS = [path.removeprefix("/") for path in ROOMS]


@pytest.mark.parametrize("path", PATHS)
def test_each_room_opens(opened, path):
    title = ROOMS[f"/{path}"]
    with opened.page(path) as page:
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
        expect(page.get_by_role("link", name=title)).to_have_attribute("aria-current", "page")
        expect(page.get_by_role("contentinfo")).to_contain_text("<b>two</b> clinics")


def test_links_lead_from_room_to_room(opened):
    with opened.page() as page:
        for title in ROOMS.values():
            page.get_by_role("navigation").get_by_role("link", name=title).click()
            expect(page.get_by_role("heading", level=1)).to_have_text(title)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("path", PATHS)
def test_axe_finds_nothing_and_nobody_scrolls_sideways(opened, path, size, theme):
    with opened.page(path, size, theme) as page:
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        if not path:
            expect(page.locator("[data-drawn]")).to_be_visible()
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") == size["width"]


def test_the_browser_remembers_whether_it_is_dark(opened):
    with opened.page() as page:
        expect(page.locator("body")).to_have_class(re.compile("body--light"))
        page.get_by_label("Theme").click()
        page.get_by_role("option", name="Dark").click()
        expect(page.locator("body")).to_have_class(re.compile("body--dark"))
        expect(page.locator(".outsim-animation")).to_have_attribute("data-theme", "dark")
        page.goto(f"{opened.url}/operator")
        expect(page.locator("body")).to_have_class(re.compile("body--dark"))


def test_the_clock_says_that_it_is_held_and_when_nobody_tells_of_it(opened):
    with opened.page("customer") as page:
        clock = page.get_by_role("timer")
        expect(clock.get_by_text("(held)")).to_be_visible()
        expect(clock.get_by_text("Connection lost")).to_be_hidden()
        page.wait_for_function("() => window.did_handshake")
        page.evaluate("() => { window.socket.disconnect(); }")
        expect(clock.get_by_text("Connection lost")).to_be_visible()
        expect(clock.get_by_text("(held)")).to_be_hidden()


def test_the_keyboard_skips_to_the_room(opened):
    with opened.page() as page:
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the room")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#main")).to_be_focused()
