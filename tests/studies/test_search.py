"""The search on made-up figures whose answer is known: right, sparing, and never a guess."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from outsim.results.measures import MEASURES
from outsim.studies.promises import Promise
from outsim.studies.search import FRESH, OutOfBudget, Search, SearchResult

WAIT = next(each for each in MEASURES if each.name == "wait_p90_s")
LIMIT = 600.0
MEAN = Promise("wait_p90_s <= 10 min", WAIT, at_most=True, limit=LIMIT)
OFTEN = Promise("P(wait_p90_s <= 10 min) >= 0.8", WAIT, True, LIMIT, probability=0.8)

Shape = Callable[[int], float]
"""Mean of the figure at a place."""


class MadeUp:
    """Figures around a mean: one part of their noise is shared by all values, as on one tape."""

    def __init__(
        self, mean: Shape, seed: int = 0, *, shared: float = 0, own: float = 0, most: int = 10**9
    ) -> None:
        self.mean, self.seed, self.shared, self.own, self.most = mean, seed, shared, own, most
        self.asked: list[tuple[int, int]] = []

    async def __call__(self, place: int, replications: range) -> np.ndarray:
        if len(self.asked) + len(replications) > self.most:
            raise OutOfBudget
        self.asked += [(place, replication) for replication in replications]
        noise = self.shared * self._noise(0, replications)
        if self.own:
            noise = noise + self.own * self._noise(1 + place, replications)
        return (self.mean(place) + noise)[:, None]

    @cache  # noqa: B019 - it goes with the test
    def _draws(self, stream: int, is_fresh: bool) -> np.ndarray:
        return np.random.default_rng([self.seed, stream, is_fresh]).standard_normal(100)

    def _noise(self, stream: int, replications: range) -> np.ndarray:
        is_fresh = replications.start >= FRESH
        first = replications.start - is_fresh * FRESH
        return self._draws(stream, is_fresh)[first : first + len(replications)]


def search(
    count: int,
    figures: MadeUp,
    promise: Promise = MEAN,
    *,
    replications: int = 60,
    error: float = 0.05,
) -> SearchResult:
    made = Search(count, [promise], figures, error=error, replications=replications)
    return asyncio.run(made.run())


def falling(threshold: int, slope: float = 5) -> Shape:
    """Kept from a place on, as the limit is reached there."""
    return lambda place: LIMIT + slope * (threshold - place)


def island(first: int, last: int) -> Shape:
    """Kept between two places, both included."""
    return lambda place: LIMIT + max(first - place, place - last, 0) * 5 - 1


class TestWithoutNoise:
    @given(st.data(), st.integers(2, 500))
    def test_the_answer_is_exact_and_the_one_below_is_shown_to_break_the_promise(
        self, data: st.DataObject, count: int
    ) -> None:
        threshold = data.draw(st.integers(0, count - 1))
        found = search(count, MadeUp(falling(threshold)), replications=4)
        assert (found.outcome, found.place) == ("found", threshold)
        assert found.verdicts[threshold] == "kept"
        assert found.below == (threshold - 1 if threshold else None)
        assert found.breaks == []
        if threshold:
            assert found.verdicts[threshold - 1] == "broken"

    @given(st.integers(2, 500))
    def test_nothing_in_the_range_is_said_where_nothing_is(self, count: int) -> None:
        found = search(count, MadeUp(falling(count + 1)), replications=4)
        assert (found.outcome, found.place) == ("nothing", None)

    @given(st.data(), st.integers(40, 400))
    def test_where_more_breaks_the_promise_again_is_bracketed(
        self, data: st.DataObject, count: int
    ) -> None:
        first = data.draw(st.integers(0, count - 4))
        last = data.draw(st.integers(first, count - 4))
        found = search(count, MadeUp(island(first, last)), replications=4)
        assert (found.outcome, found.place) == ("found", first)
        ((kept, broken),) = found.breaks
        assert kept <= last < broken
        assert broken - kept <= max(1, count // 100)

    @given(st.data(), st.integers(2, 300))
    def test_a_range_in_which_less_is_better_begins_with_the_answer(
        self, data: st.DataObject, count: int
    ) -> None:
        last = data.draw(st.integers(0, count - 1))
        found = search(count, MadeUp(lambda place: LIMIT + 5 * (place - last)), replications=4)
        assert (found.outcome, found.place, found.below) == ("found", 0, None)

    @given(st.data(), st.integers(2, 300))
    def test_all_promises_must_be_kept(self, data: st.DataObject, count: int) -> None:
        thresholds = [data.draw(st.integers(0, count - 1)) for _ in range(2)]
        made = [MadeUp(falling(each)) for each in thresholds]

        async def both(place: int, replications: range) -> np.ndarray:
            return np.hstack([await each(place, replications) for each in made])

        found = asyncio.run(Search(count, [MEAN, MEAN], both, error=0.05, replications=4).run())
        assert (found.outcome, found.place) == ("found", max(thresholds))

    @given(st.data(), st.integers(5, 400))
    def test_values_between_those_that_break_one_promise_and_another_are_found(
        self, data: st.DataObject, count: int
    ) -> None:
        """Figures that jump tell nothing of how near they are."""
        first = data.draw(st.integers(1, count - 2))
        last = data.draw(st.integers(first, count - 2))

        async def both(place: int, replications: range) -> np.ndarray:
            figures = [LIMIT + 900 * (place < first), LIMIT + 5 * (place > last)]
            return np.tile(figures, (len(replications), 1))

        found = asyncio.run(Search(count, [MEAN, MEAN], both, error=0.05, replications=4).run())
        assert (found.outcome, found.place) == ("found", first)
        assert [kept <= last < broken for kept, broken in found.breaks] == [True]

    def test_a_figure_that_is_missing_breaks_the_promise(self) -> None:
        def mean(place: int) -> float:
            return float("nan") if place < 30 else LIMIT - 1

        assert search(50, MadeUp(mean)).place == 30


class TestWithNoise:
    @pytest.mark.parametrize(
        ("promise", "slope"), [(MEAN, 20), (MEAN, 3), (OFTEN, 20)], ids=["steep", "flat", "often"]
    )
    @pytest.mark.parametrize("own", [0, 30])
    def test_the_answer_breaks_the_promise_no_more_often_than_the_confidence_allows(
        self, promise: Promise, slope: float, own: float
    ) -> None:
        """The made-up figures are normal: which places keep the promise is known exactly."""
        error, studies, wrong, answers = 0.2, 60, 0, 0
        sd = float(np.hypot(80, own))
        # Within the limit in 8 of 10 runs: the mean lies 0.8416 standard deviations below it.
        lower = 0.0 if promise is MEAN else 0.8416 * sd
        for seed in range(studies):
            threshold = int(np.random.default_rng(seed).integers(5, 30))
            mean = falling(threshold, slope)
            figures = MadeUp(mean, seed, shared=80, own=own)
            found = search(120, figures, promise, replications=40, error=error)
            answers += found.outcome == "found"
            if found.place is not None:
                wrong += mean(found.place) > LIMIT - lower
        assert answers > studies * 0.9
        assert wrong <= binom.ppf(0.999, studies, error)

    @pytest.mark.parametrize("slope", [20, 3])
    def test_it_takes_a_quarter_of_a_grid_at_most(self, slope: float) -> None:
        count, replications = 100, 60
        for seed in range(10):
            figures = MadeUp(falling(40, slope), seed, shared=80, own=10)
            found = search(count, figures, replications=replications)
            assert found.outcome == "found"
            assert len(figures.asked) == found.runs < count * replications / 4

    def test_no_run_is_made_twice(self) -> None:
        figures = MadeUp(falling(40, 3), shared=80, own=10)
        search(100, figures)
        assert len(set(figures.asked)) == len(figures.asked)

    def test_the_answer_and_the_one_below_rest_on_fresh_replications_of_their_own(self) -> None:
        figures = MadeUp(falling(40, 20), shared=80)
        found = search(100, figures, replications=60)
        assert found.place is not None
        assert found.below == found.place - 1
        fresh = {place for place, replication in figures.asked if replication >= FRESH}
        assert fresh == set(found.verdicts) >= {found.place, found.below}
        assert {replication for _, replication in figures.asked} <= {
            *range(60),
            *range(FRESH, FRESH + 60),
        }

    def test_a_value_at_the_limit_is_neither_kept_nor_broken(self) -> None:
        found = search(30, MadeUp(lambda _place: LIMIT, shared=80), error=0.001)
        assert found.outcome == "undecided"
        assert "undecided" in found.verdicts.values()


class TestOutOfBudget:
    @given(st.integers(0, 400))
    def test_it_is_undecided_or_right_whenever_the_runs_run_out(self, most: int) -> None:
        figures = MadeUp(falling(60), most=most)
        found = search(200, figures, replications=20)
        assert len(figures.asked) == found.runs <= most
        if found.outcome == "found":
            assert found.place == 60
        else:
            assert found.outcome == "undecided"
            assert found.is_spent
            if found.place is not None:
                assert found.place >= 60
            if found.below is not None:
                assert found.below < 60

    def test_what_was_found_stands_if_only_larger_values_were_not_looked_at(self) -> None:
        whole = search(200, MadeUp(island(60, 140)), replications=20)
        assert (whole.place, whole.breaks) == (60, [(140, 141)])
        for most in range(whole.runs - 60, whole.runs, 5):
            cut = search(200, MadeUp(island(60, 140), most=most), replications=20)
            assert (cut.outcome, cut.place, cut.is_spent) == ("found", 60, True)
            assert all(kept <= 140 < broken for kept, broken in cut.breaks)


class TestVerdicts:
    """A value is kept, broken or undecided, each by its bound, and undecided is no boundary."""

    @given(st.integers(0, 2**32 - 1), st.integers(10, 90), st.sampled_from([2.0, 8.0, 40.0]))
    def test_every_boundary_lies_between_a_value_that_is_kept_and_one_that_is_broken(
        self, seed: int, last: int, slope: float
    ) -> None:
        figures = MadeUp(lambda place: LIMIT + slope * (place - last), seed, shared=80, own=20)
        found = search(100, figures, OFTEN, replications=40)
        for kept, broken in found.breaks:
            assert (found.verdicts[kept], found.verdicts[broken]) == ("kept", "broken")
            between = {v for p, v in found.verdicts.items() if kept < p < broken}
            assert between <= {"undecided"}
        if found.broken_below is not None:
            assert found.verdicts[found.broken_below] == "broken"

    @given(st.integers(0, 2**32 - 1))
    def test_each_verdict_follows_from_its_bounds(self, seed: int) -> None:
        figures = MadeUp(falling(40, 5), seed, shared=80, own=20)
        found = search(80, figures, MEAN, replications=40)
        for test in found.tests.values():
            ((low, high),) = test.bounds
            expected = "kept" if high <= LIMIT else "broken" if low > LIMIT else "undecided"
            assert test.promises == (test.verdict,) == (expected,)

    @pytest.mark.parametrize("promise", [MEAN, OFTEN], ids=["mean", "often"])
    @given(
        st.integers(0, 2**32 - 1),
        st.sampled_from([3.0, 10.0, 60.0]),
        st.integers(-40, 0),
        st.integers(100, 160),
        st.booleans(),
    )
    def test_boundaries_do_not_move_with_the_range_that_is_asked_about(
        self, promise: Promise, seed: int, slope: float, low: int, high: int, rises: bool
    ) -> None:
        """Of values numbered from 0, kept from 50 on or up to 50, in a range and a wider one."""
        sign = 1 if rises else -1

        def in_range(first: int, last: int) -> tuple[int | None, ...]:
            figures = MadeUp(
                lambda place: LIMIT + sign * slope * (first + place - 50), seed, shared=80
            )
            made = Search(
                last - first + 1,
                [promise],
                figures,
                error=0.05,
                replications=40,
                origin=first,
            )
            found = asyncio.run(made.run())
            edges = (
                found.breaks[0] if rises and found.breaks else (found.broken_below, found.place)
            )
            return tuple(None if place is None else first + place for place in edges)

        narrow, wide = in_range(0, 100), in_range(low, high)
        if None not in narrow:
            assert wide == narrow

    def test_a_value_is_kept_only_if_all_promises_are_and_broken_if_one_is(self) -> None:
        """Two promises, one of them at its limit: the other one decides only where it breaks."""
        made = [MadeUp(lambda _place: LIMIT, shared=80), MadeUp(falling(20, 50), seed=1)]

        async def both(place: int, replications: range) -> np.ndarray:
            return np.hstack([await each(place, replications) for each in made])

        search = Search(40, [MEAN, MEAN], both, error=0.01, replications=30)
        found = asyncio.run(search.run())
        assert (found.outcome, found.place, found.breaks) == ("undecided", None, [])
        for place, test in found.tests.items():
            assert test.promises[1] == ("kept" if place >= 20 else "broken")
            assert test.verdict == ("undecided" if place >= 20 else "broken")
