"""The load that a call log tells of: lists and single calls by class of customers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import pandas as pd

from outsim.calibration.lists import (
    CAMPAIGN_GAP_S,
    GAP_S,
    Lists,
    kinds_of,
    lists_of,
    most_in_a_minute,
    of_kind,
)
from outsim.calibration.log import CallLog
from outsim.calibration.outcomes import jeffreys
from outsim.calibration.rates import Estimate, Hours, Rates, fit_rates, hours_of
from outsim.calibration.sizes import SizeFit, fit_sizes
from outsim.calibration.values import Flags, Floats, Integers, Micros
from outsim.clock import SECOND
from outsim.errors import ScenarioError
from outsim.scenario.parts import WEEKDAYS
from outsim.text import brief

Kind = Literal["batch", "steady", "calls"]

_RARE = 0.002
"""Share of calls below which their last attempts are taken for mistakes of the log."""
MOST_RETRIES = 10
"""Retries that a scenario takes at most."""
LEAST_GAP_S, MOST_GAP_S = 60, 172_800
"""The platform's limits of the retry interval."""
ROUNDING_S = 2.0
"""Seconds that a log's rounding may take from a gap."""
FEW_LISTS = 10
"""Lists below which what is fitted to them is said to be a guess."""
SLACK_MINUTES = 1
"""Minutes after a marked one in which a first dial still is of a list that started at it."""
WIDE_PACES = 1.5
"""How many times the slowest pace the fastest may be, for one pace to stand for all."""


@dataclass(frozen=True, eq=False)
class ClassFit:
    """Customers of one kind."""

    __repr__ = brief

    kind: Kind
    tenants: int
    named: tuple[str, ...]
    """Their names, those with most calls first; empty where the log has none."""
    calls: int
    """First dials."""
    rates: Rates
    """How often their lists start, or calls come."""
    sizes: SizeFit | None
    """Sizes of their lists; None for single calls."""
    minutes: dict[str, Estimate]
    """Shares of the minutes at which lists of a batch start; empty for the others."""
    pace: Estimate | None
    """Calls a minute of a list: what the client paces, or for a batch what the platform took."""
    slowest_to_fastest: float
    """Pace of the fastest customer over that of the slowest."""
    max_retry: int
    retry_interval_s: Estimate | None
    """Between dials of one call; None where nobody was dialed again."""


@dataclass(frozen=True, eq=False)
class LoadFit:
    """A load fitted to a call log."""

    __repr__ = brief

    classes: tuple[ClassFit, ...]
    zone: str
    """Time zone of hours and weekdays."""
    hours: Hours
    by_campaign: bool
    """Whether campaigns have names, by which lists are told apart."""
    notes: tuple[str, ...]
    """What a reader has to know of it."""


def fit_load(call_log: CallLog) -> LoadFit:
    """Fit lists, paces and rates to a call log."""
    table, zone = call_log.table, call_log.zone
    if zone is None:
        raise ScenarioError(
            "load: hours and weekdays need a time zone; give it, such as --zone America/New_York"
        )
    if "started" not in table or table["started"].isna().all():
        raise ScenarioError("load: the log has no times of dials; name their column (started)")
    if "weight" in table:
        raise ScenarioError(
            "load: rows stand for several attempts each, so that nobody knows when they were; "
            "give a log with a row for each"
        )
    rows = table[table["started"].notna()].reset_index(drop=True)
    instants = rows["started"].astype("datetime64[us, UTC]").astype("int64")
    started = np.asarray(instants, dtype=np.int64)
    attempt = rows["attempt"].to_numpy() if "attempt" in rows else np.zeros(len(rows), np.int64)
    is_first = (attempt <= 1) | call_log.last_only
    if not is_first.any():
        raise ScenarioError("load: no row is the first attempt of its call")
    campaign = rows["campaign"].to_numpy() if "campaign" in rows else None
    tenant = rows["tenant"].to_numpy() if "tenant" in rows else None
    unit = _units(tenant, campaign, len(rows))
    found = lists_of(
        unit[is_first], None if campaign is None else campaign[is_first], started[is_first]
    )
    kinds = kinds_of(found, unit[is_first], started[is_first], most_in_a_minute(started))
    hours = hours_of(int(started.min()), int(started.max()), zone)
    gaps_s = _gaps_s(rows, unit, attempt, started)
    classes = []
    for kind in get_args(Kind):
        mine = of_kind(unit, kinds, kind)
        if (mine & is_first).any():
            its = _of_lists(found, of_kind(found.tenant, kinds, kind))
            starts = started[mine & is_first] if kind == "calls" else its.start_us
            names = _names(call_log, tenant, mine & is_first)
            classes.append(
                ClassFit(
                    kind,
                    len(np.unique(unit[mine])) if tenant is not None else 1,
                    names,
                    int((mine & is_first).sum()),
                    fit_rates(starts, hours),
                    None if kind == "calls" else fit_sizes(its.size),
                    _minutes(its.start_us, zone) if kind == "batch" else {},
                    None if kind == "calls" else _pace(its),
                    _spread(its),
                    *_retries(attempt[mine], gaps_s[mine]),
                )
            )
    fitted = LoadFit(tuple(classes), zone, hours, campaign is not None, ())
    notes = _notes(fitted, call_log, tenant is not None, rows, len(table) - len(rows))
    return replace(fitted, notes=tuple(notes))


def _units(tenant: Integers | None, campaign: Integers | None, size: int) -> Integers:
    """Whose kind of load is looked at: customers, else campaigns, else the log as a whole."""
    known = tenant if tenant is not None else campaign
    return np.zeros(size, np.int64) if known is None else known.astype(np.int64)


def _of_lists(found: Lists, mine: Flags) -> Lists:
    return Lists(*(getattr(found, name)[mine] for name in Lists.__dataclass_fields__))


def _names(call_log: CallLog, tenant: Integers | None, mine: Flags) -> tuple[str, ...]:
    if tenant is None:
        return ()
    codes, counts = np.unique(tenant[mine], return_counts=True)
    ordered = codes[np.argsort(-counts, kind="stable")].tolist()
    return tuple(call_log.tenants[code] if code >= 0 else "without a name" for code in ordered)


def _minutes(start_us: Micros, zone: str) -> dict[str, Estimate]:
    """Shares of marked minutes, less those that chance puts into the minutes after them."""
    local = pd.DatetimeIndex(start_us.view("datetime64[us]"), tz="UTC").tz_convert(zone)
    minute = local.minute.to_numpy()
    since = minute % 15
    marked = since <= SLACK_MINUTES
    groups = {
        "top": marked & (minute < 15),
        "half": marked & (minute // 15 == 2),
        "quarter": marked & (minute // 15 % 2 == 1),
    }
    size, counts = len(minute), {name: float(at.sum()) for name, at in groups.items()}
    # 4 of the 56 other minutes follow a marked one.
    others = min(float((~marked).sum()) * 56 / (56 - 4 * SLACK_MINUTES), size)
    chance = {"top": 1, "half": 1, "quarter": 2}
    for name, places in chance.items():
        counts[name] = max(counts[name] - others * places * SLACK_MINUTES / 56, 0.0)
    counts["other"] = size - sum(counts.values())
    return {
        name: Estimate(number / size, *jeffreys(number, size)) for name, number in counts.items()
    }


def _pace(its: Lists) -> Estimate | None:
    """Middle pace of lists, with its interval by order statistics."""
    paces = np.sort(its.pace[~np.isnan(its.pace)])
    if not len(paces):
        return None
    rank = 0.98 * len(paces) ** 0.5  # half of 1.96 times the root: a binomial's normal interval
    middle = (len(paces) - 1) / 2
    low, high = max(int(middle - rank), 0), min(int(np.ceil(middle + rank)), len(paces) - 1)
    return Estimate(float(np.median(paces)), float(paces[low]), float(paces[high]))


def _spread(its: Lists) -> float:
    """Pace of the fastest customer over that of the slowest."""
    known = ~np.isnan(its.pace)
    middles = pd.Series(its.pace[known]).groupby(its.tenant[known]).median()
    return float(middles.max() / middles.min()) if len(middles) else 1.0


def _retries(attempt: Integers, gaps_s: Floats) -> tuple[int, Estimate | None]:
    """Dials after the first one, and the seconds between them."""
    dials = np.bincount(attempt[attempt > 0], minlength=2)
    worth = np.flatnonzero(dials >= max(_RARE * dials[1], 1))
    most = min(int(worth[-1]) - 1, MOST_RETRIES) if len(worth) and worth[-1] > 0 else 0
    gaps_s = gaps_s[(attempt > 1) & ~np.isnan(gaps_s)]
    if most < 1 or not len(gaps_s):
        return max(most, 0), None
    # Waits and talks only make gaps longer: the short ones are nearest to the interval.
    low, value, high = np.quantile(gaps_s, [0.02, 0.1, 0.5])
    return most, Estimate(*(_interval_s(float(one)) for one in (value, low, high)))


def _gaps_s(rows: pd.DataFrame, unit: Integers, attempt: Integers, started: Micros) -> Floats:
    """Seconds since the call's previous attempt; where attempts are numbered, by callee."""
    if "gap_s" in rows:
        return rows["gap_s"].to_numpy(dtype=np.float64)
    gaps_s = np.full(len(rows), np.nan)
    if "number" in rows:
        number = rows["number"].to_numpy()
        campaign = rows["campaign"].to_numpy() if "campaign" in rows else np.zeros(len(rows))
        keys = (started, number, campaign, unit)
        order = np.lexsort(keys)
        same = np.all([np.diff(key[order]) == 0 for key in keys[1:]], axis=0)
        follows = same & (np.diff(attempt[order]) == 1) & (number[order[1:]] >= 0)
        gaps_s[order[1:][follows]] = (np.diff(started[order]) / SECOND)[follows]
    return gaps_s


def _interval_s(seconds: float) -> float:
    """Whole minutes that have passed, within the platform's limits."""
    return float(min(max((seconds + ROUNDING_S) // 60 * 60, LEAST_GAP_S), MOST_GAP_S))


def _notes(
    fitted: LoadFit, call_log: CallLog, has_tenants: bool, rows: pd.DataFrame, timeless: int
) -> Iterator[str]:
    if fitted.by_campaign:
        yield (
            "lists are told apart by campaign; one that pauses for more than "
            f"{CAMPAIGN_GAP_S // 3600} hours counts as two"
        )
    else:
        yield (
            "the log names no campaigns: a list is what one customer dials with no pause of more "
            f"than {GAP_S // 60} minutes; lists that overlap, or follow each other sooner, count "
            "as one"
        )
    if not has_tenants:
        yield (
            "the log does not tell customers apart: all of it counts as one customer's; name "
            "their column with --columns tenant=NAME"
        )
    if call_log.last_only:
        yield "rows are last attempts: lists seem to start later, and to go slower, than they did"
    elif "attempt" not in rows or (rows["attempt"] == 0).all():
        yield (
            "retries can't be told from first attempts without numbers: every dial counts as a "
            "contact's first"
        )
    elif call_log.attempts_derived and "outcome" not in rows:
        yield (
            "the log does not tell outcomes: a number that is dialed again within 4 days, by the "
            "same campaign if campaigns are named, counts as a retry"
        )
    if timeless:
        yield f"{timeless:,} rows without a time are left out of the load"
    unseen = [day for k, day in enumerate(WEEKDAYS) if k not in fitted.hours.observed]
    if unseen:
        yield f"no hour of {', '.join(unseen)} is in the log: their load is that of a mean day"
    if len(fitted.hours.observed) == 1:
        yield "the log has one weekday: nothing is known of how days differ"
    yield (
        "a log tells when the first call of a list went out, not when it was to start: waits in "
        "the queue make lists seem to start later"
    )
    for known in fitted.classes:
        if known.sizes is not None and known.sizes.lists < FEW_LISTS:
            yield f"{known.kind}: {known.sizes.lists} lists tell little; see the intervals"
        if known.rates.weekend_differs:
            yield (
                f"{known.kind}: hours of the weekend go otherwise than those of workdays, which "
                "one rate by hour and one factor by weekday can't say; write a class for each"
            )
        if known.kind == "steady" and known.slowest_to_fastest > WIDE_PACES:
            yield (
                f"steady: paces of customers differ up to {known.slowest_to_fastest:.1f} times; "
                "one stands for all"
            )
        if known.kind == "steady" and known.tenants == 1 and len(fitted.classes) == 1:
            yield (
                "steady: one customer's log can't tell whether the customer or the platform set "
                "the pace"
            )
