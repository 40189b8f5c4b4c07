"""Distributions of durations: quantiles, means, and the two ways to write a constant."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from scipy import stats

from outsim.clock import MILLISECOND, SECOND
from outsim.distributions import (
    Burr,
    Constant,
    Distribution,
    Exponential,
    Gamma,
    LogLogistic,
    Lognormal,
    Mixture,
    Normal,
    Quantiles,
    Uniform,
    Weibull,
)
from outsim.scenario.defaults import DEFAULTS

MIDPOINTS = (np.arange(200_000) + 0.5) / 200_000

durations = st.integers(1, 600).map(lambda seconds: seconds * SECOND)
shares = st.floats(0.001, 0.999)
ranges = st.tuples(st.integers(1, 100), st.integers(1, 100)).map(
    lambda each: (each[0] * SECOND, (each[0] + each[1]) * SECOND)
)
normals = st.builds(
    lambda median, sd, spread: Normal(
        distribution="normal",
        mean=median,
        sd=sd,
        least=max(SECOND // 10, median - spread[0]),
        most=median + spread[1],
    ),
    durations,
    durations,
    ranges,
)
tables = st.builds(
    lambda shares, steps, scale: Quantiles(
        distribution="quantiles",
        shares=tuple(sorted(shares)),
        durations=tuple(
            SECOND + int(at) for at in np.cumsum(steps[: len(shares)] + [0] * len(shares))
        )[: len(shares)],
        scale=scale,
    ),
    st.lists(st.integers(1, 19), min_size=2, max_size=8, unique=True).map(
        lambda each: [share / 20 for share in each]
    ),
    st.lists(st.integers(0, SECOND), min_size=8, max_size=8),
    st.sampled_from([1.0, 0.5, 3.0]),
)
kinds = st.one_of(
    st.builds(Constant, value=durations),
    st.builds(
        Lognormal, distribution=st.just("lognormal"), median=durations, log_sd=st.floats(0, 1.5)
    ),
    normals,
    st.builds(Exponential, distribution=st.just("exponential"), mean=durations),
    st.builds(
        lambda limits: Uniform(distribution="uniform", least=limits[0], most=limits[1]), ranges
    ),
    tables,
    st.builds(
        Weibull,
        distribution=st.just("weibull"),
        scale=durations,
        shape=st.floats(0.8, 5),
    ),
    st.builds(Gamma, distribution=st.just("gamma"), mean=durations, shape=st.floats(0.5, 20)),
    st.builds(
        LogLogistic, distribution=st.just("loglogistic"), median=durations, shape=st.floats(4, 20)
    ),
    st.builds(
        Burr,
        distribution=st.just("burr"),
        scale=durations,
        shape=st.floats(2, 9),
        tail=st.floats(2, 9),
    ),
    st.builds(
        lambda medians: Mixture(
            distribution="mixture", weights=(1, 3), medians=medians, log_sds=(0.3, 0.7)
        ),
        st.tuples(durations, durations),
    ),
)


@given(distribution=kinds, one=shares, other=shares)
def test_a_higher_uniform_never_gives_a_shorter_duration(
    distribution: Distribution, one: float, other: float
) -> None:
    low, high = distribution.quantile_s(np.array(sorted([one, other])))
    assert 0 <= low <= high


@pytest.mark.parametrize(
    ("distribution", "reference"),
    [
        (
            Lognormal(distribution="lognormal", median=8 * SECOND, log_sd=0.45),
            stats.lognorm(0.45, scale=8),
        ),
        (
            Weibull(distribution="weibull", scale=8 * SECOND, shape=1.5),
            stats.weibull_min(1.5, scale=8),
        ),
        (Gamma(distribution="gamma", mean=8 * SECOND, shape=2.5), stats.gamma(2.5, scale=3.2)),
        (
            LogLogistic(distribution="loglogistic", median=8 * SECOND, shape=3.0),
            stats.fisk(3.0, scale=8),
        ),
        (
            Burr(distribution="burr", scale=8 * SECOND, shape=3.0, tail=2.0),
            stats.burr12(3.0, 2.0, scale=8),
        ),
        (
            Normal(
                distribution="normal",
                mean=21 * SECOND,
                sd=3 * SECOND,
                least=10 * SECOND,
                most=22 * SECOND,
            ),
            stats.truncnorm((10 - 21) / 3, (22 - 21) / 3, loc=21, scale=3),
        ),
        (Exponential(distribution="exponential", mean=7 * SECOND), stats.expon(scale=7)),
        (Uniform(distribution="uniform", least=SECOND, most=4 * SECOND), stats.uniform(1, 3)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_quantiles_and_mean_are_those_of_the_textbook(
    distribution: Distribution, reference: Any
) -> None:
    at = np.array([1e-6, 0.01, 0.25, 0.5, 0.9, 0.999])
    np.testing.assert_allclose(distribution.quantile_s(at), reference.ppf(at), rtol=1e-9)
    assert distribution.mean_s() == pytest.approx(reference.mean())


@given(distribution=kinds)
def test_the_mean_is_the_average_over_quantiles(distribution: Distribution) -> None:
    average = float(np.mean(distribution.quantile_s(MIDPOINTS)))
    # The far tail of a wide lognormal lies between the last two midpoints.
    assert average == pytest.approx(distribution.mean_s(), rel=2e-3)


def test_a_mixture_has_the_shares_of_its_parts() -> None:
    mixture = Mixture(
        distribution="mixture",
        weights=(1, 3),
        medians=(8 * SECOND, 30 * SECOND),
        log_sds=(0.45, 0.2),
    )
    parts = [stats.lognorm(0.45, scale=8), stats.lognorm(0.2, scale=30)]
    at = np.array([1e-4, 0.01, 0.25, 0.5, 0.9, 0.999])
    seconds = mixture.quantile_s(at)
    found = (parts[0].cdf(seconds) + 3 * parts[1].cdf(seconds)) / 4
    np.testing.assert_allclose(found, at, rtol=1e-3)
    assert mixture.mean_s() == pytest.approx((parts[0].mean() + 3 * parts[1].mean()) / 4)


def test_a_constant_is_kept_to_the_microsecond() -> None:
    constant = Constant(value=1_234_567)
    assert constant.quantile_s(np.array([0.1, 0.9])).tolist() == [1.234567, 1.234567]


def test_a_table_of_lognormal_quantiles_is_that_lognormal() -> None:
    scores = np.array([-1, 0.5, 2])
    table = Quantiles(
        distribution="quantiles",
        shares=tuple(stats.norm.cdf(scores)),
        durations=tuple(round(each * SECOND) for each in 8 * np.exp(0.45 * scores)),
    )
    reference = stats.lognorm(0.45, scale=8)
    at = np.array([1e-6, 0.01, 0.25, 0.5, 0.9, 0.999])
    np.testing.assert_allclose(table.quantile_s(at), reference.ppf(at), rtol=1e-5)
    assert table.mean_s() == pytest.approx(reference.mean())


def test_tables_are_equal_by_what_they_say_also_once_they_were_used() -> None:
    """Two scenarios with one calibration, whose draws are shared."""
    first, second = (
        Quantiles(
            distribution="quantiles", shares=(0.1, 0.5, 0.9), durations=("1 s", "2 s", "9 s")
        )  # type: ignore[arg-type]
        for _ in range(2)
    )
    longer = first.model_copy(update={"scale": 1.1})
    for each in (first, second, longer):
        each.mean_s()
    assert first == second
    assert hash(first) == hash(second)
    assert first != longer


@given(distribution=tables)
def test_a_table_gives_its_own_quantiles(distribution: Quantiles) -> None:
    found = distribution.quantile_s(np.array(distribution.shares))
    written = np.array(distribution.durations) / SECOND * distribution.scale
    np.testing.assert_allclose(found, written, rtol=1e-12)


def test_a_plain_duration_is_constant() -> None:
    adapter: TypeAdapter[Distribution] = TypeAdapter(Distribution)
    plain = adapter.validate_python("350 ms")
    table = adapter.validate_python({"distribution": "constant", "value": "350 ms"})
    assert plain == table == Constant(value=350 * MILLISECOND)


@pytest.mark.parametrize(
    "table",
    [
        {"distribution": "uniform", "least": "2 s", "most": "2 s"},
        {"distribution": "normal", "mean": "1 s", "sd": "1 s", "least": "3 s", "most": "2 s"},
        {"distribution": "normal", "mean": "40 s", "sd": "1 s", "least": "1 s", "most": "2 s"},
        {"distribution": "lognormal", "median": "1 s", "log_sd": 9},
        {"distribution": "lognormal", "median": "1 s"},
        {"distribution": "exponential", "mean": "1 s", "median": "1 s"},
        {"distribution": "quantiles", "shares": [0.5], "durations": ["1 s"]},
        {"distribution": "quantiles", "shares": [0.5, 0.9], "durations": ["1 s"]},
        {"distribution": "quantiles", "shares": [0.9, 0.5], "durations": ["1 s", "2 s"]},
        {"distribution": "quantiles", "shares": [0.5, 0.9], "durations": ["2 s", "1 s"]},
        {"distribution": "quantiles", "shares": [0.5, 1.0], "durations": ["1 s", "2 s"]},
        {"distribution": "gamma", "mean": "1 s"},
        {"distribution": "pareto", "mean": "1 s"},
        {"distribution": "loglogistic", "median": "1 s", "shape": 1},
        {"distribution": "burr", "scale": "1 s", "shape": 0.5, "tail": 2},
        {"distribution": "mixture", "weights": [1, 1], "medians": ["1 s"], "log_sds": [1, 1]},
    ],
)
def test_parameters_that_make_no_distribution(table: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Distribution).validate_python(table)


def test_every_default_distribution_has_the_mean_that_its_source_gives() -> None:
    adapter: TypeAdapter[Distribution] = TypeAdapter(Distribution)
    means = {
        "callees.post_dial_delay": 3.0,
        "callees.ring_human": 8.85,
        "callees.ring_voicemail": 21.0,
        "callees.message": 23.5,
        "callees.agent_talk": 258.3,
    }
    for name, mean in means.items():
        distribution = adapter.validate_python(DEFAULTS[name].value)
        assert distribution.mean_s() == pytest.approx(mean, rel=0.005), name
