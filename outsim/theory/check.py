"""A formula that applies to a scenario, or one that does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal, Protocol

from outsim.results.measures import Measure, View
from outsim.theory.figures import Window

Kind = Literal["exact", "approximation", "at least", "at most"]

FEW_S = 0.0005
"""Draws are whole milliseconds: a mean wait is held to half of one."""


@dataclass(frozen=True)
class Check:
    """A formula that applies, and what it is held against."""

    formula: str
    of: str
    """The figure, in words."""
    kind: Kind
    simulated: Measure
    """The figure of each run."""
    predict: Callable[[Mapping[str, float]], float]
    """The formula, given the means over the runs of `inputs`, by name."""
    inputs: tuple[Measure, ...] = ()
    """What the formula is told of the runs: none where the scenario says it all."""
    slack: float = 0.0
    """Difference that rounding may make."""

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Every figure that it needs of a run."""
        return (self.simulated, *self.inputs)


@dataclass(frozen=True)
class DoesNotApply:
    """A formula that does not apply, and why."""

    formula: str
    because: str

    def __str__(self) -> str:
        return f"{self.formula}: no, {self.because}"


Found = Iterator[Check | DoesNotApply]
"""Formulas about one thing, and whether they apply."""


class _InWindow(Protocol):
    __name__: str

    def __call__(self, view: View, window: Window) -> float: ...


def in_window(compute: _InWindow, kind: str, window: Window) -> Measure:
    """Measure of a figure in a window."""
    name = compute.__name__
    return Measure(name, name, kind, partial(compute, window=window), 0)


def of_run(compute: Callable[[View], float], kind: str = "clock") -> Measure:
    """Measure of a figure of a whole run."""
    return Measure(compute.__name__, compute.__name__, kind, compute, 0)
