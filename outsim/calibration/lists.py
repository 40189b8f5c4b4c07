"""Which first dials are one list, and what kind of load each customer makes.

A log rarely says where a list begins. First dials of one customer that follow each other within
`GAP_S` are one list, as a session of a web log ends with a long pause (Catledge and Pitkow,
Computer Networks 27, 1995; Halfaker and others, WWW 2015). Where campaigns are named a list is
what one campaign dials with no pause of `CAMPAIGN_GAP_S`, so that one that comes again each day is
a list a day. Lists of one customer that overlap, or follow each other sooner, can only be told
apart by campaigns.

Kinds are told apart by the Allan factor of counts, half the mean square of the difference of
neighboring counts over their mean, which slow changes of a rate hardly move (Lowen and Teich,
Fractal 2, 1996): 1 for calls that come one by one, near 0 for paced ones, far above 1 where lists
begin and end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outsim.calibration.values import Flags, Floats, Integers, Micros
from outsim.clock import SECOND
from outsim.text import brief

GAP_S = 600
"""Longest pause between first dials of one list, where campaigns have no names."""
CAMPAIGN_GAP_S = 6 * 3600
"""Longest such pause within one campaign's list: a night is longer."""
WINDOW_S = 300
"""Windows in which calls that come one by one are told from lists."""
HOUR_S = 3600
MOST_OF_CALLS = 4.0
"""Allan factor of counts by `WINDOW_S` below which calls come one by one: lists of three or fewer
have no more."""
MOST_OF_PACED = 0.3
"""Allan factor of short windows within a list below which it is paced."""
CALLS_IN_WINDOW = 10
"""Calls that such a short window has on average."""
LEAST_WINDOWS = 5
"""Such windows of a list from which it is looked at whether it is paced."""
ENOUGH_WINDOWS = 20
"""Such windows of a customer's lists in all, for chance not to make single calls look paced."""
UNPACED = 0.5
"""Share of the most dials of a minute from which a list goes as fast as the platform takes it."""

Kinds = dict[int, str]


@dataclass(frozen=True, eq=False)
class Lists:
    """Lists of a log, in the order of customers and times. All of shape (lists,)."""

    __repr__ = brief

    tenant: Integers
    start_us: Micros
    size: Integers
    """First dials."""
    pace: Floats
    """Calls a minute, between the first and the last tenth of its calls; missing if too few."""
    paced: Floats
    """Allan factor of counts of `CALLS_IN_WINDOW`; missing if it has too few windows."""


def lists_of(tenant: Integers, campaign: Integers | None, started: Micros) -> Lists:
    """Group first dials into lists."""
    names = np.full(len(tenant), -1) if campaign is None else campaign
    order = np.lexsort((started, names, tenant))
    tenant, names, at = tenant[order], names[order], started[order]
    limit_s = np.where(names >= 0, CAMPAIGN_GAP_S, GAP_S)
    begins = np.ones(len(at), dtype=np.bool_)
    begins[1:] = (
        (tenant[1:] != tenant[:-1])
        | (names[1:] != names[:-1])
        | (np.diff(at) > limit_s[1:] * SECOND)
    )
    first = np.flatnonzero(begins)
    last = np.append(first[1:], len(at))
    paces, factors = np.full(len(first), np.nan), np.full(len(first), np.nan)
    for k, (low, high) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
        paces[k], factors[k] = _pace(at[low:high])
    return Lists(tenant[first], at[first], last - first, paces, factors)


def _pace(at: Micros) -> tuple[float, float]:
    """Calls a minute, and the Allan factor of counts in short windows; missing if too few."""
    size = len(at)
    tenth, ninth = size // 10, size - 1 - size // 10
    inner_s, span_s = float(at[ninth] - at[tenth]) / SECOND, float(at[-1] - at[0]) / SECOND
    pace = 60 * (ninth - tenth) / inner_s if inner_s > 0 and ninth - tenth > 1 else np.nan
    if size < LEAST_WINDOWS * CALLS_IN_WINDOW:
        return pace, np.nan
    # Most logs write whole seconds: windows of fewer would count what rounding makes.
    window_s = max(CALLS_IN_WINDOW * span_s / (size - 1), CALLS_IN_WINDOW)
    windows = int(span_s // window_s)
    if windows < LEAST_WINDOWS:
        return pace, np.nan
    places = ((at - at[0]) / (window_s * SECOND)).astype(np.int64)
    return pace, _allan_factor(np.bincount(places)[:windows].astype(np.float64))


def _allan_factor(counts: Floats) -> float:
    return float(np.mean(np.diff(counts) ** 2) / (2 * max(counts.mean(), 1e-12)))


def kinds_of(lists: Lists, tenant: Integers, started: Micros, most_a_minute: float) -> Kinds:
    """Kind of load by customer: ``batch``, ``steady`` or ``calls``."""
    order = np.lexsort((started, tenant))
    tenant, at = tenant[order], started[order]
    kinds: Kinds = {}
    several = len(np.unique(tenant)) > 1
    for who in np.unique(tenant).tolist():
        mine = lists.tenant == who
        paced = mine & ~np.isnan(lists.paced)
        sizes = lists.size.astype(np.float64)
        is_enough = sizes[paced].sum() >= ENOUGH_WINDOWS * CALLS_IN_WINDOW
        if is_enough and _middle(lists.paced[paced], sizes[paced]) < MOST_OF_PACED:
            pace = _middle(lists.pace[paced], sizes[paced])
            unpaced = several and pace >= UNPACED * most_a_minute
            kinds[who] = "batch" if unpaced else "steady"
        else:
            low, high = np.searchsorted(tenant, [who, who + 1])
            one_by_one = _factor_by_hour(at[low:high]) < MOST_OF_CALLS
            kinds[who] = "calls" if one_by_one else "batch"
    return kinds


def _factor_by_hour(at: Micros) -> float:
    """Middle Allan factor of counts by `WINDOW_S` within an hour, over the calls."""
    windows = HOUR_S // WINDOW_S
    places = at // (WINDOW_S * SECOND)
    hours, hour_of = np.unique(places // windows, return_inverse=True)
    counts = np.zeros((len(hours), windows))
    np.add.at(counts, (hour_of, places % windows), 1)
    factors = np.mean(np.diff(counts, axis=1) ** 2, axis=1) / (2 * counts.mean(axis=1))
    return _middle(factors, counts.sum(axis=1))


def _middle(values: Floats, weights: Floats) -> float:
    """Weighted median."""
    order = np.argsort(values, kind="stable")
    summed = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(summed, summed[-1] / 2)])


def most_in_a_minute(started: Micros) -> float:
    """Most dials that begin in any one minute of the clock."""
    return float(np.unique(started // (60 * SECOND), return_counts=True)[1].max())


def of_kind(codes: Integers, kinds: Kinds, kind: str) -> Flags:
    """Where a customer's code is one of this kind."""
    return np.isin(codes, [who for who, its in kinds.items() if its == kind])
