"""The load of a call log: what outsim itself made comes back, and poor logs say what they lack."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import outsim
from outsim.calibration import CallLog, fit, mapping_of, read_call_log
from outsim.calibration.load import LoadFit, fit_load
from outsim.calibration.load_values import load_numbers
from outsim.calibration.rates import fit_rates, hours_of
from outsim.calibration.sizes import fit_sizes
from outsim.clock import RATE_SECONDS
from outsim.errors import ScenarioError
from outsim.scenario.parts import WEEKDAYS
from tests.calibration_logs import call_log

ZONE = "America/New_York"
KNOWN = """\
name = "known classes"
seed = {seed}

[clock]
zone = "America/New_York"
date = 2026-03-02
begins = "00:00"
ends = "2026-03-16 00:00"

[platform]
ports = 1500
dial_rate = "60/s"
workers = 100

[carrier]
rate = "200/s"
channels = 5000

[[background.tenant_class]]
name = "offices"
kind = "batch"
tenants = 5
rate_by_hour = {{ 9 = "5/h", 10 = "3/h", 14 = "2/h", 17 = "2/h" }}
rate_by_weekday = {{ mon = 1.4, sat = 0.3, sun = 0 }}
contacts = {{ distribution = "lognormal", median = 80, log_sd = 0.8 }}

[[background.tenant_class]]
name = "surveys"
kind = "steady"
tenants = 4
rate_by_hour = {{ 9 = "1/h", 10 = "1/h", 11 = "1/h", 12 = "1/h", 13 = "1/h", 14 = "1/h" }}
rate_by_weekday = {{ sat = 0, sun = 0 }}
contacts = {{ distribution = "lognormal", median = 150, log_sd = 0.4 }}
pacing = "30/min"
max_retry = 1

[[background.tenant_class]]
name = "alerts"
kind = "calls"
tenants = 3
rate_by_hour = {{ 8 = "30/h", 9 = "90/h", 10 = "90/h", 11 = "60/h", 15 = "30/h", 20 = "15/h" }}
rate_by_weekday = {{ sat = 0.5, sun = 0.4 }}
max_retry = 1
retry_interval = "5 min"

[[campaign]]
name = "mine"
tenant = "alerts-1"
start = "2026-03-02 09:00"
contacts = 1
"""
"""Two weeks, with a change to summer time in the middle."""
SEEDS = (1, 2, 3)
SAME = {"offices": "batch", "surveys": "steady", "alerts": "calls"}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[int, outsim.Result]:
    """Runs of the known classes by seed."""
    made = {}
    for seed in SEEDS:
        file = tmp_path_factory.mktemp("known") / "known.toml"
        file.write_text(KNOWN.format(seed=seed))
        made[seed] = outsim.simulate(outsim.load(file))
    return made


def attempts_of(result: outsim.Result, columns: dict[str, str]) -> CallLog:
    """The log of a run that names these columns besides times and numbers."""
    dialed = result.attempts[result.attempts["dialed_at"].notna()]
    named = {"started": "dialed_at", "number": "number"} | columns
    return read_call_log(dialed, mapping=mapping_of(named), zone=ZONE)


@pytest.fixture(scope="module")
def loads(results: dict[int, outsim.Result]) -> dict[int, LoadFit]:
    """Loads fitted to logs that name customers, campaigns and attempts."""
    columns = {name: name for name in ("tenant", "campaign", "attempt")}
    return {seed: fit_load(attempts_of(result, columns)) for seed, result in results.items()}


def truth(results: dict[int, outsim.Result]) -> dict[str, float]:
    """Numbers of the scenario, by their keys in a fitted load."""
    background = results[SEEDS[0]].scenario.background
    assert background is not None
    known = {}
    for tenants in background.tenant_class:
        key = f"background.tenant_class[{SAME[tenants.name]}]"
        factors = [tenants.rate_by_weekday.get(day, 1.0) for day in WEEKDAYS]
        mean = float(np.mean(factors))
        for hour, rate in tenants.rate_by_hour.items():
            known[f"{key}.rate_by_hour.{hour}"] = rate / RATE_SECONDS * 3600 * mean
        for day, factor in zip(WEEKDAYS, factors, strict=True):
            known[f"{key}.rate_by_weekday.{day}"] = factor / mean
        if tenants.kind == "batch":
            weights = background.start_minutes.model_dump()
            for name, weight in weights.items():
                known[f"{key}.start_minutes.{name}"] = weight / sum(weights.values())
        if tenants.kind != "calls":
            known[f"{key}.contacts.median"] = tenants.contacts.median
            known[f"{key}.contacts.log_sd"] = tenants.contacts.log_sd
    return known


def test_customers_are_told_apart_by_kind(loads):
    for load in loads.values():
        members = {part.kind: {name.split("-")[0] for name in part.named} for part in load.classes}
        assert members == {"batch": {"offices"}, "steady": {"surveys"}, "calls": {"alerts"}}
        assert {part.kind: part.tenants for part in load.classes} == {
            "batch": 5,
            "steady": 4,
            "calls": 3,
        }


def test_intervals_hold_what_the_scenario_says(loads, results):
    known = truth(results)
    held = {
        (seed, number.key): number.estimate.low <= known[number.key] <= number.estimate.high
        for seed, load in loads.items()
        for number in load_numbers(load)
        if number.key in known
    }
    assert len(held) > 100
    assert np.mean([*held.values()]) >= 0.88, [key for key, holds in held.items() if not holds]


def test_lists_are_as_many_as_there_were(loads, results):
    for seed, load in loads.items():
        calls = results[seed].calls
        for part in load.classes[:2]:
            name = {kind: name for name, kind in SAME.items()}[part.kind]
            mine = calls[calls["tenant"].str.startswith(name) & (calls["attempts"] > 0)]
            assert part.rates.starts == mine.groupby(["tenant", "campaign"]).ngroups
            assert part.calls == len(mine)


def test_paces_and_retries_are_those_of_the_scenario(loads):
    for load in loads.values():
        batch, steady, calls = load.classes
        assert steady.pace is not None
        assert abs(steady.pace.value - 30) < 0.5
        assert (batch.max_retry, steady.max_retry, calls.max_retry) == (2, 1, 1)
        for part, minutes in ((batch, 30), (steady, 30), (calls, 5)):
            assert part.retry_interval_s is not None
            assert abs(part.retry_interval_s.value / 60 - minutes) <= 1


def test_without_campaigns_lists_are_told_apart_by_pauses(loads, results):
    """Nearly as many: those that overlap count as one."""
    for seed, load in loads.items():
        alone = fit_load(attempts_of(results[seed], {"tenant": "tenant", "attempt": "attempt"}))
        for part, known in zip(alone.classes, load.classes, strict=True):
            assert part.kind == known.kind
            assert set(part.named) == set(known.named)
            assert 0.8 * known.rates.starts <= part.rates.starts <= known.rates.starts
        assert any("no campaigns" in note for note in alone.notes)


def test_without_customers_a_campaign_is_looked_at_by_itself(results):
    log = attempts_of(results[1], {"campaign": "campaign", "attempt": "attempt"})
    load = fit_load(log)
    assert any("does not tell customers apart" in note for note in load.notes)
    assert all(part.tenants == 1 and part.named == () for part in load.classes)


def test_callers_stand_for_customers_if_each_has_many_calls(results):
    attempts = results[1].attempts
    dialed = attempts[attempts["dialed_at"].notna()].reset_index(drop=True)
    mapping = mapping_of({"started": "dialed_at", "number": "number", "caller": "tenant"})
    log = read_call_log(dialed, mapping=mapping, zone=ZONE)
    assert len(log.tenants) == 12
    drawn = dialed.assign(tenant=(dialed.index % (len(dialed) // 3)).astype(str))
    assert read_call_log(drawn, mapping=mapping, zone=ZONE).tenants == ()


def test_a_file_with_the_load_makes_a_scenario_for_another_day(results, tmp_path):
    results[2].save(tmp_path / "saved")
    answer = outsim.calibrate(tmp_path / "saved", load=True, out=tmp_path / "load.toml").run()
    assert answer.load is not None
    file = tmp_path / "monday.toml"
    file.write_text(
        'extends = "load.toml"\n[clock]\ndate = 2026-03-23\nbegins = "09:00"\nends = "10:00"\n'
        '[[campaign]]\nname = "reminders"\ntenant = "clinic"\nstart = "09:15"\ncontacts = 10\n'
    )
    scenario = outsim.load(file)
    assert scenario.clock.zone == ZONE
    assert [part.name for part in scenario.background.tenant_class] == ["batch", "steady", "calls"]
    table = outsim.assumptions(scenario).table()
    mine = table[table.index.str.startswith("background.tenant_class[batch].contacts")]
    assert (mine["grade"] == "calibrated").all()
    assert len(mine)
    assert "lists of 5 tenants" in mine["source"].iloc[0]
    assert outsim.simulate(scenario).calls["background"].any()


# Rates, alone


def starts_at(hours, rates, generator) -> np.ndarray:
    counts = generator.poisson(rates * hours.lengths_h)
    places = generator.uniform(size=counts.sum()) * np.repeat(hours.lengths_h, counts)
    return np.repeat(hours.starts_us, counts) + (places * 3.6e9).astype(np.int64)


def test_rates_and_factors_are_within_their_intervals_19_times_in_20():
    first = pd.Timestamp("2026-03-02", tz=ZONE).value // 1000
    hours = hours_of(first, first + 28 * 86_400_000_000 - 1, ZONE)
    by_hour = np.where((np.arange(24) >= 8) & (np.arange(24) < 18), 6.0, 0.0)
    by_day = np.array([1.4, 1.2, 1.0, 1.0, 1.2, 0.7, 0.5])
    true = by_hour[hours.hours] * by_day[hours.weekdays]
    held = []
    for seed in range(60):
        found = fit_rates(starts_at(hours, true, np.random.default_rng(seed)), hours)
        assert set(found.by_hour) == set(range(8, 18))
        held += [low <= 6.0 <= high for _, low, high in found.by_hour.values()]
        held += [
            low <= by_day[day] <= high
            for day, (_, low, high) in enumerate(found.by_weekday.values())
        ]
        assert np.mean([known.value for known in found.by_weekday.values()]) == pytest.approx(1)
        assert not found.weekend_differs
    assert 0.93 <= np.mean(held) <= 0.98


def test_a_weekend_with_hours_of_its_own_is_noticed():
    first = pd.Timestamp("2026-03-02", tz=ZONE).value // 1000
    hours = hours_of(first, first + 28 * 86_400_000_000 - 1, ZONE)
    is_late = (hours.hours >= 12) == (hours.weekdays >= 5)
    generator = np.random.default_rng(1)
    assert fit_rates(starts_at(hours, 4.0 * is_late, generator), hours).weekend_differs


@pytest.mark.parametrize(
    ("day", "hour", "length"), [("2026-03-08", 3, 1.0), ("2026-11-01", 1, 2.0)]
)
def test_hours_that_clocks_skip_or_repeat_count_as_long_as_they_are(day, hour, length):
    first = pd.Timestamp(day, tz=ZONE)
    last = first + pd.Timedelta(hours=20)
    hours = hours_of(first.value // 1000, last.value // 1000, ZONE)
    there = dict(zip(hours.hours.tolist(), hours.lengths_h.tolist(), strict=True))
    assert there[hour] == length
    assert (2 in there) == (day != "2026-03-08")
    assert sum(there.values()) == 21


def test_hours_of_zones_at_a_half_hour_are_whole():
    first = pd.Timestamp("2026-03-02 09:10", tz="Asia/Kolkata")
    hours = hours_of(first.value // 1000, first.value // 1000 + 1, "Asia/Kolkata")
    assert (hours.hours.tolist(), hours.lengths_h.tolist()) == ([9], [1.0])


# Sizes


def test_sizes_are_lognormal_where_that_holds_and_recorded_quantiles_where_not():
    generator = np.random.default_rng(1)
    drawn = np.maximum(np.rint(300 * np.exp(0.9 * generator.standard_normal(400))), 1)
    assert fit_sizes(drawn.astype(np.int64)).contacts["distribution"] == "lognormal"
    two = np.where(generator.uniform(size=400) < 0.5, drawn / 100 + 1, drawn + 5_000)
    found = fit_sizes(two.astype(np.int64)).contacts
    assert found["distribution"] == "quantiles"
    assert found["counts"] == sorted(found["counts"])
    assert fit_sizes(np.array([250, 250, 250])).contacts == 250


# Poor logs


def lists_at(starts: list[str], size: int, zone: str = ZONE, pause_s: float = 0.5) -> pd.DataFrame:
    """First dials of lists of one size, a number each."""
    at = [
        pd.Timestamp(start, tz=zone) + pd.Timedelta(seconds=k * pause_s)
        for start in starts
        for k in range(size)
    ]
    table = pd.DataFrame({"started": pd.to_datetime(at, utc=True).as_unit("us")})
    return table.assign(number=np.arange(len(table), dtype=np.int32), attempt=1)


def test_a_day_tells_nothing_of_weekdays_and_says_so():
    load = fit_load(call_log(lists_at(["2026-03-10 09:00", "2026-03-10 11:30"], 90), ZONE))
    (part,) = load.classes
    assert part.rates.by_weekday == {}
    assert {hour: rate.value for hour, rate in part.rates.by_hour.items()} == {
        9: pytest.approx(1),
        11: pytest.approx(1),
    }
    assert part.sizes is not None
    assert part.sizes.contacts == 90
    assert any("one weekday" in note for note in load.notes)
    assert any("mon, wed" in note and "mean day" in note for note in load.notes)
    assert any("2 lists tell little" in note for note in load.notes)


def test_an_hour_is_all_that_a_log_of_an_hour_tells():
    load = fit_load(call_log(lists_at(["2026-03-10 09:00"], 60), ZONE))
    (part,) = load.classes
    assert (part.rates.starts, list(part.rates.by_hour)) == (1, [9])
    assert part.rates.by_hour[9].low < 0.2
    assert part.rates.by_hour[9].high > 5


def test_hours_are_those_of_the_callees_zone():
    table = lists_at(["2026-03-10 09:00", "2026-03-11 09:00"], 60)
    (part,) = fit_load(call_log(table, "America/Los_Angeles")).classes
    assert list(part.rates.by_hour) == [6]


def test_times_on_both_sides_of_a_change_of_clocks_are_of_one_local_hour():
    days = [f"2026-03-{day:02d} 09:00" for day in range(5, 12)]
    (part,) = fit_load(call_log(lists_at(days, 60), ZONE)).classes
    assert list(part.rates.by_hour) == [9]
    assert part.minutes["top"].value == 1


def test_retries_are_no_contacts_of_a_list():
    table = lists_at(["2026-03-10 09:00"], 60)
    again = table.assign(started=table["started"] + pd.Timedelta(minutes=30), attempt=2)
    (part,) = fit_load(call_log(pd.concat([table, again]).sort_values("started"), ZONE)).classes
    assert (part.calls, part.max_retry) == (60, 1)
    assert part.retry_interval_s is not None
    assert part.retry_interval_s.value == 1800


@pytest.mark.parametrize(
    ("table", "zone", "message"),
    [
        (lists_at(["2026-03-10 09:00"], 5), None, "time zone"),
        (lists_at(["2026-03-10 09:00"], 5).drop(columns="started"), ZONE, "no times of dials"),
        (lists_at(["2026-03-10 09:00"], 5).assign(weight=2.0), ZONE, "several attempts"),
        (lists_at(["2026-03-10 09:00"], 5).assign(attempt=2), ZONE, "first attempt"),
    ],
)
def test_a_log_that_tells_of_no_load_says_why(table, zone, message):
    with pytest.raises(ScenarioError, match=message):
        fit_load(call_log(table, zone))


def test_a_load_is_fitted_only_if_asked():
    table = lists_at(["2026-03-10 09:00"], 60).assign(outcome="no_answer")
    assert fit(call_log(table, ZONE)).load is None
    assert "background" not in fit(call_log(table, ZONE)).to_mapping()
    assert "background" in fit(call_log(table, ZONE), load=True).to_mapping()
