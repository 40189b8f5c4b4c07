"""A run cut at a moment: where every call stands then, as a forecast takes it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from outsim.scenario.snapshot import STATES, CampaignSnapshot, Snapshot, Standing
from outsim.vocabulary import CALLEE_FAILURES, ENDED_STATUSES, OUTCOMES, STATUS_TABLE

_FAILURES = [OUTCOMES[code] for code in CALLEE_FAILURES]
_STANDS_AS = {status.name: status.stands_as or status.name for status in STATUS_TABLE}


def snapshot(
    calls: pd.DataFrame,
    attempts: pd.DataFrame,
    updates: pd.DataFrame,
    starts: dict[tuple[str, str], datetime],
    moment: datetime,
) -> Snapshot:
    """The queue as it is at a moment, everything known that has happened by then.

    Tables are those of a result. A wedged call is in no queue and will never be dialed: it is
    left out.

    Parameters
    ----------
    starts : dict
        When the campaigns start, by tenant and name; one that has nothing handed in yet may be
        there or not.
    moment : datetime
        Local time, with its zone.
    """
    happened = updates[updates["happened_at"] <= moment]
    last = happened.drop_duplicates("call_id", keep="last").set_index("call_id")
    known = calls.loc[(calls["submitted_at"] <= moment) & ~calls["wedged"]].set_index("call_id")
    known = known[["tenant", "campaign", "number", "attempts"]].join(
        last[["status", "attempt", "happened_at"]]
    )
    ended = attempts[(attempts["ended_at"] <= moment) & attempts["outcome"].isin(_FAILURES)]
    known["failures"] = ended["call_id"].value_counts().reindex(known.index, fill_value=0)
    # In the order of the queue: calls that came in at one instant in the order of their numbers.
    ordered = known.sort_values("happened_at", kind="stable")
    campaigns = [
        _campaign((str(tenant), str(name)), rows, starts[str(tenant), str(name)])
        for (tenant, name), rows in ordered.groupby(
            ["tenant", "campaign"], observed=True, sort=True
        )
    ]
    return Snapshot(at=moment, campaign=campaigns)


def _campaign(key: tuple[str, str], rows: pd.DataFrame, start: datetime) -> CampaignSnapshot:
    status = rows["status"].astype(object).map(_STANDS_AS)
    found: dict[str, Any] = {
        state: [*_standings(state, rows[status == state].sort_index())]
        if state == "scheduled"
        else [*_standings(state, rows[status == state])]
        for state in STATES
    }
    for state in ENDED_STATUSES:
        found[state] = int((status == state).sum())
    found["undialed"] = int(((status == "expired") & (rows["attempt"] == 0)).sum())
    return CampaignSnapshot(tenant=key[0], name=key[1], start=start, **found)


def _standings(state: str, rows: pd.DataFrame) -> Iterator[Standing]:
    if state == "scheduled":
        yield from _runs(rows.index.to_numpy())
        return
    over = rows["attempt"] - (state != "waiting_retry")
    for call_id, since, attempts, failures, number in zip(
        rows.index.tolist(),
        rows["happened_at"].dt.to_pydatetime().tolist(),
        over.tolist(),
        rows["failures"].tolist(),
        rows["number"].tolist(),
        strict=True,
    ):
        yield Standing(
            since=since,
            attempts=attempts,
            failures=failures,
            call_id=call_id,
            number=f"{number:010d}" if number else None,
        )


def _runs(call_ids: Any) -> Iterator[Standing]:
    """Scheduled calls; those whose numbers follow each other together."""
    for run in np.split(call_ids, np.flatnonzero(np.diff(call_ids) != 1) + 1):
        if len(run):
            yield Standing(count=len(run), attempts=0, call_id=int(run[0]))
