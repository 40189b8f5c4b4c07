"""The calls of a scenario's own campaigns, attempt by attempt, in as little room as they take."""

from __future__ import annotations

from typing import Any

import numpy as np

from outsim.clock import MILLISECOND
from outsim.engine.records import Integers
from outsim.plots.animation.numbers import milliseconds
from outsim.results.result import Result
from outsim.results.tables.causes import PHASES
from outsim.results.tables.lanes import final_visible_us
from outsim.vocabulary import CAUSE_TABLE, OUTCOME_TABLE, STATUS_TABLE

MOST_CALLS = 20_000
MOST_ATTEMPTS = 30_000
"""Calls, and attempts of them, that there is room for; of more, every second or third is taken."""

INSTANTS = ("dispatched", "ringing", "answered", "ended")


def calls_of(result: Result, *, with_phases: bool) -> dict[str, Any]:
    """Columns of calls handed in, of their attempts, and of their phases, by call and in order.

    ``statuses``, ``outcomes`` and ``causes`` are the words of the codes; an outcome of -1 is that
    of an attempt under way. ``left_out`` is how many calls there was no room for.
    """
    run = result.arrays
    own = [campaign for campaign in run.campaigns if not campaign.background]
    place = {campaign.rank: k for k, campaign in enumerate(own)}
    campaign_place = run.per_call(lambda campaign: place.get(campaign.rank, -1))
    there = np.flatnonzero((campaign_place >= 0) & run.handed_in)
    made = int(run.calls["attempts"][there].sum())
    every = max(1, -(-len(there) // MOST_CALLS), -(-made // MOST_ATTEMPTS))
    shown = there[::every]
    is_shown = np.zeros(len(run.rank_of_call), dtype=np.bool_)
    is_shown[shown] = True
    a = run.attempts
    rows = run.by_call[is_shown[a["call_id"][run.by_call]]]
    return {
        "statuses": [status.label for status in STATUS_TABLE],
        "outcomes": [outcome.label for outcome in OUTCOME_TABLE],
        "causes": [cause.label for cause in CAUSE_TABLE],
        "campaigns": [[campaign.tenant, campaign.name] for campaign in own],
        "left_out": len(there) - len(shown),
        "call_id": shown.tolist(),
        "campaign_place": campaign_place[shown].tolist(),
        "number": run.of_calls(lambda campaign: campaign.numbers)[shown].tolist(),
        "submitted_ms": milliseconds(run.submitted_us[shown]),
        "status": run.calls["status"][shown].tolist(),
        "final_ms": milliseconds(run.calls["final"][shown]),
        "final_visible_ms": milliseconds(final_visible_us(run)[shown]),
        "attempts": {
            "call_id": a["call_id"][rows].tolist(),
            "attempt": a["attempt"][rows].tolist(),
            **{f"{name}_ms": milliseconds(a[name][rows]) for name in INSTANTS},
            "outcome": a["outcome"][rows].tolist(),
            "cause": a["cause"][rows].tolist(),
        },
        **({"phases": _phases(result, shown)} if with_phases else {}),
    }


def _phases(result: Result, shown: Integers) -> dict[str, Any]:
    """Columns of the phases of some calls.

    Those of the k-th call are from ``first[k]`` on up to ``first[k + 1]``, the first from its
    submission on, each from where the one before ended.
    """
    table = result.causes.phases(shown)
    until_ms, since_ms = (table[name].to_numpy() // MILLISECOND for name in ("until", "since"))
    table = table.assign(lasted_ms=until_ms - since_ms)
    table = table[table["lasted_ms"] > 0]
    after_the_last = len(result.arrays.rank_of_call)
    return {
        "names": list(PHASES.values()),
        "first": np.searchsorted(table["call_id"], np.append(shown, after_the_last)).tolist(),
        "name": table["phase"].cat.codes.tolist(),
        "attempt": table["attempt"].tolist(),
        "lasted_ms": table["lasted_ms"].tolist(),
    }
