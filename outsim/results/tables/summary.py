"""The summary of a run: one row a campaign, and one for all background tenants together."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from outsim.display import format_figure
from outsim.document import Table
from outsim.results.measures import MEASURES, View, measure
from outsim.scenario.model import Scenario
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


def summary_table(found: pd.DataFrame, scenario: Scenario) -> Table:
    """A summary as people read it: a row a count or measure, a column a campaign."""
    begins, names = scenario.clock.begins, {each.name for each in MEASURES}
    rows = [
        [name.replace("_", " "), *(f"{value:,.0f}" for value in found[name])]
        for name in found.columns
        if name not in names
    ]
    rows += [
        [
            each.label_at(scenario.deadline),
            *(format_figure(each.kind, value, begins) for value in found[each.name]),
        ]
        for each in MEASURES
        if not (each.optional and found[each.name].isna().all())
    ]
    return Table("Calls and measures by campaign", ["", *map(str, found.index)], rows)
