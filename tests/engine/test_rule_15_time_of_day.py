"""Rule 15: load by local hour and weekday, campaigns that come again, and how much there is."""

from __future__ import annotations

import tomllib
from collections import Counter
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from scipy import stats

from outsim.clock import DAY, HOUR, MINUTE, after
from outsim.errors import ScenarioError
from outsim.plan import build_plan
from outsim.plan.background import background_campaigns
from outsim.plan.tenant_classes import class_campaigns, poisson
from outsim.scenario import load
from outsim.scenario.parts import WEEKDAYS
from outsim.tape import Tape

from .scenarios import campaign, contact_list, of, outcomes, part, run, scenario, seconds

UNLIKELY = 1e-3
"""A test of fit says no where it would be right as seldom as this; seeds are fixed."""
WEEK = {
    "zone": "America/New_York",
    "date": date(2026, 3, 5),
    "begins": "00:00",
    "ends": "2026-03-12 00:00",
    "latest": "2026-03-12 00:00",
}
"""Thursday to Wednesday, with the night from 2026-03-08 on which the clock is put forward."""
BY_DAY = {"rate_by_weekday": {"sat": 0.5, "sun": 0.0, "mon": 2.0}}


def batch(name: str = "banks", **keys: Any) -> dict[str, Any]:
    rates = {} if keys.keys() & {"rate", "rate_by_hour"} else {"rate_by_hour": {9: "6/h"}}
    return {"name": name, "kind": "batch", "tenants": 3, "contacts": 20} | rates | keys


def calls(name: str = "alerts", **keys: Any) -> dict[str, Any]:
    rates = {} if keys.keys() & {"rate", "rate_by_hour"} else {"rate_by_hour": {9: "60/h"}}
    return {"name": name, "kind": "calls", "tenants": 2} | rates | keys


def drawn(*classes: dict[str, Any], replication: int = 0, of: int = 0, **parts: Any) -> list[Any]:
    """Campaigns of one of the classes of a background that has no others, over a week."""
    within = scenario(
        background={"tenant_class": list(classes)}, clock=parts.pop("clock", WEEK), **parts
    )
    assert within.background is not None
    until_us = within.instant_us(within.clock.latest_end)
    of_class = within.background.tenant_class[of]
    return list(class_campaigns(within, Tape(1, replication), of_class, until_us))


def local_hours(found: list[Any]) -> Counter[tuple[str, int]]:
    """How many start on each weekday, by local hour."""
    begins = scenario(clock=WEEK).clock.begins
    starts = [after(begins, each.start_us) for each in found]
    return Counter((WEEKDAYS[start.weekday()], start.hour) for start in starts)


# Rates by local hour and weekday


def test_as_many_start_as_the_hour_and_the_weekday_say():
    """Chi-square over 200 weeks, an hour on each day a cell; 9:00 is local on both sides of it."""
    rates = {8: "1/h", 9: "6/h", 13: "3/h"}
    found: Counter[tuple[str, int]] = Counter()
    for replication in range(200):
        found += local_hours(drawn(batch(rate_by_hour=rates) | BY_DAY, replication=replication))
    factors = {"sat": 0.5, "sun": 0.0, "mon": 2.0}
    means = {
        (day, hour): 200 * rate * factors.get(day, 1.0)
        for day in WEEKDAYS
        for hour, rate in {8: 1, 9: 6, 13: 3}.items()
    }
    assert {cell for cell, mean in means.items() if mean == 0} == {
        ("sun", hour) for hour in (8, 9, 13)
    }
    assert set(found) == {cell for cell, mean in means.items() if mean > 0}
    squares = sum((found[cell] - mean) ** 2 / mean for cell, mean in means.items() if mean)
    assert stats.chi2.sf(squares, len(found)) > UNLIKELY


def test_how_many_start_in_an_hour_is_poisson():
    one_hour = {"clock": {"begins": "09:00", "ends": "10:00", "latest": "10:00"}}
    counts = np.array(
        [len(drawn(batch(), replication=k, **one_hour)) for k in range(1000)], np.int64
    )
    bounds = [2, 3, 4, 5, 6, 7, 8, 9, 11]
    cells = np.bincount(np.searchsorted(bounds, counts), minlength=len(bounds) + 1)
    shares = np.diff([0.0, *stats.poisson.cdf(bounds, 6), 1.0])
    assert stats.chisquare(cells, 1000 * shares).pvalue > UNLIKELY


def test_the_quantile_of_a_poisson_distribution():
    uniforms = np.linspace(0.0005, 0.9995, 200)
    for mean in (0.0, 0.01, 0.7, 3.0, 60.0, 4000.0):
        expected = stats.poisson.ppf(uniforms, mean)
        assert poisson(uniforms, np.full(200, mean)).tolist() == expected.tolist()


def test_single_calls_come_as_the_hour_says_and_anywhere_in_it():
    hours: Counter[int] = Counter()
    within: list[float] = []
    clock = {"begins": "08:00", "ends": "11:00", "latest": "11:00"}
    for replication in range(40):
        for each in drawn(
            calls(rate="20/h", rate_by_hour={9: "60/h"}), replication=replication, clock=clock
        ):
            assert each.size == len(each.requests_us)
            hours.update((each.requests_us // HOUR).tolist())
            within += (each.requests_us % HOUR / HOUR).tolist()
    means = {0: 800.0, 1: 2400.0, 2: 800.0}
    squares = sum((hours[k] - mean) ** 2 / mean for k, mean in means.items())
    assert stats.chi2.sf(squares, 3) > UNLIKELY
    assert stats.kstest(within, "uniform").pvalue > UNLIKELY


def test_batches_start_at_marked_minutes_and_steady_ones_anywhere():
    marked = {"top": 1.0, "half": 0.0, "quarter": 1.0, "other": 0.0}
    batches = drawn(batch(rate="4/h", start_minutes=marked))
    assert {each.start_us // MINUTE % 60 for each in batches} == {0, 15, 45}
    steady = drawn({**batch(rate="8/h"), "kind": "steady", "pacing": "30/min"})
    places = [each.start_us % HOUR / HOUR for each in steady]
    assert stats.kstest(places, "uniform").pvalue > UNLIKELY


def test_the_same_campaign_waits_in_a_busy_hour_and_not_in_a_quiet_one():
    """What the time of day decides: a list that others share the hour with takes longer."""

    def wait(start: str, weekday: str) -> float:
        others = batch(
            rate_by_hour={10: "20/h"},
            rate_by_weekday={"sat": 0.0},
            profile="people",
            max_retry=0,
            start_minutes={"top": 1.0, "half": 0.0, "quarter": 0.0, "other": 0.0},
        )
        day = date(2026, 3, 10) if weekday == "tue" else date(2026, 3, 14)
        result = run(
            campaign("mine", start=start, contacts=5),
            platform={"ports": 10},
            background={"tenant_class": [others]},
            clock={"date": day, "ends": "12:00"},
        )
        return float(max(of(result.calls, "mine")["wait_s"]))

    assert wait("10:00:01", "tue") > 60
    assert wait("09:00:01", "tue") < 0.1
    assert wait("10:00:01", "sat") < 0.1


# What a class's tenants keep to


def test_a_class_has_rules_and_tenants_of_its_own():
    deaf = {"deaf": {"human": 0, "voicemail": 0, "no_answer": 1, "busy": 0}}
    own = {"profile": "deaf", "max_retry": 2, "retry_interval": "120 s"}
    lists = batch("lists", rate_by_hour={9: "4/h"}, contacts=3, pacing="6/min", **own)
    result = run(
        background={"tenant_class": [lists, calls(max_retry=0, profile="people")]},
        profiles=deaf,
        clock={"ends": "11:00"},
    )
    rows = result.calls
    assert {name.rpartition("-")[0] for name in rows["tenant"].unique()} == {"lists", "alerts"}
    mine = rows[rows["tenant"].str.startswith("lists")]
    assert set(mine["attempts"]) == {3}
    assert set(mine["status"]) == {"failed"}
    assert set(rows[~rows["tenant"].str.startswith("lists")]["attempts"]) == {1}
    attempts = result.attempts[result.attempts["tenant"].str.startswith("lists")]
    for _, dials in attempts.groupby(["tenant", "campaign"], observed=True):
        gaps = dials["dispatched_at"].sort_values().diff().dt.total_seconds().dropna()
        assert gaps.min() >= 10
    assert rows["background"].all()


def test_single_calls_are_dialed_as_they_come_in():
    result = run(background={"tenant_class": [calls(max_retry=0, profile="people")]})
    assert len(result.calls) > 30
    assert max(result.calls["wait_s"]) < 0.001
    assert len(set(seconds(result.calls["submitted_at"]))) > 30


def test_lists_have_sizes_of_their_distribution():
    """Quantiles of a class's lists: each tenth of the distribution has a tenth of the lists."""
    sizes = {"distribution": "quantiles", "shares": [0.1, 0.5, 0.9], "counts": [200, 1000, 9000]}
    found = [
        each.size
        for replication in range(20)
        for each in drawn(batch(rate="2/h", contacts=sizes), replication=replication)
    ]
    cells = np.bincount(np.searchsorted([200, 1000, 9000], found), minlength=4)
    assert stats.chisquare(cells, len(found) * np.array([0.1, 0.4, 0.4, 0.1])).pvalue > UNLIKELY


# Common random numbers


def key(each: Any) -> tuple[Any, ...]:
    return each.tenant, each.name, each.start_us, each.size


def test_another_class_changes_no_draw_of_the_first():
    alone = drawn(batch())
    assert [*map(key, alone)] == [*map(key, drawn(batch(), batch("clinics"), calls()))]
    assert [*map(key, drawn(batch("clinics"), batch(), of=1))] == [*map(key, alone)]
    assert [each.start_us for each in drawn(batch("clinics"))] != [e.start_us for e in alone]


@pytest.mark.parametrize("repeats", [[], ["mon", "tue"]])
def test_more_load_only_adds_campaigns(repeats):
    spread = {"distribution": "lognormal", "median": 100, "log_sd": 1.0}
    lists = batch(contacts=spread, repeats=repeats)
    less, more = ({*map(key, drawn(lists, load=load))} for load in (1.0, 2.5))
    assert less < more
    assert 2 < len(more) / len(less) < 3


def test_a_longer_run_only_adds_campaigns():
    longer = drawn(batch(rate="2/h"))
    shorter = drawn(
        batch(rate="2/h"), clock=WEEK | {"ends": "2026-03-09 00:00", "latest": "2026-03-09 00:00"}
    )
    assert [*map(key, shorter)] == [*map(key, longer)][: len(shorter)]
    assert 0 < len(shorter) < len(longer)


def test_classes_beside_campaigns_at_all_hours_change_none_of_those():
    def at_all_hours(**background: Any) -> list[Any]:
        within = scenario(background={"campaigns_per_hour": 3} | background, clock=WEEK)
        return list(background_campaigns(within, Tape(1), 30 * HOUR))

    assert at_all_hours() == at_all_hours(tenant_class=[batch()])
    assert len(at_all_hours()) == 90


def test_classes_alone_are_all_there_is():
    within = scenario(background={"tenant_class": [batch()]}, clock=WEEK)
    assert list(background_campaigns(within, Tape(1), 30 * HOUR)) == []


# Campaigns that come again


def test_campaigns_of_a_class_come_again_at_the_time_that_was_drawn_for_them():
    """Each has its local time for the run, over the change to summer time too, and a new size."""
    spread = {"distribution": "lognormal", "median": 100, "log_sd": 1.0}
    found = drawn(batch(repeats=["sat", "sun", "mon"], contacts=spread))
    begins = scenario(clock=WEEK).clock.begins
    days: dict[date, list[str]] = {}
    for each in found:
        local = after(begins, each.start_us)
        days.setdefault(local.date(), []).append(f"{local:%H:%M}")
    assert [*days] == [date(2026, 3, day) for day in (7, 8, 9)]
    first, *others = days.values()
    assert all(times == first for times in others)
    assert len(first) > 2
    assert len({each.size for each in found}) > len(first)
    assert {after(begins, each.start_us).hour for each in found} == {9}


def test_a_campaign_with_its_stop_comes_again_at_the_same_local_time():
    """Friday to Monday: two days before the clock is put forward in the night of Sunday."""
    mine = campaign(
        start="2026-03-06 09:15",
        submitted_at="2026-03-06 09:00",
        stop_at="2026-03-06 09:20",
        expires_at="2026-03-06 18:00",
        repeats=["fri", "sun", "mon"],
    )
    within = scenario(mine, clock=WEEK)
    plan = build_plan(within, Tape(1))
    assert [c.name for c in plan.campaigns] == [
        "list 2026-03-06",
        "list 2026-03-08",
        "list 2026-03-09",
    ]
    # In hours since Thursday 0:00: Sunday has 23.
    starts_h = [c.start_us / HOUR for c in plan.campaigns]
    assert starts_h == [33.25, 80.25, 104.25]
    for c in plan.campaigns:
        assert c.submitted_us == c.start_us - 15 * MINUTE
        assert c.rules.stop_requested_us == c.start_us + 5 * MINUTE
        assert c.rules.expires_us == c.start_us + 525 * MINUTE


def test_a_local_time_that_summer_time_skips_comes_an_hour_later():
    within = scenario(campaign(start="2026-03-07 02:30", repeats=["sat", "sun"]), clock=WEEK)
    saturday, sunday = within.campaigns
    assert (saturday.start.hour, sunday.start.hour) == (2, 3)
    assert within.instant_us(sunday.start) - within.instant_us(saturday.start) == DAY


def test_each_day_has_draws_of_its_own():
    result = run(
        campaign(contacts=30, profile="mixed", repeats=["tue", "wed"]),
        profiles={"mixed": {"human": 50, "voicemail": 0, "no_answer": 50, "busy": 0}},
        clock={"ends": "2026-03-11 10:00", "latest": "2026-03-11 10:00"},
    )
    first, second = (outcomes(result, f"list 2026-03-{day}") for day in (10, 11))
    assert len(first) == len(second) == 30
    assert first != second


def test_requests_come_again_with_their_times():
    result = run(
        campaign("at", requests={"times_s": [5.0, 10.0]}, repeats=["tue", "wed"]),
        campaign("rate", requests={"rate": "60/h", "until": "09:30"}, repeats=["tue", "wed"]),
        clock={"ends": "2026-03-11 10:00", "latest": "2026-03-11 10:00"},
    )
    at = [*of(result.attempts, "at 2026-03-10")["dispatched_at"]]
    again = [*of(result.attempts, "at 2026-03-11")["dispatched_at"]]
    assert seconds(at) == [5.0, 10.0]
    assert seconds(again) == [86405.0, 86410.0]
    second = seconds(of(result.calls, "rate 2026-03-11")["submitted_at"])
    assert len(second) > 15
    assert 86400 <= min(second) <= max(second) < 88200


def test_requests_come_again_with_their_own_schedules_and_expiries():
    times = {"times_s": [5.0, 10.0], "scheduled_s": [20.0, 0.0], "expires_s": [0.0, 40.0]}
    result = run(
        campaign("at", requests=times, repeats=["tue", "wed"]),
        clock={"ends": "2026-03-11 10:00", "latest": "2026-03-11 10:00"},
    )
    again = of(result.attempts, "at 2026-03-11")
    assert sorted(seconds(again["dispatched_at"])) == [86410.0, 86420.0]


def test_a_suspension_comes_again():
    rows = {"repeats": ["tue", "wed"]}
    result = run(
        campaign(requests={"times_s": [5.0, 86405.0, 172805.0]}),
        suspension=[part(begins=0, ends=60) | rows],
        clock={"ends": "2026-03-12 10:00", "latest": "2026-03-12 10:00"},
    )
    assert seconds(result.attempts["dispatched_at"]) == [60.0, 86460.0, 172805.0]


def test_a_campaign_that_repeats_is_found_by_its_name_and_by_its_day():
    mine = campaign("mine", start="2026-03-05 09:00", repeats=["fri", "mon"])
    within = scenario(mine, campaign("yours"), clock=WEEK, study={"campaign": "mine"})
    assert within.find_campaign("mine").name == "mine 2026-03-06"
    assert within.find_campaign("acme/mine 2026-03-09").start.day == 9
    assert within.campaign_under_study == within.campaigns[0]
    changed = within.with_({"campaign[mine].start": "2026-03-05 10:00"})
    assert [c.start.hour for c in changed.campaigns] == [10, 10, 9]
    with pytest.raises(ScenarioError, match="mine 2026-03-09"):
        within.find_campaign("mine 2026-03-08")


# Sizes that are drawn, and load


def test_the_size_of_a_list_is_drawn_in_each_replication():
    """Chi-square over 2,000 replications of a lognormal size, in eighths of it."""
    spread = {"distribution": "lognormal", "median": 1000, "log_sd": 0.5}
    within = scenario(campaign(contacts=spread))
    sizes = [build_plan(within, Tape(1, k)).campaigns[0].size for k in range(2000)]
    eighths = 1000 * np.exp(0.5 * stats.norm.ppf(np.arange(1, 8) / 8))
    cells = np.bincount(np.searchsorted(eighths, sizes), minlength=8)
    assert stats.chisquare(cells).pvalue > UNLIKELY


def test_a_size_that_is_drawn_moves_no_other_draw():
    mixed = {"mixed": {"human": 40, "voicemail": 20, "no_answer": 30, "busy": 10}}
    spread = {"distribution": "uniform", "least": 5, "most": 50}
    yours = campaign("yours", tenant="zeta", contacts=30, profile="mixed")
    drawn_size = run(campaign("mine", contacts=spread, profile="mixed"), yours, profiles=mixed)
    fixed = run(campaign("mine", contacts=50, profile="mixed"), yours, profiles=mixed)
    mine = outcomes(drawn_size, "mine")
    assert 5 <= len(mine) < 50
    assert mine == outcomes(fixed, "mine")[: len(mine)]
    assert outcomes(drawn_size, "yours") == outcomes(fixed, "yours")


def test_load_scales_counts_requests_and_the_background_but_no_list(tmp_path):
    rows = contact_list(tmp_path, *(f"21255501{k:02d},4155550100" for k in range(10)))
    parts = {
        "campaign": [
            campaign("count", contacts=100),
            campaign("drawn", contacts={"distribution": "uniform", "least": 99, "most": 101}),
            campaign("csv", contact_list=rows),
            campaign("times", requests={"times_s": [1.0, 2.0]}),
            campaign("poisson", requests={"rate": "600/h", "until": "10:00"}),
        ],
        "background": {"campaigns_per_hour": 6, "tenant_class": [batch(rate="40/h"), calls()]},
        "clock": {"latest": "10:00"},
    }
    counts = []
    for factor in (1.0, 3.0):
        within = scenario(
            *parts["campaign"], load=factor, **{k: parts[k] for k in ("background", "clock")}
        )
        plan = build_plan(within, Tape(1))
        others = [c for c in plan.campaigns if c.background]
        own = {c.name: c.size for c in plan.campaigns if not c.background}
        kinds = Counter(c.tenant.rpartition("-")[0] for c in others if c.requests_us is None)
        single = sum(c.size for c in others if c.requests_us is not None)
        counts.append(own | kinds | {"single": single})
    one, three = counts
    assert (one["count"], three["count"]) == (100, 300)
    assert three["drawn"] == pytest.approx(3 * one["drawn"], abs=1)
    assert (one["csv"], one["times"]) == (three["csv"], three["times"]) == (10, 2)
    assert (one["other"], three["other"]) == (6, 18)
    for name in ("poisson", "banks", "single"):
        assert 2 < three[name] / one[name] < 4


def test_a_load_of_one_is_none():
    others = {"background": {"median_size": 5}}
    plain, one = (
        build_plan(scenario(campaign(requests={"rate": "90/h"}), **keys, **others), Tape(1))
        for keys in ({}, {"load": 1.0})
    )
    assert [(c.key, c.start_us, c.size) for c in plain.campaigns] == [
        (c.key, c.start_us, c.size) for c in one.campaigns
    ]


# What can't be meant


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (batch(contacts=None), r"tenant_class\[banks\].contacts: is missing"),
        ({**batch(), "kind": "steady"}, r"tenant_class\[banks\].pacing: is missing"),
        (calls(contacts=5), r"contacts: has no meaning for kind calls; allowed: batch, steady"),
        (calls(repeats=["mon"]), r"repeats: has no meaning for kind calls"),
        (batch(rate_by_hour={}), r"give rate, or rate_by_hour"),
        (batch(rate_by_hour={24: "1/h"}), r"must be at most 23"),
        (batch(repeats=["mon"], **BY_DAY), r"rate_by_weekday: has no meaning with repeats"),
        (batch(rate_by_weekday={"sun": -1}), r"rate_by_weekday.sun: .*must be at least 0"),
        (batch(rate_by_weekday={"sunday": 1}), r"allowed: mon, tue"),
        (batch(contacts={"distribution": "lognormal", "median": 0, "log_sd": 1}), r"at least 1"),
        (batch(contacts={"distribution": "normal"}), r"allowed: lognormal, uniform"),
        (batch(contacts={"median": 5}), r"contacts.distribution: is missing; allowed: lognormal"),
        (batch(profile="nobody"), r"tenant_class\[banks\].profile: found 'nobody'"),
    ],
)
def test_a_class_that_can_not_be_used_is_refused(keys, message):
    with pytest.raises(ScenarioError, match=message):
        scenario(background={"tenant_class": [keys]})


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"background": {"tenant_class": [batch(), batch()]}}, "which stands twice"),
        ({"background": {"campaigns_per_hour": 0}}, "must be at least 1 where there is no"),
        ({"load": 0}, "load: found 0; must be more than 0"),
        ({"suspension": [{"begins": "09:00", "repeats": ["tue"]}]}, "must end before it comes"),
        ({"campaign": [campaign(repeats=["sun"])]}, "repeats: found sun; allowed: tue, wed"),
        ({"campaign": [campaign(requests={"rate": "1/s"}, repeats=["tue"])]}, "until: is missing"),
        (
            {"campaign": [campaign(repeats=["tue"]), campaign("list 2026-03-10")]},
            r"name: is that of acme/list on one of its days|is that of",
        ),
        (
            {"campaign": [campaign(contacts={"distribution": "uniform", "least": 9, "most": 5})]},
            "found 5; must be more than least",
        ),
        (
            {
                "campaign": [
                    campaign(
                        contacts={
                            "distribution": "quantiles",
                            "shares": [0.1, 0.9],
                            "counts": [9, 5],
                        }
                    )
                ]
            },
            "counts: must not fall; number 2 does not",
        ),
    ],
)
def test_a_scenario_that_can_not_be_used_is_refused(parts, message):
    lists = parts.pop("campaign", [])
    with pytest.raises(ScenarioError, match=message):
        scenario(*lists, **parts)


def test_it_begins_where_the_others_do():
    """A class's first hour is the one in which the run begins, from that moment on."""
    found = drawn(batch(rate="9/h"), clock={"begins": "09:40", "ends": "10:00", "latest": "10:00"})
    assert all(0 <= each.start_us < 20 * MINUTE for each in found)


def test_a_pause_comes_again_with_its_campaign_or_on_one_day():
    def first_dials(paused: str) -> list[float]:
        result = run(
            campaign("mine", requests={"times_s": [5.0]}, repeats=["tue", "wed", "thu"]),
            pause=[part(campaign=paused, begins=0, ends=60)],
            clock={"ends": "2026-03-13 09:00", "latest": "2026-03-13 09:00"},
        )
        return seconds(result.attempts["dispatched_at"])

    assert first_dials("mine") == [60.0, 86460.0, 172860.0]
    assert first_dials("mine 2026-03-10") == [60.0, 86405.0, 172805.0]
    with pytest.raises(ScenarioError, match=r"pause\[0\].campaign: found 'mine 2026-03-15'"):
        first_dials("mine 2026-03-15")


def test_a_day_of_a_campaign_can_be_under_study():
    mine = campaign("mine", repeats=["tue", "wed"])
    clock = {"ends": "2026-03-11 10:00", "latest": "2026-03-11 10:00"}
    within = scenario(mine, clock=clock, study={"campaign": "mine 2026-03-11"})
    assert within.campaign_under_study == within.campaigns[1]


def test_a_time_that_comes_twice_is_the_one_that_was_meant():
    """The clock is put back at 3:00 on 2026-10-25 in Berlin; 2:30 is before and after."""
    zone = ZoneInfo("Europe/Berlin")
    clock = {"zone": "Europe/Berlin", "date": date(2026, 10, 25), "begins": "00:00"}
    starts = [datetime(2026, 10, 25, 2, 30, tzinfo=zone, fold=fold) for fold in (0, 1)]
    for start in starts:
        within = scenario(
            campaign(repeats=["sun", "mon"]) | {"start": start},
            clock=clock | {"ends": "2026-10-26 03:00", "latest": "2026-10-26 03:00"},
        )
        sunday, monday = (within.instant_us(c.start) / HOUR for c in within.campaigns)
        assert sunday == 2.5 + start.fold
        assert monday == 27.5


def test_the_week_of_the_documentation_is_a_scenario():
    text = (Path(__file__).parents[2] / "docs" / "load.md").read_text()
    week = load(tomllib.loads(text.partition("```toml\n")[2].partition("```")[0]))
    assert [c.name[-10:] for c in week.campaigns] == [f"2026-03-{9 + k:02d}" for k in range(5)]
    assert week.background is not None
    assert [of.name for of in week.background.tenant_class] == ["offices", "alerts"]
