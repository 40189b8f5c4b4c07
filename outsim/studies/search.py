"""The smallest of many values that keeps promises, found with few runs.

Values are held against each other on paired runs: each replication gives all of them the same
tape. The search has two halves, on replications of their own:

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

from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import pairwise
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from outsim.studies.promises import Promise, Verdict
from outsim.studies.search_result import Screening, SearchResult, Test

Array = NDArray[np.float64]

Point = TypeVar("Point")

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
    """Look for the smallest of `count` values, by place from 0, that keeps all promises.

    `sample` gives measures by replication and promise, or raises `OutOfBudget`. With probability
    `error` the answer may break a promise; a test rests on `replications` runs, 2 or more.
    `origin` is the number of place 0 among those that any range counts, such as whole ports.
    """

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
        self.found = SearchResult()

    async def run(self) -> SearchResult:
        """Search to the end, or as far as the budget goes."""
        try:
            await self._settle(await self._candidate())
            await self._look_above()
        except OutOfBudget:
            self.found.is_spent = True
        self.found.runs = self._samples.runs
        return self.found

    # Runs

    def _outcomes(self, figures: Array) -> list[Array]:
        return [p.outcomes(figures[:, k]) for k, p in enumerate(self._promises)]

    async def _screen(self, place: int) -> Screening:
        if place in self.found.screenings:
            return self.found.screenings[place]
        for runs in sorted({max(2, min(limit, self._replications)) for limit in SCREENING_RUNS}):
            figures = await self._samples.of(place, runs)
            outcomes = self._outcomes(figures)
            leans = [
                (*p.lean(each, self._replications, self._error), p.scale)
                for p, each in zip(self._promises, outcomes, strict=True)
            ]
            screening = Screening(
                min(margin / scale for margin, _, scale in leans),
                all(margin > CLEAR * noise for margin, noise, _ in leans)
                or any(margin < -CLEAR * noise for margin, noise, _ in leans),
                frozenset(k for k, (margin, _, _) in enumerate(leans) if margin < 0),
            )
            if screening.is_clear:
                break
        self.found.screenings[place], self.found.screened[place] = screening, figures
        return screening

    async def _test(self, place: int) -> Verdict:
        """Test a value on fresh replications."""
        if place in self.found.tests:
            return self.found.tests[place].verdict
        early = max(FIRST_LOOK, self._replications // 4)
        looks = [(self._replications, self._error)]
        if early < self._replications:
            spent = self._error * FIRST_ERROR
            looks = [(early, spent), (self._replications, self._error - spent)]
        for runs, error in looks:
            figures = await self._samples.of(place, runs, FRESH)
            test = self._judge(figures, error)
            if test.verdict != "undecided":
                break
        self.found.fresh[place], self.found.tests[place] = figures, test
        return test.verdict

    def _judge(self, figures: Array, error: float) -> Test:
        """All promises must be shown to be kept, each with this error; or one to be broken."""
        each = error / len(self._promises)
        judged = [
            promise.judge(outcomes, error, each)
            for promise, outcomes in zip(self._promises, self._outcomes(figures), strict=True)
        ]
        return Test(tuple(verdict for verdict, _ in judged), tuple(pair for _, pair in judged))

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
        low = max((place for place in self.found.screenings if place < high), default=high)

        async def keeps(place: int) -> bool:
            return (await self._screen(place)).keeps

        return await _last(low, high, lambda first, end: (first + end) // 2, keeps)

    def _seem_to_keep(self) -> list[int]:
        return sorted(
            place for place, screening in self.found.screenings.items() if screening.keeps
        )

    def _nearest(self) -> int:
        return max(
            self.found.screenings, key=lambda place: (self.found.screenings[place].score, place)
        )

    async def _look_between(self) -> None:
        """Look where one promise comes to be kept and another to be broken.

        Between values that break different promises, some that keep all of them may lie.
        """
        places = sorted(self.found.screenings)
        for low, high in pairwise(places):
            while high - low > 1:
                ours, theirs = (
                    self.found.screenings[low].broken,
                    self.found.screenings[high].broken,
                )
                if ours & theirs:
                    break
                middle = (low + high) // 2
                broken = (await self._screen(middle)).broken
                if not broken:
                    return
                low, high = (low, middle) if ours & broken == frozenset() else (middle, high)

    async def _look_around(self) -> None:
        """Look on both sides of the value that comes nearest to keeping all promises.

        Where the figures rise to one best value and fall behind it, this closes in on it.
        """
        for _ in range(ROUNDS):
            best, places = self._nearest(), sorted(self.found.screenings)
            here = places.index(best)
            sides = [places[k] for k in (here - 1, here + 1) if 0 <= k < len(places)]
            new = [(best + side) // 2 for side in sides if abs(best - side) > 1]
            scores = {(await self._screen(place)).score for place in [best, *sides, *new]}
            if self._seem_to_keep() or not new or len(scores) == 1:
                return

    # Which it is

    async def _settle(self, candidate: int) -> None:
        found = self.found
        # Those that keep all promises may lie between two steps up: then they are tried alone.
        if not await self._keeps(candidate):
            for place in [*self._steps_up(candidate), *self._seem_to_keep(), self._nearest()]:
                if await self._keeps(place):
                    candidate = place
                    break
            else:
                tested = set(found.verdicts.values())
                found.outcome = "nothing" if tested == {"broken"} else "undecided"
                return
        found.place = candidate
        await self._look_below()
        found.outcome = "found"

    def _steps_up(self, candidate: int) -> Iterator[int]:
        """Places above, ever further, up to the last one."""
        step, last = 1, self._count - 1
        while candidate + step < last:
            yield candidate + step
            step *= 2
        if candidate < last:
            yield last

    async def _look_below(self) -> None:
        """Find the smallest value that keeps all promises, and the largest below that breaks one.

        Steps lead down, ever further, to a value that is shown to break one.
        """
        found = self.found
        assert found.place is not None
        if found.broken_below is None:
            start, step = min(found.tests), 1
            at = start
            while at > 0 and await self._test(at) != "broken":
                at = max(0, start - step)
                step *= 2
                if await self._keeps(at):
                    found.place = min(at, found.place)
        if found.below is not None:
            found.place = await self._boundary(found.below, found.place, "kept")
        if found.below is not None and found.broken_below is not None:
            await self._boundary(found.below, found.broken_below, "broken")
            kept = [place for place, each in found.verdicts.items() if each == "kept"]
            found.place = min(place for place in kept if place > found.broken_below)

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
        """Find where values above the answer are shown to break a promise again.

        The largest value is tested where few runs don't say that it keeps them, and where the
        smallest one does: then the end of what keeps them, if there is one, lies above.
        """
        found, last = self.found, self._count - 1
        if found.place is None or found.outcome != "found":
            return
        kept: int | None = found.place
        for high in sorted({place for place in found.screenings if place > found.place} | {last}):
            screening = found.screenings[high]
            is_asked = screening.is_clear or high == last
            if (screening.keeps and kept is not None and (found.place or high != last)) or (
                not is_asked
            ):
                continue
            verdict = await self._test(high)
            if verdict == "kept":
                kept = high
            elif kept is not None and (verdict == "broken" or high == last):
                low = max(p for p, each in found.verdicts.items() if each == "kept" and p < high)
                low = await self._boundary(high, low, "kept")
                if verdict == "broken":
                    await self._boundary(low, high, "broken")
                    kept = None
