"""Which assumption flips a recommendation, and at what value.

The recommendation is the sign of the paired difference between two scenarios in one measure.
One assumption at a time is moved through its range. Where the sign is clear at two values and they
differ, the place between them is searched by bisection; then both ends of what is left, or of a
wider bracket, must show the two signs again on replications that the search has not seen.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from outsim.estimates import ANYTHING, LEVEL, Estimate, Support, estimate
from outsim.scenario.factors import Factor
from outsim.studies.search import Samples

Array = NDArray[np.float64]

Differences = Callable[[Factor, float, range], Awaitable[Array]]
"""Paired differences of a factor at a position, one for each of these replications."""

DEFAULT_PROBES = 5
"""Values of an assumption at which the sign is looked at first."""

TIMES = (1, 2, 4, 8)
"""So many times the usual replications are spent at one value, until its sign is clear."""

FINE = 1 / 200
"""Part of the range at which a search ends."""

EDGE = 4
"""So many times a bracket is longer than what is left open of where its unclear part ends."""


@dataclass(frozen=True)
class Probe:
    """The difference at one value of an assumption."""

    position: float
    """From 0, the low end of the range, to 1, the high one."""
    text: str
    """The value, as a scenario file has it."""
    difference: Estimate
    negligible: float = 0.0
    """A smaller difference is none that matters."""

    @property
    def is_small(self) -> bool:
        """Whether the difference is known to be too small to matter."""
        rare = self.difference.rare
        is_known = self.difference.is_clear or (rare is not None and rare.times == 0)
        return is_known and abs(self.difference.mean) < self.negligible

    @property
    def sign(self) -> int:
        """Sign of the difference; 0 where it is not clear or too small to matter."""
        is_clear = self.difference.is_clear and not self.is_small
        return int(np.sign(self.difference.mean)) if is_clear else 0


@dataclass(frozen=True)
class Crossing:
    """A place where the difference changes its sign: it lies between two values."""

    low: Probe
    high: Probe
    fresh: tuple[Estimate, Estimate]
    """The difference at both, over replications that the search had not seen; together, their
    intervals hold with the confidence of all."""
    is_confirmed: bool
    """Whether these have the two signs, too."""
    position: float
    """Where a straight line between the two differences is 0."""


@dataclass(frozen=True)
class Crossover:
    """What one assumption does to the sign of a difference."""

    factor: Factor
    probes: tuple[Probe, ...]
    """Values that were looked at, from low to high."""
    crossings: tuple[Crossing, ...] = ()
    replications: int = 0
    """Replications spent on it."""

    @property
    def name(self) -> str:
        """The assumption's key."""
        return self.factor.name

    @property
    def verdict(self) -> str:
        """Whether it flips: flips, not confirmed, none in range, undecided or no effect."""
        if any(crossing.is_confirmed for crossing in self.crossings):
            return "flips"
        if self.crossings:
            return "not confirmed"
        if len({probe.difference for probe in self.probes}) == 1:
            return "no effect"
        signs = {probe.sign for probe in self.probes}
        return "undecided" if 0 in signs else "none in range"

    @property
    def swing(self) -> float:
        """How far the mean difference moves over the values looked at."""
        means = [probe.difference.mean for probe in self.probes]
        return float(np.nanmax(means) - np.nanmin(means)) if np.isfinite(means).any() else 0.0


class _Probes:
    """Rungs of one factor, by replications that are run once; others are for its ends."""

    def __init__(
        self, factor: Factor, differences: Differences, usual: int, level: float, support: Support
    ) -> None:
        self.factor, self.usual, self.level, self.support = factor, usual, level, support
        self.samples: Samples[float] = Samples(partial(differences, factor))

    async def at(
        self, position: float, replications: int, first: int = 0, level: float | None = None
    ) -> Probe:
        """Difference over so many replications from the first on."""
        values = await self.samples.of(position, replications, first)
        return self._probe(position, values, level or self.level)

    def _probe(self, position: float, values: Array, level: float) -> Probe:
        difference = estimate(values, level, self.support)
        return Probe(position, self.factor.text(position), difference, self.support.negligible)

    async def decided(self, position: float) -> Probe:
        """Difference over as many replications as its sign takes."""

        def judge(values: Array) -> tuple[Probe, bool]:
            probe = self._probe(position, values, self.level)
            return probe, bool(probe.sign) or probe.is_small

        return await self.samples.judge(position, [self.usual * k for k in TIMES], judge)


async def find_crossover(
    factor: Factor,
    differences: Differences,
    *,
    replications: int,
    comparisons: int = 1,
    support: Support = ANYTHING,
) -> Crossover:
    """Look for the values at which a difference changes its sign, among so many `comparisons`."""
    level = 1 - (1 - LEVEL) / comparisons
    probes = _Probes(factor, differences, replications, level, support)
    grid: dict[str, Probe] = {}
    for position in np.linspace(0, 1, factor.levels or DEFAULT_PROBES):
        probe = await probes.at(float(position), replications)
        grid.setdefault(probe.text, probe)
    first = tuple(grid.values())
    crossings = [await _cross(probes, *pair) for pair in _changes(first)]
    return Crossover(factor, first, tuple(crossings), probes.samples.runs)


def _changes(probes: Sequence[Probe]) -> Iterator[tuple[Probe, Probe]]:
    """Pairs of clear probes with different signs, with none that is clear between them."""
    for low, high in pairwise(probe for probe in probes if probe.sign):
        if low.sign != high.sign:
            yield low, high


@dataclass
class _Bracket:
    """Where a flip is looked for: between two clear signs, with what is not clear inside."""

    low: Probe
    high: Probe
    unclear: tuple[float, float] | None = None
    """Lowest and highest position at which the sign is not clear."""

    def next(self, factor: Factor) -> float | None:
        """Position to look at next; None where nothing is left between values to look at."""
        low, high = self.low.position, self.high.position
        parts = [(low, high)]
        if self.unclear is not None:
            parts = [(low, self.unclear[0]), (self.unclear[1], high)]
        least = FINE if self.unclear is None else max(FINE, (high - low) / EDGE)
        for start, end in parts:
            middle = (start + end) / 2
            ends = factor.text(start), factor.text(end)
            if end - start >= least and factor.text(middle) not in ends:
                return middle
        return None

    def take(self, probe: Probe) -> None:
        """Narrow it by what was found at a position inside."""
        if probe.sign == self.low.sign:
            self.low = probe
        elif probe.sign:
            self.high = probe
        else:
            unclear = (*(self.unclear or ()), probe.position)
            self.unclear = min(unclear), max(unclear)
        if self.unclear is not None and not (
            self.low.position < self.unclear[0] and self.unclear[1] < self.high.position
        ):
            self.unclear = None


async def _cross(probes: _Probes, low: Probe, high: Probe) -> Crossing:
    """Narrow a bracket while signs are clear, and confirm what is left of it."""
    bracket = _Bracket(low, high)
    pairs = [(low, high)]
    while (position := bracket.next(probes.factor)) is not None:
        bracket.take(await probes.decided(position))
        if pairs[-1] != (bracket.low, bracket.high):
            pairs.append((bracket.low, bracket.high))
    crossing = await _confirm(probes, *pairs.pop())
    while pairs and not crossing.is_confirmed:
        wider = pairs.pop()
        if _width(*wider) >= 2 * _width(crossing.low, crossing.high) or not pairs:
            crossing = await _confirm(probes, *wider)
    return crossing


def _width(low: Probe, high: Probe) -> float:
    return high.position - low.position


async def _confirm(probes: _Probes, low: Probe, high: Probe) -> Crossing:
    samples = probes.samples
    runs = 2 * max(samples.count(low.position), samples.count(high.position))
    # Both ends must hold together, and each by itself with half of what may go wrong.
    first, level = samples.end, 1 - (1 - probes.level) / 2
    again = [await probes.at(end.position, runs, first, level) for end in (low, high)]
    fresh = again[0].difference, again[1].difference
    is_confirmed = [probe.sign for probe in again] == [low.sign, high.sign]
    zero = _zero(low.position, fresh[0].mean, high.position, fresh[1].mean)
    return Crossing(low, high, fresh, is_confirmed, zero)


def _zero(low: float, at_low: float, high: float, at_high: float) -> float:
    """Where the line through two differences is 0; the middle, where it is not between them."""
    share = at_low / (at_low - at_high) if at_low != at_high else 0.5
    return low + (high - low) * (share if 0 <= share <= 1 else 0.5)
