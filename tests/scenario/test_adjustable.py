"""What of a scenario can be set to another value is read off its schema."""

from __future__ import annotations

from pathlib import Path

import pytest

from outsim.scenario.adjustable import Adjustable, adjustable_parts, adjustables
from outsim.scenario.loading import load
from outsim.vocabulary import DISCIPLINES

SCENARIOS = sorted(Path("scenarios").glob("*.toml"))
MORNING = load("scenarios/top-of-hour.toml")
CAMPAIGN = "campaign[clinic/appointment reminders]"


def all_of(scenario) -> dict[str, Adjustable]:
    return {one.key: one for one in adjustables(scenario)}


FOUND = all_of(MORNING)


@pytest.mark.parametrize(
    ("key", "kind", "text", "ends"),
    [
        (f"{CAMPAIGN}.start", "clock", "09:00", ("08:00", "13:00")),
        (f"{CAMPAIGN}.max_retry", "count", "2", ("0", "10")),
        (f"{CAMPAIGN}.retry_interval", "duration", "30 min", ("1 min", "48 h")),
        (f"{CAMPAIGN}.pacing", "rate", "none", ("12/min", "1200/min")),
        ("platform.ports", "count", "300", ("100", "2000")),
        ("platform.dial_rate", "rate", "20/s", ("5/s", "100/s")),
        ("platform.workers", "count", "2", ("1", "3")),
        ("platform.status_work", "duration", "30 ms", ("5 ms", "100 ms")),
        ("platform.lost_updates", "share", "0.01 %", ("0 %", "1 %")),
        ("carrier.other_traffic", "share", "2 %", ("0 %", "60 %")),
        ("callees.message.median", "duration", "21115 ms", ("15 s", "45 s")),
        ("background.start_minutes.top", "number", "0.5", ("0.25", "1")),
    ],
)
def test_kind_value_and_range_are_those_of_the_schema(key, kind, text, ends):
    found = FOUND[key]
    assert (found.kind, found.text) == (kind, text)
    assert (found.scale.text(0), found.scale.text(found.scale.last)) == ends


@pytest.mark.parametrize(
    ("text", "ends"), [("60", ("30", "2000")), ("3000", ("100", "6000")), ("1", ("1", "2000"))]
)
def test_there_is_something_to_try_on_both_sides_of_a_value(text, ends):
    scale = all_of(MORNING.with_({"platform.ports": text}))["platform.ports"].scale
    assert (scale.text(0), scale.text(scale.last)) == ends


def test_words_stand_for_what_has_no_range():
    assert FOUND["platform.queue"].choices == tuple(DISCIPLINES)
    assert FOUND[f"{CAMPAIGN}.stop_cancels_retries"].choices == ("true", "false")
    assert FOUND["platform.queue"].scale is None


def test_what_it_means_and_where_its_default_comes_from_is_said():
    assert FOUND["platform.ports"].description == (
        "Simultaneous calls that the platform can hold. "
        "Default: assumption (sized so that a calm hour keeps them two thirds busy)."
    )
    assert "Default" not in FOUND["platform.ring_timeout"].description  # the file says it


def test_what_is_optional_can_be_turned_off():
    pacing, jitter = FOUND[f"{CAMPAIGN}.pacing"], FOUND["platform.start_jitter"]
    assert pacing.is_optional
    assert pacing.is_open  # no limit lies beyond the highest one
    assert pacing.step(pacing.text) is None
    assert jitter.is_optional
    assert not jitter.is_open


@pytest.mark.parametrize(
    ("key", "text", "nearest"),
    [
        (f"{CAMPAIGN}.start", "09:15", "09:15"),
        (f"{CAMPAIGN}.start", "09:15:20", "09:15"),
        (f"{CAMPAIGN}.start", "07:00", "08:00"),
        (f"{CAMPAIGN}.retry_interval", "0.5 h", "30 min"),
        ("platform.ports", "301", "300"),
        ("platform.ports", "5000", "2000"),
        ("platform.dial_rate", "1200/min", "20/s"),
        ("carrier.other_traffic", "0.031", "3 %"),
    ],
)
def test_the_nearest_step_of_a_value_is_found(key, text, nearest):
    found = FOUND[key]
    assert found.scale.text(found.step(text)) == nearest


@pytest.mark.parametrize("text", ["", "9.15", "soon", "25:00"])
def test_a_text_that_is_no_value_has_no_step(text):
    assert FOUND[f"{CAMPAIGN}.start"].step(text) is None


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_whatever_a_scale_offers_a_scenario_can_have(path):
    scenario = load(path)
    found = all_of(scenario)
    assert found
    for one in found.values():
        if one.is_new:
            continue
        assert scenario.with_({one.key: one.text})
        if one.scale is None:
            continue
        step = one.step(one.text)
        if one.kind != "clock" and step is not None:  # its own value is among them
            assert scenario.with_({one.key: one.scale.text(step)}, name=scenario.name) == scenario
        # An early start may be at odds with others, a cap with the interval that it caps.
        if one.kind != "clock" and not one.key.endswith(("cap", "interval")):
            for text in (one.scale.text(0), one.scale.text(one.scale.last)):
                assert scenario.with_({one.key: text})


def test_load_is_a_part_of_its_own():
    assert "load" in adjustable_parts(MORNING)
    (one,) = adjustables(MORNING, "load")
    assert (one.key, one.part, one.kind, one.text) == ("load", "load", "number", "1")
    assert one.scale is not None
    assert MORNING.with_({"load": one.scale.text(one.scale.last)}).load == 2
