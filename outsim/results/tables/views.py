"""What people look at: the customer's page, the call log, and the run as step functions.

All are derived from the tables, exactly; nothing is sampled while a run goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from outsim.results.tables.flows import CARRIED, flows
from outsim.results.tables.schema import checked_step, microseconds
from outsim.scenario.snapshot import STATES, CampaignSnapshot, Snapshot, Standing
from outsim.vocabulary import (
    AFTER_ATTEMPT_STATUSES,
    CALLEE_FAILURES,
    ENDED_STATUSES,
    OUTCOMES,
    STATUS_TABLE,
    STATUSES,
)


def _last_by_call(updates: pd.DataFrame) -> pd.DataFrame:
    """The last of the given updates of each call; they are in the order of happening."""
    return updates.drop_duplicates("call_id", keep="last").set_index("call_id")


def status_page(
    calls: pd.DataFrame, attempts: pd.DataFrame, updates: pd.DataFrame, moment: datetime
) -> pd.DataFrame:
    """What the customer's page shows at a moment, beside the truth; one row a call.

    ``since`` is when the shown status had come; callee type and call info are those of the shown
    attempt, once its end is shown; ``true_status``, ``true_attempt`` and ``wedged`` are the truth.
    """
    shown = _last_by_call(updates[updates["visible_at"] <= moment])
    truth = _last_by_call(updates[updates["happened_at"] <= moment])
    page = calls.loc[calls["submitted_at"] <= moment].set_index("call_id")
    page = page[["tenant", "campaign", "index", "number", "ani", "wedged"]]
    page = page.join(
        shown[["status", "attempt", "happened_at"]].rename(columns={"happened_at": "since"})
    )
    page = page.join(
        truth[["status", "attempt"]].rename(
            columns={"status": "true_status", "attempt": "true_attempt"}
        )
    )
    page = _still_asking(page, calls).reset_index()
    known = page["status"].isin(AFTER_ATTEMPT_STATUSES) & (page["attempt"] > 0)
    ended = attempts[["call_id", "attempt", "outcome", "callee_type"]]
    page = page.merge(ended, on=["call_id", "attempt"], how="left", sort=False)
    callee_type = page["callee_type"].astype(object).where(known, "")
    outcome = page["outcome"].astype(object).where(known, "").fillna("")
    page["callee_type"] = callee_type.fillna("").mask(callee_type.eq("") & known, outcome)
    page["call_info"] = outcome
    columns = ["call_id", "tenant", "campaign", "index", "number", "ani", "status", "attempt"]
    columns += ["callee_type", "call_info", "since", "true_status", "true_attempt", "wedged"]
    return page[columns]


def _still_asking(page: pd.DataFrame, calls: pd.DataFrame) -> pd.DataFrame:
    """A page on which calls that are asked for, and were not taken yet, stand as refused."""
    asking = page["status"].isna()
    if not asking.any():
        return page
    types = {"attempt": "int8", "true_attempt": "int8"}
    nothing = dict.fromkeys(types, 0) | dict.fromkeys(("status", "true_status"), "refused")
    since = calls.set_index("call_id")["submitted_at"].reindex(page.index)
    return page.fillna(nothing).astype(types).assign(since=page["since"].fillna(since))


def counts(page: pd.DataFrame) -> list[tuple[str, int, int]]:
    """Calls on a page by status, as (status, seen, true); statuses of nobody are left out."""
    seen, true = page["status"].value_counts(), page["true_status"].value_counts()
    counted = [(word, int(seen.get(word, 0)), int(true.get(word, 0))) for word in STATUSES]
    return [row for row in counted if row[1] or row[2]]


def call_log(calls: pd.DataFrame, attempts: pd.DataFrame) -> pd.DataFrame:
    """The call log that a customer can get: number and times of each dial, and no call_id."""
    dialed = attempts[attempts["dialed_at"].notna()]
    src = calls.set_index("call_id")["ani"].reindex(dialed["call_id"]).to_numpy()
    log = pd.DataFrame(
        {
            "tenant": dialed["tenant"].to_numpy(),
            "dest": dialed["number"].to_numpy(),
            "src": src,
            "type": "outbound",
            "start": dialed["dialed_at"].array,
            "end": dialed["ended_at"].array,
        }
    )
    return log.sort_values(["start", "dest"], kind="stable", ignore_index=True)


def timeline(
    calls: pd.DataFrame,
    attempts: pd.DataFrame,
    updates: pd.DataFrame,
    begins: datetime,
    ends: datetime,
    every: str | None,
) -> pd.DataFrame:
    """Quantities over time by local time, with counts of each interval; see `Result.timeline`."""
    there = flows(calls, attempts, updates)
    if every is None:
        changes = np.unique(np.concatenate([flow.steps()[0] for flow in there.values()]))
        grid = pd.DatetimeIndex(changes.view("datetime64[us]"), tz="UTC")
        grid = grid.tz_convert(str(begins.tzinfo))
    else:
        grid = pd.date_range(begins, ends, freq=checked_step(every), inclusive="left", unit="us")
    frame = pd.DataFrame(index=grid.rename("at"))
    marks = grid.asi8
    for name, flow in there.items():
        frame[name] = flow.level_at(marks)
    if every is not None:
        refused = attempts.loc[~attempts["cause"].isin(CARRIED), "dialed_at"]
        edges = np.append(marks, pd.DatetimeIndex([ends]).as_unit("us").asi8)
        for name, instants in (
            ("dispatched", attempts["dispatched_at"]),
            ("dialed", attempts["dialed_at"]),
            ("refused", refused),
        ):
            frame[name] = np.histogram(microseconds(instants.dropna()), bins=edges)[0]
    return frame


def timeline_by_tenant(
    calls: pd.DataFrame,
    attempts: pd.DataFrame,
    updates: pd.DataFrame,
    begins: datetime,
    ends: datetime,
    every: str | None,
) -> pd.DataFrame:
    """Columns of `timeline`, each with one for each tenant below it; they add up to it."""

    def of(tenant: str) -> pd.DataFrame:
        mine, made, changed = (t[t["tenant"] == tenant] for t in (calls, attempts, updates))
        return timeline(mine, made, changed, begins, ends, every)

    parts = {str(tenant): of(tenant) for tenant in calls["tenant"].cat.categories}
    if not parts:
        return timeline(calls, attempts, updates, begins, ends, every)
    # Between its own changes a tenant stays where it is, and before the first of them at 0.
    joined = pd.concat(parts, axis=1, names=["tenant"], sort=True).ffill().fillna(0)
    return joined.astype("int64").swaplevel(axis=1)[list(next(iter(parts.values())).columns)]


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

    A wedged call is in no queue and will never be dialed: it is left out. `starts` has when
    campaigns start, by tenant and name.
    """
    happened = updates[updates["happened_at"] <= moment]
    last = happened.drop_duplicates("call_id", keep="last").set_index("call_id")
    known = calls.loc[(calls["submitted_at"] <= moment) & ~calls["wedged"]].set_index("call_id")
    # One whose client is still asking for it is not there yet.
    known = known[["tenant", "campaign", "number", "attempts"]].join(
        last[["status", "attempt", "happened_at"]], how="inner"
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
    states: dict[str, Any] = {
        state: [*_standings(state, rows[status == state].sort_index())]
        if state == "scheduled"
        else [*_standings(state, rows[status == state])]
        for state in STATES
    }
    for state in ENDED_STATUSES:
        states[state] = int((status == state).sum())
    states["undialed"] = int(((status == "expired") & (rows["attempt"] == 0)).sum())
    return CampaignSnapshot(tenant=key[0], name=key[1], start=start, **states)


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
