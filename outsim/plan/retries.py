"""Retries outcome by outcome (rule 17), as tables of integers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from outsim.scenario.back_off import Retry
from outsim.scenario.background import Background, TenantClass
from outsim.scenario.campaigns import Campaign
from outsim.units import WHOLE
from outsim.vocabulary import OUTCOMES, RETRIED

TALLY_BITS = 4
"""Attempts of a call that came to an outcome are counted in so many bits of one number."""


@dataclass(frozen=True)
class RetryPlan:
    """What a call waits for after an attempt, by the code of the attempt's outcome.

    The k-th item of an outcome is about the k-th attempt of a call that came to it; where there is
    no k-th, the call is not dialed again.
    """

    intervals_us: tuple[tuple[int, ...], ...]
    jitters_us: tuple[tuple[int, ...], ...]
    """Longest that chance adds to each interval."""

    @cached_property
    def has_jitter(self) -> bool:
        """Whether chance adds anything."""
        return any(map(any, self.jitters_us))

    def is_left(self, outcome: int, so_far: int) -> bool:
        """Whether a call is dialed again that has come to an outcome so often."""
        return so_far <= len(self.intervals_us[outcome])

    def wait_us(self, outcome: int, so_far: int, millionths: int) -> int:
        """From the end of an attempt to the queue again."""
        jitter_us = self.jitters_us[outcome][so_far - 1] * millionths // WHOLE
        return self.intervals_us[outcome][so_far - 1] + jitter_us

    def table(self, rows: tuple[tuple[int, ...], ...], missing: int) -> NDArray[np.int64]:
        """Items of one kind as an array of shape (outcomes, 2**TALLY_BITS), from 1 on."""
        filled = np.full((len(OUTCOMES), 1 << TALLY_BITS), missing, dtype=np.int64)
        for outcome, items in enumerate(rows):
            filled[outcome, 1 : len(items) + 1] = items
        return filled


def retry_plan(caller: Campaign | Background | TenantClass) -> RetryPlan | None:
    """Resolve what a campaign says of outcomes; None where it says nothing."""
    if caller.retry is None or not caller.retry.by_outcome:
        return None
    by_outcome = caller.retry.by_outcome
    intervals, jitters = [], []
    for code, name in enumerate(OUTCOMES):
        retry = by_outcome.get(name, Retry())
        most = caller.max_retry if code in RETRIED else 0
        intervals.append(tuple(retry.intervals_us(caller.retry_interval, most)))
        jitters.append(tuple(map(retry.jitter_us, intervals[-1])))
    return RetryPlan(tuple(intervals), tuple(jitters))
