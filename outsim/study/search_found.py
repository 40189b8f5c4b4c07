"""What a search for the smallest value came to; values are named by their places."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Verdict = Literal["kept", "broken", "unclear"]
"""Whether runs show that a value keeps all promises, that it breaks one, or neither."""


@dataclass
class Glance:
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
class Found:
    """What a search came to."""

    outcome: Literal["found", "nothing", "undecided"] = "undecided"
    place: int | None = None
    """Smallest value that is shown to keep all promises, as far as it was searched."""
    below: int | None = None
    """Largest value below it that was tested and is not shown to; None if there is none."""
    glances: dict[int, Glance] = field(default_factory=dict)
    glanced: dict[int, NDArray[np.float64]] = field(default_factory=dict)
    """Figures that those rest on: shape (replications, promises)."""
    verdicts: dict[int, Verdict] = field(default_factory=dict)
    """Of the values that were tested on fresh replications."""
    fresh: dict[int, NDArray[np.float64]] = field(default_factory=dict)
    """Their figures: shape (replications, promises)."""
    breaks: list[tuple[int, int]] = field(default_factory=list)
    """Where larger values break a promise again: the last that keeps them, the first that
    does not."""
    runs: int = 0
    is_spent: bool = False
    """Whether it ended for want of runs or time."""
