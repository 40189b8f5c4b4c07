"""The page as people open it: in a real browser, on a phone, in print, offline, by ear."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request

from outsim.results.checkpoint import simulate

from .reports import QUESTIONS, kept, report_of, scenario

SUBJECTS = ("run", "compare", "stop")
"""A run answers all questions, a study has one of its own."""
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 900}
PAPER = {"width": 680, "height": 960}
"""A sheet of A4 without its margins, in pixels of CSS."""


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A report of each kind, as a file."""
    place = tmp_path_factory.mktemp("reports")
    found = {}
    for name in SUBJECTS:
        if name == "run":
            simulate(scenario(), engine="simpy").save(place / name)
        else:
            kept(name, place / name)
        found[name] = place / f"{name}.html"
        found[name].write_text(report_of(place / name, replications=2), encoding="utf-8")
    return found


@pytest.fixture(params=SUBJECTS)
def report(request: pytest.FixtureRequest, reports: dict[str, Path]) -> Path:
    return reports[request.param]


def opened(browser: Browser, report: Path, size: dict[str, int]) -> Page:
    page = browser.new_page(viewport=size)
    page.goto(report.as_uri())
    return page


def test_it_asks_for_nothing_but_itself_and_has_no_error(browser, report):
    asked: list[Request] = []
    told: list[str] = []
    page = browser.new_page(viewport=DESK)
    page.on("request", lambda each: asked.append(each))
    page.on("console", lambda each: told.append(each.text))
    page.on("pageerror", lambda each: told.append(str(each)))
    page.goto(report.as_uri())
    page.emulate_media(media="print")
    beyond = [each.url for each in asked if not each.url.startswith(("data:", report.as_uri()))]
    assert beyond == []
    assert told == []
    page.close()


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_nobody_scrolls_sideways(browser, report, size):
    page = opened(browser, report, size)
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
    page.close()


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_axe_finds_nothing(browser, report, size):
    page = opened(browser, report, size)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.close()


def test_in_print_no_table_and_no_picture_is_cut(browser, report):
    page = opened(browser, report, PAPER)
    page.emulate_media(media="print")
    cut = page.evaluate(
        """() => [...document.querySelectorAll('table, img, pre')]
            .filter(each => each.getBoundingClientRect().right > window.innerWidth + 1)
            .map(each => each.outerHTML.slice(0, 120))"""
    )
    assert cut == []
    hidden = page.evaluate(
        """() => [...document.querySelectorAll('.table')]
            .filter(each => getComputedStyle(each).overflowX !== 'visible').length"""
    )
    assert hidden == 0
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.close()


def test_every_picture_is_there_and_says_what_is_seen(browser, report):
    page = opened(browser, report, DESK)
    pictures = page.evaluate(
        "() => [...document.images].map(each => [each.alt, each.naturalWidth])"
    )
    assert len(pictures) >= 6
    assert all(len(alt.split()) >= 8 and width > 0 for alt, width in pictures)
    page.close()


def test_headings_step_down_one_by_one(browser, report):
    page = opened(browser, report, DESK)
    levels = page.evaluate(
        "() => [...document.querySelectorAll('h1,h2,h3,h4,h5')].map(h => +h.tagName[1])"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    page.close()


def test_the_questions_come_in_their_order(browser, report):
    page = opened(browser, report, DESK)
    titles = page.evaluate("() => [...document.querySelectorAll('h2')].map(h => h.innerText)")
    assert [each for each in titles if each in QUESTIONS.values()] == [*QUESTIONS.values()]
    page.close()


def test_the_keyboard_skips_to_the_answers(browser, report):
    page = opened(browser, report, DESK)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.close()
