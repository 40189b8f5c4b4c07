"""What a search for the smallest value came to; values are named by their places."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from outsim.studies.promises import Verdict


@dataclass(frozen=True)
class Test:
    """What fresh replications show of a value."""

    __test__ = False  # it is no test of pytest's

    promises: tuple[Verdict, ...]
    """Of each promise, by its own bounds."""
    bounds: tuple[tuple[float, float], ...]
    """Lower and upper bound of what each is about: the verdicts are made of these."""

    @property
    def verdict(self) -> Verdict:
        """Of the value: all promises are shown to be kept, one to be broken, or neither."""
        if all(each == "kept" for each in self.promises):
            return "kept"
        return "broken" if "broken" in self.promises else "undecided"


@dataclass
class Screening:
    """What few runs say of a value."""

    score: float
    """How far it is from keeping all promises, relative to their limits; positive if it may."""
    is_clear: bool
    broken: frozenset[int] = frozenset()
    """Which of the promises it seems to break."""

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
    screened: dict[int, NDArray[np.float64]] = field(default_factory=dict)
    """Figures that those rest on: shape (replications, promises)."""
    tests: dict[int, Test] = field(default_factory=dict)
    """Of the values that were tested on fresh replications."""
    fresh: dict[int, NDArray[np.float64]] = field(default_factory=dict)
    """Their figures: shape (replications, promises)."""
    runs: int = 0
    is_spent: bool = False
    """Whether it ended for want of runs or time."""

    @property
    def verdicts(self) -> dict[int, Verdict]:
        """Verdict on each value that was tested, the smallest first."""
        return {place: self.tests[place].verdict for place in sorted(self.tests)}

    def _below(self, *verdicts: Verdict) -> int | None:
        place = -1 if self.place is None else self.place
        found = [p for p, verdict in self.verdicts.items() if p < place and verdict in verdicts]
        return max(found, default=None)

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
        kept = None
        for place, verdict in self._above():
            if verdict != "kept":
                break
            kept = place
        return kept

    @property
    def breaks(self) -> list[tuple[int, int]]:
        """Where larger values are shown to break a promise again.

        The last that is shown to keep all of them, and the first that is shown not to; values
        between the two are undecided.
        """
        found, kept = [], None
        for place, verdict in self._above():
            if verdict == "kept":
                kept = place
            elif verdict == "broken" and kept is not None:
                found.append((kept, place))
                kept = None
        return found
