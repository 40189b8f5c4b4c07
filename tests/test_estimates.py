"""Estimates: means over replications with Student's t interval, wider where they are skewed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from outsim.estimates import LEVEL, Estimate, estimate, probability

FIGURES = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30)


@given(FIGURES)
def test_the_interval_is_students_t_and_wider_for_skewed_figures(figures):
    values = np.array(figures)
    found = estimate(values)
    assert found.mean == pytest.approx(values.mean())
    assert (found.count, found.missing) == (len(values), 0)
    error = stats.sem(values)
    if len(values) >= 10 and np.ptp(values) > 1e-3:
        z = stats.norm.ppf(0.5 + LEVEL / 2)
        skewness = stats.skew(values, bias=False)
        error *= 1 + (z**4 + 2 * z**2 - 3) / 18 * skewness**2 / len(values)
    elif len(values) >= 10:
        return  # what is left of skewness is rounding
    if error > 1e-9:
        low, high = stats.t.interval(LEVEL, len(values) - 1, loc=values.mean(), scale=error)
        assert found.low == pytest.approx(low, rel=1e-9, abs=1e-6)
        assert found.high == pytest.approx(high, rel=1e-9, abs=1e-6)


def test_equal_figures_leave_no_doubt():
    assert estimate(np.array([0.25] * 8)) == Estimate(0.25, 0.0, 8)


def test_replications_without_a_figure_are_left_out_and_counted():
    nan = math.nan
    found = estimate(np.array([nan, 1.0, 3.0, nan, 5.0]))
    assert (found.count, found.missing) == (3, 2)
    assert found == Estimate(**{**vars(estimate(np.array([1.0, 3.0, 5.0]))), "missing": 2})


def test_one_figure_has_a_mean_and_no_interval():
    found = estimate(np.array([7.0, math.nan]))
    assert (found.mean, found.count, found.missing) == (7.0, 1, 1)
    assert math.isnan(found.half_width)
    assert not found.is_clear


@pytest.mark.parametrize("figures", [[], [math.nan, math.nan]])
def test_no_figure_has_neither(figures):
    found = estimate(np.array(figures, dtype=np.float64))
    assert (found.count, found.missing) == (0, len(figures))
    assert math.isnan(found.mean)
    assert math.isnan(found.half_width)
    assert not found.is_clear


@pytest.mark.parametrize(
    ("mean", "half_width", "clear"),
    [(2.0, 1.9, True), (-2.0, 1.9, True), (2.0, 2.1, False), (-2.0, 2.1, False), (0, 0, False)],
)
def test_a_difference_is_clear_if_its_interval_leaves_0_out(mean, half_width, clear):
    assert Estimate(mean, half_width, 8).is_clear is clear


@pytest.mark.parametrize("count", [3, 8])
def test_intervals_hold_the_true_mean_as_often_as_they_promise(count):
    """Of 5,000 intervals 95 % hold it, give or take four standard deviations of that share.

    The normal quantile in the place of Student's would miss it: 91 % of 8 figures.
    """
    samples = np.random.default_rng(20260310).normal(3.0, 2.0, size=(5000, count))
    holding = [found.low <= 3.0 <= found.high for found in map(estimate, samples)]
    deviation = math.sqrt(LEVEL * (1 - LEVEL) / len(samples))
    assert abs(np.mean(holding) - LEVEL) < 4 * deviation


@pytest.mark.parametrize(("count", "alone"), [(20, 0.917), (40, 0.930)])
def test_intervals_of_skewed_figures_hold_the_true_mean_nearly_as_often(count, alone):
    """Of 5,000 from the exponential distribution: Student's alone would miss by as much again."""
    samples = np.random.default_rng(1992).exponential(1.0, size=(5000, count))
    holding = np.mean([found.low <= 1.0 <= found.high for found in map(estimate, samples)])
    t = stats.t.interval(LEVEL, count - 1, samples.mean(1), stats.sem(samples, axis=1))
    students = np.mean((t[0] <= 1.0) & (t[1] >= 1.0))
    assert students == pytest.approx(alone, abs=0.01)
    assert LEVEL - (LEVEL - students) * 0.7 < holding < LEVEL + 0.005


# Probabilities


@given(st.integers(1, 60), st.integers(0, 60))
def test_the_interval_of_a_probability_is_wilsons(count, happened):
    """By its formula; and the exact one is that of the beta distribution."""
    happened = min(happened, count)
    answers = np.arange(count) < happened
    share, z = happened / count, stats.norm.ppf(0.5 + LEVEL / 2)
    centre = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * math.sqrt(share * (1 - share) / count + (z / count / 2) ** 2)
    found = probability(answers)
    assert (found.mean, found.count) == (share, count)
    assert (found.low, found.high) == pytest.approx((centre - half, centre + half), abs=1e-9)
    assert found.half_width == pytest.approx(half)
    exact = probability(answers, is_exact=True)
    tail = (1 - LEVEL) / 2
    low = stats.beta.ppf(tail, happened, count - happened + 1) if happened else 0.0
    high = stats.beta.isf(tail, happened + 1, count - happened) if happened < count else 1.0
    assert (exact.low, exact.high) == pytest.approx((low, high))


@pytest.mark.parametrize("truth", [0.5, 0.8, 0.9, 0.97])
@pytest.mark.parametrize("count", [20, 50])
def test_the_exact_interval_never_holds_the_truth_less_often_than_it_says(count, truth):
    holding = {True: 0.0, False: 0.0}
    for happened in range(count + 1):
        for is_exact in holding:
            found = probability(np.arange(count) < happened, is_exact=is_exact)
            if found.low <= truth <= found.high:
                holding[is_exact] += float(stats.binom.pmf(happened, count, truth))
    assert holding[True] >= LEVEL
    assert holding[False] > LEVEL - 0.04
    assert holding[False] <= holding[True] + 1e-9


def test_of_no_replication_there_is_no_probability():
    found = probability(np.array([], dtype=np.bool_))
    assert found.count == 0
    assert all(map(math.isnan, (found.mean, found.low, found.high, found.half_width)))
