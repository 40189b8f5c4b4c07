"""The summary of a run: one row a campaign, and one for all background tenants together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from outsim.results.measures import MEASURES, View, measure
from outsim.vocabulary import FINAL_STATUSES, PENDING_STATUSES

if TYPE_CHECKING:
    from outsim.results.result import Result

_STATES = ("calls", *FINAL_STATUSES, "pending")


def counts(calls: pd.DataFrame) -> dict[str, int]:
    """Calls by final status and by the state in which they are pending; they add up to all."""
    by_status = calls["status"].value_counts()
    return {
        "calls": len(calls),
        **{status: int(by_status.get(status, 0)) for status in FINAL_STATUSES},
        "pending": int(sum(by_status.get(status, 0) for status in PENDING_STATUSES)),
    }


def summary(result: Result) -> pd.DataFrame:
    """Counts and figures of each campaign of the scenario, and of the background as a whole."""
    rows: dict[str, dict[str, float]] = {}
    names = [campaign.name for campaign in result.scenario.campaign]
    for campaign in result.scenario.campaign:
        label = campaign.name
        if names.count(label) > 1:
            label = f"{campaign.tenant}/{label}"
        rows[label] = _row(result.measured(campaign))
    if result.scenario.background is not None:
        rows["(background)"] = _row(result.measured_background())
    columns = [*_STATES, "attempts", *(each.name for each in MEASURES)]
    table = pd.DataFrame.from_dict(rows, orient="index").reindex(columns=columns)
    return table.rename_axis("campaign")


def _row(view: View) -> dict[str, float]:
    return counts(view.calls) | {"attempts": len(view.attempts)} | measure(view)
