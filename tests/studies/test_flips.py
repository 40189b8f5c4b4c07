"""Where a difference changes its sign: found where it is, confirmed, and not where it is not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from outsim.scenario.factors import Factor, Range
from outsim.studies.crossover import Crossover, find_crossover

ANY = Factor(Range("x", 0, 1, "", False))
WHOLE = Factor(Range("x", 1, 40, "", True))


def search(
    curve: Callable[[float], float],
    noise: float = 0.0,
    factor: Factor = ANY,
    seed: int = 1,
    replications: int = 20,
) -> Crossover:
    """Search a curve that is seen through normal noise: half of it common to all positions."""
    common = np.random.default_rng(seed).normal(size=10_000)

    async def differences(factor: Factor, position: float, replications: range):
        key = [seed, round(position * 1e9), replications.start]
        own = np.random.default_rng(key).normal(size=len(replications))
        shared = common[replications.start : replications.stop]
        return curve(factor.value(position)) + noise * (shared + own)

    return asyncio.run(find_crossover(factor, differences, replications=replications))


@settings(deadline=None, max_examples=40)
@given(
    root=st.floats(0.02, 0.98),
    slope=st.sampled_from([-3.0, -0.5, 1.0]),
    noise=st.sampled_from([0.001, 0.02, 0.1]),
    seed=st.integers(0, 2**31),
)
def test_a_confirmed_flip_lies_between_its_two_values(root, slope, noise, seed):
    flip = search(lambda x: slope * (x - root), noise, seed=seed)
    assume(flip.verdict == "flips")
    (crossing,) = flip.crossings
    # Signs that are clear at once on both sides of the root: luck can't make them at both.
    low, high = crossing.low, crossing.high
    assert low.sign == -high.sign != 0
    assert low.position < crossing.position < high.position
    assert ANY.value(low.position) - noise <= root <= ANY.value(high.position) + noise


def test_without_noise_a_flip_is_found_to_a_part_of_the_range():
    flip = search(lambda x: 0.37 - x)
    (crossing,) = flip.crossings
    assert flip.verdict == "flips"
    assert ANY.value(crossing.low.position) <= 0.37 <= ANY.value(crossing.high.position)
    assert crossing.high.position - crossing.low.position <= 0.01
    assert ANY.value(crossing.position) == pytest.approx(0.37, abs=0.005)


@given(st.integers(1, 39))
def test_whole_numbers_are_narrowed_to_neighbours(last):
    (crossing,) = search(lambda x: x - last - 0.5, factor=WHOLE).crossings
    assert (crossing.low.text, crossing.high.text) == (str(last), str(last + 1))


def test_a_curve_that_turns_round_twice_has_two_flips():
    flip = search(lambda x: (x - 0.2) * (x - 0.7), 0.002)
    assert flip.verdict == "flips"
    spans = [
        (ANY.value(each.low.position), ANY.value(each.high.position)) for each in flip.crossings
    ]
    assert [low <= root <= high for (low, high), root in zip(spans, (0.2, 0.7), strict=True)] == [
        True,
        True,
    ]


@pytest.mark.parametrize(
    ("curve", "noise", "verdict"),
    [
        (lambda x: x + 0.1, 0.01, "none in range"),
        (lambda _: 0.3, 0.0, "no effect"),
        (lambda _: 0.0, 0.0, "no effect"),
        (lambda x: max(0.0, 0.5 - x), 0.001, "undecided"),
    ],
)
def test_where_nothing_flips_that_is_said(curve, noise, verdict):
    flip = search(curve, noise)
    assert (flip.verdict, flip.crossings) == (verdict, ())


def test_pure_noise_is_hardly_ever_taken_for_a_flip():
    """No difference anywhere: of 200 searches, at most as many flips as the confidence allows."""
    verdicts = [search(lambda _: 0.0, 1.0, seed=seed).verdict for seed in range(200)]
    assert verdicts.count("flips") <= 10


def test_the_confirming_replications_are_nobody_elses():
    asked: list[tuple[float, range]] = []

    async def differences(factor: Factor, position: float, replications: range):
        asked.append((position, replications))
        return (
            np.full(len(replications), position - 0.3)
            + np.linspace(-0.01, 0.01, 8)[np.arange(len(replications)) % 8]
        )

    flip = asyncio.run(find_crossover(ANY, differences, replications=8))
    assert flip.verdict == "flips"
    *search_, low, high = asked
    assert low[1] == high[1]
    assert low[1].start >= max(replications.stop for _, replications in search_)
    assert flip.replications == sum(len(replications) for _, replications in asked)


def test_more_assumptions_at_once_make_each_interval_wider():
    async def differences(factor: Factor, position: float, replications: range):
        return np.arange(len(replications), dtype=float)

    one, many = (
        asyncio.run(find_crossover(ANY, differences, replications=8, comparisons=count)).probes[0]
        for count in (1, 10)
    )
    assert many.difference.half_width > one.difference.half_width
