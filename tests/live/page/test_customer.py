"""A customer's way: queue a list, watch it being dialed, stop it, and see what still goes out."""

from __future__ import annotations

import re

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from outsim.live.replay import replay

from .handling import LIST, NUMBERS, advance, cells, has_settled, queue, refresh, state_of, table
from .opening import DESK, PHONE

CAMPAIGNS = "Campaigns"


@pytest.fixture
def anew(opened):
    """The sandbox of all tests, at its beginning."""
    httpx.post(f"{opened.url}/sandbox/reset", trust_env=False).raise_for_status()
    return opened


def test_a_list_is_queued_watched_and_stopped_and_calls_still_go_out(serve, files, tmp_path):
    with (
        serve(files[0], "--held", "--state", tmp_path / "session") as opened,
        opened.page("customer") as page,
    ):
        queue(page, "spring", LIST + "<b>nobody</b>,x\n")
        expect(page.get_by_text("spring: 60 calls queued, 1 rows rejected")).to_be_visible()
        assert cells(page, "Rows that can't be dialed", "61")["Number"] == "<b>nobody</b>"

        advance(page, "3 s", "09:00:03")
        assert cells(page, CAMPAIGNS, "spring")["Pending"] == "60"
        page.get_by_role("button", name="Stop: spring").click()
        question = page.get_by_role("dialog", name="Stop spring?")
        expect(question.get_by_text("A stop can't be undone.")).to_be_visible()
        question.get_by_role("button", name="Let it go on").click()
        expect(question).to_have_count(0)
        assert state_of(opened.url, "campaigns/clinic/spring")["stop_requested"] is None
        page.get_by_role("button", name="Stop: spring").click()
        question.get_by_text("Why calls still go out: a stop takes").wait_for()
        question.get_by_role("button", name="Stop it").click()
        expect(page.get_by_text("campaign spring of clinic is stopped")).to_be_visible()
        advance(page, "57 s", "09:01:00")
        refresh(page, "09:01:00")

        said = state_of(opened.url, "campaigns/clinic/spring")
        assert said["dialed_after_stop"] > 0
        expect(page.get_by_text(f"Dials since then: {said['dialed_after_stop']}.")).to_be_visible()
        expect(page.get_by_text("Why calls still go out: a stop takes")).to_be_visible()
        page.get_by_text("Which calls went out after the stop").click()
        first = said["calls_after_stop"][0]
        shown = cells(page, "Dialed after the stop", f"{first['call_id']}")
        assert shown["Number dialed"] == first["phone_number"]

        advance(page, "10 min", "09:11:00")
        refresh(page, "09:11:00")
        seen = state_of(opened.url, "campaigns/clinic/spring")["visible_counts"]
        row = cells(page, CAMPAIGNS, "spring")
        assert row["Completed"] == f"{seen['completed']}"
        assert row["Failed"] == f"{seen['failed']}"
        after = state_of(opened.url, "campaigns/clinic/spring")["dialed_after_stop"]
    result = replay(tmp_path / "session")
    calls = result.calls[result.calls["campaign"] == "spring"]
    assert len(calls) == len(NUMBERS) + 1
    attempts = result.attempts[result.attempts["campaign"] == "spring"]
    assert (attempts["dispatched_at"] >= result.local_time("09:00:03")).sum() == after


def test_the_page_stays_as_it_was_until_it_is_loaded_anew(anew):
    with anew.page("customer") as page:
        queue(page, "still")
        expect(page.get_by_text("still: 60 calls queued")).to_be_visible()
        before = cells(page, CAMPAIGNS, "still")
        as_of = page.get_by_text("As of").inner_text()
        page.get_by_text("Move the clock", exact=True).click()
        page.get_by_label("Duration").fill("10 min")
        page.get_by_role("button", name="Advance by").click()
        expect(page.get_by_role("timer")).to_contain_text(":10:")
        assert cells(page, CAMPAIGNS, "still") == before
        assert page.get_by_text("As of").inner_text() == as_of
        old = page.get_by_text("refresh to see what has changed since")
        expect(old).to_have_text(re.compile(r"It is \d\d:10:\d\d now"))
        page.get_by_role("checkbox", name="Refresh each second").click()
        expect(page.get_by_text(as_of)).not_to_be_visible()
        assert cells(page, CAMPAIGNS, "still") != before
        expect(old).to_have_count(0)


def test_the_truth_is_beside_it_when_it_is_switched_on(anew):
    with anew.page("customer") as page:
        queue(page, "true")
        expect(page.get_by_text("true: 60 calls queued")).to_be_visible()
        page.get_by_text("Move the clock", exact=True).click()
        page.get_by_label("Duration").fill("5 s")
        page.get_by_role("button", name="Advance by").click()
        expect(page.get_by_role("timer")).to_contain_text(":05 (")
        expect(page.get_by_role("columnheader", name="Pending in truth")).to_have_count(0)
        page.get_by_role("switch", name="Show the truth beside it").click()
        expect(page.get_by_role("columnheader", name="Pending in truth")).to_be_visible()
        said = state_of(anew.url, "campaigns/clinic/true")
        row = cells(page, CAMPAIGNS, "true")
        pending = ("scheduled", "queued", "dialing", "connected", "waiting_retry")
        assert row["Pending in truth"] == f"{sum(said['counts'].get(s, 0) for s in pending)}"
        assert row["Updates not seen yet"] == f"{said['waiting_updates']}"
        expect(page.get_by_role("columnheader", name="Status in truth")).to_be_visible()

        page.get_by_role("button", name=f"Call info: {NUMBERS[0]}").click()
        dialog = page.get_by_role("dialog", name="Call info")
        expect(dialog).to_contain_text("Number dialed")
        expect(dialog).to_contain_text("In truth it is")
        expect(dialog.get_by_role("group", name="Changes of status")).to_contain_text("queued")
        expect(dialog.get_by_role("group", name="Attempts")).to_contain_text("09:")
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)


def test_the_call_info_says_what_the_platform_says(anew):
    with anew.page("customer") as page:
        queue(page, "info", f"{NUMBERS[7]};ani=2125550199\n")
        expect(page.get_by_text("info: 1 calls queued")).to_be_visible()
        page.get_by_role("button", name="Call info: ").click()
        dialog = page.get_by_role("dialog", name="Call info")
        assert dialog.locator("dt").all_inner_texts() == [
            "call_id",
            "Number dialed",
            "ANI",
            "Status",
            "Attempt",
        ]
        expect(dialog).to_contain_text("2125550199")
        expect(dialog.get_by_text("In truth")).to_have_count(0)
        has_settled(page)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


def test_of_a_long_list_only_a_piece_is_in_the_browser(anew):
    numbers = "".join(f"21{k:08};ani=2125550199\n" for k in range(25_550_000, 25_552_000))
    with anew.page("customer") as page:
        queue(page, "long", numbers)
        expect(page.get_by_text("long: 2,000 calls queued")).to_be_visible()
        pages = page.get_by_role("group", name="Pages of calls", exact=True)
        expect(pages.get_by_text("1 to 25 of 2,000")).to_be_visible()
        rows = table(page, "Pending").get_by_role("rowheader")
        expect(rows).to_have_count(25)
        pages.get_by_role("button", name="Next").click()
        expect(pages.get_by_text("26 to 50 of 2,000")).to_be_visible()
        expect(rows.first).to_have_text("2125550025")
        expect(rows).to_have_count(25)


def test_it_is_queued_viewed_and_stopped_without_a_mouse(anew):
    with anew.page("customer") as page:
        queue(page, "keys")
        expect(page.get_by_text("keys: 60 calls queued")).to_be_visible()
        page.get_by_role("button", name="Stop: keys").focus()
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Stop it").press("Enter")
        expect(page.get_by_text("campaign keys of clinic is stopped")).to_be_visible()
        expect(page.get_by_role("dialog", name="Stop keys?")).to_have_count(0)
        expect(page.get_by_role("button", name="Stop: keys")).to_have_count(0)
        page.get_by_role("button", name="View: keys").press("Space")
        page.get_by_role("button", name="Call info: ").first.press("Enter")
        expect(page.get_by_role("dialog", name="Call info")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_list_that_is_too_large_is_not_sent(anew, tmp_path):
    large = tmp_path / "large.csv"
    with large.open("wb") as file:
        file.truncate(33_554_433)
    with anew.page("customer") as page:
        page.get_by_label("Phone number list").set_input_files(large)
        expect(page.get_by_text("is too large", exact=True)).to_be_visible()
        expect(page.get_by_text("one file of at most 33,554,432 bytes is taken")).to_be_visible()
        page.get_by_label("campaign name", exact=True).fill("large")
        page.get_by_role("button", name="Queue calls").click()
        expect(page.get_by_text("phone_number_list: is missing")).to_be_visible()


def test_a_campaign_that_is_there_no_more_is_shown_no_more(anew):
    with anew.page("customer") as page:
        page.get_by_role("switch", name="Show the truth beside it").click()
        queue(page, "gone")
        expect(page.get_by_text("gone: 60 calls queued")).to_be_visible()
        httpx.post(f"{anew.url}/sandbox/reset", trust_env=False).raise_for_status()
        page.get_by_role("button", name="Call info: ").first.click()
        expect(page.get_by_text("there is no such call")).to_be_visible()
        refresh(page, "09:00:00")
        expect(page.get_by_role("heading", name="Calls of gone")).to_be_hidden()
        expect(page.get_by_role("button", name="View: gone")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_axe_finds_nothing_with_the_truth_beside_it(anew, size, theme):
    with anew.page("customer", size, theme) as page:
        queue(page, "spring")
        page.get_by_role("switch", name="Show the truth beside it").click()
        page.get_by_role("button", name="View: spring").click()
        expect(page.get_by_role("button", name="Call info: ").first).to_be_visible()
        has_settled(page)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
