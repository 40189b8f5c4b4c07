"""The smallest of many values that keeps promises, found with few runs.

Values are compared on paired runs: each replication gives all of them the same tape. The search
has two halves, on replications of their own:

1. Where it may be. Both ends and the middle are looked at, then the gap in which promises begin
   to be kept is halved; few runs say where to look next, more only where they are not clear.
2. Which it is. On fresh replications, as many as the answer is to rest on, the values around
   that place are tested: down to the smallest that is shown to keep all promises and the largest
   below that is shown to break one, and up to where one is shown to be broken again, if it is.
   What is neither is undecided, and no boundary.

A value has the same fresh replications, and so the same verdict, whatever range it is asked
about in. Boundaries are looked for at the roundest numbers between two values first, so that
they don't depend on the ends of the range either.

If values that keep a promise on these runs are all those from some value on, the answer is
wrong only if the largest value that breaks the promise is shown to keep it: with at most the
error that one test has. Many tests make it no larger, because none of them matters but that one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, takewhile
from typing import Generic, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from outsim.studies.promises import Promise, Verdict

Array = NDArray[np.float64]
Point = TypeVar("Point")
Judgement = TypeVar("Judgement")


@dataclass(frozen=True, eq=False)
class Test:
    """What fresh replications show of a value."""

    __test__ = False  # it is no test of pytest's

    promises: tuple[Verdict, ...]
    """Of each promise, by its own bounds."""
    bounds: tuple[tuple[float, float], ...]
    """Lower and upper bound of what each is about: the verdicts are made of these."""
    values: Array
    """Measures that they rest on: shape (replications, promises)."""

    @property
    def verdict(self) -> Verdict:
        """Of the value: all promises are shown to be kept, one to be broken, or neither."""
        if {*self.promises} == {"kept"}:
            return "kept"
        return "broken" if "broken" in self.promises else "undecided"


@dataclass(frozen=True, eq=False)
class Screening:
    """What few runs say of a value."""

    score: float
    """How far it is from keeping all promises, relative to their limits; positive if it may."""
    is_clear: bool
    broken: frozenset[int]
    """Which of the promises it seems to break."""
    values: Array
    """Measures that it rests on: shape (replications, promises)."""

    @property
    def keeps(self) -> bool:
        """Whether it seems to keep all of them."""
        return self.score >= 0


@dataclass
class SearchResult:
    """What a search came to."""

    outcome: Literal["found", "nothing", "undecided"] = "undecided"
    place: int | None = None
    """Smallest value that is shown to keep all promises, as far as it was searched."""
    screenings: dict[int, Screening] = field(default_factory=dict)
    tests: dict[int, Test] = field(default_factory=dict)
    """Of the values that were tested on fresh replications."""
    runs: int = 0
    is_spent: bool = False
    """Whether it ended for want of runs or time."""

    @property
    def verdicts(self) -> dict[int, Verdict]:
        """Verdict on each value that was tested, the smallest first."""
        return {place: self.tests[place].verdict for place in sorted(self.tests)}

    def _below(self, *verdicts: Verdict) -> int | None:
        place = -1 if self.place is None else self.place
        below = [p for p, verdict in self.verdicts.items() if p < place and verdict in verdicts]
        return max(below, default=None)

    @property
    def below(self) -> int | None:
        """Largest value below `place` that was tested and is not shown to keep the promises."""
        return self._below("broken", "undecided")

    @property
    def broken_below(self) -> int | None:
        """Largest value below `place` that is shown to break a promise."""
        return self._below("broken")

    def _above(self) -> Iterator[tuple[int, Verdict]]:
        if self.place is not None:
            yield from ((p, v) for p, v in self.verdicts.items() if p >= self.place)

    @property
    def kept_to(self) -> int | None:
        """Largest value up to which, from `place` on, all that were tested keep the promises."""
        above = takewhile(lambda tested: tested[1] == "kept", self._above())
        return max((place for place, _ in above), default=None)

    @property
    def breaks(self) -> list[tuple[int, int]]:
        """Pairs of the last value that keeps all promises and the next that is shown not to."""
        pairs, last = [], None
        for place, verdict in self._above():
            if verdict == "kept":
                last = place
            elif verdict == "broken" and last is not None:
                pairs.append((last, place))
                last = None
        return pairs


FRESH = 1_000_000
"""First replication of those that the answer rests on."""

SCREENING_RUNS = (8, 16, 32)
"""Runs after which the search asks where to look next, while they are not clear."""

CLEAR = 2.0
"""Standard errors from which on a screening is clear."""

FIRST_LOOK, FIRST_ERROR = 20, 0.1
"""A test looks once before its end, at a quarter of its runs and at least so many, and spends
this share of its error there."""

ROUNDS = 10
"""Rounds in which a value that keeps promises is looked for where the ends and middle don't."""


class OutOfBudget(Exception):  # noqa: N818 - it says that the search is over, and is no mistake
    """There are no more runs, or there is no more time."""


class Samples(Generic[Point]):
    """What runs of points give, by replication: none is run twice."""

    def __init__(self, sample: Callable[[Point, range], Awaitable[Array]]) -> None:
        self._sample = sample
        self._known: dict[tuple[Point, int], Array] = {}
        self.runs = 0
        self.end = 0
        """First replication from which on nothing was run."""

    def count(self, point: Point) -> int:
        """Replications of a point from 0 on that are there."""
        return len(self._known.get((point, 0), ()))

    async def of(self, point: Point, runs: int, first: int = 0) -> Array:
        """Values of so many replications from the first on."""
        known = self._known.get((point, first))
        count = 0 if known is None else len(known)
        if count < runs:
            new = await self._sample(point, range(first + count, first + runs))
            self.runs += len(new)
            self.end = max(self.end, first + runs)
            known = new if known is None else np.concatenate([known, new])
            self._known[point, first] = known
        assert known is not None
        return known[:runs]

    async def judge(
        self,
        point: Point,
        counts: Iterable[int],
        judge: Callable[[Array], tuple[Judgement, bool]],
        first: int = 0,
    ) -> Judgement:
        """Judgement on a point, from ever more replications until it is clear."""
        for count in counts:
            judgement, is_clear = judge(await self.of(point, count, first))
            if is_clear:
                break
        return judgement


async def _last(
    without: int,
    having: int,
    between: Callable[[int, int], int],
    has: Callable[[int], Awaitable[bool]],
) -> int:
    """Last place that has what is looked for, on the way to one that does not, by bisection."""
    while abs(having - without) > 1:
        place = between(min(having, without), max(having, without))
        if await has(place):
            having = place
        else:
            without = place
    return having


class Search:
    """Look for the smallest of `count` values, by place from 0, that keeps all promises."""

    def __init__(
        self,
        count: int,
        promises: Sequence[Promise],
        sample: Callable[[int, range], Awaitable[Array]],
        *,
        error: float,
        replications: int,
        origin: int = 0,
    ) -> None:
        self._count = count
        self._origin = origin
        self._promises = tuple(promises)
        self._samples = Samples(sample)
        self._error = error
        self._replications = replications
        self.result = SearchResult()

    async def run(self) -> SearchResult:
        """Search to the end, or as far as the budget goes."""
        try:
            await self._settle(await self._candidate())
            await self._look_above()
        except OutOfBudget:
            self.result.is_spent = True
        self.result.runs = self._samples.runs
        return self.result

    # Runs

    def _outcomes(self, values: Array) -> list[tuple[Promise, Array]]:
        return [(p, p.outcomes(values[:, k])) for k, p in enumerate(self._promises)]

    async def _screen(self, place: int) -> Screening:
        if place not in self.result.screenings:
            counts = sorted({max(2, min(limit, self._replications)) for limit in SCREENING_RUNS})
            screening = await self._samples.judge(place, counts, self._lean)
            self.result.screenings[place] = screening
        return self.result.screenings[place]

    def _lean(self, values: Array) -> tuple[Screening, bool]:
        leans = [
            (*promise.lean(outcomes, self._replications, self._error), promise.scale)
            for promise, outcomes in self._outcomes(values)
        ]
        is_clear = all(margin > CLEAR * noise for margin, noise, _ in leans) or any(
            margin < -CLEAR * noise for margin, noise, _ in leans
        )
        score = min(margin / scale for margin, _, scale in leans)
        broken = frozenset(k for k, (margin, _, _) in enumerate(leans) if margin < 0)
        return Screening(score, is_clear, broken, values), is_clear

    async def _test(self, place: int) -> Verdict:
        """Test a value on fresh replications."""
        if place not in self.result.tests:
            looks = {self._replications: self._error}
            early = max(FIRST_LOOK, self._replications // 4)
            if early < self._replications:
                spent = self._error * FIRST_ERROR
                looks = {early: spent, self._replications: self._error - spent}

            def judge(values: Array) -> tuple[Test, bool]:
                test = self._judge(values, looks[len(values)])
                return test, test.verdict != "undecided"

            self.result.tests[place] = await self._samples.judge(place, looks, judge, FRESH)
        return self.result.tests[place].verdict

    def _judge(self, values: Array, error: float) -> Test:
        """All promises must be shown to be kept, each with this error; or one to be broken."""
        of_each = error / len(self._promises)
        verdicts, bounds = zip(
            *(p.judge(outcomes, error, of_each) for p, outcomes in self._outcomes(values)),
            strict=True,
        )
        return Test(verdicts, bounds, values)

    async def _keeps(self, place: int) -> bool:
        return await self._test(place) == "kept"

    # Where it may be

    async def _candidate(self) -> int:
        """Smallest value that seems to keep all promises, or the one that comes nearest."""
        last = self._count - 1
        for place in sorted({round(last * quarter / 4) for quarter in range(5)}):
            await self._screen(place)
        if not self._seem_to_keep():
            await self._look_between()
        if not self._seem_to_keep():
            await self._look_around()
        seem = self._seem_to_keep()
        if not seem:
            return self._nearest()
        high = seem[0]
        low = max((place for place in self.result.screenings if place < high), default=high)

        async def keeps(place: int) -> bool:
            return (await self._screen(place)).keeps

        return await _last(low, high, lambda first, end: (first + end) // 2, keeps)

    def _seem_to_keep(self) -> list[int]:
        return sorted(
            place for place, screening in self.result.screenings.items() if screening.keeps
        )

    def _nearest(self) -> int:
        return max(
            self.result.screenings, key=lambda place: (self.result.screenings[place].score, place)
        )

    async def _look_between(self) -> None:
        """Look between values that break different promises for one that keeps all of them."""
        places = sorted(self.result.screenings)
        for low, high in pairwise(places):
            while high - low > 1:
                ours, theirs = (self.result.screenings[place].broken for place in (low, high))
                if ours & theirs:
                    break
                middle = (low + high) // 2
                broken = (await self._screen(middle)).broken
                if not broken:
                    return
                low, high = (low, middle) if ours & broken == frozenset() else (middle, high)

    async def _look_around(self) -> None:
        """Close in on the value that comes nearest to keeping all promises."""
        for _ in range(ROUNDS):
            best, places = self._nearest(), sorted(self.result.screenings)
            here = places.index(best)
            sides = [places[k] for k in (here - 1, here + 1) if 0 <= k < len(places)]
            new = [(best + side) // 2 for side in sides if abs(best - side) > 1]
            scores = {(await self._screen(place)).score for place in [best, *sides, *new]}
            if self._seem_to_keep() or not new or len(scores) == 1:
                return

    # Which it is

    async def _settle(self, candidate: int) -> None:
        result = self.result
        # Those that keep all promises may lie between two steps up: then they are tried alone.
        if not await self._keeps(candidate):
            for place in [*self._steps_up(candidate), *self._seem_to_keep(), self._nearest()]:
                if await self._keeps(place):
                    candidate = place
                    break
            else:
                tested = set(result.verdicts.values())
                result.outcome = "nothing" if tested == {"broken"} else "undecided"
                return
        result.place = candidate
        await self._look_below()
        result.outcome = "found"

    def _steps_up(self, candidate: int) -> Iterator[int]:
        """Places above, ever further, up to the last one."""
        step, last = 1, self._count - 1
        while candidate + step < last:
            yield candidate + step
            step *= 2
        if candidate < last:
            yield last

    async def _look_below(self) -> None:
        """Find the smallest value that keeps all promises, and the largest below to break one."""
        result = self.result
        assert result.place is not None
        if result.broken_below is None:
            start, step = min(result.tests), 1
            at = start
            while at > 0 and await self._test(at) != "broken":
                at = max(0, start - step)
                step *= 2
                if await self._keeps(at):
                    result.place = min(at, result.place)
        if result.below is not None:
            result.place = await self._boundary(result.below, result.place, "kept")
        if result.below is not None and result.broken_below is not None:
            await self._boundary(result.below, result.broken_below, "broken")
            result.place = min(
                place
                for place, verdict in result.verdicts.items()
                if verdict == "kept" and place > result.broken_below
            )

    async def _boundary(self, without: int, having: int, verdict: Verdict) -> int:
        """Last value with a verdict, on the way from one that has it to one that does not."""

        async def has(place: int) -> bool:
            return await self._test(place) == verdict

        return await _last(without, having, self._roundest, has)

    def _roundest(self, below: int, above: int) -> int:
        """Place between two others whose number has most factors of 2."""
        low, high = self._origin + below + 1, self._origin + above - 1
        if low <= 0 <= high:
            return -self._origin
        size = 1
        while -(-low // (2 * size)) * 2 * size <= high:
            size *= 2
        return -(-low // size) * size - self._origin

    # Whether more is always better

    async def _look_above(self) -> None:
        """Find where values above the answer are shown to break a promise again."""
        result, last = self.result, self._count - 1
        if result.place is None or result.outcome != "found":
            return
        # Where the smallest value keeps them, the end of those that do, if there is any, is above.
        above = {place for place in result.screenings if place > result.place}
        is_kept_before = True
        for high in sorted(above | {last}):
            screening = result.screenings[high]
            may_break = not screening.keeps or not is_kept_before
            if not (may_break or (high == last and result.place == 0)):
                continue
            if not (screening.is_clear or high == last):
                continue
            verdict = await self._test(high)
            if verdict == "kept":
                is_kept_before = True
            elif is_kept_before and (verdict == "broken" or high == last):
                holding = [p for p, verdict in result.verdicts.items() if verdict == "kept"]
                low = await self._boundary(high, max(p for p in holding if p < high), "kept")
                if verdict == "broken":
                    await self._boundary(low, high, "broken")
                    is_kept_before = False
