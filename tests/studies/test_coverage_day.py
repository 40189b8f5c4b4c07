"""Intervals of studies hold the truth as often as they say, on a morning in miniature.

Here no truth is known from theory: that of a long reference run stands in for it. Studies are
made of runs drawn from it at random, with replacement, so that the means over all of its runs
are what they estimate, exactly. Each scenario of a study has the same runs: they are paired.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from outsim.results.measures import MEASURES
from outsim.studies.study import run_of
from outsim.studies.study_result import StudyResult
from tests.measured import tell

from .day import QUARTER, TOP
from .test_coverage import bounds

SEED = 20_260_310
FIGURES = (
    "completed_share",
    "duration_s",
    "wait_p50_s",
    "wait_p90_s",
    "refused_share",
    "status_lag_p90_s",
)
"""Shares, durations, quantiles. `unreported_final_calls` is left out: it is 0 in every run of most
small studies, which so know nothing of its mean."""

PROMISED_S = 500.0
"""A wait that nine calls in ten keep to in most runs."""


@lru_cache
def reference(runs: int) -> StudyResult:
    measures = tuple(each for each in MEASURES if each.name in FIGURES)
    return run_of(
        (TOP, QUARTER),
        replications=runs,
        seed=SEED,
        measures=measures,
        engine="compiled",
        executor="threads",
        progress=None,
    ).run()


def drawn(of: StudyResult, runs: np.ndarray) -> StudyResult:
    """The study that has these runs of another one."""
    data = replace(of.data, replications=tuple(range(len(runs))), array=of.data.array[:, runs])
    return replace(of, data=data)


@pytest.mark.parametrize(
    ("runs", "studies", "within"),
    [
        pytest.param(60, 200, bounds(200), id="200 studies"),
        pytest.param(1_000, 3_000, (0.93, 0.97), id="3000 studies", marks=pytest.mark.deep),
    ],
)
@pytest.mark.parametrize("replications", [20, 40])
def test_intervals_on_a_morning_hold_its_truth(runs, studies, within, replications, request):
    low, high = within
    whole = reference(runs)
    means = {name: whole.mean(0, name).mean for name in FIGURES}
    differences = {name: whole.difference(1, name).mean for name in FIGURES}
    promised = whole.probability(0, "wait_p90_s", at_most=PROMISED_S).mean
    assert 0.6 < promised < 0.95
    random = np.random.default_rng(replications)
    held: dict[str, list[bool]] = {}

    def note(name: str, interval, truth: float) -> None:
        held.setdefault(name, []).append(interval.low <= truth <= interval.high)

    for _ in range(studies):
        found = drawn(whole, random.integers(0, runs, replications))
        for name in FIGURES:
            note(name, found.mean(0, name), means[name])
            note(f"difference: {name}", found.difference(1, name), differences[name])
        note("promise", found.probability(0, "wait_p90_s", at_most=PROMISED_S), promised)
    shares = {name: float(np.mean(each)) for name, each in held.items()}
    for name, share in shares.items():
        tell(request, "coverage on a morning", f"| {name} | {replications} runs | {share:.1%} |")
    outside = {name: share for name, share in shares.items() if not low <= share <= high}
    assert outside == {}
