"""What pictures show over time, derived from the tables exactly; instants are as in `views`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from outsim.clock import HOUR, MISSING, SECOND
from outsim.estimates import quantile_rank
from outsim.results.tables.flows import (
    Flow,
    Grid,
    Instants,
    Moves,
    Steps,
    moves,
    queue_flow,
    settled,
    staying,
    value_at,
)
from outsim.results.tables.schema import checked_step, microseconds
from outsim.vocabulary import FINAL_STATUSES, OUTCOMES, STATUS_GROUPS

Quantity = Literal["queue", "busy_ports"]
"""What can be told by tenant: calls in the outbound queue, or busy ports."""

Side = Literal["happened_at", "visible_at"]
"""What is told of a change: when it came, or when the customer could see it."""
SIDES: tuple[Side, ...] = get_args(Side)

Parts = dict[str, Steps]
"""Step functions by name."""


def tenants_by_size(calls: pd.DataFrame, first: str | None) -> list[str]:
    """Tenants: `first`, the scenario's own, then the others, of both the largest first."""
    by_size = calls.groupby("tenant", observed=True).agg(
        own=("background", lambda of_others: not of_others.all()),
        attempts=("attempts", "sum"),
        calls=("attempts", "size"),
    )
    ranked = [*by_size.sort_values([*by_size], ascending=False, kind="stable").index]
    return sorted(ranked, key=lambda tenant: tenant != first)


def tenant_groups(ranked: list[str], most: int) -> dict[str, list[str]]:
    """Tenants by the name shown for them; those without room stand together as the last."""
    if len(ranked) <= most:
        return {tenant: [tenant] for tenant in ranked}
    alone, rest = ranked[: most - 1], ranked[most - 1 :]
    return {tenant: [tenant] for tenant in alone} | {f"{len(rest)} others": rest}


def load_flow(
    calls: pd.DataFrame, attempts: pd.DataFrame, updates: pd.DataFrame, of: Quantity
) -> Flow:
    """What comes and goes of a quantity."""
    if of == "queue":
        return queue_flow(calls, attempts, updates)
    return Flow(moves(attempts, "dispatched_at"), moves(attempts, "ended_at"))


def group_of_calls(calls: pd.DataFrame, groups: dict[str, list[str]]) -> NDArray[np.int64]:
    """Place of each call's tenant among groups of tenants, by call_id; -1 where it has none."""
    tenants = calls["tenant"].cat
    place = {tenant: k for k, names in enumerate(groups.values()) for tenant in names}
    of_tenant = np.array([place.get(name, -1) for name in tenants.categories], dtype=np.int64)
    group = np.full(int(calls["call_id"].max()) + 1 if len(calls) else 0, -1, dtype=np.int64)
    group[calls["call_id"]] = of_tenant[tenants.codes]
    return group


def by_tenant(
    calls: pd.DataFrame,
    attempts: pd.DataFrame,
    updates: pd.DataFrame,
    of: Quantity,
    *,
    first: str | None = None,
    most: int = 6,
) -> Parts:
    """A quantity of `timeline` as step functions by `tenant_groups`, which add up to it."""
    groups = tenant_groups(tenants_by_size(calls, first), most)
    flow, group_of = load_flow(calls, attempts, updates, of), group_of_calls(calls, groups)
    return {name: settled(flow.of(group_of == place).steps()) for place, name in enumerate(groups)}


def total(parts: Parts) -> Steps:
    """Sum of step functions."""
    at = np.unique(np.concatenate([np.empty(0, np.int64), *(at for at, _ in parts.values())]))
    return at, sum((value_at(part, at) for part in parts.values()), np.zeros(len(at), np.int64))


def change_points(functions: Sequence[Steps], pieces: int) -> Instants:
    """Instants that show step functions as they are, and no more of them than needed.

    All instants of change, if they are few; else of each of so many pieces of time the first,
    lowest, highest and last value of every function, which looks the same.
    """
    everything = np.unique(np.concatenate([np.empty(0, np.int64), *(at for at, _ in functions)]))
    if len(everything) <= 4 * pieces:
        return everything
    width = max(1, -(-(int(everything[-1]) - int(everything[0]) + 1) // pieces))
    marks_of = [at[_extremes(values, (at - everything[0]) // width)] for at, values in functions]
    return np.unique(np.concatenate(marks_of))


def _extremes(values: NDArray[np.int64], piece: NDArray[np.int64]) -> NDArray[np.int64]:
    """Places of the first, lowest, highest and last value in each piece."""
    if len(values) == 0:
        return np.empty(0, np.int64)
    begins = np.flatnonzero(np.diff(piece, prepend=-1))
    lengths = np.diff(begins, append=len(values))
    places = [begins, begins + lengths - 1]
    for extreme in (np.minimum, np.maximum):
        reached = np.flatnonzero(values == np.repeat(extreme.reduceat(values, begins), lengths))
        # The first place that reaches it, of each piece.
        places.append(reached[np.searchsorted(reached, begins)])
    return np.unique(np.concatenate(places))


def hourly_outcomes(attempts: pd.DataFrame, begins: datetime) -> pd.DataFrame:
    """Ended attempts by outcome (columns) and local clock hour of dispatch, first to last hour."""
    ended = attempts[attempts["outcome"].notna()]
    zone = str(begins.tzinfo)
    if ended.empty:
        empty = pd.DatetimeIndex([], dtype=pd.DatetimeTZDtype("us", zone), name="hour")
        return pd.DataFrame(0, index=empty, columns=list(OUTCOMES))
    # Clocks change by whole hours, but for Lord Howe Island's: after a change there, these hours
    # begin at half past.
    lead_us = (begins.minute * 60 + begins.second) * SECOND + begins.microsecond
    origin_us = int(pd.Timestamp(begins).as_unit("us").asm8.astype(np.int64)) - lead_us
    hours = (ended["dispatched_at"].astype("int64").to_numpy() - origin_us) // HOUR
    first, last = int(hours.min()), int(hours.max())
    counts = np.zeros((last - first + 1, len(OUTCOMES)), dtype=np.int64)
    codes = pd.Categorical(ended["outcome"], categories=list(OUTCOMES)).codes
    np.add.at(counts, (hours - first, codes), 1)
    starts = origin_us + HOUR * np.arange(first, last + 1)
    index = pd.DatetimeIndex(starts.astype("datetime64[us]"), tz="UTC").tz_convert(zone)
    return pd.DataFrame(counts, index=index.rename("hour"), columns=list(OUTCOMES))


def handed_in(updates: pd.DataFrame) -> Moves:
    """When calls were handed in."""
    first = updates["attempt"].eq(0) & updates["status"].isin(("scheduled", "rejected", "refused"))
    return moves(updates, "happened_at", first.to_numpy())


def came_to(updates: pd.DataFrame, statuses: Sequence[str], side: Side) -> Moves:
    """When calls came to one of some final statuses, or were seen to."""
    return moves(updates, side, updates["status"].isin(statuses).to_numpy())


def true_and_seen(updates: pd.DataFrame) -> dict[str, tuple[Steps, Steps]]:
    """Calls by `STATUS_GROUPS` over time, by what happened and by what the customer could see."""
    over: dict[str, tuple[Steps, Steps]] = {}
    for group, words in STATUS_GROUPS.items():
        if group != "pending":
            happened, seen = (came_to(updates, words, side) for side in SIDES)
            over[group] = settled(staying(happened).steps()), settled(staying(seen).steps())
    submitted, pending = staying(handed_in(updates)).steps(), []
    for side in (0, 1):
        parts = [functions[side] for functions in over.values()]
        at = np.unique(np.concatenate([submitted[0], *(at for at, _ in parts)]))
        ended = sum(value_at(function, at) for function in parts)
        pending.append((at, value_at(submitted, at) - ended))
    return {"pending": (pending[0], pending[1])} | over


def status_lags_s(updates: pd.DataFrame) -> NDArray[np.float64]:
    """Status lags of the updates that workers process; infinite where one was never shown."""
    happened, visible = (microseconds(updates[name]) for name in ("happened_at", "visible_at"))
    lags_s: NDArray[np.float64] = (visible - happened) / SECOND
    lags_s[visible == MISSING] = np.inf
    return lags_s[lags_s > 0]


def status_lag(
    updates: pd.DataFrame, begins: datetime, ends: datetime, every: str = "1min"
) -> pd.DataFrame:
    """Lag of updates by when they happened, in seconds; one row an interval, by local time.

    ``median`` and ``p90`` are quantiles of the lags (`status_lags_s`) of the updates of the
    interval; missing where nothing happened, or where that many of them were not visible by the
    end of the run. ``updates`` counts them.
    """
    grid = pd.date_range(
        begins, ends, freq=checked_step(every), inclusive="left", unit="us", name="at"
    )
    processed = updates[updates["happened_at"].ne(updates["visible_at"])]
    lags_s = status_lags_s(processed)
    place = np.searchsorted(grid.asi8, microseconds(processed["happened_at"]), side="right") - 1
    median, p90 = _quantiles(lags_s, place, len(grid), 0.5, 0.9)
    updates_of = np.bincount(place, minlength=len(grid))
    return pd.DataFrame({"median": median, "p90": p90, "updates": updates_of}, index=grid)


def _quantiles(
    values: NDArray[np.float64], place: NDArray[np.int64], places: int, *levels: float
) -> list[NDArray[np.float64]]:
    """Quantiles of the values at each place; NaN where there are none, or it is infinite."""
    counts = np.bincount(place, minlength=places)
    ordered = np.append(values[np.lexsort((values, place))], np.nan)
    quantiles = []
    for level in levels:
        ranks = np.maximum(0, np.ceil(level * counts).astype(np.int64) - 1)
        found = ordered[np.minimum(np.cumsum(counts) - counts + ranks, len(values))]
        quantiles.append(np.where((counts > 0) & np.isfinite(found), found, np.nan))
    return quantiles


def status_lag_p90_s(
    grid: Grid, updates: pd.DataFrame, group_of_call: NDArray[np.int64], groups: int
) -> NDArray[np.float64]:
    """The ``p90`` of `status_lag` on a grid, by group of calls; shape (groups, count)."""
    group = group_of_call[updates["call_id"]]
    happened = microseconds(updates["happened_at"])
    place = (happened - grid.begins) // grid.step_us
    rows = (group >= 0) & (place >= 0) & (place < grid.count)
    rows &= happened != microseconds(updates["visible_at"])
    cells = group[rows] * grid.count + place[rows]
    [found] = _quantiles(status_lags_s(updates[rows]), cells, groups * grid.count, 0.9)
    return found.reshape(groups, grid.count)


def status_counts(
    grid: Grid,
    updates: pd.DataFrame,
    side: Side,
    group_of_call: NDArray[np.int64],
    groups: int,
) -> dict[str, NDArray[np.int64]]:
    """Calls on a grid that are ``pending``, or have a final status; each (groups, count)."""

    def so_far(comes: Moves) -> NDArray[np.int64]:
        return grid.level(staying(comes), group_of_call, groups)

    ends = updates[updates["status"].isin(FINAL_STATUSES)]
    over = {status: so_far(came_to(ends, [status], side)) for status in FINAL_STATUSES}
    return {"pending": so_far(handed_in(updates)) - sum(over.values())} | over


def over_replications(functions: Sequence[Steps], marks: Instants) -> pd.DataFrame:
    """``median``, and ``low`` to ``high`` of 90 % of the runs, or of all of fewer than 20."""
    values = np.array([value_at(function, marks) for function in functions])
    low, high = (0.05, 0.95) if len(functions) >= 20 else (0.0, 1.0)
    places = [quantile_rank(level, len(functions)) for level in (0.5, low, high)]
    values.sort(axis=0)
    return pd.DataFrame(values[places].T, columns=["median", "low", "high"])
