"""A wait ends with the first attempt that the carrier takes: a refused one reaches nobody."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest

from outsim.questions.eta_measures import CAMPAIGN_MEASURES, next_dispatch_s
from outsim.results.invariants import check_invariants
from outsim.results.measures import STOP_MEASURES, measure
from outsim.results.result import Result
from outsim.results.tables.causes import CAUSES, WAIT_CAUSES
from tests.engine.scenarios import at, campaign, contact_list, part, recorded, requests, run

AGAIN = {"max_retry": 1, "retry_interval": "60 s"}


def over_rate(**keys: Any) -> Result:
    """Two calls at once at a carrier that takes one a second: the other goes again at 62 s."""
    return run(
        campaign(requests=requests(0, 0), **AGAIN | keys), carrier={"rate": "1/s", "burst": 1}
    )


def over_channels() -> Result:
    """Two calls at once at a carrier with one channel."""
    return run(campaign(requests=requests(0, 0), **AGAIN), carrier={"channels": 1})


def in_outage() -> Result:
    """The carrier takes nothing of what is dialed at 1 s."""
    return run(
        campaign(requests=requests(2, 0), **AGAIN), outage=[part(of="carrier", begins=0, ends=2)]
    )


@pytest.mark.parametrize("refused", [over_rate, over_channels, in_outage])
def test_a_wait_goes_on_past_an_attempt_that_is_refused(refused):
    result = refused()
    check_invariants(result)
    calls = result.calls.sort_values("wait_s")
    assert calls["wait_s"].tolist() == [0.0, 62.0]
    late = calls.iloc[1]
    assert late["wait_state"] == "complete"
    assert late["first_dispatched_at"] == pd.Timestamp(at(0), tz="UTC")
    assert late["went_out_at"] == pd.Timestamp(at(62), tz="UTC")
    figures = result.measures()
    assert (figures["wait_p50_s"], figures["wait_p90_s"]) == (0.0, 62.0)
    assert figures["time_to_first_dispatch_p50_s"] == 0.0


def test_a_call_that_is_only_ever_refused_waits_longer_than_any_limit(tmp_path):
    """One row has no caller ID: the carrier takes none of its attempts."""
    result = run(
        campaign(contact_list=contact_list(tmp_path, "2125550100,", "2125550101,2125550199")),
        tape=recorded(list=["human", "human"]),
    )
    check_invariants(result)
    assert result.attempts["cause"].tolist() == ["missing_ani", ""]
    assert result.calls["wait_state"].tolist() == ["never", "complete"]
    figures = result.measures()
    assert figures["wait_p50_s"] == pytest.approx(0.001)
    assert math.isnan(figures["wait_p90_s"])


def test_a_call_that_is_canceled_after_a_refusal_is_left_out_of_the_waits():
    result = over_rate(stop_at=10)
    check_invariants(result)
    assert result.calls["wait_state"].tolist() == ["complete", "canceled"]
    assert result.measures()["wait_p90_s"] == 0.0


def test_a_call_that_the_carrier_cuts_off_had_gone_out():
    result = run(campaign(**AGAIN), outage=[part(of="carrier", begins=5, ends=6, drop=True)])
    check_invariants(result)
    assert result.attempts["cause"].tolist() == ["dropped", ""]
    assert result.calls["wait_s"].tolist() == [0.0]


@pytest.mark.parametrize("ends", ["09:00:00.5", "09:00:01.5", "09:00:30"])
def test_a_wait_is_not_known_where_the_run_ends_before_the_carrier_takes_the_call(ends):
    """In its dial work, while it is refused, and while it waits to be dialed again."""
    result = run(
        campaign(requests=requests(0, 0), **AGAIN),
        carrier={"rate": "1/s", "burst": 1},
        clock={"ends": ends, "latest": ends},
    )
    check_invariants(result)
    assert result.calls["wait_state"].iloc[1] == "censored"
    assert math.isnan(result.measures()["wait_p90_s"])


def test_the_parts_of_a_wait_tell_of_the_refusal_and_of_the_way_to_the_next_attempt():
    result = over_rate()
    whole = result.time_by_cause(until="wait").iloc[1]
    spent = {cause: whole[cause] / pd.Timedelta("1s") for cause in CAUSES if whole[cause]}
    assert spent == {"refused_attempt": 2, "retry_gap": 60}
    assert {*spent} <= {*WAIT_CAUSES}
    assert result.time_by_cause(until="first_dispatch").iloc[1].sum() == pd.Timedelta(0)
    means = result.causes_over_time("1h", by_resource=True)
    assert means[list(WAIT_CAUSES)].sum(axis=1).tolist() == [pd.Timedelta("31s")]


def test_a_call_has_gone_out_once_the_carrier_takes_it():
    view = over_rate().measure_view(over_rate().scenario.campaign_under_study)
    figures = measure(view, CAMPAIGN_MEASURES)
    assert (figures["median_out_s"], figures["last_out_s"]) == (0.0, 62.0)
    assert next_dispatch_s(view, 1) == 62.0


def test_a_call_that_was_refused_has_been_dialed_all_the_same():
    result = over_rate(stop_at=10)
    figures = measure(result.measure_view(result.scenario.campaign_under_study), STOP_MEASURES)
    assert (figures["calls_dialed"], figures["dials"]) == (2, 2)
