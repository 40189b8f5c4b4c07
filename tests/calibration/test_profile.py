"""Durations that are drawn as far as few calls leave them open."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy import stats

from outsim.calibration.durations import TABLE, DurationFit, fit_duration
from outsim.calibration.families import count
from outsim.calibration.profile import PLACES, warped
from outsim.distributions import Lognormal

TRUTH = stats.lognorm(0.8, scale=40)
SHARES = np.array([0.5, 0.9, 0.95, 0.99])
CALLS = 137
FITTED = Lognormal.model_validate({"distribution": "lognormal", "median": "40 s", "log_sd": 0.8})

uniforms = arrays(np.float64, PLACES, elements=st.floats(1e-9, 1 - 1e-9))


@lru_cache
def thin(seed: int) -> DurationFit:
    """Fit to so few calls."""
    recorded = np.rint(TRUTH.rvs(CALLS, random_state=np.random.default_rng(seed)))
    cut = round(0.75 * CALLS)
    parts = (recorded[:cut], recorded[cut:], recorded)
    return fit_duration("callees.message", *(count(part, step_s=1.0) for part in parts))


def drawn_s(fitted: DurationFit, seed: int, draws: int = 100) -> NDArray[np.float64]:
    """Quantiles at `SHARES` and means of drawn durations, shape (draws, 5)."""
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        drawn = warped(fitted.distribution, fitted.calls, generator.uniform(size=PLACES))
        found.append(np.append(drawn.quantile_s(SHARES), drawn.mean_s()))
    return np.array(found)


def held(logs: range) -> NDArray[np.float64]:
    """Share of intervals of drawn durations that hold the truth, for each of these figures."""
    truth = np.append(TRUTH.ppf(SHARES), TRUTH.mean())
    ends = [np.quantile(drawn_s(thin(seed), seed), [0.025, 0.975], axis=0) for seed in logs]
    return np.mean([(low <= truth) & (truth <= high) for low, high in ends], axis=0)


def test_a_thin_log_gets_a_form_whose_tail_goes_on_beyond_its_longest_call() -> None:
    fits = [thin(seed) for seed in range(8)]
    assert sum(fitted.form != TABLE for fitted in fits) >= 6
    longer = [fit.distribution.quantile_s(np.array([0.999]))[0] for fit in fits]
    assert np.median(longer / TRUTH.ppf(0.999)) == pytest.approx(1, abs=0.3)


def test_drawn_durations_hold_the_truth_in_the_middle_and_in_the_tail() -> None:
    # Of 8 at 90 %, fewer than 6 with a chance below 1 in 25.
    assert (held(range(8)) >= 6 / 8).all()


@pytest.mark.deep
def test_drawn_durations_hold_the_truth_nearly_as_often_as_they_say() -> None:
    found = held(range(12, 62))
    assert (found >= 0.85).all(), found


@given(draw=uniforms)
def test_a_drawn_tail_begins_where_the_body_ends(draw: NDArray[np.float64]) -> None:
    """Whatever the tail does, durations up to the 90th percentile of the fit are its own."""
    short, long = (warped(FITTED, CALLS, np.append(draw[:-1], end)) for end in (0.01, 0.99))
    body = np.array(short.durations) < 40e6 * np.exp(0.8 * stats.norm.ppf(0.9))
    assert (np.array(short.durations)[body] == np.array(long.durations)[body]).all()
    assert (np.array(short.durations)[~body] < np.array(long.durations)[~body]).all()
    assert short.shares == long.shares


def test_many_calls_leave_little_open() -> None:
    generator = np.random.default_rng(3)
    at = np.array([0.5, 0.9, 0.99])
    drawn = [
        np.log(warped(FITTED, 100_000, generator.uniform(size=PLACES)).quantile_s(at))
        for _ in range(200)
    ]
    errors = np.sqrt(at * (1 - at) / 100_000) / stats.norm.pdf(stats.norm.ppf(at)) * 0.8
    np.testing.assert_allclose(np.std(drawn, axis=0), errors, rtol=0.25)
    assert (np.abs(np.mean(drawn, axis=0) - np.log(FITTED.quantile_s(at))) < errors).all()
