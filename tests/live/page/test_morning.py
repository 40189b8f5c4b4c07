"""The morning that moves: drawn from a run or the session, with what a stop there saves."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

import outsim

from .opening import PHONE


def drawn(page: Page, source: str) -> None:
    """Wait until a morning is drawn."""
    expect(page.locator(f'[data-drawn="{source}"]')).to_be_visible()


def choose(page: Page, title: str, source: str) -> None:
    """Look at another morning."""
    page.get_by_role("radio", name=title).click()
    drawn(page, source)


def test_the_recorded_morning_is_drawn_and_moves(opened):
    with opened.page() as page:
        drawn(page, "recorded")
        expect(page.get_by_role("heading", name="<b>two</b> clinics")).to_be_visible()
        before = page.get_by_role("slider", name="Time").get_attribute("aria-valuetext")
        page.get_by_role("button", name="Play").click()
        shown = page.get_by_role("slider", name="Time")
        expect(shown).not_to_have_attribute("aria-valuetext", before)


def test_the_answer_stands_above_with_its_interval_and_number_of_replications(opened):
    with opened.page() as page:
        headline = page.locator(".headline")
        expect(headline).to_contain_text("40 paired replications", timeout=120_000)
        expect(headline.locator(".answer")).to_contain_text("compared with <b>two</b> clinics")
        page.get_by_text("What is better and what is worse").click()
        expect(headline.locator("details p").first).to_be_visible()
        page.get_by_role("link", name="Change more").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("What if")


def test_another_morning_is_drawn_beside_it(opened):
    with opened.page() as page:
        drawn(page, "recorded")
        choose(page, "a quarter past, recorded", "other")
        expect(page.get_by_role("heading", name="a quarter past")).to_be_visible()


def test_the_session_is_drawn_as_it_goes_on(opened):
    with opened.page() as page:
        drawn(page, "recorded")
        choose(page, "this session, live", "live")
        expect(page.get_by_text("The session's clock is held at 09:00:00.")).to_be_visible()
        page.request.post(f"{opened.url}/sandbox/clock/advance", data={"by": "10 min"})
        expect(page.get_by_text("The session's clock is held at 09:10:00.")).to_be_visible()
        scrubber = page.get_by_role("slider", name="Time")
        expect(scrubber).to_have_attribute("max", "600")
        page.get_by_role("button", name="Let it run").click()
        expect(page.get_by_text("The session's clock runs at 1x.")).to_be_visible()
        page.get_by_role("button", name="Hold it").click()
        expect(page.get_by_role("button", name="Let it run")).to_be_visible()


def test_the_flag_says_what_a_stop_saves_and_later_what_a_later_one_saves(opened):
    with opened.page(size=PHONE) as page:
        drawn(page, "recorded")
        flag = page.get_by_role("slider", name="Stop")
        flag.press("Home")
        said = page.locator(".stop-text")
        expect(said).to_contain_text("starts at 09:05:00")
        for _ in range(2):
            flag.press("PageUp")
        expect(said).to_contain_text("A stop at 09:20:00 saves", timeout=60_000)
        expect(said).to_contain_text(re.compile(r"\b\d+ replications"))
        flag.press("ArrowLeft")
        expect(said).not_to_contain_text("09:20:00")
        expect(said).to_contain_text("20 replications", timeout=60_000)


def test_a_call_tells_its_story_and_an_instant_who_is_ahead(opened):
    with opened.page() as page:
        drawn(page, "recorded")
        page.get_by_label("Call id or number").fill("0")
        page.get_by_role("button", name="Find").click()
        expect(page.get_by_text(re.compile("Call 0: .*clinic / reminders"))).to_be_visible()
        for _ in range(5):
            page.get_by_role("slider", name="Time").press("ArrowRight")
        page.get_by_role("button", name="Show this instant").click()
        holders = page.get_by_role("table", name="Who holds the ports")
        expect(holders.get_by_role("cell", name="reminders")).to_be_visible()


def test_what_was_asked_of_a_morning_is_gone_with_it(opened):
    with opened.page() as page:
        drawn(page, "recorded")
        page.get_by_label("Call id or number").fill("0")
        page.get_by_role("button", name="Find").click()
        story = page.get_by_role("heading", name="Call 0:")
        expect(story).to_be_visible()
        page.get_by_role("button", name="Show this instant").click()
        instant = page.get_by_role("heading", name=re.compile("At .*: who holds the ports"))
        expect(instant).to_be_visible()
        choose(page, "a quarter past, recorded", "other")
        expect(instant).to_have_count(0)
        expect(page.get_by_role("table", name="Who holds the ports")).to_have_count(0)
        expect(story).to_have_count(0)


def test_what_is_not_there_is_said(opened):
    with opened.page() as page:
        ask = page.request.get
        assert ask(f"{opened.url}/page/morning/nothing/data").status == 404
        answer = ask(f"{opened.url}/page/morning/recorded/story/999999999")
        assert (answer.status, answer.json()) == (200, None)
        answer = ask(f"{opened.url}/page/morning/recorded/instant?at_s=1e9")
        assert answer.status == 404


def test_a_saved_run_is_shown_as_it_was(serve, files, tmp_path):
    outsim.simulate(outsim.load(files[0]), seed=7).save(tmp_path / "run")
    with serve(tmp_path / "run") as kept, kept.page() as page:
        drawn(page, "recorded")
        expect(page.get_by_role("heading", name="one run, seed 7")).to_be_visible()
        assert page.request.get(f"{kept.url}/sandbox/clock").json()["state"] == "held"


def test_a_kept_session_is_shown_up_to_where_it_came(serve, files, tmp_path):
    with serve(files[0], "--held", "--state", tmp_path / "session") as live, live.page() as page:
        page.request.post(f"{live.url}/sandbox/clock/advance", data={"by": "10 min"})
    with serve(tmp_path / "session") as kept, kept.page() as page:
        drawn(page, "recorded")
        expect(page.get_by_role("slider", name="Time")).to_have_attribute("max", "600")
