"""Antithetic and stratified runs: the replication is the unit, and they are used where they help.

The queue with a known answer is a list that is there at once before one port: the wait of the
call with index k is the sum of the first k times on the port, whose means are known.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outsim.errors import StudyError
from outsim.estimates import estimate
from outsim.results.checkpoint import simulate
from outsim.results.measures import MEASURES, measure_named
from outsim.studies.run_array import RunArray
from outsim.studies.runs import PLAIN_RUN, Run, RunMeasures, VarianceReduction, runs_of
from outsim.studies.study import load_study, run_of
from outsim.studies.study_run import StudyRun
from outsim.studies.synchronous import run_sync
from outsim.studies.variance_reduction import (
    LEAST_PILOT,
    MOST_SAVED,
    PILOT,
    decide,
    is_worthwhile,
    variance_ratio,
)
from outsim.tape import STRATA, Purpose, Tape
from tests.engine import scenarios
from tests.theory.bare import OVERHEAD_US, bare

from .scenarios import chancy

ANTITHETIC, STRATIFIED = runs_of(antithetic=True), runs_of(stratified=True)
CALLS, MEAN_S = 12, 20.0


def studied(*scenarios, **options):
    """Findings of a study made in one thread."""
    with ThreadPoolExecutor(1) as thread:
        options = {"executor": thread, "progress": None} | options
        return run_of(scenarios, **options).run()


async def all_of(study: StudyRun) -> dict[int, RunArray]:
    """What a study streams, each replication once, by its number."""
    told = [each async for each in study]
    assert len({each.index for each in told}) == len(told)
    return {each.index: each for each in sorted(told, key=lambda each: each.index)}


def batch(talk=None, **campaign):
    """A dozen calls at once before one port, on it for exponential times."""
    exponential = {"distribution": "exponential", "mean": f"{MEAN_S:g} s"}
    return bare(7_200, {"contacts": CALLS} | campaign, talk or exponential, ports=1)


def batch_waits_s(tape: Tape) -> np.ndarray:
    """Waits in that queue, worked out by hand: rounded to whole milliseconds as the tape is."""
    uniforms = tape.uniforms("acme", "list", Purpose.TALK, attempt=1, count=CALLS)
    talks_s = np.rint(-np.log1p(-uniforms) * MEAN_S * 1000) / 1000
    return np.concatenate([[0.0], np.cumsum(talks_s[:-1] + OVERHEAD_US / 1e6)])


def median_wait_s(tape: Tape) -> float:
    return float(batch_waits_s(tape)[CALLS // 2 - 1])


MEDIAN_S = (CALLS // 2 - 1) * (MEAN_S + OVERHEAD_US / 1e6)
"""Known mean of the median wait, to the microsecond that a contact takes to load."""


# What a replication is


def test_a_replication_has_the_runs_that_were_asked_for_the_plain_one_first():
    assert runs_of() == (PLAIN_RUN,)
    assert (Run(0, False), Run(0, True)) == ANTITHETIC
    assert tuple(Run(k, False) for k in range(STRATA)) == STRATIFIED
    assert set(ANTITHETIC) | set(STRATIFIED) < set(runs_of(antithetic=True, stratified=True))
    assert len(runs_of(antithetic=True, stratified=True)) == 2 * STRATA


@pytest.mark.parametrize("switch", ["antithetic", "stratified"])
def test_its_figures_are_the_means_of_runs_that_can_be_made_alone(switch):
    scenario = chancy()
    with ThreadPoolExecutor(1) as thread:
        options = {"replications": 3, "executor": thread, "progress": None, switch: True}
        told = run_sync(all_of(run_of(scenario, **options)))
    for index in range(3):
        alone = [
            simulate(scenario, tape=member.tape_of(Tape(scenario.seed, index))).measures()
            for member in runs_of(**{switch: True})
        ]
        for name in ("wait_p50_s", "finish_time_s", "completed_share"):
            mean = float(np.mean([each[name] for each in alone]))
            assert told[index].mean(runs_of(**{switch: True})).values(0, name).tolist() == [mean]


def test_the_engine_waits_as_the_hand_made_queue_does():
    """So that coverage can be tried on thousands of studies without it."""
    for member in runs_of(antithetic=True, stratified=True):
        tape = member.tape_of(Tape(4, 1))
        waits = simulate(batch(), tape=tape).calls["wait_s"].to_numpy()
        assert np.abs(waits - batch_waits_s(tape)).max() < 2e-5


def test_a_replication_is_one_unit_in_every_interval():
    findings = studied(batch(), replications=8, antithetic=True)
    values = findings.values(0, "wait_p50_s")
    assert len(values) == findings.replications == 8
    support = measure_named("wait_p50_s").support
    assert findings.mean(0, "wait_p50_s") == estimate(values, support=support)


def test_a_figure_that_one_run_lacks_is_missing():
    def run(member: Run, value: float) -> RunMeasures:
        return RunMeasures(0, 0, {"finish_time_s": value, "wait_p90_s": 2.0}, 10, 0.0, run=member)

    pair = RunArray.of([run(ANTITHETIC[0], 1.0), run(ANTITHETIC[1], math.nan)]).mean(ANTITHETIC)
    assert np.isnan(pair.values(0, "finish_time_s")).all()
    assert pair.values(0, "wait_p90_s").tolist() == [2.0]


# What is saved


@settings(max_examples=20)
@given(
    correlation=st.sampled_from([-0.9, -0.5, 0.0, 0.5]), runs=st.sampled_from([2, 4]),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_what_is_saved_is_what_the_correlation_of_the_runs_says(correlation, runs, seed):
    """Of m runs that go together with correlation r, the mean has 1 + (m - 1) r the variance."""
    if 1 + (runs - 1) * correlation <= 0.05:
        correlation = -0.9 / (runs - 1)
    covariance = np.full((runs, runs), correlation) + (1 - correlation) * np.eye(runs)
    normal = np.random.default_rng(seed).multivariate_normal(np.zeros(runs), covariance, 20_000)
    known = 1 / (1 + (runs - 1) * correlation)
    assert variance_ratio(normal) == pytest.approx(known, rel=0.1)


def test_runs_that_cancel_each_other_out_save_as_much_as_can_be_told():
    plain = np.random.default_rng(1).normal(size=30)
    assert variance_ratio(np.column_stack([plain, -plain])) == MOST_SAVED
    assert is_worthwhile([np.column_stack([plain, -plain])])


@pytest.mark.parametrize(
    "values", [np.zeros((20, 2)), np.full((20, 2), np.nan), np.array([[1.0, 2.0]])]
)
def test_nothing_is_told_of_what_does_not_vary_or_is_not_there(values):
    assert math.isnan(variance_ratio(values))
    assert not is_worthwhile([values])


def test_antithetic_pairs_save_in_the_batch_queue_what_theory_says():
    """Of -log(1 - u) and -log(u) the correlation is 1 - pi^2 / 6, and so it is of their sums."""
    known = 1 / (2 - math.pi**2 / 6)
    pairs = [[median_wait_s(m.tape_of(Tape(1, k))) for m in ANTITHETIC] for k in range(3_000)]
    assert variance_ratio(np.array(pairs)) == pytest.approx(known, rel=0.12)


def test_stratified_runs_save_in_the_batch_queue_what_theory_says():
    """Of the variance of an exponential time, what is left is that within the quarters."""
    u = (np.arange(400_000) + 0.5) / 400_000
    within = (-np.log1p(-u)).reshape(STRATA, -1).var(axis=1).mean()
    sets = [[median_wait_s(m.tape_of(Tape(1, k))) for m in STRATIFIED] for k in range(3_000)]
    assert variance_ratio(np.array(sets)) == pytest.approx(1 / within, rel=0.12)


# Whether it is used


@pytest.mark.parametrize("runs", [2, 4])
def test_what_does_not_help_is_rarely_used(runs):
    """Runs that have nothing to do with each other: used 5 times in 100, as it is promised.

    The bound is four standard deviations above 7 in 100: the jackknife is not exact.
    """
    random = np.random.default_rng(20260310)
    used = np.mean([is_worthwhile([random.normal(size=(PILOT, runs))]) for _ in range(600)])
    assert used < 0.07 + 4 * math.sqrt(0.07 * 0.93 / 600)


def test_what_helps_clearly_is_used():
    random = np.random.default_rng(5)
    for _ in range(50):
        plain = random.normal(size=PILOT)
        pairs = np.column_stack([plain, random.normal(scale=0.4, size=PILOT) - plain])
        assert is_worthwhile([pairs])


def test_too_few_replications_tell_nothing():
    plain = np.random.default_rng(1).normal(size=LEAST_PILOT - 1)
    assert not is_worthwhile([np.column_stack([plain, -plain])])


def symmetric():
    """Calls that are completed where their draw is far from the middle, and not where it is near.

    1 - u is as far from it as u: a pair completes the same calls twice, so it is worth one run
    and costs two.
    """
    far = {"human": 25, "no_answer": 50, "voicemail": 25, "busy": 0}
    campaign = scenarios.campaign(contacts=30, profile="far")
    return scenarios.scenario(campaign, profiles={"far": far})


def test_a_switch_that_does_not_help_leaves_the_study_as_it_is_without():
    plain = studied(symmetric(), replications=24)
    antithetic = studied(symmetric(), replications=24, antithetic=True)
    (reduction,) = antithetic.reductions
    assert not reduction.is_used
    assert reduction.decided_on == PILOT
    assert max(reduction.saved_for("completed_share")) == pytest.approx(0.5)
    pd.testing.assert_frame_equal(antithetic.to_dataframe(), plain.to_dataframe())


def test_after_the_decision_only_what_is_used_is_run():
    with ThreadPoolExecutor(1) as thread:
        options = {"replications": PILOT + 2, "executor": thread, "progress": None}
        helped = run_sync(all_of(run_of(batch(), stratified=True, **options)))
        useless = run_sync(all_of(run_of(symmetric(), antithetic=True, **options)))
    assert [len(each.runs) for each in helped.values()] == [STRATA] * (PILOT + 2)
    assert [len(each.runs) for each in useless.values()] == [2] * PILOT + [1] * 2


def test_a_decision_does_not_depend_on_how_the_study_grew(tmp_path):
    """Eight replications first, then all: as all at once, and what is there is not run again."""
    options = {"antithetic": True, "directory": tmp_path / "grown"}
    studied(symmetric(), replications=8, **options)
    grown = studied(symmetric(), replications=24, **options)
    at_once = studied(symmetric(), replications=24, antithetic=True)
    assert grown.to_dict() == at_once.to_dict()


def test_a_part_that_cannot_decide_has_all_runs_and_joins_the_whole(tmp_path):
    options = {"antithetic": True, "directory": tmp_path}
    part = studied(batch(), replications=range(22, 24), **options)
    assert part.reductions[0].is_used
    assert part.reductions[0].decided_on == 0
    whole = studied(batch(), replications=24, **options)
    assert whole.to_dict() == studied(batch(), replications=24, antithetic=True).to_dict()


def test_a_precision_is_never_asked_after_before_the_least_replications():
    findings = studied(
        batch(), precision={"wait_p50_s": "1000 s"}, min_replications=26, antithetic=True
    )
    assert findings.replications == 26


def test_both_switches_are_decided_apart():
    findings = studied(batch(), replications=PILOT, antithetic=True, stratified=True)
    assert [(each.name, each.runs) for each in findings.reductions] == [
        ("antithetic", 2),
        ("stratified", STRATA),
    ]
    alone = studied(batch(), replications=PILOT, stratified=True)
    assert findings.reductions[1].to_dict() == alone.reductions[0].to_dict()


def test_a_study_kept_without_a_switch_is_not_that_with_it(tmp_path):
    studied(chancy(), replications=2, directory=tmp_path)
    with pytest.raises(StudyError, match="switches: none, and not stratified"):
        studied(chancy(), replications=2, directory=tmp_path, stratified=True)


def test_a_kept_study_has_its_runs_and_its_controls(tmp_path):
    options = {"antithetic": True, "stratified": True, "controls": True}
    with ThreadPoolExecutor(1) as thread:
        asked = {"replications": 2, "directory": tmp_path, "executor": thread, "progress": None}
        first = run_of(chancy(), **asked, **options)
        made = first.run()
    again = load_study(tmp_path)
    assert again.result.to_dict() == made.to_dict()
    kept, had = (each.storage.runs(1) for each in (again, first.study))
    assert kept.runs == first.study.switches.runs
    assert kept.columns == had.columns
    assert np.array_equal(kept.array, had.array, equal_nan=True)


def test_all_executors_and_engines_give_the_same_findings():
    options = {"antithetic": True, "controls": True, "replications": 3}
    scenario_pair = chancy("a"), chancy("b", max_retry=0)
    found = [
        studied(*scenario_pair, engine=engine, executor=executor, **options).to_dict()
        for engine, executor in (("simpy", "processes"), ("compiled", "threads"))
    ]
    assert found[0] == found[1] == studied(*scenario_pair, **options).to_dict()


def test_scenarios_are_paired_within_each_run():
    """A scenario held against itself differs in nothing, whatever a replication is made of."""
    findings = studied(chancy("a"), chancy("b"), replications=6, antithetic=True, stratified=True)
    for each in MEASURES:
        if not each.optional:
            assert findings.difference(1, each.name).is_zero


# Coverage


def covered(switch: str, studies: int, replications: int) -> float:
    """Share of studies of the batch queue whose interval holds the known mean.

    Decided as a study decides it, on the hand-made queue that equals the engine's.
    """
    runs = runs_of(**{switch: True})
    holding = 0
    for number in range(studies):
        replicated = []
        for k in range(replications):
            plain = Tape(number, k)
            replicated += [
                RunMeasures(0, k, {"wait": median_wait_s(m.tape_of(plain))}, 0, 0.0, run=m)
                for m in runs
            ]
        switches = VarianceReduction(**{switch: True})
        pilot = RunArray.of([each for each in replicated if each.replication < PILOT])
        counted = runs_of(**decide(switches, pilot))
        found = estimate(RunArray.of(replicated).mean(counted).values(0, "wait"))
        holding += found.low <= MEDIAN_S <= found.high
    return holding / studies


@pytest.mark.parametrize("switch", ["antithetic", "stratified"])
def test_intervals_hold_the_known_mean_as_often_as_they_promise(switch):
    """Of 200 studies 95 in 100, give or take four standard deviations of that share."""
    assert abs(covered(switch, 200, 20) - 0.95) < 4 * math.sqrt(0.95 * 0.05 / 200)


@pytest.mark.deep
@pytest.mark.parametrize("switch", ["antithetic", "stratified"])
def test_intervals_of_many_studies_hold_the_known_mean(switch):
    assert 0.93 <= covered(switch, 1_000, 20) <= 0.97
