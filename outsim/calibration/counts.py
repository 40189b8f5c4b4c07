"""Durations of a log as counts per second: five million rows cost what their seconds cost."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from outsim.errors import ScenarioError
from outsim.text import brief

Floats = NDArray[np.float64]

Rounding = Literal["nearest", "down", "up"]
"""How a log turned a duration into one of its steps."""

_BELOW = {"nearest": 0.5, "down": 0.0, "up": 1.0}
"""Part of a step that lies below what is recorded."""

LONGEST_S = 2.0**20
"""Durations beyond are no calls: twelve days."""
MOST_STOOD_FOR = 20
"""Calls that one which ended may stand for, where others were cut off before it."""
FINE_STEP_S = 0.1
"""Step that durations are counted in where a log has fractions of a second."""


@dataclass(frozen=True)
class Counts:
    """How often each duration was recorded.

    Parameters
    ----------
    recorded_s : float64 array of shape (durations,)
        Distinct recorded durations, rising, in whole steps.
    events : float64 array of shape (durations,)
        How many ended after it.
    censored : float64 array of shape (durations,)
        How many were cut off after it: that long, or longer.
    step_s : float
        Seconds between two durations that the log tells apart.
    rounding : {"nearest", "down", "up"}
        How it rounds to a step.
    """

    __repr__ = brief

    recorded_s: Floats
    events: Floats
    censored: Floats
    step_s: float = 1.0
    rounding: Rounding = "nearest"

    @cached_property
    def total(self) -> float:
        """Durations that were seen to end."""
        return float(self.events.sum())

    @property
    def lower_s(self) -> Floats:
        """Least true duration that is recorded so."""
        return np.maximum(self.recorded_s - _BELOW[self.rounding] * self.step_s, 0.0)

    @property
    def upper_s(self) -> Floats:
        """Where the next longer record begins."""
        return self.recorded_s + (1 - _BELOW[self.rounding]) * self.step_s

    @property
    def middle_s(self) -> Floats:
        """The duration that each record stands for; positive."""
        middles = self.recorded_s + (0.5 - _BELOW[self.rounding]) * self.step_s
        return np.where(middles > 0, middles, (self.lower_s + self.upper_s) / 2)

    @cached_property
    def _at_risk(self) -> Floats:
        """Calls that lasted to each record or longer; one cut off in it is at risk all through."""
        return np.cumsum((self.events + self.censored)[::-1])[::-1]

    @cached_property
    def _surviving(self) -> Floats:
        """Share that lasts beyond each record: the product-limit estimate (Kaplan, Meier 1958)."""
        lasting = 1 - self.events / np.maximum(self._at_risk, 1e-300)
        return np.asarray(np.cumprod(lasting), dtype=np.float64)

    @cached_property
    def told_until_s(self) -> float:
        """Duration up to which those that ended tell of all; infinite if all of them do.

        The product-limit estimate lets a call that ended after most others were cut off stand for
        all of these (Efron 1967 spreads their weight to the right). Beyond this, one that ended
        stands for more than `MOST_STOOD_FOR` calls, and a few of them would decide everything.
        """
        before = np.append(1.0, self._surviving[:-1]) * self._at_risk[0]
        ended = self.events > 0
        too_many = ended & (before > MOST_STOOD_FOR * self._at_risk)
        if not too_many.any():
            return float("inf")
        told = ended & (np.cumsum(too_many) == 0)
        return float(self.recorded_s[told][-1] + self.step_s / 2) if told.any() else float("inf")

    @cached_property
    def shares(self) -> Floats:
        """Share of the durations up to and with each record, shape (durations,).

        With censored ones it is the product-limit estimate divided by its last value: those who
        would never have answered are no part of it.
        """
        ended = 1 - self._surviving
        return np.asarray(ended / ended[-1], dtype=np.float64)

    @property
    def masses(self) -> Floats:
        """Share of the durations in each record; they add up to 1."""
        return np.diff(self.shares, prepend=0.0)

    def quantiles_s(self, shares: ArrayLike) -> Floats:
        """Quantiles of what was recorded, as ``numpy.quantile`` gives them, in seconds."""
        at = np.asarray(shares, dtype=np.float64) * max(self.total - 1, 0)
        ranks = np.cumsum(self.masses) * self.total
        last = int(np.flatnonzero(self.events)[-1])
        below = np.floor(at + 1e-9)

        def of_rank(rank: Floats) -> Floats:
            places = np.searchsorted(ranks, rank + 1e-6, side="right")
            return self.middle_s[np.minimum(places, last)]

        low, high = of_rank(below), of_rank(below + 1)
        return low + np.maximum(at - below, 0) * (high - low)

    def middle_quantiles_s(self, shares: ArrayLike) -> Floats:
        """Quantiles with each record's durations spread around it, in seconds.

        Each record stands for the share in its middle (the mid-quantiles of Ma, Genton and
        Parzen, Annals of the Institute of Statistical Mathematics 63, 2011).
        """
        seen = self.events > 0
        middles = (self.shares - self.masses / 2)[seen]
        return np.interp(np.asarray(shares, np.float64), middles, self.middle_s[seen])


def is_duration(seconds: Floats) -> NDArray[np.bool_]:
    """Where there is a duration that a call may have."""
    with np.errstate(invalid="ignore"):
        return np.asarray((seconds >= 0) & (seconds <= LONGEST_S))


def count(
    seconds: ArrayLike,
    weights: ArrayLike | None = None,
    is_censored: ArrayLike | None = None,
    *,
    rounding: Rounding = "nearest",
    step_s: float | None = None,
) -> Counts:
    """Count durations.

    Parameters
    ----------
    seconds : array of shape (rows,)
        Recorded durations. Missing, negative and impossible ones (over twelve days) are left
        out; the caller says how many there are.
    weights : array of shape (rows,), optional
        How many calls each row stands for; default: one.
    is_censored : array of shape (rows,), optional
        Whether the row was cut off; default: none was.
    rounding : {"nearest", "down", "up"}
        How the log rounds to its step.
    step_s : float, optional
        The step; default: 1 s if all are whole seconds, else 0.1 s.

    Raises
    ------
    ScenarioError
        If there is no such rounding, or no duration at all.
    """
    if rounding not in get_args(Rounding):
        raise ScenarioError(f"rounding: found {rounding!r}; write nearest, down or up")
    values = np.asarray(seconds, dtype=np.float64)
    usable = is_duration(values)
    weighted = np.ones(len(values)) if weights is None else np.asarray(weights, np.float64)
    usable &= weighted > 0
    values = values[usable]
    if not len(values):
        raise ScenarioError("durations: found none; need at least one")
    if step_s is None:
        step_s = 1.0 if (values == np.rint(values)).all() else FINE_STEP_S
    steps = np.rint(values / step_s).astype(np.int64)
    if rounding == "up":
        steps = np.maximum(steps, 1)  # nothing is rounded up to no time at all
    sizes = weighted[usable]
    cut = (
        np.zeros(len(values), dtype=np.bool_)
        if is_censored is None
        else np.asarray(is_censored, dtype=np.bool_)[usable]
    )
    events = np.bincount(steps, weights=np.where(cut, 0, sizes)).astype(np.float64)
    censored = np.bincount(steps, weights=np.where(cut, sizes, 0)).astype(np.float64)
    there = np.flatnonzero(events + censored)
    recorded = np.round(there * step_s, 9)
    return Counts(recorded, events[there], censored[there], step_s, rounding)
