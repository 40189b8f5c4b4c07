"""The animation in a notebook, with a widget and without."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect

from outsim import plots
from outsim.plots import widget
from outsim.plots.animation import animation, instant, story
from outsim.results.checkpoint import simulate
from outsim.results.result import Result
from outsim.scenario.loading import load

PNG = b"\x89PNG"


@pytest.fixture(scope="module")
def result() -> Result:
    campaign = {"name": "reminders", "tenant": "clinic", "start": "09:01", "contacts": 40}
    return simulate(
        load(
            {
                "name": "a short day",
                "clock": {
                    "zone": "America/New_York",
                    "date": "2026-03-10",
                    "begins": "09:00",
                    "ends": "09:20",
                },
                "platform": {"ports": 5},
                "campaign": [campaign],
            }
        ),
        engine="simpy",
    )


def test_a_widget_has_the_data_and_a_picture_for_where_it_does_not_run(result):
    shown = plots.live(result)
    assert shown.data == animation(result)
    bundle, _ = shown._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert base64.b64decode(bundle["image/png"]).startswith(PNG)
    assert bundle["text/plain"] == "animation of a short day, seed 1"


def test_without_widgets_there_is_the_picture(result, monkeypatch):
    monkeypatch.setattr(widget, "find_spec", lambda _: None)
    shown = plots.live(result)
    bundle = shown._repr_mimebundle_()
    assert base64.b64decode(bundle["image/png"]).startswith(PNG)
    assert repr(shown) == bundle["text/plain"]


RENDER = """async ([code, data]) => {
    const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
    const { default: widget } = await import(url);
    const heard = {};
    window.model = {
        data,
        get: (name) => window.model[name],
        on: (name, told) => (heard[name] = told),
        off: (name) => delete heard[name],
    };
    window.renew = (data) => { window.model.data = data; heard["change:data"](); };
    window.end = widget.render({ model: window.model, el: document.body });
    window.heard = heard;
}"""


MOUNT = """async ([code, data, story, instant]) => {
    const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
    const { mount } = await import(url);
    window.heard = [];
    window.made = mount(document.body, {
        data,
        at_s: 120,
        stop_s: 300,
        theme: "dark",
        story: async (call_id) => (window.heard.push(["story", call_id]), story),
        instant: async (s) => (window.heard.push(["instant", s]), instant),
        onInstant: (s) => window.heard.push(["opened", s]),
        onCall: (call_id) => window.heard.push(["called", call_id]),
        onStop: (s) => window.heard.push(["stop", s]),
    });
}"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that is empty, and has had no error at the end."""
    page = browser.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    yield page
    assert troubles == []
    page.close()


def test_it_draws_in_a_notebook_follows_a_session_and_leaves_nothing(result, page):
    whole = animation(result)
    half = whole | {"is_live": True, "until_s": 300}
    page.evaluate(RENDER, [widget.script(), whole])
    slider = page.get_by_role("slider", name="Time of the day")
    slider.press("Home")
    page.evaluate("(data) => renew(data)", half)
    expect(slider).to_have_attribute("aria-valuetext", "09:05:00")
    page.evaluate("(data) => renew(data)", half | {"until_s": 600})
    expect(slider).to_have_attribute("aria-valuetext", "09:10:00")
    page.evaluate("end()")
    expect(page.locator("body")).to_be_empty()
    assert page.evaluate("Object.keys(heard)") == []


def test_what_a_server_says_is_shown_as_it_says_it(result, page):
    told, there = story(result, 7), instant(result, 120)
    page.evaluate(MOUNT, [widget.script(), animation(result), told, there])
    flag = page.get_by_role("slider", name="Stop of the campaign")
    expect(flag).to_have_attribute("aria-valuetext", "stop at 09:05:00")
    flag.press("Home")
    page.evaluate("made.tellStop('30 calls less')")
    expect(page.locator(".stop-text")).to_have_text("30 calls less")
    page.get_by_role("slider", name="Time of the day").press("Enter")
    (ahead,) = there["queue"]["by_campaign"]
    waiting = page.get_by_role("table", name="Who is ahead in the queue")
    expect(waiting).to_contain_text(f"{ahead['waiting']}")
    expect(page.get_by_role("table", name="Who holds the ports")).to_contain_text("reminders")
    page.get_by_label("Call id or number").fill("7")
    page.get_by_role("button", name="Find").click()
    expect(page.locator(".story")).to_contain_text(told["answer"])
    phases = page.get_by_role("table", name="Its phases").locator("tbody tr")
    expect(phases).to_have_count(len(told["phases"]))
    assert page.evaluate("heard") == [
        ["stop", 0],
        ["opened", 120],
        ["instant", 120],
        ["called", 7],
        ["story", 7],
    ]


def test_clock_times_are_local_ones_when_clocks_change(result, page):
    """From daylight saving time back, so that an hour comes twice."""
    begins = datetime(2026, 10, 31, 23, 50, tzinfo=ZoneInfo("America/New_York"))
    changed_s = 7800
    day = {
        "begins": begins.isoformat(),
        "utc_offsets": [[0, -4 * 3600], [changed_s, -5 * 3600]],
        "step_s": 60,
        "until_s": 4 * 3600,
    }
    page.evaluate(RENDER, [widget.script(), animation(result) | day])
    slider = page.get_by_role("slider", name="Time of the day")
    for s in (0, 600, changed_s - 60, changed_s, changed_s + 3540, 4 * 3600):
        local = (begins.astimezone(UTC) + timedelta(seconds=s)).astimezone(begins.tzinfo)
        hours = int(-local.utcoffset().total_seconds() // 3600)
        slider.fill(str(s))
        text = f"{local:%a} {local.day} {local:%b} {local:%H:%M:%S} UTC\N{MINUS SIGN}{hours}"
        expect(slider).to_have_attribute("aria-valuetext", text)
