"""The tables of a run, cut to the calls that are asked about, and how measures reduce them.

A measure is written once, for the calls of one view or for those of every tenant at once: `View`
reduces to a number, `ByTenant` to one number a tenant.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Generic, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from outsim.clock import HOUR
from outsim.estimates import quantile_rank, sample_quantile
from outsim.plan import CampaignPlan
from outsim.results.port_time import held_us
from outsim.results.run_arrays import RunArrays
from outsim.results.tables.schema import handed_out
from outsim.text import brief

NEEDED = {
    "calls": (
        *("status", "outcome", "wait_starts_at", "first_dispatched_at", "final_at"),
        *("wait_s", "wait_state", "wedged", "given_up_at", "dialed_after_wanted"),
    ),
    "attempts": ("dispatched_at", "outcome"),
    "updates": ("status", "happened_at", "visible_at"),
}
"""Columns of the tables that measures are made of."""

Figure = TypeVar("Figure")
"""A number; or an array of them, one a tenant."""

Array = NDArray[np.float64]
Codes = NDArray[np.intp]


def among(column: pd.Series, *words: str) -> pd.Series:
    """Where a column has one of these words; categories compare a word as its code."""
    mask = column == words[0]
    for word in words[1:]:
        mask |= column == word
    return mask


@dataclass(frozen=True, eq=False)
class CallTables(ABC, Generic[Figure]):
    """The tables of one run, cut to the calls that are asked about: `NEEDED`, or all of them."""

    __repr__ = brief

    calls: pd.DataFrame
    attempts: pd.DataFrame
    updates: pd.DataFrame
    start: datetime
    """Start of the run."""
    deadline: datetime
    """Clock time by which completed calls are counted."""
    stop_requested: datetime | None = None
    """When the customer asked to stop the campaign; None if nobody did."""
    stop_effect: datetime | None = None
    """When that took effect."""
    arrays: RunArrays | None = None
    """Everything that the run gave, for measures that need more than the columns above."""
    whose: Callable[[CampaignPlan], bool] | None = None
    """Whether a campaign's calls are in these tables; None where nobody said, so that all are."""

    @cached_property
    def wanted(self) -> pd.DataFrame:
        """Calls that could be dialed: those that intake refused included, and no rejected rows."""
        wanted = self.calls["status"] != "rejected"
        return self.calls if wanted.all() else self.calls[wanted]

    @cached_property
    def accepted(self) -> pd.DataFrame:
        """Calls that were neither rejected nor refused."""
        accepted = self.wanted["status"] != "refused"
        return self.wanted if accepted.all() else self.wanted[accepted]

    @cached_property
    def completed(self) -> pd.Series:
        """Which of the wanted calls were completed."""
        return self.wanted["status"] == "completed"

    @cached_property
    def counted_waits(self) -> tuple[NDArray[np.bool_], Array]:
        """Which calls have a wait that counts, and these waits in seconds.

        A wait ends with the dispatch of the first attempt that the carrier takes: one
        that it refuses reaches nobody. A call without such an attempt by its end, or by
        the end of the run, counts as longer than any limit (inf), and so does one that
        intake refused; those canceled before, wedged and rejected ones are left out.
        """
        counted = among(
            self.calls["wait_state"], "complete", "censored", "never", "refused"
        ).to_numpy()
        waits: Array = self.calls["wait_s"].to_numpy(np.float64)[counted]
        waits[np.isnan(waits)] = np.inf
        return counted, waits

    @abstractmethod
    def count(self, of: pd.Series | pd.DataFrame) -> Figure:
        """How many calls are marked, or stand in a table of them."""

    @abstractmethod
    def attempts_made(self) -> Figure:
        """How many attempts were dispatched."""

    @abstractmethod
    def port_hours(self) -> Figure:
        """Hours for which ports were held."""

    @abstractmethod
    def port_share(self) -> Figure:
        """Port time of these calls, of that of all calls of the run."""

    @abstractmethod
    def ratio(self, part: Figure, whole: Figure) -> Figure:
        """Part over whole; NaN where there is no whole."""

    @abstractmethod
    def wait_at_s(self, level: float) -> Figure:
        """Wait that this share of the calls that count do not exceed, in seconds."""

    @abstractmethod
    def wait_mean_s(self) -> Figure:
        """Mean wait of the calls that count, in seconds; NaN if one of them never went out."""


@dataclass(frozen=True, eq=False)
class View(CallTables[float]):
    """The calls that are asked about, taken together."""

    __repr__ = brief

    def handed_out(self) -> View:
        """The same, for somebody who may change the tables."""
        return replace(
            self,
            calls=handed_out(self.calls),
            attempts=handed_out(self.attempts),
            updates=handed_out(self.updates),
        )

    @cached_property
    def waits_s(self) -> Array:
        """Waits of the calls that count, sorted, in seconds; inf for one that never went out."""
        return np.sort(self.counted_waits[1])

    @cached_property
    def finish(self) -> pd.Timestamp | None:
        """When the last call but wedged ones got its final status; None while any is pending."""
        final_at = self.accepted["final_at"][~self.accepted["wedged"]]
        if len(final_at) == 0 or final_at.isna().any():
            return None
        finish: pd.Timestamp = final_at.max()
        return finish

    def count(self, of: pd.Series | pd.DataFrame) -> float:
        """How many calls are marked, or stand in a table of them."""
        return len(of) if isinstance(of, pd.DataFrame) else int(of.sum())

    def attempts_made(self) -> float:
        """How many attempts were dispatched."""
        return len(self.attempts)

    def port_hours(self) -> float:
        """Hours for which ports were held."""
        if self.arrays is None:
            return float("nan")
        held = held_us(self.arrays)
        rows = self.arrays.rows_of(self.whose or anybody)(self.arrays.attempts["call_id"])
        return float((held if rows is None else held[rows]).sum()) / HOUR

    def port_share(self) -> float:
        """Port time of these calls, of that of all calls of the run."""
        if self.arrays is None:
            return float("nan")
        return self.ratio(self.port_hours() * HOUR, float(held_us(self.arrays).sum()))

    def ratio(self, part: float, whole: float) -> float:
        """Part over whole; NaN where there is no whole."""
        return part / whole if whole else float("nan")

    def wait_at_s(self, level: float) -> float:
        """Wait that this share of the calls that count do not exceed, in seconds."""
        return sample_quantile(self.waits_s, level)

    def wait_mean_s(self) -> float:
        """Mean wait of the calls that count, in seconds."""
        if len(self.waits_s) == 0 or not np.isfinite(self.waits_s[-1]):
            return float("nan")
        return float(self.waits_s.mean())


def anybody(_: CampaignPlan) -> bool:
    """Chooses every campaign."""
    return True


def _codes(table: pd.DataFrame) -> Codes:
    """Place of each row's tenant among the plan's."""
    return np.asarray(table["tenant"].cat.codes, dtype=np.intp)


@dataclass(frozen=True, eq=False)
class ByTenant(CallTables[Array]):
    """The calls of every tenant by itself; tables have a column ``tenant``, too.

    Figures have the shape (tenants,), in the order of the plan's. One is NaN where a tenant has
    no call that it could be about, and infinite where the run was too short for it.
    """

    __repr__ = brief

    @cached_property
    def _size(self) -> int:
        return len(self.calls["tenant"].cat.categories)

    @cached_property
    def _tenant(self) -> Codes:
        return _codes(self.calls)

    def _sums(self, tenant: Codes, of: NDArray[Any] | None = None) -> Array:
        return np.bincount(tenant, of, minlength=self._size).astype(np.float64)

    def count(self, of: pd.Series | pd.DataFrame) -> Array:
        """How many calls are marked, or stand in a table of them."""
        rows = (of if isinstance(of, pd.DataFrame) else of[of]).index
        return self._sums(self._tenant[rows])

    def attempts_made(self) -> Array:
        """How many attempts were dispatched."""
        return self._sums(_codes(self.attempts))

    def port_hours(self) -> Array:
        """Hours for which ports were held."""
        if self.arrays is None:
            return np.full(self._size, np.nan)
        run, held = self.arrays, held_us(self.arrays)
        tenant = run.tenant_of_rank[run.rank]
        rows = run.rows_of(self.whose or anybody)(run.attempts["call_id"])
        if rows is not None:
            tenant, held = tenant[rows], held[rows]
        return self._sums(tenant, held) / HOUR

    def port_share(self) -> Array:
        """Port time of these calls, of that of all calls of the run."""
        hours = self.port_hours()
        return self.ratio(hours, np.full(self._size, hours.sum()))

    def ratio(self, part: Array, whole: Array) -> Array:
        """Part over whole; NaN where there is no whole."""
        return np.asarray(
            np.divide(part, whole, out=np.full(self._size, np.nan), where=whole != 0)
        )

    @cached_property
    def _waits(self) -> tuple[Codes, Codes, Array]:
        """Where the waits of each tenant begin, how many they are, and all, sorted in each."""
        counted, waits = self.counted_waits
        tenant = self._tenant[counted]
        order = np.lexsort((waits, tenant))
        counts = np.bincount(tenant, minlength=self._size)
        return np.cumsum(counts) - counts, counts, waits[order]

    def wait_at_s(self, level: float) -> Array:
        """Wait that this share of the calls that count do not exceed, in seconds."""
        begins, counts, waits = self._waits
        places = np.array([quantile_rank(level, count) for count in counts.tolist()], np.intp)
        return np.where(
            counts > 0, np.append(waits, np.nan)[(begins + places) * (counts > 0)], np.nan
        )

    def wait_mean_s(self) -> Array:
        """Mean wait of the calls that count, in seconds."""
        _, counts, waits = self._waits
        totals = self._sums(np.repeat(np.arange(self._size), counts), waits)
        return self.ratio(totals, np.asarray(counts, dtype=np.float64))
