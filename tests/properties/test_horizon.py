"""Honest edges: where a run ends, nothing that was still to come is in its tables."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import assume, given, settings

from outsim.clock import HOUR, MISSING, NEVER
from outsim.engine.records import Columns
from outsim.results.checkpoint import simulate
from outsim.results.result import Result
from outsim.scenario import Scenario, load
from tests.strategies import PROFILES, mappings, scenarios

REQUEST = ("call_id", "came", "tries", "taken")
FEWER = settings(max_examples=max(1, settings.default.max_examples // 3))


def cut(columns: Columns, known_from: str, until_us: int) -> dict[str, np.ndarray]:
    """Rows of a longer run that had begun by `until_us`, without what came from there on."""
    begun = columns[known_from] < until_us
    instants = {name for name, column in columns.items() if (column == MISSING).any()}
    instants |= {"ended", "visible", "begun", "work_started", "dialed"} & set(columns)
    return {
        name: np.where(column[begun] >= until_us, MISSING, column[begun])
        if name in instants
        else column[begun]
        for name, column in columns.items()
    }


@FEWER
@given(mappings())
def test_a_shorter_run_is_the_beginning_of_a_longer_one(mapping: Any) -> None:
    mapping = {key: part for key, part in mapping.items() if key != "study"}
    clock = mapping["clock"]
    assume(clock["ends"] != clock["latest"])
    short = simulate(load(mapping)).arrays.records
    longer = mapping | {"clock": clock | {"ends": clock["latest"]}}
    long = simulate(load(longer)).arrays.records
    ended = short.ended_us

    attempts = cut(long.attempts, "dispatched", ended)
    lasts = attempts["ended"] == MISSING
    attempts["outcome"] = np.where(lasts, -1, attempts["outcome"])
    undetected = lasts & (attempts["detected"] == MISSING)
    attempts["callee_type"] = np.where(undetected, 0, attempts["callee_type"])
    # Why an attempt was refused is known when it is refused; that it was dropped, when it ends.
    came_later = lasts & ((attempts["dialed"] == MISSING) | (attempts["cause"] == 5))
    attempts["cause"] = np.where(came_later, 0, attempts["cause"])
    for name, column in short.attempts.items():
        if name in ("ringing", "answered", "detected"):
            # A call that is dropped later may have been going to ring, answer or be detected
            # only after it; what came before the cut is the same.
            assert (column == attempts[name]).all(), name
        else:
            assert column.tolist() == attempts[name].tolist(), name

    updates = cut(long.updates, "happened", ended)
    updates["repaired"] = np.where(updates["visible"] == MISSING, 0, updates["repaired"])
    for name, column in short.updates.items():
        assert column.tolist() == updates[name].tolist(), name

    deliveries = cut(long.deliveries, "due", ended)
    deliveries["result"] = np.where(deliveries["ended"] == MISSING, -1, deliveries["result"])
    for name, column in short.deliveries.items():
        assert column.tolist() == deliveries[name].tolist(), name


@FEWER
@given(scenarios())
def test_every_call_is_in_one_class_and_its_wait_is_marked(scenario: Scenario) -> None:
    result = simulate(scenario)
    calls, attempts = result.calls, result.attempts
    assert calls["status"].notna().all()
    state = calls["wait_state"]
    assert state.notna().all()
    assert (calls["wait_s"].notna() == (state == "complete")).all()
    assert (calls["went_out_at"].notna() == (state == "complete")).all()
    assert not (calls["went_out_at"] < calls["first_dispatched_at"]).any()
    assert (calls.loc[state == "rejected", "status"] == "rejected").all()
    assert calls.loc[state == "wedged", "wedged"].all()
    assert (calls.loc[state == "canceled", "status"] == "canceled").all()
    pending = ["scheduled", "queued", "dialing", "waiting_retry"]
    assert calls.loc[state == "censored", "status"].isin(pending).all()
    assert calls.loc[state == "never", "status"].isin(["expired", "failed"]).all()
    final = calls["status"].isin(["completed", "failed", "canceled", "expired"])
    assert (calls["final_at"].notna() == final).all()

    ended = attempts["ended_at"].notna()
    assert (attempts["outcome"].notna() == ended).all()
    busy = calls.set_index("call_id")["status"].isin(["dialing", "connected"])
    under_way = busy[busy].index.tolist()
    assert sorted(attempts.loc[~ended, "call_id"]) == under_way
    for table in result.tables.values():
        for name in table.columns:
            # What a call comes with, its own schedule and its customer's patience, is known then.
            if name.endswith("_at") and name not in ("wait_starts_at", "given_up_at"):
                assert not (table[name] >= result.end).any(), name


def over_us(result: Result) -> np.ndarray:
    """When nothing more can come of each call; `NEVER` if the run ended before that.

    The client of a request that is refused may ask again until it gives up: once it has asked as
    often as it does, or when it was to ask next after its campaign was over.
    """
    plan, records = result.arrays.plan, result.arrays.records
    final = records.calls["final"]
    over = np.where(final == MISSING, NEVER, final)
    asked = {
        int(row[0]): row for row in zip(*(records.requests[name] for name in REQUEST), strict=True)
    }
    for campaign in plan.campaigns:
        rules = campaign.rules
        ends = [rules.expires_us, rules.stop_effect_us]
        if rules.cancel_rate > 0:
            ends.append(rules.stop_requested_us)
        for call_id, came, tries, taken in [
            asked[call_id]
            for call_id in range(campaign.first_call_id, campaign.first_call_id + campaign.size)
            if call_id in asked
        ]:
            if taken != MISSING:
                continue
            index = 0 if campaign.is_list else call_id - campaign.first_call_id
            waits = [
                int(each[index if len(each) > 1 else 0]) for each in campaign.asks_again_after_us
            ]
            last = came + sum(waits[: tries - 1])
            if tries <= len(waits) and last < min(ends):
                last += waits[tries - 1]
                if last < min(ends):
                    last = NEVER
            if last < records.ended_us:
                over[call_id : call_id + (campaign.size if campaign.is_list else 1)] = last
    return over


@FEWER
@given(scenarios())
def test_a_run_goes_on_until_the_campaign_under_study_is_over(scenario: Scenario) -> None:
    result = simulate(scenario)
    plan, records = result.arrays.plan, result.arrays.records
    if plan.under_study < 0:
        assert records.ended_us == plan.ends_us
        return
    campaign = plan.campaigns[plan.under_study]
    mine = slice(campaign.first_call_id, campaign.first_call_id + campaign.size)
    accepted = campaign.reject_reason == 0
    may_end = accepted & ~campaign.contacts.wedged
    over = over_us(result)[mine][may_end]
    hours = -(-(records.ended_us - plan.ends_us) // HOUR)
    if records.ended_us < plan.latest_us:
        assert (over < records.ended_us).all()
        assert records.ended_us == plan.ends_us + hours * HOUR
    if records.ended_us > plan.ends_us:
        before = plan.ends_us + (hours - 1) * HOUR
        assert (over >= before).any()


def test_wedged_calls_that_a_stop_cancels_do_not_end_the_run_early() -> None:
    """They were never among those that the run waits for."""
    begins = datetime(2026, 3, 10, 9, tzinfo=ZoneInfo("UTC"))
    campaign = {
        "name": "list",
        "tenant": "acme",
        "start": begins,
        "contacts": 8,
        "stop_at": begins,
        "profile": "people",
        "max_retry": 0,
    }
    mapping = {
        "clock": {
            "zone": "UTC",
            "date": begins.date(),
            "begins": begins,
            "ends": begins + timedelta(seconds=30),
            "latest": begins + timedelta(hours=3),
        },
        "platform": {
            "wedged_calls": 0.5,
            "loader_rate": "1/s",
            "start_jitter": "none",
            "stop_latency": "2500 ms",
        },
        "callees": {"message": "600 s", "early_hang_up": 0.0, "fax_share": 0.0},
        "profiles": PROFILES,
        "campaign": [campaign],
    }
    for seed in range(10):
        calls = simulate(load(mapping), seed=seed).calls
        assert calls.loc[~calls["wedged"], "final_at"].notna().all()
