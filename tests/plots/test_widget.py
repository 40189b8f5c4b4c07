"""The animation in a notebook, with a widget and without."""

from __future__ import annotations

import base64
import json

import pytest
from playwright.sync_api import expect, sync_playwright

from outsim import plots
from outsim.plots import widget
from outsim.plots.animation import animation
from outsim.results.checkpoint import simulate
from outsim.results.result import Result
from outsim.scenario.loading import load

CHROMIUM = "/usr/bin/chromium"
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


def test_it_draws_in_a_browser_follows_a_live_session_and_leaves_nothing(result):
    data = animation(result)
    half = json.loads(json.dumps(data)) | {"is_live": True, "until_s": 300}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        troubles: list[str] = []
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.evaluate(RENDER, [widget.script(), half])
        slider = page.get_by_role("slider", name="Time of the day")
        slider.press("End")
        expect(slider).to_have_attribute("aria-valuetext", "09:05:00")
        page.evaluate("(data) => renew(data)", half | {"until_s": 600})
        expect(slider).to_have_attribute("aria-valuetext", "09:10:00")
        page.evaluate("end()")
        expect(page.locator("body")).to_be_empty()
        assert page.evaluate("Object.keys(heard)") == []
        assert troubles == []
        browser.close()
