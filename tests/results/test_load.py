"""The backlog of the full hour and the carrier's headroom, worked out by hand.

Contacts are loaded one a millisecond and dispatched one a second, so a list of n that meets an
empty queue has left it n - 1 seconds after its start.
"""

from __future__ import annotations

import math

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outsim.results.measures import measure
from outsim.results.tables.load import LOAD_MEASURES, carrier_headroom, drain_s
from outsim.results.view import View
from tests.engine.scenarios import BEGINS, campaign, moment, run

SLOW = {"dial_rate": "1/s", "dial_burst": 1}


def studied(*others, start: float | str = 1800, **parts):
    """Others' campaigns, beside one of a single call that is under study."""
    clock = {"ends": "10:00", "latest": "10:00"} | parts.pop("clock", {})
    result = run(
        campaign("studied", "us", start=start),
        *others,
        study={"campaign": "studied"},
        clock=clock,
        **parts,
    )
    return result.measure_view(result.scenario.campaign_under_study)


# The backlog


@settings(max_examples=12)
@given(size=st.integers(1, 40), period_s=st.integers(1, 4))
def test_a_backlog_is_drained_when_its_last_call_is_dispatched(size, period_s):
    view = studied(
        campaign(contacts=size), platform={"dial_rate": f"{60 // period_s}/min", "dial_burst": 1}
    )
    assert drain_s(view) == pytest.approx((size - 1) * (60 / (60 // period_s)), abs=0.1)


def test_the_queue_is_drained_when_it_is_where_it_was_before_the_hour():
    """20 calls stand in it; one goes on the hour and 10 come: 9 more must go."""
    view = studied(
        campaign("early", start="08:59:50", contacts=30),
        campaign(contacts=10),
        platform=SLOW,
        clock={"begins": "08:59:50"},
    )
    assert drain_s(view) == pytest.approx(9)


def test_calls_under_study_are_no_part_of_the_backlog():
    """Ours and theirs come in turns: the fifth of theirs is the tenth to go, ours go on."""
    ours = campaign("studied", "a", contacts=10)
    result = run(ours, campaign("list", "b", contacts=5), platform=SLOW)
    study = result.scenario.campaign_under_study
    assert study.name == "studied"
    assert drain_s(result.measure_view(study)) == pytest.approx(9)
    alone = run(ours, platform=SLOW)
    assert drain_s(alone.measure_view(study)) == 0


def test_an_hour_that_adds_nothing_has_nothing_to_drain():
    assert drain_s(studied(platform=SLOW)) == 0
    later = studied(campaign(start=600, contacts=20), platform=SLOW)
    assert drain_s(later) == 0, "what comes ten minutes later is not of the hour"


def test_a_backlog_that_outlasts_the_run_has_no_drain_time():
    view = studied(
        campaign(contacts=700),
        start=300,
        platform=SLOW,
        clock={"ends": "09:10", "latest": "09:10"},
    )
    assert math.isnan(drain_s(view))


def test_calls_that_a_stop_takes_out_of_the_queue_have_left_it():
    view = studied(campaign(contacts=100, stop_at=8, stop_reaches="queue"), platform=SLOW)
    assert drain_s(view) == pytest.approx(10), "8 s to the stop, 2 s to its effect"


# The carrier


def test_headroom_is_the_rate_over_what_is_dialed_in_the_busiest_minute():
    """60 a minute; 30 are dialed in the first one, and 10 in the eleventh."""
    view = studied(
        campaign(contacts=30), campaign("few", start=600, contacts=10), carrier={"rate": "1/s"}
    )
    assert carrier_headroom(view) == pytest.approx(60 / 30 - 1)


def test_what_is_refused_was_asked_for():
    view = studied(campaign(contacts=30), carrier={"rate": "15/min", "burst": 1})
    assert carrier_headroom(view) == pytest.approx(15 / 30 - 1)


def test_headroom_is_what_other_traffic_leaves_in_that_minute():
    """Five in a minute that has a tenth of the rate are tighter than ten in a free one."""
    view = studied(
        campaign(contacts=10),
        campaign("few", start=600, contacts=5),
        carrier={"rate": "1/s", "other_traffic_peak": {10: 0.9}},
    )
    assert carrier_headroom(view) == pytest.approx(6 / 5 - 1)


def test_channels_may_be_tighter_than_the_rate():
    """All 30 are up together, for 19 seconds."""
    view = studied(campaign(contacts=30), carrier={"rate": "100/s", "channels": 45})
    assert carrier_headroom(view) == pytest.approx(45 / 30 - 1)


def test_a_minute_counts_the_channels_that_are_busy_from_the_one_before():
    """Begun at 59 s, up until 79 s: the second minute has the channels of both."""
    view = studied(
        campaign(start=58, contacts=3),
        campaign("next", start=61, contacts=2),
        carrier={"rate": "100/s", "channels": 10},
    )
    assert carrier_headroom(view) == pytest.approx(10 / 5 - 1)


def test_only_the_hour_of_the_start_is_looked_at():
    """09:00 to 10:00 for a start at 09:30; the 40 calls are dialed before."""
    view = studied(
        campaign("early", start="08:58", contacts=40),
        campaign(contacts=20),
        carrier={"rate": "1/s"},
        clock={"begins": "08:50"},
    )
    assert carrier_headroom(view) == pytest.approx(60 / 20 - 1)


def test_where_nothing_is_dialed_there_is_no_headroom():
    view = studied(start=1800, clock={"ends": "09:20", "latest": "09:20"})
    assert math.isnan(carrier_headroom(view))


def test_without_the_run_the_figures_are_not_known():
    empty = View(pd.DataFrame(), pd.DataFrame(), pd.DataFrame(), BEGINS, moment(60))
    assert all(map(math.isnan, measure(empty, LOAD_MEASURES).values()))


def test_a_run_of_nobody_has_no_hour():
    result = run()
    assert all(map(math.isnan, measure(result.measure_view(), LOAD_MEASURES).values()))
