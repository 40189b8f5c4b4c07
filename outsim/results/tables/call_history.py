"""The account of one call: what became of its attempts and why, and the platform at the time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from outsim.clock import MINUTE, MISSING, format_duration, format_rate
from outsim.document import Answer, Document, Table
from outsim.engine.records import Integers
from outsim.results.run_arrays import RunArrays
from outsim.results.tables.flows import flows, settled, value_at
from outsim.text import plain
from outsim.vocabulary import (
    CAUSE_TABLE,
    FINAL_STATUSES,
    OUTCOME_TABLE,
    REFUSAL_REASONS,
    REFUSAL_TABLE,
)

if TYPE_CHECKING:
    from outsim.results.result import Result

STATE = ("queue", "busy_ports", "ports", "busy_channels", "channels", "status_backlog")
"""What is told of the platform, beside the refusals of the last minute."""

EXAMPLES = 3
"""Calls that are named for each reason."""


@dataclass(frozen=True, eq=False, repr=False)
class Account(Answer):
    """What became of one call."""

    call: pd.Series
    """Its row of the calls table."""
    attempts: pd.DataFrame
    """One row an attempt: ``attempt``, ``dispatched_at``, ``ended_at``, ``outcome``, ``cause``,
    ``why`` in words, ``at`` (when it came to the carrier), and of the platform just before that:
    `STATE` and ``refused_last_minute``. ``ports`` and ``channels`` are those in service."""
    ending: str
    """Why the call is over, or that it isn't, in words."""
    asking: str = ""
    """How often it was asked for before it was taken, in words; empty where that was once."""

    def document(self) -> Document:
        """The call's history in words, and the platform at each of its attempts."""
        call = self.call
        number = f", {call['number']:010d}" if call["number"] else ""
        rows = [
            [
                f"{row.attempt}",
                f"{row.at:%H:%M:%S}",
                f"{row.queue:,}",
                f"{row.busy_ports:,} of {row.ports:,}",
                f"{row.busy_channels:,} of {row.channels:,}",
                f"{row.refused_last_minute:,}",
                f"{row.status_backlog:,}",
            ]
            for row in self.attempts.itertuples()
        ]
        columns = ["attempt", "at", "in the queue", "busy ports", "channels in use"]
        columns += ["refused in the last minute", "status backlog"]
        caption = "The platform just before each attempt came to the carrier"
        return Document(
            id="explain",
            title="What became of the call?",
            answer=f"{self.ending[:1].upper()}{self.ending[1:]}.",
            asked=f"Call {call['call_id']} of {call['campaign']} ({call['tenant']}){number}.",
            more=[self.asking] * bool(self.asking)
            + [
                f"Attempt {row.attempt}, dispatched at {row.dispatched_at:%H:%M:%S}: {row.why}."
                for row in self.attempts.itertuples()
            ],
            tables=[Table(caption, columns, rows)] if rows else [],
        )

    def to_dict(self) -> dict[str, Any]:
        """The call's history for machines."""
        call = self.call
        rows = self.attempts.astype(object).where(self.attempts.notna(), None)
        return {
            **plain(
                {
                    "call_id": int(call["call_id"]),
                    "tenant": str(call["tenant"]),
                    "campaign": str(call["campaign"]),
                    "number": f"{call['number']:010d}" if call["number"] else None,
                    "status": str(call["status"]),
                    "ending": self.ending,
                    "asking": self.asking,
                    "attempts": rows.to_dict(orient="records"),
                }
            )
        }


def account(result: Result, call_id: int) -> Account:
    """What became of a call that was handed in, attempt by attempt."""
    call = result.calls[result.calls["call_id"] == call_id].iloc[0]
    rows = np.flatnonzero(result.arrays.records.attempts["call_id"] == call_id)
    mine = result.attempts.iloc[rows]
    moments = mine["dialed_at"].fillna(mine["dispatched_at"])
    state = platform_at(result, moments)
    table = mine[["attempt", "dispatched_at", "ended_at", "outcome", "cause"]].copy()
    table["at"] = moments
    table["why"] = [
        _why(result, str(outcome), str(cause), at_us, int(place))
        for outcome, cause, at_us, place in zip(
            mine["outcome"], mine["cause"], _since_begin(result, moments), rows, strict=True
        )
    ]
    for name in state:
        table[name] = state[name].to_numpy()
    ending, asking = _ending(call, table), ""
    request = _request_of(result, call_id)
    if request is not None and str(call["status"]) == "refused":
        ending = f"refused at request: {_asked(request)}"
    elif request is not None and request["tries"] > 1:
        asking = f"Taken at {request['taken_at']:%H:%M:%S} only, after it was {_asked(request)}."
    return Account(call, table.reset_index(drop=True), ending, asking)


def _request_of(result: Result, call_id: int) -> pd.Series | None:
    """The request that a call came by, if it could be refused."""
    run = result.arrays
    if not run.requests.rows:
        return None
    places = np.arange(run.requests.rows)
    of_row = run.of_values(places, np.full(len(run.rank_of_call), -1))
    place = int(of_row[call_id])
    return None if place < 0 else result.requests.iloc[place]


def _asked(request: pd.Series) -> str:
    """How often a request came, and why it was refused."""
    refusal = REFUSAL_TABLE[REFUSAL_REASONS.index(str(request["reason"]))]
    refused = int(request["tries"]) - (not pd.isna(request["taken_at"]))
    times = "once" if refused == 1 else f"{refused} times"
    return f"refused {times}, from {request['came_at']:%H:%M:%S} on: {refusal.account}"


def _since_begin(result: Result, moments: pd.Series) -> list[int]:
    instants_us = moments.astype("int64") - result.arrays.origin_us
    return [int(instant) for instant in instants_us]


def platform_at(result: Result, moments: pd.Series) -> pd.DataFrame:
    """The platform just before each of some instants: `STATE` and ``refused_last_minute``."""
    run = result.arrays
    amounts = flows(result.calls, result.attempts, result.updates)
    marks = np.asarray(moments.astype("int64"), dtype=np.int64)
    columns = {
        name: value_at(settled(amounts[name].steps()), marks - 1)
        for name in ("queue", "busy_ports", "busy_channels", "status_backlog")
    }
    at = marks - result.arrays.origin_us
    columns["channels"] = run.channels_in_service(at)
    columns["ports"] = run.ports_in_service(at)
    refused = _refused(run)
    table = pd.DataFrame({name: columns[name] for name in STATE})
    table["refused_last_minute"] = np.searchsorted(refused, at, side="left") - np.searchsorted(
        refused, at - MINUTE, side="left"
    )
    return table


def _refused(run: RunArrays) -> Integers:
    """When the carrier refused attempts, in order."""
    dialed = run.attempts["dialed"]
    return np.sort(dialed[~run.admitted & (dialed != MISSING)])


def _why(result: Result, outcome: str, cause: str, at_us: int, place: int) -> str:
    plan, a = result.arrays.plan.platform, result.arrays.records.attempts
    minute = (at_us + plan.carrier_minute_offset_us) // MINUTE % 60
    if cause == "carrier_rate":
        rate = format_rate(int(plan.carrier_rates[minute]))
        return f"refused by the carrier: more calls than its rate of {rate} leaves room for"
    if outcome == "no_answer":
        rang = format_duration(int(a["ended"][place] - a["ringing"][place]))
        return f"rang for {rang}, and nobody answered"
    accounts = {word.name: word.account for word in (*CAUSE_TABLE, *OUTCOME_TABLE)}
    return accounts.get(cause or outcome, "under way when the run ended")


def _ending(call: pd.Series, attempts: pd.DataFrame) -> str:
    status, made = str(call["status"]), int(call["attempts"])
    made_words = f"{made} attempt" + ("s" if made != 1 else "")
    if status == "rejected":
        return f"rejected, as the row can't be dialed: {call['reject_reason']}"
    if call["wedged"]:
        return "wedged: accepted, shown as pending, and never dialed"
    when = "" if pd.isna(call["final_at"]) else f" at {call['final_at']:%H:%M:%S}"
    if status == "failed":
        if len(attempts) and attempts["outcome"].iloc[-1] == "invalid":
            return f"failed{when}: an invalid number is not dialed again"
        if made == 1:
            return f"failed{when}: its only attempt was not answered"
        return f"failed{when}: none of the {made_words} that it may have was answered"
    if status == "completed":
        return f"completed{when}: answered"
    if status == "expired":
        return f"expired{when}, after {made_words}"
    if status == "canceled":
        return f"canceled{when} by a stop, after {made_words}"
    return f"{status.replace('_', ' ')} when the run ended, after {made_words}"


def calls_not_accepted(result: Result, calls: pd.DataFrame) -> pd.DataFrame:
    """Calls that were refused or rejected: ``status``, ``reason``, ``calls``, most calls first."""
    never = calls.loc[calls["status"].isin(("refused", "rejected")), "call_id"].to_numpy(np.int64)
    return reasons(result, never)[["status", "reason", "calls"]]


def reasons(result: Result, call_ids: Integers) -> pd.DataFrame:
    """Why some calls were not completed: one row a reason, most calls first.

    ``status``, ``reason`` (an outcome, a cause of congestion, or why a row was rejected or a
    request refused; empty without an attempt), ``calls``, and ``examples``, some of their numbers.
    """
    calls = result.calls.set_index("call_id").loc[call_ids]
    calls = calls[calls["status"].isin(FINAL_STATUSES) & (calls["status"] != "completed")]
    ended = result.attempts[result.attempts["ended_at"].notna()]
    causes = ended.drop_duplicates("call_id", keep="last").set_index("call_id")["cause"]
    cause = causes.reindex(calls.index).astype(object).fillna("")
    outcome = calls["outcome"].astype(object).fillna("")
    reason = outcome.where(cause == "", cause)
    reason = reason.mask(calls["status"] == "rejected", calls["reject_reason"].astype(object))
    run = result.arrays
    refusals = run.of_request("reason", np.zeros(len(run.rank_of_call), np.int64))
    words = np.array(REFUSAL_REASONS, dtype=object)[refusals[calls.index]]
    reason = reason.mask(calls["status"] == "refused", pd.Series(words, index=calls.index))
    keyed = pd.DataFrame(
        {"status": calls["status"].astype(str), "reason": reason, "call_id": calls.index}
    )
    grouped = keyed.groupby(["status", "reason"], sort=True)["call_id"]
    table = pd.DataFrame(
        {"calls": grouped.size(), "examples": grouped.apply(lambda ids: list(ids[:EXAMPLES]))}
    ).reset_index()
    return table.sort_values("calls", ascending=False, kind="stable", ignore_index=True)
