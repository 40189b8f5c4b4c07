"""What is derived from the tables agrees with them, counted in the plainest way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from outsim.clock import MISSING, after
from outsim.results.checkpoint import simulate
from outsim.results.result import Result
from outsim.results.tables.schema import TABLES
from outsim.results.tables.summary import counts
from outsim.scenario import Scenario
from outsim.vocabulary import PENDING_STATUSES, STATUSES
from tests.strategies import scenarios

FEWER = settings(max_examples=max(1, settings.default.max_examples // 4))


@FEWER
@given(scenarios(), st.integers(0, 2**20), st.sampled_from(["just", "just before", "whenever"]))
def test_the_page_is_what_a_replay_of_the_updates_shows(
    scenario: Scenario, place: int, when: str
) -> None:
    result = simulate(scenario)
    records = result.arrays.records
    at = np.unique(records.updates["visible"][records.updates["visible"] != MISSING])
    if when == "whenever" or len(at) == 0:
        moment_us = place * records.ended_us // 2**20
    else:
        moment_us = int(at[place % len(at)]) - (when == "just before")
    moment = after(result.start, moment_us)
    shown: dict[int, Any] = {}
    truth: dict[int, Any] = {}
    # Scalar instants of one zone compare by the face of the clock; in UTC it never goes back.
    instant = pd.Timestamp(moment).tz_convert("UTC")
    for update in result.updates.itertuples():
        if update.happened_at <= instant:
            truth[update.call_id] = update
        # Of those that are visible the latest to have happened is shown, whenever it came.
        if update.visible_at <= instant:
            shown[update.call_id] = update
    ended = {(a.call_id, a.attempt): a for a in result.attempts.itertuples()}
    page = result.status_page(moment)
    expected = result.calls[result.calls["submitted_at"] <= moment]
    assert page["call_id"].tolist() == expected["call_id"].tolist()
    submitted = result.calls.set_index("call_id")["submitted_at"]
    taken = np.where(result.arrays.taken_us == MISSING, np.inf, result.arrays.taken_us)
    for row in page.itertuples():
        if row.call_id not in truth:
            # Its request came in and was not taken yet, if it ever is.
            assert not (taken[row.call_id] <= moment_us), row
            assert row.call_id not in shown
            assert {row.status, row.true_status} == {"refused"}
            assert (row.attempt, row.true_attempt) == (0, 0)
            assert (row.call_info, row.callee_type) == ("", "")
            assert row.since == submitted[row.call_id]
            continue
        seen, true = shown[row.call_id], truth[row.call_id]
        assert (row.status, row.attempt) == (seen.status, seen.attempt)
        assert row.since == seen.happened_at
        assert (row.true_status, row.true_attempt) == (true.status, true.attempt)
        attempt = ended.get((row.call_id, row.attempt))
        final = row.status == "waiting_retry" or row.status not in PENDING_STATUSES
        if attempt is None or not final:
            assert (row.call_info, row.callee_type) == ("", "")
        else:
            assert row.call_info == attempt.outcome
            assert row.callee_type == (attempt.callee_type or attempt.outcome)


def naive_lengths(result: Result, at_us: int) -> dict[str, int]:
    """Every quantity of the timeline at an instant, by going through all rows."""
    arrays = result.arrays
    a, u = arrays.attempts, arrays.updates
    wedged = set(result.calls.loc[result.calls["wedged"], "call_id"])

    def between(begins: Any, ends: Any) -> int:
        return sum(
            int(begin != MISSING and begin <= at_us and (end == MISSING or end > at_us))
            for begin, end in zip(begins, ends, strict=True)
        )

    carried = np.isin(a["cause"], (0, 5)) & (a["dialed"] != MISSING)
    queue = 0
    for call in set(u["call_id"].tolist()) - wedged:
        mine = (u["call_id"] == call) & (u["happened"] <= at_us)
        last = STATUSES[u["status"][mine][-1]] if mine.any() else ""
        queue += last == "queued"
    return {
        "queue": queue,
        "busy_ports": between(a["dispatched"], a["ended"]),
        "waiting_for_worker": between(a["dispatched"], a["work_started"]),
        "busy_channels": between(a["dialed"][carried], a["ended"][carried]),
        "connected": between(a["answered"], a["ended"]),
        "status_backlog": between(u["happened"], u["begun"]),
    }


@FEWER
@given(scenarios(), st.randoms(use_true_random=False))
def test_the_exact_timeline_is_a_count_of_the_rows(scenario: Scenario, choice: Any) -> None:
    result = simulate(scenario)
    timeline = result.timeline(every=None)
    assert timeline.index.is_monotonic_increasing
    assert timeline.index.is_unique
    assert (timeline >= 0).all(axis=None)
    begins = pd.Timestamp(result.start)
    for at in choice.sample(list(timeline.index), min(12, len(timeline))):
        at_us = (at - begins) // timedelta(microseconds=1)
        assert timeline.loc[at].to_dict() == naive_lengths(result, at_us)


@FEWER
@given(scenarios(), st.sampled_from(["1min", "7s", "1h"]))
def test_a_timeline_by_intervals_counts_everything_once(scenario: Scenario, every: str) -> None:
    result = simulate(scenario)
    timeline = result.timeline(every)
    attempts = result.attempts
    assert timeline["dispatched"].sum() == len(attempts)
    assert timeline["dialed"].sum() == attempts["dialed_at"].notna().sum()
    exact = result.timeline(every=None)
    for at in timeline.index[:20]:
        before = exact.loc[exact.index <= at]
        for name in exact.columns:
            assert timeline.at[at, name] == (before[name].iloc[-1] if len(before) else 0)


@FEWER
@given(scenarios())
def test_the_call_log_holds_the_dialed_attempts_and_no_call_id(scenario: Scenario) -> None:
    result = simulate(scenario)
    log = result.call_log()
    dialed = result.attempts[result.attempts["dialed_at"].notna()]
    anis = result.calls.set_index("call_id")["ani"]
    assert "call_id" not in log
    assert log["start"].is_monotonic_increasing
    expected = [
        (a.tenant, a.number, anis[a.call_id], a.dialed_at, str(a.ended_at))
        for a in dialed.itertuples()
    ]
    found = [(row.tenant, row.dest, row.src, row.start, str(row.end)) for row in log.itertuples()]
    assert sorted(found) == sorted(expected)


@FEWER
@given(scenarios())
def test_the_counts_of_the_summary_add_up(scenario: Scenario) -> None:
    result = simulate(scenario)
    summary = result.summary()
    states = ["completed", "failed", "canceled", "expired", "rejected", "refused", "pending"]
    assert (summary[states].sum(axis=1) == summary["calls"]).all()
    assert summary["calls"].sum() == len(result.calls)
    assert summary["attempts"].sum() == len(result.attempts)
    whole = counts(result.calls)
    assert {state: summary[state].sum() for state in states} == {s: whole[s] for s in states}


@FEWER
@given(scenarios())
def test_the_tables_hold_what_was_recorded(scenario: Scenario) -> None:
    """Instants without loss, codes as their words, and each row of the right campaign."""
    result = simulate(scenario)
    records = result.arrays.records
    begins = pd.Timestamp(result.start).tz_convert("UTC")
    submissions = len(result.updates) - len(records.updates["call_id"])
    for kind, table, raw in (
        ("attempts", result.attempts, records.attempts),
        ("updates", result.updates.iloc[submissions:], records.updates),
        ("deliveries", result.deliveries, records.deliveries),
    ):
        names = {column.record: column.name for column in TABLES[kind]}
        for key, recorded in raw.items():
            name = names[key]
            if name.endswith("_at"):
                elapsed = table[name].dt.tz_convert("UTC") - begins
                whole = elapsed // pd.Timedelta(microseconds=1)
                expected = pd.Series(recorded, index=table.index, dtype="float64")
                expected = expected.mask(recorded == MISSING)
                pd.testing.assert_series_equal(
                    whole.astype("float64"), expected, check_names=False
                )
            elif isinstance(table[name].dtype, pd.CategoricalDtype):
                assert (table[name].cat.codes.to_numpy() == np.maximum(recorded, -1)).all()
            else:
                assert (table[name].to_numpy() == recorded).all()
        names = result.calls.set_index("call_id")
        for word in ("tenant", "campaign"):
            mine = names[word].reindex(table["call_id"]).astype(str).to_numpy()
            assert (table[word].astype(str).to_numpy() == mine).all()
