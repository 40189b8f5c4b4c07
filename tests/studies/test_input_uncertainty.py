"""Callees drawn for each replication, and what an interval is made of."""

from __future__ import annotations

import json
import pickle
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

import outsim
from outsim.errors import StudyError
from outsim.questions.capacity import capacity
from outsim.results.checkpoint import simulate
from outsim.results.measures import MEASURES, measure, measure_named
from outsim.scenario import Scenario
from outsim.studies.input_uncertainty import (
    paired_replication,
    variance_components,
    with_drawn_callees,
)
from outsim.studies.runs import Job, run_job
from outsim.studies.storage import MemoryStorage, merge
from outsim.studies.study import load_study, run_of
from outsim.studies.synchronous import run_sync

from .thin_logs import PLATFORM, calibrated, true_completed_share, true_scenario

FIGURES = arrays(np.float64, 12, elements=st.floats(-100, 100, allow_subnormal=False))
run_study = partial(run_of, engine="simpy", executor="threads", progress=None)
SHARE = tuple(each for each in MEASURES if each.name == "completed_share")
SMALL: list[dict[str, Any]] = [PLATFORM["campaign"][0] | {"contacts": 25}]


@lru_cache
def thin(seed: int = 1, dials: int = 300) -> Scenario:
    return calibrated(seed, dials, timed=False, campaign=SMALL)


@lru_cache
def retried() -> Scenario:
    """The same callees, with one retry more."""
    more = [SMALL[0] | {"max_retry": 2}]
    return calibrated(1, 300, timed=False, campaign=more, name="retried")


def of_partners(callees: np.ndarray) -> np.ndarray:
    """What each has, of its partner."""
    return callees.reshape(-1, 2)[:, ::-1].ravel()


# What an interval is made of


@given(FIGURES, FIGURES, FIGURES)
def test_the_noise_of_days_is_no_part_of_what_callees_do(own, swapped, days):
    plain, noisy = (
        variance_components(own, swapped),
        variance_components(own + days, swapped + days),
    )
    assert noisy.input_sd == pytest.approx(plain.input_sd, abs=1e-4)


@given(FIGURES)
def test_where_callees_do_nothing_the_interval_is_students(days):
    found = variance_components(days, days)
    assert found.input_sd == found.input_sd_low == found.input_sd_high == 0
    if found.estimate.rare is None:
        low, high = stats.t.interval(0.95, 11, days.mean(), stats.sem(days))
        assert found.estimate.low == pytest.approx(low, abs=2e-3 * (high - low))
        assert found.estimate.high == pytest.approx(high, abs=2e-3 * (high - low))


@given(FIGURES)
def test_where_days_do_nothing_the_callees_variance_is_that_of_pairs(callees):
    found = variance_components(callees, of_partners(callees))
    between = callees[::2] - callees[1::2]
    if np.ptp(callees) > 1e-3:
        assert found.input_sd**2 == pytest.approx(np.mean(between**2) / 2, abs=1e-9)


@given(FIGURES, FIGURES, st.floats(0.01, 100), st.floats(-1e3, 1e3))
def test_parts_are_in_the_unit_of_the_figure(own, swapped, factor, shift):
    first, then = (
        variance_components(own, swapped),
        variance_components(own * factor + shift, swapped * factor + shift),
    )
    if first.estimate.rare is None and then.estimate.rare is None:
        for name in (
            "input_sd",
            "input_sd_low",
            "input_sd_high",
            "stochastic_half_width",
            "stochastic_sd",
        ):
            assert getattr(then, name) == pytest.approx(
                factor * getattr(first, name), abs=1e-4 * factor
            )
        assert then.estimate.half_width == pytest.approx(
            factor * first.estimate.half_width, rel=1e-2, abs=1e-4 * factor
        )


@pytest.mark.parametrize(
    ("of_callees", "of_days", "of_both", "replications"),
    [(1.0, 0.0, 0.0, 12), (1.0, 1.0, 0.0, 20), (1.0, 2.0, 0.5, 20), (0.5, 1.0, 1.0, 60)],
)
def test_on_random_effects_the_parts_and_the_interval_are_right(
    of_callees, of_days, of_both, replications
):
    """The truth is one more draw of callees, as the data tell it."""
    random = np.random.default_rng(5)
    variances, covered, sd_covered, studies = [], 0, 0, 400
    for _ in range(studies):
        callees = random.normal(0, of_callees, replications)
        days = random.normal(10, of_days, replications)
        own, swapped = (
            each + days + random.normal(0, of_both, replications)
            for each in (callees, of_partners(callees))
        )
        found = variance_components(own, swapped)
        truth = 10 + random.normal(0, of_callees)
        covered += found.estimate.low <= truth <= found.estimate.high
        sd_covered += found.input_sd_low <= of_callees <= found.input_sd_high
        variances.append(found.input_sd**2)
    # Of 400 at 95 %, fewer than 365 with a chance below 1 in 1000.
    assert covered >= 365
    assert sd_covered >= 365
    if of_both <= 0.5:
        assert np.mean(variances) == pytest.approx(
            of_callees**2, abs=4 * np.std(variances) / np.sqrt(studies)
        )


@given(st.integers(0, 5), st.integers(2, 12))
def test_only_partners_that_are_both_there_are_held_against_each_other(first, count):
    figures = np.random.default_rng(count).normal(size=(2, 20))
    found = variance_components(*figures[:, first : first + count], first=first)
    numbers = range(first, first + count)
    pairs = [k for k in numbers if k % 2 == 0 and paired_replication(k) in numbers]
    assert found.pairs == len(pairs)
    assert found.estimate.count == count
    if not pairs:
        assert np.isnan(found.estimate.half_width)
        assert np.isfinite(found.stochastic_half_width)


# The draws


@given(st.integers(0, 2**63 - 1), st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_callees_are_drawn_by_seed_and_replication_alone(seed, replication):
    first, other = (with_drawn_callees(each, seed, replication) for each in (thin(), retried()))
    assert first.callees == other.callees
    assert first.profiles == other.profiles
    assert first.campaign == thin().campaign
    other = paired_replication(replication)
    assert with_drawn_callees(thin(), seed, other).callees != first.callees
    assert paired_replication(paired_replication(replication)) == replication


def test_each_replication_is_a_run_with_its_own_callees_and_one_with_its_partners():
    findings = run_study([thin(), retried()], replications=4, input_uncertainty=True).run()
    for place, scenario in enumerate((thin(), retried())):
        for k in range(4):
            for runs, whose in ((findings.data, k), (findings.swapped, paired_replication(k))):
                drawn = with_drawn_callees(scenario, findings.seed, whose)
                result = simulate(drawn, seed=findings.seed, replication=k, engine="simpy")
                expected = measure(
                    result.measure_view(drawn.campaign_under_study), findings.measures
                )
                mine = {name: runs.values(place, name)[k] for name in runs.measures}
                np.testing.assert_equal(mine, expected)


def test_where_only_runs_count_they_are_the_same_ones():
    whole = run_study(thin(), replications=4, input_uncertainty=True).run()
    runs = run_study(thin(), replications=4, input_uncertainty="drawn").run()
    assert runs.data.columns == whole.data.columns
    np.testing.assert_equal(runs.data.array, whole.data.array)
    assert runs.swapped is None
    forecast = outsim.eta(
        thin(), replications=4, input_uncertainty=True, engine="simpy", executor="threads",
        progress=None,
    ).run()  # fmt: skip
    finished = forecast.findings.values(0, "finish_time_s")
    np.testing.assert_equal(finished, whole.values(0, "finish_time_s"))


def test_a_job_gives_the_same_wherever_it_is_done():
    study = run_study([thin(), retried()], replications=2, input_uncertainty=True)
    (job,) = study._jobs(1, (), MemoryStorage())
    elsewhere = pickle.loads(pickle.dumps(job))
    assert isinstance(elsewhere, Job)
    assert repr(run_job(elsewhere)) == repr(run_job(job))


def test_both_engines_give_the_same_findings():
    readable, quick = (
        run_of(
            thin(),
            replications=4,
            input_uncertainty=True,
            engine=engine,
            executor="threads",
            progress=None,
        ).run()
        for engine in ("simpy", "compiled")
    )
    assert json.dumps(readable.to_dict()) == json.dumps(quick.to_dict())


# What a study keeps


def test_a_study_that_is_resumed_or_merged_is_the_whole_one(tmp_path: Path):
    study = partial(run_study, [thin(), retried()], input_uncertainty=True)
    whole = study(replications=6).run().to_dict()
    study(replications=3, directory=tmp_path / "resumed").run()
    assert study(replications=6, directory=tmp_path / "resumed").run().to_dict() == whole
    study(replications=range(3), directory=tmp_path / "a").run()
    study(replications=range(3, 6), directory=tmp_path / "b").run()
    merge(tmp_path / "both", [tmp_path / "a", tmp_path / "b"])
    kept = load_study(tmp_path / "both")
    assert kept.result.to_dict() == whole
    alone = kept.simulate(4, "retried", engine="simpy")
    assert alone.scenario.callees == with_drawn_callees(retried(), kept.seed, 4).callees


@pytest.mark.parametrize(
    ("scenario", "options", "told"),
    [
        (thin(), {}, "switches: input_uncertainty, and not none"),
        (thin(2), {"input_uncertainty": True}, "callees"),
    ],
)
def test_a_directory_holds_one_study(tmp_path: Path, scenario, options, told):
    run_study(thin(), replications=2, input_uncertainty=True, directory=tmp_path).run()
    with pytest.raises(StudyError, match=told):
        run_study(scenario, replications=2, directory=tmp_path, **options)


def test_what_callees_rest_on_is_a_part_of_the_study(tmp_path: Path):
    """Ten times the calls that give the same fit are another study."""
    assert thin().uncertainty is not None
    outcomes = {word: 10 * count for word, count in thin().uncertainty.outcomes.items()}
    surer = thin().model_copy(
        update={"uncertainty": thin().uncertainty.model_copy(update={"outcomes": outcomes})}
    )
    run_study(thin(), replications=2, input_uncertainty=True, directory=tmp_path / "drawn").run()
    with pytest.raises(StudyError, match=r"uncertainty\.outcomes"):
        run_study(surer, replications=2, input_uncertainty=True, directory=tmp_path / "drawn")
    run_study(thin(), replications=2, directory=tmp_path / "plain").run()
    run_study(surer, replications=2, directory=tmp_path / "plain").run()


# What can't be


def test_callees_without_data_can_not_be_drawn():
    with pytest.raises(StudyError, match="'reminders' has no \\[uncertainty\\] of its callees"):
        run_study([thin(), true_scenario()], replications=2, input_uncertainty=True)


@pytest.mark.parametrize("switch", ["antithetic", "stratified", "controls"])
def test_ways_of_saving_variance_go_without_it(switch):
    with pytest.raises(StudyError, match=f"input uncertainty and {switch}"):
        run_study(thin(), replications=2, input_uncertainty=True, **{switch: True})


def test_what_an_interval_is_made_of_takes_drawn_callees():
    findings = run_study(thin(), replications=2).run()
    with pytest.raises(StudyError, match="--input-uncertainty"):
        findings.uncertainty(0, "completed_share")


def test_a_plan_with_drawn_callees_is_about_probabilities():
    plan = partial(capacity, thin(), "platform.ports=1:30", progress=None, engine="simpy")
    with pytest.raises(StudyError, match="write a probability"):
        run_sync(plan(["p95 wait <= 5 min"], input_uncertainty=True))
    wanted = ["P(p90 wait <= 1 min) >= 0.6"]
    found = run_sync(
        plan(wanted, input_uncertainty=True, replications=12, executor="threads", most=150)
    )
    assert found.input_uncertainty
    assert found.runs > 0


# The intervals of studies


def test_a_precision_is_about_the_stochastic_part_that_runs_can_narrow():
    study = run_study(
        thin(), precision={"completed_share": 0.02}, min_replications=10, input_uncertainty=True
    )
    findings = study.run()
    found = findings.uncertainty(0, "completed_share")
    assert found.stochastic_half_width <= 0.02 < found.estimate.half_width
    assert findings.mean(0, "completed_share") == found.estimate
    assert findings.replications < 200


def covered(logs: range, dials: int, replications: int, *, plain: bool) -> tuple[int, int]:
    """How many intervals hold the true share of completed calls: with drawn callees, without."""
    held = [0, 0]
    for seed in logs:
        scenario = calibrated(seed, dials, timed=False)
        for k, is_drawn in enumerate((True, False) if plain else (True,)):
            study = run_study(
                scenario,
                replications=replications,
                seed=seed,
                input_uncertainty=is_drawn,
                engine="compiled",
                measures=SHARE,
            )
            mean = study.run().mean(0, "completed_share")
            held[k] += mean.low <= true_completed_share() <= mean.high
    return held[0], held[1]


def test_intervals_hold_the_truth_only_where_callees_are_drawn():
    with_draws, without = covered(range(24), 500, 8, plain=True)
    # Of 24 at 95 %, fewer than 20 with a chance below 1 in 100.
    assert with_draws >= 20
    assert without <= 12


@pytest.mark.deep
def test_intervals_hold_the_truth_as_often_as_they_say():
    with_draws, _ = covered(range(100, 500), 500, 16, plain=False)
    assert 0.93 <= with_draws / 400 <= 0.97


@pytest.mark.deep
def test_intervals_hold_waits_and_the_time_to_the_end_of_true_callees():
    measures = tuple(measure_named(name) for name in ("wait_p90_s", "finish_time_s"))
    study = partial(run_study, engine="compiled", measures=measures)
    truth = study(true_scenario(), replications=600, seed=77).run()
    held = dict.fromkeys(("wait_p90_s", "finish_time_s"), 0)
    for seed in range(60):
        drawn = study(calibrated(seed, 500), replications=40, seed=seed, input_uncertainty=True)
        findings = drawn.run()
        for name in held:
            found = findings.mean(0, name)
            held[name] += found.low <= truth.mean(0, name).mean <= found.high
    # Of 60 at 95 %, fewer than 53 with a chance below 1 in 50.
    assert min(held.values()) >= 53, held
