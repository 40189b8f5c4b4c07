"""The story of one call: what it went through, part by part, and what was seen of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from outsim.clock import MISSING
from outsim.errors import StudyError
from outsim.plots.animation.numbers import seconds
from outsim.results.result import Result
from outsim.results.tables.call_history import account
from outsim.results.tables.causes import PHASES, STAGES
from outsim.results.tables.schema import microseconds
from outsim.text import plain


def story(result: Result, call_id: int) -> dict[str, Any]:
    """What became of one call, as parts of time that follow each other without a gap.

    Parameters
    ----------
    result : Result
        A run, or a session of the sandbox so far.
    call_id : int
        As in `Result.calls`; of a background tenant, too.

    Returns
    -------
    dict
        ``phases`` has the parts from the submission on: ``phase`` in words, its ``cause`` of
        `outsim.results.tables.causes.CAUSES`, ``from_s``, ``until_s``, and ``attempt``, the dial
        that it leads to, is of or follows. ``changes`` has each status with ``happened_s`` and
        ``visible_s``, None where it was not seen by the end. ``answer`` and ``more`` are the
        sentences of `outsim.explain` on the call.

    Raises
    ------
    StudyError
        If the run has no such call.
    """
    calls = result.calls["call_id"]
    if call_id not in calls.to_numpy():
        there = f"{calls.min()} to {calls.max()}" if len(calls) else "none"
        raise StudyError(f"call {call_id}: no such call in this run; there is: {there}")
    told = account(result, call_id)
    document = told.document()
    known = told.to_dict()
    return {
        **{name: known[name] for name in ("call_id", "tenant", "campaign", "number", "status")},
        "asked": document.asked,
        "answer": document.answer,
        "more": list(document.more),
        "phases": [
            {
                "phase": PHASES[phase],
                "cause": "dialing_and_talking" if phase in STAGES else phase,
                "attempt": attempt,
                "from_s": seconds(since),
                "until_s": seconds(until),
            }
            for _, attempt, phase, since, until in result.causes.phases(
                np.array([call_id])
            ).itertuples(index=False, name=None)
        ],
        "changes": _changes(result, call_id),
        "attempts": plain(
            [
                {"attempt": row["attempt"], "outcome": row["outcome"], "why": row["why"]}
                for row in known["attempts"]
            ]
        ),
    }


def _changes(result: Result, call_id: int) -> list[dict[str, Any]]:
    updates = result.updates
    mine = updates[updates["call_id"] == call_id]
    origin_us = result.arrays.origin_us
    happened, visible = (microseconds(mine[name]) for name in ("happened_at", "visible_at"))

    def since_begin(instant: int) -> float | None:
        return None if instant == MISSING else seconds(instant - origin_us)

    return [
        {
            "status": str(status),
            "attempt": attempt,
            "happened_s": since_begin(came),
            "visible_s": since_begin(seen),
            "is_lost": lost,
        }
        for status, attempt, came, seen, lost in zip(
            mine["status"],
            mine["attempt"].tolist(),
            happened.tolist(),
            visible.tolist(),
            mine["lost"].tolist(),
            strict=True,
        )
    ]
