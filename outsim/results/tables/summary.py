"""The summary of a run: one row a campaign, and one for all background tenants together."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from outsim.results.measures import MEASURES, View, measure
from outsim.vocabulary import FINAL_STATUSES, PENDING_STATUSES

_STATES = ("calls", *FINAL_STATUSES, "pending")


def counts(calls: pd.DataFrame) -> dict[str, int]:
    """Calls by final status and by the state in which they are pending; they add up to all."""
    by_status = calls["status"].value_counts()
    return {
        "calls": len(calls),
        **{status: int(by_status.get(status, 0)) for status in FINAL_STATUSES},
        "pending": int(sum(by_status.get(status, 0) for status in PENDING_STATUSES)),
    }


def summary(views: Mapping[str, View]) -> pd.DataFrame:
    """Counts and measures of some views, one row each, by what they are called."""
    rows = {label: _row(view) for label, view in views.items()}
    columns = [*_STATES, "attempts", *(each.name for each in MEASURES)]
    table = pd.DataFrame.from_dict(rows, orient="index").reindex(columns=columns)
    return table.rename_axis("campaign")


def _row(view: View) -> dict[str, float]:
    return counts(view.calls) | {"attempts": len(view.attempts)} | measure(view)
