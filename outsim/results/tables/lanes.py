"""Campaigns over time: when each is handed in, starts, is stopped, and is over."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from outsim.clock import MISSING, NEVER
from outsim.results.run_arrays import RunArrays, came
from outsim.vocabulary import NOT_ACCEPTED

LANE_INSTANTS = (
    "submitted",
    "starts",
    "stop_requested",
    "stop_effective",
    "expires",
    "first_dispatched",
    "last_ended",
)


def campaign_lanes(run: RunArrays) -> pd.DataFrame:
    """One row a campaign that a run tells of, in the order of their calls.

    Returns
    -------
    DataFrame
        ``tenant``, ``campaign``, ``background``, ``contacts``; instants in microseconds since the
        run begins, `clock.MISSING` where there is none: ``submitted``, ``starts``,
        ``stop_requested``, ``stop_effective``, ``expires``, ``first_dispatched`` and
        ``last_ended``, the end of its last attempt so far; and ``dispatched_after_stop``, its
        attempts from the request of its stop on.
    """
    campaigns, a, rank = run.campaigns, run.attempts, run.rank
    dispatched, ended = a["dispatched"], a["ended"]
    count = len(run.plan.campaigns)
    first, last = np.full(count, NEVER), np.full(count, MISSING)
    np.minimum.at(first, rank, dispatched)
    np.maximum.at(last, rank, ended)
    requested = run.per_campaign(lambda campaign: campaign.rules.stop_requested_us)
    after_stop = np.bincount(rank[dispatched >= requested[rank]], minlength=count)
    ranks = np.array([campaign.rank for campaign in campaigns], dtype=np.int64)

    def instants(values: list[int]) -> NDArray[np.int64]:
        return _said(np.array(values, dtype=np.int64))

    return pd.DataFrame(
        {
            "tenant": [campaign.tenant for campaign in campaigns],
            "campaign": [campaign.name for campaign in campaigns],
            "background": np.array([c.background for c in campaigns], dtype=np.bool_),
            "contacts": [campaign.size for campaign in campaigns],
            "submitted": instants([campaign.submitted_us for campaign in campaigns]),
            "starts": instants([campaign.start_us for campaign in campaigns]),
            "stop_requested": instants([c.rules.stop_requested_us for c in campaigns]),
            "stop_effective": instants([c.rules.stop_effect_us for c in campaigns]),
            "expires": instants([c.rules.expires_us for c in campaigns]),
            "first_dispatched": _said(first[ranks]),
            "last_ended": last[ranks],
            "dispatched_after_stop": after_stop[ranks],
        }
    )


def _said(instants: NDArray[np.int64]) -> NDArray[np.int64]:
    """Instants of a plan as those of a table: what never comes is missing."""
    return np.where(instants < NEVER, instants, MISSING)


def final_visible_us(run: RunArrays) -> NDArray[np.int64]:
    """When the final status of each call could be seen, since the run begins, or MISSING."""
    last = run.last_update
    seen = np.append(run.updates["visible"], MISSING)[last]
    never_was = np.isin(run.calls["status"], NOT_ACCEPTED)
    # What is not accepted is told of at once: no worker has to do with it.
    seen = np.where(never_was, run.submitted_us, seen)
    return np.where(came(run.calls["final"]) | never_was, seen, MISSING)
