"""A recorded day as people open it: one file, in a real browser, by keyboard and by pointer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from outsim.plots.animation import animation, story
from outsim.present.animation_page import animation_page, save_animation
from outsim.results.checkpoint import simulate
from outsim.results.result import Result
from outsim.scenario.loading import load

PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 900}
PHASES = ("talking", "ringing", "dialing")
MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def result() -> Result:
    """A stop and an outage, on ten ports."""
    campaigns = [
        {"name": "reminders", "tenant": "clinic", "start": "09:05", "contacts": 120}
        | {"max_retry": 1, "retry_interval": "5 min", "stop_at": "09:20"},
        {
            "name": "notices",
            "tenant": "utility",
            "start": "09:00",
            "contacts": 60,
        },
    ]
    scenario = load(
        {
            "name": "a day",
            "clock": {
                "zone": "America/New_York",
                "date": "2026-03-10",
                "begins": "09:00",
                "ends": "10:00",
            },
            "platform": {"ports": 10, "ring_timeout": "30 s"},
            "campaign": campaigns,
            "outage": [{"of": "ports", "begins": "09:10", "ends": "09:12", "count": 5}],
            "study": {"campaign": "clinic/reminders"},
        }
    )
    return simulate(scenario, engine="simpy")


@pytest.fixture(scope="module")
def data(result: Result) -> dict[str, Any]:
    return animation(result)


@pytest.fixture(scope="module")
def file(result: Result, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("animation") / "day.html"
    save_animation(result, path)
    return path


@contextmanager
def opened(
    browser: Browser, file: Path, size: dict[str, int], theme: Any = "light", clock: str = "runs"
) -> Iterator[Page]:
    """The page; at the end it has asked for nothing but itself, and had no error."""
    asked: list[str] = []
    told: list[str] = []
    page = browser.new_page(viewport=size, color_scheme=theme)
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("dialog", lambda dialog: told.append(dialog.message))
    if clock == "held":
        page.clock.install()
    page.goto(file.as_uri())
    if clock == "held":
        page.clock.pause_at("2100-01-01")
    expect(page.locator(".answer")).not_to_be_empty()
    yield page
    assert [url for url in asked if not url.startswith(("data:", file.as_uri()))] == []
    assert told == []
    page.close()


@pytest.fixture
def page(browser: Browser, file: Path) -> Iterator[Page]:
    with opened(browser, file, DESK) as page:
        yield page


def scrubber(page: Page) -> Locator:
    return page.get_by_role("slider", name="Time of the day")


def seek(page: Page, time: str) -> None:
    """Go to a local time of the run."""
    hours, minutes, seconds = map(int, time.split(":"))
    scrubber(page).fill(str(3600 * (hours - 9) + 60 * minutes + seconds))
    expect(scrubber(page)).to_have_attribute("aria-valuetext", time)


def step_at(data: dict[str, Any], time: str) -> int:
    hours, minutes, seconds = map(int, time.split(":"))
    return int((3600 * (hours - 9) + 60 * minutes + seconds) // data["step_s"])


def cells(row: Locator) -> list[str]:
    return [text.strip() for text in row.locator("th, td").all_inner_texts()]


def test_the_slider_goes_through_the_day_by_keyboard(page, data):
    slider = scrubber(page)
    slider.press("Home")
    expect(slider).to_have_attribute("aria-valuetext", "09:00:00")
    slider.press("End")
    expect(slider).to_have_attribute("aria-valuetext", "10:00:00")
    slider.press("PageDown")
    slider.press("ArrowLeft")
    slider.press("ArrowRight")
    time = slider.get_attribute("aria-valuetext")
    assert "09:00:00" < time < "10:00:00"
    step = step_at(data, time)
    queue = sum(values[step] for values in data["queue"]["by_tenant"])
    counter = data["counters"][0]
    gap = counter["happened"]["completed"][step] - counter["seen"]["completed"][step]
    words = f"{time}: {queue:,} call"
    expect(page.locator(".answer")).to_contain_text(words)
    expect(page.locator(".gap-number")).to_have_text(f"{gap:,}")
    expect(page.locator(".now .time")).to_have_text(time)


def test_it_opens_where_the_queue_is_longest(page, data):
    together = [sum(values) for values in zip(*data["queue"]["by_tenant"], strict=True)]
    s = together.index(max(together)) * data["step_s"]
    expect(scrubber(page)).to_have_js_property("value", str(s))
    expect(page.locator(".answer")).to_contain_text(f"{max(together):,} calls in the queue")


def test_each_instant_has_its_numbers_by_tenant(page, data):
    seek(page, "09:08:00")
    step = step_at(data, "09:08:00")
    for place, tenant in enumerate(data["tenants"]):
        row = page.locator(".tenants tbody tr").nth(place)
        phases = [data["ports"][phase][place][step] for phase in PHASES]
        queue = data["queue"]["by_tenant"][place][step]
        assert cells(row) == [tenant["label"], *(f"{count:,}" for count in (queue, *phases))]


def test_a_backlog_that_comes_and_goes_within_a_step_is_shown(page, data):
    backlog, most = (data["workers"][key] for key in ("status_backlog", "status_backlog_most"))
    step = next(
        k for k, values in enumerate(zip(backlog, most, strict=True)) if len({*values}) > 1
    )
    seek(page, f"09:{step * data['step_s'] // 60:02}:{step * data['step_s'] % 60:02}")
    key = page.locator(".chart", has=page.get_by_role("heading", name="Status backlog"))
    expect(key.get_by_role("listitem")).to_have_text(
        [
            f"status updates that wait {backlog[step]}",
            f"most in these {data['step_s']} s {most[step]}",
        ]
    )


@pytest.fixture
def held_clock(browser: Browser, file: Path) -> Iterator[Page]:
    """The page on a wall clock that stands still until it is told to go on."""
    with opened(browser, file, DESK, clock="held") as page:
        yield page


def test_playing_moves_the_day_and_pausing_holds_it(held_clock):
    page = held_clock
    seek(page, "09:00:00")
    page.get_by_label("Speed").select_option("300")
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(1000)
    page.get_by_role("button", name="Pause").click()
    held = scrubber(page).get_attribute("aria-valuetext")
    assert "09:04:30" <= held <= "09:05:00"
    page.clock.run_for(1000)
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    expect(scrubber(page)).to_have_attribute("aria-valuetext", held)


def test_who_wants_little_motion_sees_a_step_a_second(held_clock):
    page = held_clock
    page.emulate_media(reduced_motion="reduce")
    seek(page, "09:00:00")
    scrubber(page).press(" ")
    page.clock.run_for(900)
    expect(scrubber(page)).to_have_attribute("aria-valuetext", "09:00:00")
    page.clock.run_for(200)
    expect(scrubber(page)).not_to_have_attribute("aria-valuetext", "09:00:00")


@pytest.mark.parametrize("how", ["Enter", "click"])
def test_an_instant_opens_with_who_holds_the_ports(page, data, how):
    seek(page, "09:08:00")
    if how == "Enter":
        scrubber(page).press("Enter")
        time = "09:08:00"
    else:
        plot = page.get_by_role("img", name="Calls in the queue").bounding_box()
        page.mouse.click(plot["x"] + plot["width"] / 4, plot["y"] + plot["height"] / 2)
        time = scrubber(page).get_attribute("aria-valuetext")
    table = page.get_by_role("table", name=f"Ports held at {time}")
    expect(table).to_be_visible()
    step = step_at(data, time)
    held = sum(values[step] for phase in PHASES for values in data["ports"][phase])
    rows = table.locator("tbody tr")
    assert sum(int(cells(row)[-1]) for row in rows.all()) == held > 0


def test_a_call_is_found_by_its_number_and_tells_its_story(page, result):
    call = result.calls[result.calls["status"] == "completed"].iloc[-1]
    page.get_by_label("Call id or number").fill(str(call["number"]))
    page.get_by_role("button", name="Find").click()
    expect(
        page.get_by_role("heading", name=f"Call {call['call_id']}: {call['number']}")
    ).to_be_visible()
    rows = [
        cells(row)
        for row in page.get_by_role("table", name="Its phases").locator("tbody tr").all()
    ]
    told = story(result, int(call["call_id"]))["phases"]
    lasting = [phase for phase in told if phase["until_s"] - phase["from_s"] > 0.001]
    assert [row[0] for row in rows] == [phase["phase"] for phase in lasting]
    # Each phase begins where the one before ended.
    assert [row[2] for row in rows[1:]] == [row[3] for row in rows[:-1]]
    expect(page.get_by_role("table", name="Its status")).to_contain_text("completed")


def test_a_call_that_is_not_there_is_said_until_another_is_found(page):
    miss = page.get_by_text("No call has this id or number.")
    story_of_3 = page.get_by_role("heading", name="Call 3:")

    def look_for(text: str) -> None:
        page.get_by_label("Call id or number").fill(text)
        page.get_by_role("button", name="Find").click()

    for nothing in ("nosuch", "-1", "999999999"):
        look_for("3")
        expect(story_of_3).to_be_visible()
        expect(miss).to_have_count(0)
        look_for(nothing)
        expect(miss).to_have_count(1)
        expect(story_of_3).to_have_count(0)
    page.get_by_role("button", name="Calls that are up now").click()
    expect(miss).to_have_count(0)


def test_the_answer_names_the_campaign_whose_calls_it_counts(page, data):
    for place, counter in enumerate(data["counters"]):
        page.get_by_label("Campaign", exact=True).select_option(str(place))
        seek(page, "09:00:00")
        expect(page.locator(".answer")).to_contain_text(f"; of {counter['label']}, no call")


def test_calls_that_are_up_can_be_opened(page, data):
    seek(page, "09:08:00")
    page.get_by_role("button", name="Calls that are up now").click()
    found = page.locator(".found")
    expect(found).to_contain_text("calls are up at 09:08:00")
    found.get_by_role("button").first.click()
    expect(page.get_by_role("table", name="Its phases")).to_be_visible()


def test_the_flag_of_the_stop_moves_by_arrows_and_by_pointer(page, data):
    flag = page.get_by_role("slider", name="Stop of the campaign")
    expect(flag).to_have_attribute("aria-valuetext", "stop at 09:20:00")
    expect(page.locator(".stop-text")).to_contain_text("stop requested at 09:20:00")
    flag.press("ArrowRight")
    minutes, seconds = divmod(1200 + data["step_s"], 60)
    expect(flag).to_have_attribute("aria-valuetext", f"stop at 09:{minutes:02}:{seconds:02}")
    box = flag.locator(".flag-label").bounding_box()
    page.mouse.move(box["x"] + 8, box["y"] + 8)
    page.mouse.down()
    page.mouse.move(box["x"] - 150, box["y"] + 8, steps=3)
    page.mouse.up()
    moved = flag.get_attribute("aria-valuetext")
    assert "stop at 09:00:00" < moved < "stop at 09:20:00"
    expect(page.locator(".stop-text")).to_contain_text("pending")
    flag.press("End")
    expect(flag).to_have_attribute("aria-valuetext", "no stop")


def test_names_with_markup_are_text(browser, data, tmp_path):
    named = deepcopy(data) | {"title": f"{MARKUP} & </script><script>alert(2)</script>"}
    for thing in (*named["tenants"], *named["campaigns"], *named["counters"], *named["incidents"]):
        thing["label"] = MARKUP
    named["calls"]["campaigns"] = [[MARKUP, MARKUP] for _ in named["calls"]["campaigns"]]
    file = tmp_path / "named.html"
    file.write_text(animation_page(named))
    with opened(browser, file, DESK) as page:
        seek(page, "09:11:00")
        scrubber(page).press("Enter")
        page.get_by_role("button", name="Calls that are up now").click()
        page.locator(".found").get_by_role("button").first.click()
        page.get_by_text("Campaigns as a table").click()
        expect(page.get_by_role("table", name="Campaigns")).to_contain_text(MARKUP)
        for place in ("h2", ".answer", ".tenants", ".counters", ".tables", ".story"):
            expect(page.locator(place)).to_contain_text(MARKUP)
        assert page.locator("img, main script").count() == 0


def test_an_outage_is_told_while_it_lasts(page, data):
    label = data["incidents"][0]["label"]
    seek(page, "09:11:00")
    expect(page.locator(".answer")).to_contain_text(label)
    seek(page, "09:14:00")
    expect(page.locator(".answer")).not_to_contain_text(label)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_it_is_for_everybody_on_every_screen(browser, file, size, theme):
    """With all that opens open: axe finds nothing, and nobody scrolls sideways."""
    with opened(browser, file, size, theme) as page:
        seek(page, "09:08:00")
        scrubber(page).press("Enter")
        page.get_by_role("button", name="Calls that are up now").click()
        page.locator(".found").get_by_role("button").first.click()
        page.get_by_text("Campaigns as a table").click()
        expect(page.get_by_role("table", name="Its phases")).to_be_visible()
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") == size["width"]


def test_the_theme_follows_the_reader(browser, file):
    with opened(browser, file, DESK, "light") as page:
        drawn = page.locator(".outsim-animation")
        light = drawn.evaluate("(x) => getComputedStyle(x).backgroundColor")
        expect(drawn).to_have_css("background-color", light)
        page.emulate_media(color_scheme="dark")
        expect(drawn).not_to_have_css("background-color", light)


def test_the_policy_names_the_code_that_is_there_and_nothing_else(data):
    text = animation_page(data)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text).group(1)
    assert "default-src &#39;none&#39;" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert text.count("</script") == text.count("<script") == 2
