"""Claims: their verdicts are right at the stated rate, whichever way they are wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outsim.errors import StudyError
from outsim.estimates import mean_bounds
from outsim.scenario import Scenario, load
from outsim.studies.default_replications import CLAIM
from outsim.studies.study import Study
from outsim.testing.claims import Draw, Replications, Verdict, decide, looks
from tests.testing.examples import CALLS

INFINITE = float("inf")


def drawing(values: np.ndarray) -> Draw:
    """Figures of replications that are known beforehand."""
    return lambda indexes: values[indexes.start : indexes.stop]


def null_suite(
    pool: np.ndarray, claims: int, alpha: float, generator: np.random.Generator
) -> list[Verdict]:
    """A suite of true claims on the edge of being false: the mean of the pool is what it is."""
    mean = float(pool.mean())
    return [
        decide(
            "null",
            drawing(generator.choice(pool, 40)),
            *((-INFINITE, mean), (mean, INFINITE), (mean, mean + 1e9))[k % 3],
            alpha / claims,
            40,
        )
        for k in range(claims)
    ]


def false_alarms(pool: np.ndarray, suites: int, claims: int, alpha: float) -> int:
    """Suites of true claims in which one fails."""
    generator = np.random.default_rng(7)
    return sum(
        any(verdict.word == "fail" for verdict in null_suite(pool, claims, alpha, generator))
        for _ in range(suites)
    )


def at_most_expected(suites: int, alpha: float) -> float:
    """Alarms that a rate of `alpha` stays below but for once in ten thousand times."""
    from scipy.stats import binom

    return float(binom.isf(1e-4, suites, alpha))


def test_true_suites_raise_no_more_alarms_than_stated() -> None:
    pool = np.random.default_rng(3).normal(50, 8, 5_000)
    assert false_alarms(pool, 300, 5, 0.1) <= at_most_expected(300, 0.1)


@pytest.mark.deep
@pytest.mark.parametrize("measure", ["wait_p90_s", "completed_share", "status_lag_p90_s"])
def test_true_suites_on_real_figures_raise_no_more_alarms_than_stated(measure: str) -> None:
    scenario = load(CALLS)
    pool = (
        Study(scenario)
        .run(replications=400, engine="simpy", executor="threads", progress=None)
        .values(0, measure)
    )
    for alpha in (0.01, 0.1):
        assert false_alarms(pool, 4_000, 6, alpha) <= at_most_expected(4_000, alpha)


SAMPLES = st.builds(
    lambda mean, spread, seed: np.random.default_rng(seed).gamma(1.0, spread, 12) + mean,
    st.floats(-100, 100),
    st.floats(0.1, 10),
    st.integers(0, 2**32 - 1),
)


@given(SAMPLES, st.floats(0.001, 0.2))
def test_bounds_are_students_and_further_out_where_the_tail_is(
    values: np.ndarray, alpha: float
) -> None:
    from scipy.stats import skew, ttest_1samp

    low, high = mean_bounds(values, alpha)
    below, above = values.mean() - low, high - values.mean()
    assert (above > below) == (skew(values) > 0)
    symmetric = np.concatenate([values, -values])
    student = ttest_1samp(symmetric, 0).confidence_interval(1 - 2 * alpha)
    assert mean_bounds(symmetric, alpha) == pytest.approx((student.low, student.high))


@pytest.mark.parametrize("shape", [0.5, 1.0])
def test_bounds_of_skewed_figures_err_hardly_more_often_than_they_may(shape: float) -> None:
    """Of 4,000 samples of 40 from a gamma distribution, at 1 %: Johnson's t erred in 3 %."""
    samples = np.random.default_rng(1978).gamma(shape, 1 / shape, size=(4_000, 40))
    found = np.array([mean_bounds(sample, 0.01) for sample in samples])
    assert (found[:, 0] > 1).mean() < 0.016
    assert (found[:, 1] < 1).mean() < 0.016


@given(st.integers(2, 2_000))
def test_looks_end_with_the_most_and_begin_with_the_least(most: int) -> None:
    ends = looks(most)
    assert ends == sorted(set(ends))
    assert ends[-1] == most
    assert ends[0] == min(CLAIM, most)


def test_a_clear_claim_is_decided_at_the_first_look_and_a_close_one_at_none() -> None:
    values = np.random.default_rng(1).normal(100, 10, 160)

    def verdict(low: float, high: float) -> tuple[str, int]:
        found = decide("mean", drawing(values), low, high, 0.01, 160)
        return found.word, found.replications

    assert verdict(-INFINITE, 200) == ("pass", CLAIM)
    assert verdict(200, INFINITE) == ("fail", CLAIM)
    assert verdict(-INFINITE, float(values.mean())) == ("undecided", 160)
    assert verdict(80, 120)[0] == "pass"
    assert verdict(110, 120)[0] == "fail"


def test_a_figure_that_does_not_vary_is_decided_exactly() -> None:
    same = drawing(np.full(20, 3.0))
    assert decide("mean", same, -INFINITE, 3.0, 0.01, 20).word == "pass"
    assert decide("mean", same, -INFINITE, 2.9, 0.01, 20).word == "fail"
    longer = drawing(np.array([3.0] * 40 + [4.0] * 40))
    assert decide("mean", longer, -INFINITE, 3.0, 0.01, 80).word == "fail"


def test_replications_without_the_figure_are_not_left_out_in_silence() -> None:
    values = np.array([1.0] * 9 + [np.nan])
    with pytest.raises(StudyError, match="1 of 10 replications have no such figure"):
        decide("mean", drawing(values), -INFINITE, 3.0, 0.01, 10)


def test_differences_are_paired() -> None:
    """The same scenario twice differs by nothing, however much its figures vary."""
    scenario: Scenario = load(CALLS)
    draw = Replications("simpy", 5).of("wait_p90_s", scenario, scenario)
    assert draw(range(3)).tolist() == [0, 0, 0]
