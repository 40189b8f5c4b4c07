"""What people look at: the customer's page, the call log, and the run as step functions."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from outsim.errors import ScenarioError
from outsim.results.result import Result
from outsim.results.tables.views import status_page
from tests.engine.scenarios import campaign, moment, recorded, run, seconds

from .runs import EMPTY, full


def two_tries(**parts: Any) -> Result:
    """One call: busy at 2 s, up for its second try at 62 s, answered at 67 s, over at 82 s."""
    return run(campaign(max_retry=1), tape=recorded(list=[["busy", "human"]]), **parts)


def page(result: Result, second: float) -> dict[str, Any]:
    """The only row of the customer's page at a second."""
    (row,) = result.status_page(moment(second)).to_dict(orient="records")
    return row


# The customer's page


@pytest.mark.parametrize(
    ("second", "seen", "true"),
    [
        (0, ("scheduled", 0, "", ""), ("dialing", 1)),
        (0.009999, ("scheduled", 0, "", ""), ("dialing", 1)),
        (0.01, ("dialing", 1, "", ""), ("dialing", 1)),
        (2, ("dialing", 1, "", ""), ("waiting_retry", 1)),
        (2.01, ("waiting_retry", 1, "busy", "busy"), ("waiting_retry", 1)),
        (62, ("waiting_retry", 1, "busy", "busy"), ("dialing", 2)),
        (62.01, ("dialing", 2, "", ""), ("dialing", 2)),
        (67.01, ("connected", 2, "", ""), ("connected", 2)),
        (82, ("connected", 2, "", ""), ("completed", 2)),
        (82.01, ("completed", 2, "voice", "human"), ("completed", 2)),
    ],
)
def test_the_page_shows_each_change_when_it_is_visible(second, seen, true):
    """10 ms after it came: that is the work that an update takes."""
    row = page(two_tries(), second)
    assert (row["status"], row["attempt"], row["callee_type"], row["call_info"]) == seen
    assert (row["true_status"], row["true_attempt"]) == true


def test_the_page_says_since_when_the_shown_status_has_come():
    result = two_tries()
    assert seconds([page(result, s)["since"] for s in (0, 50, 70, 90)]) == [0.0, 2.0, 67.0, 82.0]


def test_a_lost_update_leaves_the_page_at_what_it_showed_before():
    """The last one is lost: the call is over, and shown as connected for good."""
    result = two_tries()
    updates = result.updates.copy()
    updates.loc[updates["status"] == "completed", "visible_at"] = pd.NaT
    shown = status_page(result.calls, result.attempts, updates, result.end).iloc[0]
    assert (shown["status"], shown["true_status"]) == ("connected", "completed")


def test_an_update_lost_in_between_is_made_up_for_by_the_next():
    result = two_tries()
    updates = result.updates.copy()
    updates.loc[updates["status"] == "waiting_retry", "visible_at"] = pd.NaT
    before = status_page(result.calls, result.attempts, updates, moment(50)).iloc[0]
    assert (before["status"], before["attempt"]) == ("dialing", 1)
    after = status_page(result.calls, result.attempts, updates, moment(63)).iloc[0]
    assert (after["status"], after["attempt"]) == ("dialing", 2)


def test_an_older_update_that_becomes_visible_later_does_not_turn_the_page_back():
    result = two_tries()
    updates = result.updates.copy()
    updates.loc[updates["status"] == "waiting_retry", "visible_at"] = moment(70)
    assert status_page(result.calls, result.attempts, updates, moment(75)).iloc[0]["attempt"] == 2


def test_where_every_update_is_lost_the_page_shows_what_was_handed_in():
    row = page(two_tries(platform={"lost_updates": 1.0}), 3000)
    assert (row["status"], row["true_status"]) == ("scheduled", "completed")


def test_reconciliation_brings_a_lost_end_to_the_page():
    """Every ten minutes the job looks: at ten past nine the page is right again."""
    result = two_tries(platform={"lost_updates": 1.0, "reconciliation_every": "10 min"})
    assert page(result, 599)["status"] == "scheduled"
    assert page(result, 600)["status"] == "completed"


def test_a_wedged_call_is_shown_as_pending_for_good():
    row = page(run(campaign(), platform={"wedged_calls": 1.0}), 3000)
    assert (row["status"], row["true_status"], row["wedged"]) == ("queued", "queued", True)


def test_a_call_is_on_the_page_from_its_submission_on():
    result = run(campaign(requests={"times_s": [10.0, 20.0]}))
    assert [len(result.status_page(moment(s))) for s in (9.9, 10, 15, 20)] == [0, 1, 1, 2]


@pytest.mark.parametrize("make", [full, *EMPTY], ids=lambda make: make.__name__)
def test_the_page_has_the_same_columns_whatever_there_is_to_show(make):
    result = make()
    assert list(result.status_page(result.end).columns) == [
        *("call_id", "tenant", "campaign", "index", "number", "ani", "status", "attempt"),
        *("callee_type", "call_info", "since", "true_status", "true_attempt", "wedged"),
    ]


def test_at_the_end_the_truth_of_the_page_is_that_of_the_calls():
    result = full()
    shown = result.status_page(result.end).set_index("call_id")
    calls = result.calls.set_index("call_id")
    assert shown["true_status"].astype(str).to_dict() == calls["status"].astype(str).to_dict()
    assert shown["true_attempt"].to_dict() == calls["attempts"].to_dict()


# The call log


def test_the_call_log_has_number_and_times_of_each_dial_and_no_call_id():
    result = two_tries()
    log = result.call_log()
    assert list(log.columns) == ["tenant", "dest", "src", "type", "start", "end"]
    assert seconds(log["start"]) == [1.0, 63.0]
    assert seconds(log["end"]) == [2.0, 82.0]
    (call,) = result.calls.to_dict(orient="records")
    assert log["dest"].tolist() == [call["number"]] * 2
    assert log["src"].tolist() == [call["ani"]] * 2
    assert set(log["tenant"]) == {"acme"}


def test_the_call_log_holds_what_was_dialed_and_nothing_else():
    """A canceled call is not in it, nor one that waits for a worker when the run ends."""
    result = full(clock={"ends": "09:01:35.5", "latest": "09:01:35.5"})
    attempts = result.attempts
    assert (attempts["dialed_at"].isna()).sum() == 1
    assert len(result.call_log()) == len(attempts) - 1
    assert result.call_log()["start"].is_monotonic_increasing


@pytest.mark.parametrize("make", EMPTY)
def test_the_call_log_of_nobody_is_empty(make):
    assert len(make().call_log()) == 0


# The run as step functions


def step_function(result: Result, column: str) -> list[tuple[float, int]]:
    """(second, value) wherever the value of a column changes."""
    series = result.timeline(every=None)[column]
    changed = series[series.diff().fillna(series).ne(0)]
    return list(zip(seconds(changed.index), changed.tolist(), strict=True))


def test_the_timeline_is_exact():
    """Two calls and one port: the second waits in the queue until the first ends at 20 s."""
    result = run(campaign(contacts=2), platform={"ports": 1})
    assert step_function(result, "queue") == [(0.001, 1), (20.0, 0)]
    assert step_function(result, "busy_ports") == [(0.0, 1), (40.0, 0)]
    assert step_function(result, "connected") == [(5.0, 1), (20.0, 0), (25.0, 1), (40.0, 0)]
    assert step_function(result, "busy_channels") == [(1.0, 1), (20.0, 0), (21.0, 1), (40.0, 0)]


def test_the_timeline_shows_ports_that_wait_for_a_worker():
    """One worker, one second a dial: three ports are taken at once and wait for it in turn."""
    result = run(campaign(contacts=3), platform={"workers": 1, "loader_rate": "1000000/s"})
    assert step_function(result, "waiting_for_worker") == [
        *((0.000001, 1), (0.000002, 2)),
        *((1.0, 1), (2.0, 0)),
    ]


def test_status_updates_wait_for_dial_work_to_end():
    result = run(campaign(), platform={"workers": 1})
    assert step_function(result, "status_backlog") == [(0.0, 2), (1.0, 1), (1.01, 0)]


def test_a_refused_attempt_takes_no_channel():
    result = run(campaign(contacts=2), carrier={"channels": 1})
    assert step_function(result, "busy_channels") == [(1.0, 1), (20.0, 0)]
    assert result.attempts["outcome"].tolist() == ["human", "congestion"]


def test_canceled_in_the_queue_a_call_leaves_it():
    result = run(campaign(contacts=2, stop_at=8, stop_reaches="queue"), platform={"ports": 1})
    assert step_function(result, "queue") == [(0.001, 1), (10.0, 0)]


def test_a_wedged_call_is_in_no_queue():
    result = run(campaign(contacts=5), platform={"wedged_calls": 1.0})
    assert step_function(result, "queue") == []


def test_the_grid_gives_values_at_the_start_of_each_minute_and_counts_in_it():
    """Calls at 30, 60 and 110 s, each up for 20 s; the one at 60 s is up as the minute begins."""
    result = run(campaign(requests={"times_s": [30.0, 60.0, 110.0]}))
    grid = result.timeline()
    assert len(grid) == 60
    assert grid["busy_ports"].tolist()[:4] == [0, 1, 1, 0]
    assert grid["dispatched"].tolist()[:4] == [1, 2, 0, 0]
    assert grid["dialed"].tolist()[:4] == [1, 2, 0, 0]
    assert grid.index[0] == result.start
    assert grid["refused"].sum() == 0


def test_the_grid_counts_what_is_in_the_attempts():
    result = run(campaign(contacts=50, max_retry=2), carrier={"rate": "1/s", "burst": 1})
    grid = result.timeline("7min")
    refused = (result.attempts["outcome"] == "congestion").sum()
    assert refused > 0
    assert grid["refused"].sum() == refused
    assert grid["dispatched"].sum() == len(result.attempts)
    assert grid["dialed"].sum() == result.attempts["dialed_at"].notna().sum()
    assert grid.index[-1] < result.end


def test_the_grid_and_the_exact_timeline_agree():
    result = full()
    exact, grid = result.timeline(every=None), result.timeline("1s")
    before = exact.reindex(grid.index, method="ffill").fillna(0).astype(int)
    assert len(grid) == 100
    pd.testing.assert_frame_equal(grid[exact.columns], before, check_dtype=False, check_freq=False)


@pytest.mark.parametrize("make", EMPTY)
def test_the_timeline_of_nobody_is_flat(make):
    result = make()
    assert len(result.timeline(every=None)) == 0
    grid = result.timeline()
    assert len(grid) == 60
    assert np.nansum(grid.to_numpy()) == 0


def test_the_grid_goes_by_the_local_clock_across_a_change_to_summer_time():
    clock = {"zone": "America/New_York", "date": date(2026, 3, 8), "begins": "01:00"}
    grid = run(campaign(start="03:30"), clock=clock | {"ends": "04:00"}).timeline("30min")
    assert [f"{at:%H:%M}" for at in grid.index] == ["01:00", "01:30", "03:00", "03:30"]
    assert grid["dispatched"].tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize("every", ["1min", None])
def test_the_timeline_of_each_tenant_adds_up_to_that_of_all(every):
    result = full()
    whole, parts = result.timeline(every), result.timeline(every, by="tenant")
    whole = whole.drop(columns="status_lag_p90_s", errors="ignore")
    assert list(parts.columns.get_level_values(0).unique()) == list(whole.columns)
    assert set(parts["queue"].columns) == {"acme", "zeta"}
    for name in whole:
        assert parts[name].sum(axis=1).tolist() == whole[name].tolist()


@pytest.mark.parametrize("make", EMPTY)
def test_a_timeline_by_tenant_of_nobody_has_nothing_in_it(make):
    assert make().timeline(by="tenant").to_numpy().sum() == 0


def test_a_timeline_by_another_word_is_refused():
    with pytest.raises(ScenarioError, match=r"'tennant'.*did you mean 'tenant'"):
        full().timeline(by="tennant")
