"""The operator's room: faults on order, requests that were refused, deliveries, inboxes."""

from __future__ import annotations

import re

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from .handling import advance, has_settled, queue, state_of, table
from .opening import DESK, PHONE


def choose(page, label, option):
    page.get_by_label(label, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()


@pytest.fixture(autouse=True)
def anew(opened):
    """The sandbox of all tests, at its beginning."""
    httpx.post(f"{opened.url}/sandbox/reset", trust_env=False).raise_for_status()


@pytest.fixture
def results(opened):
    """Results that were posted: a list was queued, and minutes passed."""
    with opened.page("customer") as page:
        queue(page, "spring")
        expect(page.get_by_text("spring: 60 calls queued")).to_be_visible()
        advance(page, "4 min", "09:04:00")


def test_a_fault_is_ordered_seen_and_ended(opened):
    with opened.page("operator") as page:
        choose(page, "what goes wrong (of)", "intake_503")
        page.get_by_label("count", exact=True).fill("2")
        page.get_by_role("button", name="Order it").click()
        faults = table(page, "Faults that are on")
        row = faults.get_by_role("row").filter(has_text="intake 503")
        expect(row).to_contain_text("everybody")
        (fault,) = state_of(opened.url, "faults")
        assert (fault["of"], fault["count"]) == ("intake_503", 2)
        row.get_by_role("button", name="End").click()
        expect(page.get_by_text(f"fault {fault['number']} is ended.")).to_be_visible()
        expect(row).to_have_count(0)
        assert state_of(opened.url, "faults") == []


def test_a_refused_request_is_shown_with_its_reason_and_what_would_be_taken(opened):
    with opened.page("operator") as page:
        expect(page.get_by_text("Requests, the latest first")).to_be_visible()
        answer = httpx.post(
            f"{opened.url}/webservice/queuecall.php",
            data={"login": "clinic", "pin": "none", "phone_nubmer": "<b>12</b>"},
            trust_env=False,
        )
        assert answer.status_code == 400
        (seen,) = state_of(opened.url, "requests?only_refused=true")
        row = table(page, "Requests").get_by_role("row").filter(has_text="queuecall.php")
        expect(row).to_contain_text(seen["reason"])
        expect(row).to_contain_text(seen["nearest"])
        row.get_by_role("button", name="Details").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("<b>12</b>")
        expect(dialog).to_contain_text("nearest is phone_number")
        dialog.get_by_role("button", name="Close").click()
        expect(dialog).to_have_count(0)


@pytest.mark.usefixtures("results")
def test_deliveries_are_shown_with_what_went_over_the_wire_and_sent_again(opened):
    with opened.page("operator") as page:
        deliveries = table(page, "Posts to result_url")
        deliveries.get_by_role("button", name="Details").first.click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text(f"POST {opened.url}/inbox/results")
        expect(dialog).to_contain_text("callee_type=")
        expect(dialog).to_contain_text("Answer 200")
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        count = state_of(opened.url, "inbox")["results"]
        deliveries.get_by_role("button", name="Resend").first.click()
        expect(page.get_by_text("was posted once more: accepted")).to_be_visible()
        expect(page.get_by_label("Inbox")).to_have_value(f"results ({count + 1})")


@pytest.mark.usefixtures("results")
def test_messages_of_an_inbox_are_shown_and_taken_away(opened):
    with opened.page("operator") as page:
        messages = table(page, "Messages")
        messages.get_by_role("button", name="Details").first.click()
        expect(page.get_by_role("dialog")).to_contain_text("last_attempt_timestamp")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        page.get_by_role("button", name="Empty it").click()
        expect(page.get_by_label("Inbox")).not_to_have_value(re.compile("results"))
        assert "results" not in state_of(opened.url, "inbox")


def test_a_number_gets_an_outcome_and_loses_it(opened):
    with opened.page("operator") as page:
        page.get_by_text("Give numbers an outcome").click()
        page.get_by_label("numbers", exact=True).fill("2125550100, 3125550101")
        choose(page, "outcome", "busy")
        page.get_by_role("button", name="Give it").click()
        expect(page.get_by_text("2125550100, 3125550101: busy from now on")).to_be_visible()
        assert state_of(opened.url, "numbers")["pinned"]["3125550101"]["outcome"] == "busy"
        page.get_by_role("button", name="Take away: 3125550101").click()
        expect(page.get_by_role("rowheader", name="3125550101")).to_have_count(0)
        assert [*state_of(opened.url, "numbers")["pinned"]] == ["2125550100"]


def test_the_clock_is_moved_let_run_and_held(opened):
    with opened.page("operator") as page:
        page.get_by_label("Local time", exact=True).fill("09:30")
        page.get_by_role("button", name="Advance to").click()
        expect(
            page.get_by_text("It is 2026-03-10 09:30:00, and the clock is held")
        ).to_be_visible()
        page.get_by_label("Times wall-clock time").fill("1000")
        page.get_by_role("button", name="Let it run").click()
        expect(page.get_by_text("running at 1000 times wall-clock time")).to_be_visible()
        page.get_by_role("button", name="Hold").click()
        expect(page.get_by_text("and the clock is held")).to_be_visible()
        assert state_of(opened.url, "clock")["state"] == "held"


def test_the_clock_is_advanced_until_a_campaign_is_over(opened):
    with opened.page("operator") as page:
        choose(page, "Until", "campaign over")
        page.get_by_role("button", name="Advance until").click()
        expect(page.get_by_text("name tenant and campaign")).to_be_visible()
        choose(page, "Campaign", "clinic: reminders")
        page.get_by_role("button", name="Advance until").click()
        expect(page.get_by_text("name tenant and campaign")).to_be_hidden()
        expect(page.get_by_text("and the clock is held")).to_be_visible()
        expect(page.get_by_text("It is 2026-03-10 09:00:00")).to_be_hidden()
        assert state_of(opened.url, "campaigns/clinic/reminders")["is_over"]


@pytest.mark.usefixtures("results")
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_axe_finds_nothing_and_nobody_scrolls_sideways(opened, size, theme):
    with opened.page("operator", size, theme) as page:
        expect(page.get_by_role("button", name="Details").first).to_be_visible()
        has_settled(page)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
