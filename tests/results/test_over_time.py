"""Series that pictures show: they add up to the timeline, and to the page, at every instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outsim.results.checkpoint import simulate
from outsim.results.result import Result
from outsim.results.tables.flows import settled, value_at
from outsim.results.tables.over_time import (
    by_tenant,
    change_points,
    hourly_outcomes,
    over_replications,
    status_lag,
    tenant_groups,
    tenants_by_size,
    total,
    true_and_seen,
)
from tests.engine.scenarios import campaign, run
from tests.strategies import scenarios

from .runs import EMPTY, full

PENDING = ("scheduled", "queued", "dialing", "connected", "waiting_retry")
OTHERWISE = ("canceled", "expired", "rejected", "refused")


def tables(result: Result) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    return result.calls, result.attempts, result.updates


def crowd(tenants: int = 9) -> Result:
    """Tenants with one call more each than the one before, on four ports."""
    several = [campaign(f"list {k}", f"t{k}", contacts=k + 1) for k in range(tenants)]
    return run(*several, platform={"ports": 4})


# By tenant


@pytest.mark.parametrize("of", ["queue", "busy_ports"])
@settings(max_examples=25)
@given(scenario=scenarios())
def test_the_tenants_add_up_to_the_timeline_at_every_instant(of, scenario):
    result = simulate(scenario, engine="simpy")
    expected = result.timeline(every=None)[of]
    added = total(by_tenant(*tables(result), of, most=2))
    np.testing.assert_array_equal(value_at(added, expected.index.asi8), expected.to_numpy())


def test_the_largest_tenants_stand_alone_and_the_others_together():
    groups = tenant_groups(tenants_by_size(crowd().calls, "t0"), most=4)
    assert groups == {
        "t0": ["t0"],
        "t8": ["t8"],
        "t7": ["t7"],
        "6 others": ["t6", "t5", "t4", "t3", "t2", "t1"],
    }


def test_nobody_is_among_the_others_if_there_is_room_for_everybody():
    assert tenant_groups(tenants_by_size(crowd(4).calls, None), most=4) == {
        f"t{k}": [f"t{k}"] for k in range(3, -1, -1)
    }


def test_what_happens_at_one_instant_is_one_step():
    at, values = settled((np.array([5, 5, 7, 7, 7]), np.array([1, 2, 1, 2, 3])))
    assert (at.tolist(), values.tolist()) == ([5, 7], [2, 3])


# Fewer points

walks = st.lists(st.tuples(st.integers(1, 50), st.integers(-3, 3)), min_size=1, max_size=300).map(
    lambda moves: (np.cumsum([step for step, _ in moves]), np.cumsum([by for _, by in moves]))
)


@given(st.lists(walks, min_size=1, max_size=3), st.integers(1, 20))
def test_thinned_functions_keep_their_extremes_in_every_piece(functions, pieces):
    kept = change_points(functions, pieces)
    assert (np.diff(kept) > 0).all()
    everything = np.unique(np.concatenate([at for at, _ in functions]))
    assert set(kept) <= set(everything)
    assert len(kept) <= max(4 * pieces * len(functions), 4 * pieces)
    if len(everything) <= 4 * pieces:
        assert len(kept) == len(everything)
        return
    width = -(-(everything[-1] - everything[0] + 1) // pieces)
    for at, values in functions:
        piece, shown = (at - everything[0]) // width, value_at((at, values), kept)
        for number in np.unique(piece):
            inside = values[piece == number]
            seen = shown[(kept - everything[0]) // width == number]
            assert inside.min() in seen
            assert inside.max() in seen
        assert shown[-1] == value_at((at, values), everything[-1:])[0]


def test_nothing_has_no_instants():
    nothing = (np.empty(0, np.int64), np.empty(0, np.int64))
    assert len(change_points([], 5)) == len(change_points([nothing], 5)) == 0
    at = np.arange(100)
    assert change_points([nothing, (at, at)], 3).tolist() == [0, 33, 34, 67, 68, 99]


# By hour


def test_every_attempt_that_is_over_is_in_its_local_hour():
    result = run(campaign(requests={"times_s": [60.0, 3500.0, 3601.0, 10_900.0]}))
    counts = hourly_outcomes(result.attempts, result.start)
    assert counts["human"].tolist() == [2, 1, 0, 1]
    assert [f"{hour:%H:%M}" for hour in counts.index] == ["09:00", "10:00", "11:00", "12:00"]
    assert counts.to_numpy().sum() == 4


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        (datetime(2026, 3, 29), ["01:00", "03:00", "04:00"]),
        (datetime(2026, 10, 25), ["01:00", "02:00", "02:00"]),
    ],
)
def test_hours_follow_each_other_across_a_change_of_clocks(day, hours):
    begins = day.replace(hour=1, minute=30, tzinfo=ZoneInfo("Europe/Berlin"))
    elapsed = [timedelta(minutes=minutes) for minutes in (0, 30, 90)]
    at = pd.DatetimeIndex([begins.astimezone(UTC) + each for each in elapsed]).as_unit("us")
    attempts = pd.DataFrame(
        {
            "dispatched_at": at.tz_convert("Europe/Berlin"),
            "outcome": pd.Categorical(["human", "busy", "fax"]),
        }
    )
    counts = hourly_outcomes(attempts, begins)
    assert [f"{hour:%H:%M}" for hour in counts.index] == hours
    assert counts.sum(axis=1).tolist() == [1, 1, 1]


# Truth and page


@settings(max_examples=25)
@given(scenario=scenarios(), share=st.floats(0, 1))
def test_what_is_true_and_seen_is_what_the_page_says_at_any_moment(scenario, share):
    result = simulate(scenario, engine="simpy")
    begins, ended = result.start.astimezone(UTC), result.end.astimezone(UTC)
    at = begins + share * (ended - begins)
    page = result.status_page(at)
    known = result.updates.loc[result.updates["happened_at"] <= at, "call_id"]
    asking = ~page["call_id"].isin(known)  # refused so far, and their client asks again
    assert set(page.loc[asking, "true_status"]) <= {"refused"}
    page = page[~asking]
    mark = pd.DatetimeIndex([at]).as_unit("us").asi8
    found = true_and_seen(result.updates)
    groups = {
        "pending": PENDING,
        "completed": ("completed",),
        "failed": ("failed",),
        "ended otherwise": OTHERWISE,
    }
    for name, words in groups.items():
        truth, seen = (int(value_at(each, mark)[0]) for each in found[name])
        assert truth == page["true_status"].isin(words).sum()
        assert seen == page["status"].isin(words).sum()


# Lag


def test_the_lag_of_an_interval_is_that_of_its_updates():
    result = run(campaign(contacts=40), platform={"workers": 1, "dial_work": "100 ms"})
    found = status_lag(result.updates, result.start, result.end, "10s")
    updates = result.updates[result.updates["visible_at"] != result.updates["happened_at"]]
    lags_s = (updates["visible_at"] - updates["happened_at"]).dt.total_seconds()
    place = (updates["happened_at"] - result.start) // pd.Timedelta("10s")
    for number, row in enumerate(found.itertuples()):
        mine = np.sort(lags_s[place == number])
        assert row.updates == len(mine)
        if len(mine):
            exact = np.quantile(mine, [0.5, 0.9], method="inverted_cdf")
            assert [row.median, row.p90] == pytest.approx(exact)
        else:
            assert np.isnan([row.median, row.p90]).all()
    assert found["updates"].sum() == len(updates)


def test_the_timeline_has_the_lag_of_each_interval():
    result = run(campaign(contacts=40), platform={"workers": 1, "dial_work": "100 ms"})
    lag = status_lag(result.updates, result.start, result.end, "10s")["p90"]
    found = result.timeline("10s")["status_lag_p90_s"]
    assert found.max() > 0
    pd.testing.assert_series_equal(found, lag, check_names=False)


def test_an_interval_whose_updates_nobody_saw_has_no_lag():
    result = run(campaign(contacts=5), platform={"lost_updates": 1.0})
    found = status_lag(result.updates, result.start, result.end)
    assert found["updates"].iloc[0] > 0
    assert found[["median", "p90"]].isna().all(axis=None)


# Over replications


def test_the_band_of_a_few_runs_holds_all_of_them():
    functions = [(np.array([0, 10]), np.array([height, 0])) for height in (1, 5, 9)]
    found = over_replications(functions, np.array([0, 5, 10]))
    assert found.to_numpy().tolist() == [[5, 1, 9], [5, 1, 9], [0, 0, 0]]


def test_the_band_of_many_runs_holds_nine_in_ten_of_them():
    functions = [(np.array([0]), np.array([height])) for height in range(101)]
    assert over_replications(functions, np.array([3])).to_numpy().tolist() == [[50, 5, 95]]


@pytest.mark.parametrize("make", [full, *EMPTY], ids=lambda make: make.__name__)
def test_every_attempt_that_is_over_has_an_hour_whatever_there_is(make):
    result = make()
    counts = hourly_outcomes(result.attempts, result.start)
    assert counts.to_numpy().sum() == result.attempts["outcome"].notna().sum()
