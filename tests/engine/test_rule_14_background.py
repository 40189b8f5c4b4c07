"""Rule 14: other customers' campaigns, which nobody sees and everybody waits for."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from statistics import median

import numpy as np
import pytest

from outsim.clock import HOUR, MINUTE
from outsim.plan.background import background_campaigns
from outsim.tape import Tape

from .scenarios import BEGINS, campaign, of, outcomes, part, recorded, run, scenario, seconds

EVENLY = {"top": 0.0, "half": 0.0, "quarter": 0.0, "other": 1.0}


def drawn(hours=24, *, seed=1, replication=0, begins="09:00", **background):
    """Background campaigns of so many hours from the scenario's begin."""
    within = scenario(background=background, clock={"begins": begins, "ends": "12:00"})
    return list(background_campaigns(within, Tape(seed, replication), hours * HOUR))


# Who starts when


def test_half_of_them_start_at_the_top_of_the_hour():
    """2,400 campaigns: each kind of minute within four deviations of its share."""
    minutes = Counter(each.start_us // MINUTE % 60 for each in drawn(200))
    count = sum(minutes.values())
    assert count == 2400
    for share, found in (
        (0.5, minutes[0]),
        (0.2, minutes[30]),
        (0.15, minutes[15] + minutes[45]),
        (0.15, sum(minutes[m] for m in range(60) if m % 15)),
    ):
        assert abs(found / count - share) < 4 * (share * (1 - share) / count) ** 0.5
    assert abs(minutes[15] - minutes[45]) < 4 * 360**0.5
    assert len(minutes) == 60


def test_the_shares_are_the_scenarios():
    at_half_past = drawn(20, start_minutes=EVENLY | {"half": 1.0, "other": 0.0})
    assert {each.start_us // MINUTE % 60 for each in at_half_past} == {30}
    other = {each.start_us // MINUTE % 60 for each in drawn(50, start_minutes=EVENLY)}
    assert other == {minute for minute in range(60) if minute % 15}


def test_the_minute_is_that_of_the_clock():
    """A run from 9:20 begins in the middle of an hour: the next full one comes at 40 minutes."""
    tops = drawn(10, begins="09:20", start_minutes=EVENLY | {"top": 1.0, "other": 0.0})
    assert {each.start_us // MINUTE % 60 for each in tops} == {40}
    assert min(each.start_us for each in tops) == 40 * MINUTE


def test_so_many_start_in_each_hour():
    by_hour = Counter(each.start_us // HOUR for each in drawn(24, campaigns_per_hour=7))
    assert by_hour == dict.fromkeys(range(24), 7)


# How many calls, and whose


def test_sizes_have_their_median_and_their_spread():
    sizes = [each.size for each in drawn(100, median_size=500, size_log_sd=1.0)]
    assert abs(median(sizes) / 500 - 1) < 0.1
    assert abs(np.log(sizes).std() - 1.0) < 0.08
    assert {each.size for each in drawn(5, median_size=500, size_log_sd=0.0)} == {500}


def test_no_hour_is_the_luck_of_one_giant_list():
    """Sizes are stratified: each hour has one of its twelve from each twelfth of them."""
    bounds = [500 * np.exp(q) for q in (-0.2104, 0.2104)]  # the 5th and 7th of 12 parts
    for hour in range(10):
        sizes = sorted(
            each.size
            for each in drawn(24, median_size=500, size_log_sd=1.0)
            if each.start_us // HOUR == hour
        )
        assert len(sizes) == 12
        assert bounds[0] - 1 <= sizes[5] <= 500 <= sizes[6] <= bounds[1] + 1


def test_they_are_dealt_out_among_the_tenants():
    tenants = Counter(each.tenant for each in drawn(24, tenants=8))
    assert len(tenants) == 8
    assert set(tenants.values()) == {36}


# Drawn per replication, and from nothing else


def test_each_replication_draws_its_own():
    first, again, second = drawn(5), drawn(5), drawn(5, replication=1)
    assert first == again
    assert {each.size for each in first} != {each.size for each in second}
    assert drawn(5, seed=2) != first


@pytest.mark.parametrize("hours", [1, 7, 23])
def test_a_longer_run_only_adds_campaigns(hours):
    longer = drawn(24)
    assert drawn(hours) == [each for each in longer if each.start_us < hours * HOUR]


def test_a_replication_has_its_own_campaigns_in_the_result():
    def background(replication):
        result = run(
            campaign("mine"),
            background={"median_size": 5, "campaigns_per_hour": 4},
            replication=replication,
        )
        rows = result.calls[result.calls["background"]]
        return list(rows["campaign"]), list(rows["number"])

    assert background(0) == background(0)
    assert background(0) != background(1)


def test_my_own_draws_do_not_depend_on_the_others():
    """The same people answer, whoever else is calling."""
    mixed = {"mixed": {"human": 40, "voicemail": 20, "no_answer": 30, "busy": 10}}
    mine = campaign("mine", contacts=100, profile="mixed")
    alone = run(mine, profiles=mixed)
    crowded = run(mine, profiles=mixed, background={"median_size": 20})
    assert outcomes(alone) == outcomes(crowded, "mine")
    assert len(crowded.calls) > 300
    assert crowded.background_share > 0.5


# What they do to others


def test_they_stand_in_the_same_queue():
    """At the top of the hour everybody waits for them, and at a quarter past nobody does."""

    def wait(start):
        result = run(
            campaign("mine", start=start, contacts=5),
            platform={"ports": 10},
            background={
                "median_size": 20,
                "size_log_sd": 0.0,
                "campaigns_per_hour": 5,
                "start_minutes": EVENLY | {"top": 1.0, "other": 0.0},
                "profile": "people",
                "max_retry": 0,
            },
        )
        return max(of(result.calls, "mine")["wait_s"])

    assert wait(1) > 100
    assert wait(15 * 60) < 0.005


def test_their_calls_keep_to_their_own_rules():
    result = run(
        campaign("mine"),
        background={
            "median_size": 4,
            "size_log_sd": 0.0,
            "campaigns_per_hour": 3,
            "profile": "deaf",
            "max_retry": 2,
            "retry_interval": "120 s",
            "pacing": "6/min",
        },
        profiles={"deaf": {"human": 0, "voicemail": 0, "no_answer": 1, "busy": 0}},
    )
    calls = result.calls[result.calls["background"]]
    over = calls[calls["status"] == "failed"]
    assert len(over) > 5
    assert set(over["attempts"]) == {3}
    rows = result.attempts[result.attempts["tenant"] != "acme"]
    for _, dials in rows.groupby("campaign", observed=True):
        gaps = dials["dispatched_at"].sort_values().diff().dt.total_seconds().dropna()
        assert gaps.min() >= 10


# For as long as it takes


def test_the_run_goes_on_by_whole_hours_until_the_campaign_is_over():
    """Retries an hour apart: the last one is over at about eleven, and there the run ends."""
    result = run(
        campaign("mine", max_retry=2, retry_interval="1 h"),
        tape=recorded(mine=[["no_answer"] * 3]),
        background={"median_size": 5},
    )
    assert seconds(of(result.attempts, "mine")["dispatched_at"]) == [0.0, 3632.0, 7264.0]
    assert result.end == BEGINS + timedelta(hours=3)


def test_the_others_go_on_for_as_long():
    result = run(
        campaign("mine", max_retry=2, retry_interval="1 h"),
        tape=recorded(mine=[["no_answer"] * 3]),
        background={"median_size": 5, "start_minutes": EVENLY},
    )
    theirs = result.attempts[result.attempts["tenant"] != "acme"]
    hours = Counter(int(second // 3600) for second in seconds(theirs["dispatched_at"]))
    assert set(hours) == {0, 1, 2}


def test_a_run_whose_campaign_is_over_ends_where_it_is_said_to():
    result = run(campaign("mine"), background={"median_size": 5})
    assert result.end == BEGINS + timedelta(hours=1)


def test_a_run_does_not_wait_for_ever():
    result = run(
        campaign("mine"),
        suspension=[part(begins=0)],
        clock={"latest": "12:30"},
    )
    assert result.end == BEGINS + timedelta(hours=3, minutes=30)


def test_a_run_waits_for_the_campaign_under_study_only():
    lists = (campaign("mine"), campaign("theirs", tenant="zeta", start=3500, contacts=500))
    parts = {"platform": {"ports": 2}, "clock": {"latest": "20:00"}}
    assert run(*lists, **parts).end == BEGINS + timedelta(hours=1)
    studied = run(*lists, **parts, study={"campaign": "theirs"})
    assert studied.end == BEGINS + timedelta(hours=3)


# How their calls are numbered


@pytest.mark.parametrize("change", [{"ends": "12:00"}, {"start": "09:15"}])
def test_neither_a_longer_run_nor_another_start_gives_a_call_another_number(change):
    """So a call can be followed from one what-if to the next."""

    def whose(start="09:00", ends="11:00"):
        result = run(
            campaign("mine", start=start, contacts=5, tenant="zoo"),
            campaign("yours", contacts=5, tenant="aquarium"),
            background={"median_size": 5, "campaigns_per_hour": 4},
            clock={"ends": ends},
        )
        calls = result.calls
        named = zip(calls["tenant"], calls["campaign"], calls["index"], strict=True)
        return dict(zip(calls["call_id"], named, strict=True))

    usual, changed = whose(), whose(**change)
    assert usual.items() <= changed.items()
    assert [usual[number][1] for number in (0, 5)] == ["yours", "mine"]
    assert sorted(usual) == list(range(len(usual)))
