"""Intervals of studies hold the truth as often as they say, on a queue whose answers are known.

Twenty calls are there at once before one port, and everybody who answers hears a message of
exponential length, or of uniform length in the scenario that is held against it. So the wait of a
call is the sum of the messages before it: its mean is known, and where they are exponential its
distribution is the gamma distribution (Erlang 1909). Some runs of the engine first show
that waits are these sums of what the tape draws; a thousand studies then take them from the tape.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from scipy import stats

from outsim.estimates import LEVEL
from outsim.results.measures import Measure, wait_at_s
from outsim.results.view import View
from outsim.studies.study import run_of
from outsim.studies.study_result import StudyResult
from outsim.tape import Purpose, Tape
from tests.theory.bare import OVERHEAD_US, bare

from .scenarios import MadeUp

CALLS = 20
HELD_S = OVERHEAD_US / 1e6
"""That each call takes beside its message."""
MESSAGES_S = (10, 12)
"""Means; of other distributions, so that a difference is no multiple of what it is of."""
QUEUES = tuple(
    bare(
        3_600,
        {"contacts": CALLS},
        message,
        ports=1,
    )
    for message in (
        {"distribution": "exponential", "mean": "10 s"},
        {"distribution": "uniform", "least": "2 s", "most": "22 s"},
    )
)


def wait_mean_s(view: View) -> float:
    return float(view.waits_s.mean())


def wait_p90_s(view: View) -> float:
    return wait_at_s(view, 0.9)


def wait_last_s(view: View) -> float:
    return float(view.waits_s[-1])


MEASURES = tuple(
    Measure(compute.__name__, compute.__name__, "seconds", compute, "minimize")
    for compute in (wait_mean_s, wait_p90_s, wait_last_s)
)


def wait_s(before: float, mean_s: float) -> float:
    """Mean wait of a call with so many before it."""
    return before * (mean_s + HELD_S)


P90_BEFORE = 17
"""Calls before the 18th of 20: that wait is what nine calls in ten do not exceed."""
TRUTH = {
    "wait_mean_s": [wait_s((CALLS - 1) / 2, mean) for mean in MESSAGES_S],
    "wait_p90_s": [wait_s(P90_BEFORE, mean) for mean in MESSAGES_S],
}

PROMISE = 0.9
PROMISED_S = float(stats.gamma.ppf(PROMISE, CALLS - 1, scale=MESSAGES_S[0]))
"""The last call waits longer than this in one run of ten."""


@lru_cache(2)
def uniforms(seed: int, replication: int) -> np.ndarray:
    tape = Tape(seed, replication)
    return tape.uniforms("acme", "list", Purpose.TALK, attempt=1, count=CALLS)


def from_the_tape(place: int, seed: int, replication: int) -> dict[str, float]:
    """Figures of a run of the queue, as sums of what its tape draws."""
    message = QUEUES[place].campaign[0].message or QUEUES[place].callees.message
    held_s = message.quantile_s(uniforms(seed, replication)).round(3) + HELD_S
    waits_s = np.cumsum([0.0, *held_s[:-1]])
    return {
        "wait_mean_s": waits_s.mean(),
        "wait_p90_s": waits_s[P90_BEFORE],
        "wait_last_s": waits_s[-1],
    }


def study(seed: int, places: int = 2, **options) -> StudyResult:
    return run_of(
        QUEUES[:places],
        seed=seed,
        measures=MEASURES,
        engine="simpy",
        executor=MadeUp(from_the_tape),
        **options,
    ).run()


def bounds(studies: int, coverage: float = LEVEL) -> tuple[float, float]:
    """Shares of so many intervals that hold the truth, but for one series in 10,000."""
    low, high = stats.binom.ppf([0.5e-4, 1 - 0.5e-4], studies, coverage)
    return low / studies, high / studies


COUNTS = pytest.mark.parametrize(
    ("studies", "within"),
    [
        pytest.param(200, bounds(200), id="200 studies"),
        pytest.param(1_500, (0.93, 0.97), id="1500 studies", marks=pytest.mark.deep),
    ],
)


def test_the_engines_waits_are_the_sums_of_what_the_tape_draws():
    found = run_of(QUEUES, seed=3, replications=4, measures=MEASURES, executor="threads").run()
    for place in range(len(QUEUES)):
        for replication in range(4):
            measured = {
                each.name: found.values(place, each.name)[replication] for each in MEASURES
            }
            expected = from_the_tape(place, 3, replication)
            assert measured == pytest.approx(expected, rel=0, abs=1e-9)


@COUNTS
def test_intervals_of_a_fixed_number_of_replications(studies, within):
    """A mean, a quantile, a paired difference, a probability over runs."""
    low, high = within
    held = np.zeros((studies, 4))
    for seed in range(studies):
        found = study(seed, replications=40)
        estimates = [
            (found.mean(0, "wait_mean_s"), TRUTH["wait_mean_s"][0]),
            (found.mean(0, "wait_p90_s"), TRUTH["wait_p90_s"][0]),
            (found.difference(1, "wait_p90_s"), np.diff(TRUTH["wait_p90_s"])[0]),
            (found.probability(0, "wait_last_s", at_most=PROMISED_S), PROMISE),
        ]
        held[seed] = [each.low <= truth <= each.high for each, truth in estimates]
    shares = held.mean(axis=0)
    assert (low <= shares).all(), shares
    assert (shares <= high).all(), shares


@COUNTS
def test_intervals_of_studies_that_end_when_they_are_precise(studies, within):
    """Which end by chance where the figures happen to vary little: that must not show."""
    low, high = within
    held, counts = [], []
    for seed in range(studies):
        found = study(seed, places=1, precision={"wait_mean_s": "8%"})
        mean = found.mean(0, "wait_mean_s")
        held.append(mean.low <= TRUTH["wait_mean_s"][0] <= mean.high)
        counts.append(found.replications)
    assert len(set(counts)) > 2, "they end at different counts"
    assert low <= np.mean(held) <= high, np.mean(held)
