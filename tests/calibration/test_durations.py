"""Durations: counted per second, fitted near what was recorded, chosen by later calls."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

import outsim.plots
from outsim.calibration.durations import (
    SCORED,
    TABLE,
    cdf_of,
    drift_between,
    fit_duration,
    recorded_table,
)
from outsim.calibration.families import (
    FAMILIES,
    Counts,
    count,
    fit_family,
    named_distribution,
)
from outsim.distributions import Lognormal
from outsim.errors import ScenarioError

DATA = Path(__file__).parents[2] / "examples" / "data"
LOGNORMAL = FAMILIES["lognormal"]

seconds = st.lists(st.integers(0, 5000), min_size=2, max_size=300)


def bank() -> NDArray[np.float64]:
    return pd.read_csv(DATA / "bank_outbound_2008.csv.gz")["duration_s"].to_numpy(np.float64)


def students() -> NDArray[np.float64]:
    found = pd.read_csv(DATA / "cns_mobile_calls.csv.gz")["duration_s"].to_numpy(np.float64)
    return found[found > 0]


def words() -> NDArray[np.float64]:
    table = pd.read_csv(DATA / "robocall_message_words.csv")
    return table["words"][(table["language"] == "en") & (table["words"] > 0)].to_numpy(np.float64)


@given(recorded=seconds)
def test_quantiles_of_counts_are_those_of_the_rows(recorded: list[int]) -> None:
    at = [0.0, 0.1, 0.25, 0.5, 0.9, 0.99, 1.0]
    rows = np.where(np.array(recorded) > 0, recorded, 0.25)
    np.testing.assert_allclose(count(recorded).quantiles_s(at), np.quantile(rows, at))


@given(recorded=st.lists(st.tuples(st.integers(0, 60), st.booleans()), min_size=3, max_size=200))
def test_censored_shares_are_those_of_the_product_limit_estimate(
    recorded: list[tuple[int, bool]],
) -> None:
    times = np.array([time for time, _ in recorded])
    cut = np.array([is_cut for _, is_cut in recorded])
    if cut.all():
        return
    counts = count(times, is_censored=cut)
    right = stats.ecdf(stats.CensoredData(uncensored=times[~cut], right=times[cut])).cdf
    expected = right.evaluate(counts.recorded_s)
    np.testing.assert_allclose(counts.shares, expected / expected[-1], atol=1e-12)


@given(recorded=seconds)
def test_a_weight_is_as_good_as_as_many_rows(recorded: list[int]) -> None:
    values, sizes = np.unique(recorded, return_counts=True)
    np.testing.assert_array_equal(count(recorded).events, count(values, sizes).events)


def test_nothing_to_count() -> None:
    with pytest.raises(ScenarioError, match="durations: found none"):
        count([np.nan, -1])


@pytest.mark.parametrize(("rounding", "rounded"), [("nearest", np.rint), ("down", np.floor)])
def test_rounding_to_seconds_moves_no_parameter(rounding: str, rounded: np.ufunc) -> None:
    truth = stats.lognorm(0.6, scale=4).rvs(200_000, random_state=np.random.default_rng(5))
    form = fit_family(LOGNORMAL, count(rounded(truth), rounding=rounding))  # type: ignore[arg-type]
    median, upper = form.ppf([0.5, stats.norm.cdf(1)])
    assert median == pytest.approx(4, rel=0.01)
    assert np.log(upper / median) == pytest.approx(0.6, rel=0.02)


def test_calls_that_were_given_up_are_no_short_rings() -> None:
    """A fifth of the rings would have gone on beyond where they were cut."""
    generator = np.random.default_rng(6)
    rings = stats.lognorm(0.45, scale=8).rvs(50_000, random_state=generator)
    given_up = generator.choice([8.0, 60.0], len(rings))
    recorded = np.rint(np.minimum(rings, given_up))
    form = fit_family(LOGNORMAL, count(recorded, is_censored=rings > given_up))
    assert form.ppf(0.5) == pytest.approx(8, rel=0.02)
    blind = fit_family(LOGNORMAL, count(recorded[rings <= given_up]))
    assert blind.ppf(0.5) < 7.5
    table = recorded_table(count(recorded, is_censored=rings > given_up))
    assert table.quantile_s(np.array([0.5]))[0] == pytest.approx(8)


@pytest.mark.parametrize("name", ["bank", "students", "words"])
@pytest.mark.parametrize("origin", [0.4, 0.6, 0.8])
def test_a_fit_is_as_near_to_later_calls_as_the_recorded_quantiles(
    name: str, origin: float
) -> None:
    """On real data, at most three points worse at any quantile, from any origin."""
    recorded = {"bank": bank, "students": students, "words": words}[name]()
    known = round(len(recorded) * origin)
    cut = round(known * 0.75)
    fitted = fit_duration(
        "callees.message", *map(count, (recorded[:cut], recorded[cut:known], recorded[:known]))
    )
    shares = np.array(SCORED)
    later = np.quantile(recorded[known:], shares)
    errors = []
    for quantiles in (
        fitted.distribution.quantile_s(shares),
        np.quantile(recorded[:known], shares),
    ):
        factor = np.exp(np.mean(np.log(later / quantiles)))
        errors.append(np.abs(quantiles * factor / later - 1))
    assert (errors[0] - errors[1]).max() <= 0.03


def test_a_lognormal_will_not_do_in_the_tail() -> None:
    fitted = fit_duration("callees.agent_talk", *_parts(bank()))
    lognormal = next(score for score in fitted.scores if score.form == "lognormal")
    assert not lognormal.is_near
    assert fitted.form != "lognormal"


def test_a_lognormal_that_is_one_is_called_so() -> None:
    truth = stats.lognorm(0.5, scale=300).rvs(200_000, random_state=np.random.default_rng(3))
    fitted = fit_duration("callees.message", *_parts(np.rint(truth)))
    assert isinstance(fitted.distribution, Lognormal) or fitted.form != TABLE
    assert fitted.distribution.quantile_s(np.array([0.999]))[0] == pytest.approx(
        stats.lognorm(0.5, scale=300).ppf(0.999), rel=0.02
    )


def test_the_tail_beyond_the_recorded_calls_is_fitted() -> None:
    """Pareto durations: the share beyond the 99.9th percentile is far from the few seen."""
    truth = stats.genpareto(0.3, scale=100)
    drawn = truth.rvs(4000, random_state=np.random.default_rng(2))
    table = recorded_table(count(np.rint(drawn)))
    at = np.array([0.999, 0.9995])
    np.testing.assert_allclose(table.quantile_s(at), truth.ppf(at), rtol=0.25)


def test_pictures_show_the_fit_beside_both_parts_of_the_log() -> None:
    fitted = fit_duration("callees.message", *_parts(words()))
    shares = outsim.plots.fitted_duration(fitted)
    named = [line.get_label() for line in shares.get_lines()]
    assert named == ["earlier calls (805)", "later calls (268)", f"fit ({fitted.form})"]
    quantiles = outsim.plots.fitted_quantiles(fitted)
    recorded, drawn = quantiles.get_lines()[1].get_data()
    inner = slice(40, 396)
    np.testing.assert_allclose(np.array(recorded)[inner], np.array(drawn)[inner], rtol=0.08)


def test_the_shares_of_a_table_are_the_inverse_of_its_quantiles() -> None:
    table = recorded_table(count(bank()))
    shares = np.linspace(0.02, 0.999, 50)
    np.testing.assert_allclose(cdf_of(table, table.quantile_s(shares)), shares, atol=1e-4)


@pytest.mark.parametrize("factor", [1.0, 1.3])
def test_drift_is_found_where_it_is(factor: float) -> None:
    truth = stats.lognorm(0.9, scale=60)
    early, late = (
        np.rint(scale * truth.rvs(3000, random_state=np.random.default_rng(seed)))
        for seed, scale in ((1, 1.0), (2, factor))
    )
    drift = drift_between(count(early), count(late))
    assert drift.is_there == (factor != 1)
    assert drift.low <= factor <= drift.high


def _parts(recorded: NDArray[np.float64]) -> tuple[Counts, Counts, Counts]:
    cut = round(len(recorded) * 0.75)
    return count(recorded[:cut]), count(recorded[cut:]), count(recorded)


PARAMETERS = {1: [2.0], 2: [0.3, 2.0], 3: [0.9, 0.2, 2.0], 5: [0.4, 1.0, 4.0, -1.0, -0.3]}
PARAMETERS[8] = [0.4, -0.2, 1.0, 3.0, 4.0, -1.0, -0.3, -0.5]


@pytest.mark.parametrize("name", FAMILIES)
def test_whatever_is_fitted_can_be_written_by_hand(name: str) -> None:
    form = FAMILIES[name].make(np.array(PARAMETERS[FAMILIES[name].parameters]))
    written = named_distribution(name, form)
    assert written is not None
    at = np.array([0.001, 0.1, 0.5, 0.9, 0.999])
    np.testing.assert_allclose(written.quantile_s(at), form.ppf(at), rtol=1e-3)
