"""Bands of one day: how often they hold the next one, and what is usual."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from outsim.studies.bands import SHARE, observed_among, prediction_band


@given(st.integers(1, 120))
def test_the_next_run_lies_in_it_as_often_as_it_says(count: int) -> None:
    """Of count + 1 runs any may be the next: each in turn is held against the others' band."""
    days = np.arange(count + 1.0)
    held = 0
    for k in range(count + 1):
        band = prediction_band(np.delete(days, k))
        held += band.low <= days[k] <= band.high
    # The same as for the next of that many: their places are equally likely.
    assert held / (count + 1) == pytest.approx(prediction_band(days[:count]).holds)


@given(st.integers(19, 400))
def test_from_19_runs_on_it_is_for_nine_days_of_ten_and_hardly_wider(count: int) -> None:
    band = prediction_band(np.arange(float(count)))
    assert SHARE - 1e-9 <= band.holds < SHARE + 2 / (count + 1)


def test_few_runs_say_that_they_hold_less() -> None:
    assert prediction_band(np.arange(9.0)).holds == pytest.approx(0.8)
    assert prediction_band(np.array([5.0])).holds == 0
    assert math.isnan(prediction_band(np.array([math.nan])).low)


def test_runs_without_a_figure_are_left_out() -> None:
    with_missing = np.append(np.arange(39.0), math.nan)
    assert prediction_band(with_missing) == prediction_band(np.arange(39.0))
    band = prediction_band(np.arange(39.0))
    assert (band.low, band.median, band.high, band.runs) == (1, 19, 37, 39)


@pytest.mark.parametrize(
    ("seen", "verdict", "as_many"),
    [(0, "less than usual", 39), (1, "usual", 38), (37, "usual", 2), (38, "more than usual", 1)],
)
def test_what_was_seen_is_held_against_the_band(seen: int, verdict: str, as_many: int) -> None:
    observed = observed_among(seen, np.arange(39.0))
    assert observed.verdict == verdict
    interval = binomtest(as_many, 39).proportion_ci(0.95, method="exact")
    assert observed.as_many.mean == as_many / 39
    assert observed.as_many.low == pytest.approx(interval.low)
    assert observed.as_many.high == pytest.approx(interval.high)
    assert f"{as_many} of 39 runs" in observed.text
    assert observed.text.startswith(verdict)
