"""A real shared scheduler: what its notebook and the README say of it is so."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

import outsim
from examples import shared_scheduler as example

Tables = dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def seen() -> dict[int, pd.DataFrame]:
    slots = example.observed()
    return {year: slots[slots["year"] == year] for year in (2022, 2023)}


@pytest.fixture(scope="module")
def rest(seen) -> pd.DataFrame:
    """Slots of 2023 after January."""
    return seen[2023][seen[2023]["month"] > 1]


@pytest.fixture(scope="module")
def scenario() -> outsim.Scenario:
    return outsim.load(example.SCENARIO)


@pytest.fixture(scope="module")
def simulated(scenario) -> pd.DataFrame:
    """Slots of 40 days."""
    return example.as_seen(example.simulated(scenario, days=40))


@pytest.fixture(scope="module")
def model(simulated) -> pd.DataFrame:
    return example.by_slot(simulated)


@pytest.fixture(scope="module")
def with_33_runners(scenario) -> pd.DataFrame:
    return example.predicted(example.with_runners(scenario, 33), days=40)


def january(seen) -> pd.DataFrame:
    return example.by_slot(seen[2023][seen[2023]["month"] == 1])


def worst_first(table: pd.DataFrame) -> list[int]:
    """Slot minutes from the longest mean lag to the shortest, hours from 04:00."""
    return [*table.loc[4:].mean().sort_values(ascending=False).index]


def from_four(predicted: pd.DataFrame, slots: pd.DataFrame) -> dict[str, float]:
    return example.score(predicted.loc[4:], example.by_slot(slots).loc[4:])


# The headline numbers


def test_the_load_fitted_to_2022_says_what_its_slots_did_from_four_o_clock_on(model, seen):
    assert worst_first(model) == worst_first(example.by_slot(seen[2022]))
    found = from_four(model, seen[2022])
    assert found["slot_error_s"] == pytest.approx(74, abs=0.5)
    assert found["slot_rank"] == pytest.approx(0.82, abs=0.005)


def test_from_2022_alone_it_is_nearer_to_2023_than_averages_but_orders_slots_less_well(
    model, seen
):
    real = example.by_slot(seen[2023])
    outsims = example.score(model, real)
    averages = example.score(example.by_slot(seen[2022]), real)
    assert outsims["slot_error_s"] == pytest.approx(171, abs=0.5)
    assert averages["slot_error_s"] == pytest.approx(191, abs=0.5)
    assert outsims["slot_rank"] == pytest.approx(0.43, abs=0.005)
    assert averages["slot_rank"] == pytest.approx(0.56, abs=0.005)


def test_january_went_as_if_there_were_33_runners_and_not_one_more_or_less(scenario, seen):
    errors = {}
    for runners in (32, 33, 34):
        lags = example.predicted(example.with_runners(scenario, runners), days=12)
        errors[runners] = example.score(lags, january(seen))["slot_error_s"]
    assert min(errors, key=errors.__getitem__) == 33


def test_with_the_runners_of_january_it_says_the_order_of_the_minutes_for_the_rest(
    with_33_runners, rest
):
    assert worst_first(with_33_runners) == worst_first(example.by_slot(rest)) == [20, 0, 40]


def test_told_how_january_went_its_error_is_less_than_half_that_of_averages_told_the_same(
    with_33_runners, seen, rest
):
    averages = example.by_slot(seen[2022])
    own_s = example.OWN_RUN_S
    scaled = {k: own_s + (averages - own_s) * k / 100 for k in range(10, 101)}
    lowered = {less: (averages - less).clip(lower=own_s) for less in range(0, 401, 5)}
    rivals = [
        min(tables.values(), key=lambda table: example.score(table, january(seen))["slot_error_s"])
        for tables in (scaled, lowered)
    ]
    errors = [
        from_four(table, rest)["slot_error_s"]
        for table in (with_33_runners, *rivals, january(seen))
    ]
    assert errors == pytest.approx([32, 68, 82, 26], abs=0.5)


def test_a_sixth_of_the_slots_was_unseen_in_2022_and_the_model_hides_far_fewer(seen, simulated):
    unseen = [rows["delay_s"].isna().mean() for rows in seen.values()]
    assert unseen == pytest.approx([0.167, 0.065], abs=0.0005)
    assert simulated["delay_s"].isna().mean() == pytest.approx(0.0375, abs=0.0005)


# What they are made with


def test_the_scenario_file_is_the_one_that_the_fitted_load_makes():
    assert example.SCENARIO.read_text(encoding="utf-8") == example.scenario_text(example.FITTED)


@pytest.mark.parametrize(
    ("hour", "jobs"), [(1, 1), (4, 11), (6, 101), (8, 11), (12, 1111), (18, 101), (0, 11111)]
)
def test_the_list_of_an_hour_holds_each_job_that_comes_at_that_hour(hour, jobs):
    load = example.Load(0, 1, 0, 0, (1, 10, 100, 1000, 10000))
    assert load.at(hour) == jobs


def waits(*waits_s: float) -> pd.DataFrame:
    """Waits of the first slots of a day; none in the hour before it."""
    every = [0.0] * 3 + [*waits_s]
    hours, places = np.divmod(np.arange(len(every)), 3)
    return pd.DataFrame({"day": 0, "hour": hours - 1, "minute": 20 * places, "wait_s": every})


def test_a_job_that_never_waits_is_seen_after_its_own_run():
    assert (example.as_seen(waits(0, 0, 0))["delay_s"] == example.OWN_RUN_S).all()


def test_a_run_that_ends_after_the_next_slot_is_seen_as_that_slots():
    """The first slot's run ends 54 s into the second one, and hides the second one's own."""
    shown = example.as_seen(waits(1000, 500, 0))
    np.testing.assert_array_equal(shown["delay_s"], [np.nan, 54, example.OWN_RUN_S])
    np.testing.assert_array_equal(shown["lag_s"], [1200, 54, example.OWN_RUN_S])


def test_a_score_is_perfect_only_of_what_was_seen(seen):
    real = example.by_slot(seen[2023])
    assert example.score(real, real) == {
        "slot_error_s": 0,
        "hour_error_s": 0,
        "minute_error_s": 0,
        "slot_rank": pytest.approx(1),
        "hour_rank": pytest.approx(1),
    }
    later = example.score(real + 60, real)
    assert [later[f"{what}_error_s"] for what in ("slot", "hour", "minute")] == [60, 60, 60]
    assert later["slot_rank"] == pytest.approx(1)


def test_an_interval_comes_from_the_days_of_both_sides(simulated, seen):
    """Days that are all alike leave nothing to the luck of drawing them."""
    alike = seen[2023][seen[2023]["month"] == 1].assign(lag_s=400.0 + seen[2023]["hour"])
    certain = example.scored(alike, alike.assign(lag_s=alike["lag_s"] + 30), repeats=20)
    assert (certain["low"] == certain["high"]).all()
    assert certain.loc["slot_error_s", "value"] == 30
    for days, others in ((simulated, alike), (alike, seen[2023])):
        found = example.scored(days, others, repeats=20).loc["slot_error_s"]
        assert found["low"] < found["high"]


def test_ranks_correlate_as_scipy_has_it(model, seen):
    real = example.by_slot(seen[2023])
    expected = spearmanr(model.to_numpy().ravel(), real.to_numpy().ravel()).statistic
    assert example.score(model, real)["slot_rank"] == pytest.approx(expected)


@pytest.mark.deep
@pytest.mark.parametrize("place", range(9))
@pytest.mark.parametrize("factor", [0.8, 1.25])
def test_no_number_of_the_load_would_fit_clearly_better_if_it_were_another(place, factor, seen):
    numbers = [*example.FITTED[:4], *example.FITTED.every]
    numbers[place] *= factor
    any_minute, pace, first, half, *every = numbers
    other = example.Load(any_minute, pace, first, half, tuple(every))
    best = example.misfit(example.FITTED, seen[2022])
    assert example.misfit(other, seen[2022]) > 0.98 * best
