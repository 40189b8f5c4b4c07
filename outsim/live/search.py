"""Days that an application is tried on: one for each seed, then parts of one that fails."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from outsim.live.variations import Day, draw_day, named
from outsim.scenario.model import Scenario
from outsim.text import shortened

SHOWN = 10
"""Failing days that are listed, and lines of what a command said."""
SHOWN_OF_LINE = 120
"""Characters of a line of what a command said."""


@dataclass(frozen=True)
class Lived:
    """A day on which the application was tried."""

    day: Day
    why: str = ""
    """Why it failed; empty if it did not."""
    inputs: int = 0
    """Inputs in its log."""
    said: str = ""

    @property
    def words(self) -> str:
        """The day, and why it failed."""
        return f"The smallest failing day: seed {self.day.seed}, {self.day.words} ({self.why})."

    @property
    def problem(self) -> str:
        """Why it failed, with the line of what it said that tells most: pytest's, or the last."""
        lines = [line.strip() for line in self.said.splitlines() if line.strip()]
        named = [line for line in lines if line.startswith(("FAILED ", "ERROR "))]
        line = (named or lines or [""])[-1]
        return f"{self.why}: {shortened(line, SHOWN_OF_LINE)}" if line else self.why

    @property
    def last_lines(self) -> list[str]:
        """How what it said ends."""
        return self.said.strip().splitlines()[-SHOWN:]


class Search:
    """Days to try an application on; if some fail, then parts of the smallest of them.

    Days of a round can be tried in any order and side by side; `lived` is told what became of
    each, and all of a round before the next is asked for. What is found does not depend on the
    order.

    Parameters
    ----------
    scenario : Scenario
        What is varied.
    seeds : sequence of int
        One day each.
    kinds : sequence of str
        What is varied.
    """

    def __init__(self, scenario: Scenario, seeds: Sequence[int], kinds: Sequence[str]) -> None:
        self._scenario, self.seeds, self._kinds = scenario, seeds, named(kinds)
        self.smallest: Lived | None = None
        """The smallest day that failed, or a part of it that fails as well."""
        self._days: dict[int, Lived] = {}
        self._parts: list[Day] | None = None
        """Days of the round, if they are parts of one."""

    @property
    def days(self) -> tuple[Lived, ...]:
        """One for each seed so far, in their order."""
        return tuple(self._days[seed] for seed in sorted(self._days))

    @property
    def count(self) -> int:
        """Seeds that were tried so far."""
        return len(self._days)

    def rounds(self) -> Iterator[Iterator[Day]]:
        """All seeds; and then, as long as one fails, what is left of it without one variation."""
        yield (draw_day(self._scenario, seed, self._kinds) for seed in self.seeds)
        tried = None
        while self.smallest is not None and tried != self.smallest.day:
            tried = self.smallest.day
            self._parts = [
                Day(tried.seed, tuple(v for v in tried.variations if v != left_out))
                for left_out in tried.variations
            ]
            yield self._until_one_fails(tried)

    def _until_one_fails(self, tried: Day) -> Iterator[Day]:
        """Parts of a day. One that fails ends the round: all before it are under way by then."""
        assert self._parts is not None
        for part in self._parts:
            if self.smallest is not None and self.smallest.day == tried:
                yield part

    def __iter__(self) -> Iterator[Day]:
        for days in self.rounds():
            yield from days

    def _order(self, lived: Lived) -> tuple[int, ...]:
        """Smaller days come first: how much there is to look at, and then which it is."""
        if self._parts is None:
            return len(lived.day.variations), lived.inputs, lived.day.seed
        there = lived.day in self._parts
        return len(lived.day.variations), self._parts.index(lived.day) if there else -1

    def lived(self, lived: Lived) -> bool:
        """Say what became of a day; whether it is the smallest that failed so far."""
        if self._parts is None:
            self._days[lived.day.seed] = lived
        is_smallest = lived.why != "" and (
            self.smallest is None or self._order(lived) < self._order(self.smallest)
        )
        if is_smallest:
            self.smallest = lived
        return is_smallest
