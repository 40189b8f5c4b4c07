"""Times that calls bring with them (rule 16): a schedule and an expiry of their own."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from outsim.clock import NEVER, SECOND, TOKEN
from outsim.scenario.campaigns import Campaign
from outsim.scenario.contacts import NO_TIME
from outsim.scenario.model import Scenario

Instants = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class OwnTimes:
    """What each call of a campaign brings; arrays of shape (calls,), or None where none does."""

    scheduled_us: Instants | None = field(default=None, repr=False)
    """Not before it a call is loaded; 0 for none."""
    expires_us: Instants | None = field(default=None, repr=False)
    """From here on a call is not dispatched; NEVER for none."""


def own_times(scenario: Scenario, campaign: Campaign) -> OwnTimes:
    """Resolve the times that come with a campaign's list, or with its recorded requests."""
    if campaign.contact_list is not None:
        contacts = campaign.contact_list
        return OwnTimes(
            _since_begin(scenario, contacts.schedules_us, 0),
            _since_begin(scenario, contacts.expiries_us, NEVER),
        )
    requests = campaign.requests
    if requests is None or requests.times_s is None:
        return OwnTimes()
    order = np.argsort(np.array(requests.times_s, dtype=np.float64), kind="stable")
    return OwnTimes(
        _of_requests(requests.scheduled_s, order, 0),
        _of_requests(requests.expires_s, order, NEVER),
    )


def _since_begin(scenario: Scenario, times_us: Instants | None, missing: int) -> Instants | None:
    if times_us is None:
        return None
    begins_us = round(scenario.clock.begins.timestamp() * SECOND)
    return np.where(times_us == NO_TIME, missing, np.maximum(0, times_us - begins_us))


def _of_requests(
    times_s: list[float] | None, order: NDArray[np.intp], missing: int
) -> Instants | None:
    if times_s is None:
        return None
    times_us = np.rint(np.array(times_s, dtype=np.float64)[order] * SECOND).astype(np.int64)
    return np.where(times_us == 0, missing, times_us)


def loading_delays(count: int, rate: int) -> Instants:
    """When each of `count` contacts is loaded: the k-th after k/rate, rounded up to 1 µs."""
    k = np.arange(count, dtype=np.int64)
    whole, rest = divmod(TOKEN, rate)
    high, low = divmod(rest, 2**20)
    quotient, remainder = np.divmod(k * high, rate)
    tail = -(-(remainder * 2**20 + k * low) // rate)
    delays: Instants = k * whole + quotient * 2**20 + tail
    return delays


def loaded_us(due_us: Instants, rate: int) -> Instants:
    """When a loader moves calls that are due at these instants, ascending, one after the other."""
    loaded = np.empty(len(due_us), dtype=np.int64)
    starts = np.flatnonzero(np.diff(due_us, prepend=-1)).tolist()
    free = 0
    for start, end in zip(starts, [*starts[1:], len(due_us)], strict=True):
        begins = max(int(due_us[start]), free)
        delays = loading_delays(end - start + 1, rate)
        loaded[start:end] = begins + delays[:-1]
        free = begins + int(delays[-1])
    return loaded
