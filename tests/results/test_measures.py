"""The figures that outsim reports, worked out by hand."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outsim.results.measures import MEASURES, status_lag_p90_s, wait_at_s
from outsim.results.tables.schema import WAIT_STATES
from outsim.results.view import View
from tests.engine.scenarios import at, campaign, contact_list, recorded, run

from .runs import EMPTY, full

NAMES = [measure.name for measure in MEASURES]
NOTHING = pd.DataFrame()
START = pd.Timestamp("2026-03-10 09:00", tz="America/New_York").as_unit("us")


def waiting(**counts_or_waits) -> pd.DataFrame:
    """Calls with these waits, and so many of each other wait state."""
    waits = counts_or_waits.pop("complete", [])
    rows = [(float(wait), "complete") for wait in waits]
    rows += [(math.nan, state) for state, count in counts_or_waits.items() for _ in range(count)]
    return pd.DataFrame(rows, columns=["wait_s", "wait_state"])


def view_of(calls=NOTHING, updates=NOTHING) -> View:
    return View(calls, NOTHING, updates, START, START)


# Waits


def quantile_s(calls: pd.DataFrame, level: float) -> float:
    return wait_at_s(view_of(calls), level)


@pytest.mark.parametrize(
    ("calls", "median", "p90"),
    [
        (waiting(complete=range(1, 11)), 5, 9),
        (waiting(complete=[7]), 7, 7),
        (waiting(complete=[3, 1, 2], censored=2), 3, math.nan),
        (waiting(complete=[3, 1, 2], never=2), 3, math.nan),
        (waiting(complete=range(1, 10), censored=1), 5, 9),
        (waiting(complete=[1, 2], censored=3), math.nan, math.nan),
        (waiting(complete=[1, 2], canceled=30, wedged=4, rejected=9), 1, 2),
        (waiting(canceled=3), math.nan, math.nan),
        (waiting(), math.nan, math.nan),
    ],
)
def test_a_call_that_was_not_dispatched_waits_longer_than_any_limit(calls, median, p90):
    """Cut off or expired, it counts as longer; canceled, wedged, rejected it does not count."""
    assert quantile_s(calls, 0.5) == pytest.approx(median, nan_ok=True)
    assert quantile_s(calls, 0.9) == pytest.approx(p90, nan_ok=True)


@given(
    st.lists(st.integers(0, 20), min_size=1, max_size=60),
    st.integers(0, 10),
    st.sampled_from([Fraction(1, 2), Fraction(9, 10)]),
)
def test_a_quantile_is_the_smallest_wait_that_keeps_the_promise(waits, censored, level):
    calls = waiting(complete=waits, censored=censored)
    found = quantile_s(calls, float(level))
    within = [Fraction(sum(w <= limit for w in waits), len(calls)) for limit in range(21)]
    keeping = [limit for limit, share in enumerate(within) if share >= level]
    assert found == (keeping[0] if keeping else pytest.approx(math.nan, nan_ok=True))


def test_every_wait_state_is_counted_or_left_out_on_purpose():
    others = set(WAIT_STATES) - {"complete"}
    counted = {s for s in others if quantile_s(waiting(complete=[1], **{s: 1}), 1) != 1}
    assert counted == {"censored", "never", "refused"}


# Status lags


@given(
    st.lists(st.integers(0, 2**40), max_size=60) | st.lists(st.integers(0, 2), max_size=60),
    st.integers(0, 5),
)
def test_the_status_lag_is_one_that_nine_updates_in_ten_do_not_exceed(lags_us, unseen):
    """An update that was there at once is a submission; one never seen is longer than any."""
    lags = pd.to_timedelta(pd.Series([*lags_us, *[None] * unseen], dtype="Int64"), unit="us")
    visible = START + lags.astype("timedelta64[us]")
    happened = pd.Series(START, index=visible.index, dtype=visible.dtype)
    updates = pd.DataFrame({"happened_at": happened, "visible_at": visible})
    shown = sorted(lag for lag in lags_us if lag)
    enough = math.ceil(Fraction(9, 10) * (len(shown) + unseen))
    expected = shown[enough - 1] / 1e6 if 0 < enough <= len(shown) else math.nan
    found = status_lag_p90_s(view_of(updates=updates))
    assert found == pytest.approx(expected, rel=0, abs=0, nan_ok=True)


# A whole run by hand: see `runs.full` and the calm platform's times.
#
#   call  outcomes            dispatched       over at
#   0     human               0               20 s        completed
#   1     busy, voicemail     1 ms, 62.001    87.001 s    completed
#   2     no answer, invalid  2 ms, 92.002    94.002 s    failed
#   3     fax                 3 ms             9.003 s    completed


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("completed_by_deadline", 2 / 4),
        ("completed_share", 3 / 4),
        ("finish_time_s", 94.002),
        ("duration_s", 94.002),
        ("wait_p50_s", 0.001),
        ("wait_p90_s", 0.003),
        ("time_to_first_dispatch_p50_s", 0.001),
        ("answered_by_person_share", 1 / 4),
        ("refused_share", 0.0),
        ("attempts_per_call", 6 / 4),
        ("status_lag_p90_s", 0.010),
        ("unreported_final_calls", 0),
    ],
)
def test_measures_of_a_run_are_those_worked_out_by_hand(name, value):
    figures = full(study={"campaign": "list", "deadline": at(60)}).measures()
    assert list(figures) == NAMES
    assert figures[name] == pytest.approx(value)


def test_by_default_the_deadline_is_where_the_run_ends_by_the_clock():
    """The run goes on for the campaign under study; what is completed then came too late."""
    late = run(campaign(start=3590), clock={"ends": "10:00"})
    assert late.end > late.scenario.clock.ends
    figures = late.measures()
    assert (figures["completed_share"], figures["completed_by_deadline"]) == (1.0, 0.0)


def test_the_duration_counts_from_the_start_and_the_finish_from_the_begin_of_the_run():
    figures = run(campaign(start=600)).measures()
    assert (figures["finish_time_s"], figures["duration_s"]) == (620.0, 20.0)


def test_a_campaign_that_is_not_over_has_no_finish_and_no_duration():
    result = full()
    figures = result.measures(result.scenario.find_campaign("late"))
    assert math.isnan(figures["finish_time_s"])
    assert math.isnan(figures["duration_s"])
    assert figures["completed_share"] == 0.0


def test_a_wedged_call_does_not_keep_a_campaign_from_being_over():
    """Nobody knows that it is: the other calls are, and it stays pending for good."""
    result = run(campaign(contacts=40), platform={"wedged_calls": 0.2})
    wedged = int(result.calls["wedged"].sum())
    assert 0 < wedged < 40
    figures = result.measures()
    assert figures["finish_time_s"] == pytest.approx(20.0, abs=0.1)
    assert figures["completed_share"] == (40 - wedged) / 40


def test_a_campaign_stopped_before_its_start_took_no_time():
    result = full()
    figures = result.measures(result.scenario.find_campaign("stopped"))
    assert figures["finish_time_s"] == 12.0
    assert figures["duration_s"] == 0.0
    assert math.isnan(figures["wait_p50_s"])


def test_rejected_rows_are_in_no_share(tmp_path):
    rows = [f"{number},2125550199" for number in ("2125550100", "nonsense", "2125550101")]
    result = run(
        campaign(contact_list=contact_list(tmp_path, *rows)),
        tape=recorded(list=["human", "busy", "busy"]),
    )
    figures = result.measures()
    assert figures["completed_share"] == 1 / 2
    assert figures["attempts_per_call"] == 1.0


def test_refused_attempts_make_the_share_of_congestion():
    """Three dials at a carrier with one channel: two are refused."""
    result = run(campaign(contacts=3), carrier={"channels": 1})
    assert result.measures()["refused_share"] == pytest.approx(2 / 3)


def test_a_lost_end_is_over_but_never_shown_so():
    assert (
        run(campaign(contacts=3), platform={"lost_updates": 1.0}).measures()[
            "unreported_final_calls"
        ]
        == 3
    )
    figures = run(campaign(contacts=3), platform={"lost_updates": 1.0}).measures()
    assert math.isnan(figures["status_lag_p90_s"])


@pytest.mark.parametrize("make", EMPTY)
def test_figures_of_nobody_are_missing_and_not_0(make):
    figures = make().measures()
    assert figures.pop("unreported_final_calls") == 0
    assert np.isnan(list(figures.values())).all(), figures


def test_measures_are_of_the_campaign_under_study_unless_another_is_named():
    result = full(study={"campaign": "stopped"})
    assert result.measures()["attempts_per_call"] == 0.0
    assert result.measures(result.scenario.find_campaign("list"))["attempts_per_call"] == 1.5


def test_each_measure_has_a_label_a_kind_and_a_side_that_is_better():
    assert len(set(NAMES)) == len(NAMES)
    assert len({measure.label for measure in MEASURES}) == len(NAMES)
    assert {measure.kind for measure in MEASURES} == {"share", "seconds", "clock", "number"}
    assert {measure.direction for measure in MEASURES} == {"maximize", "minimize", None}


# The summary


def test_the_summary_has_a_row_for_each_campaign_whose_counts_add_up():
    result = full()
    summary = result.summary()
    assert list(summary.index) == ["list", "late", "stopped"]
    ends = ["completed", "failed", "canceled", "expired", "rejected", "pending"]
    assert summary[ends].astype(int).to_numpy().tolist() == [
        [3, 1, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 1],
        [0, 0, 2, 0, 0, 0],
    ]
    assert summary[ends].sum(axis=1).tolist() == summary["calls"].tolist() == [4, 1, 2]
    assert summary["attempts"].tolist() == [6, 1, 0]
    measures = result.measures()
    for measure in MEASURES:
        shown, value = summary.loc["list", measure.name.removesuffix("_s")], measures[measure.name]
        if measure.kind == "clock":
            shown -= result.start
        if measure.kind in ("clock", "seconds"):
            shown = shown.total_seconds()
        assert shown == pytest.approx(value, nan_ok=True)


def test_the_summary_has_one_row_for_all_background_tenants():
    result = run(campaign(), background={"campaigns_per_hour": 4, "median_size": 10})
    summary = result.summary()
    assert list(summary.index) == ["list", "(background)"]
    assert summary["calls"].sum() == len(result.calls)
    assert summary["attempts"].sum() == len(result.attempts)
    share = summary.loc["(background)", "attempts"] / summary["attempts"].sum()
    assert result.background_share == pytest.approx(share)


def test_campaigns_of_one_name_go_by_their_customers():
    result = run(campaign(tenant="acme"), campaign(tenant="zeta", contacts=2), campaign("other"))
    assert result.summary()["calls"].to_dict() == {"acme/list": 1, "zeta/list": 2, "other": 1}


def test_the_summary_of_no_campaign_has_its_columns_and_no_row():
    summary = run().summary()
    assert list(summary.columns) == list(full().summary().columns)
    assert len(summary) == 0
