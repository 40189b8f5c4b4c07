"""The summary of a run: one row a campaign, and one for all background tenants together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import pandas as pd

from outsim.display import format_figure
from outsim.document import Document, Table
from outsim.results.measures import MEASURES, PORT_MEASURES, measure
from outsim.results.view import View
from outsim.scenario.defaults import DEFAULTS, defaults_in_use
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
    columns = [*_STATES, "attempts", *(entry.name for entry in MEASURES)]
    table = pd.DataFrame.from_dict(rows, orient="index").reindex(columns=columns)
    return table.rename_axis("campaign")


def _row(view: View) -> dict[str, float]:
    return counts(view.calls) | {"attempts": len(view.attempts)} | measure(view)


def with_units(table: pd.DataFrame, begins: datetime) -> pd.DataFrame:
    """A summary with durations, and local clock times, in place of seconds."""
    shown = table.copy()
    for entry in MEASURES:
        if entry.kind in ("seconds", "clock"):
            lasted = pd.to_timedelta(table[entry.name].astype("float64"), unit="s").dt.round("us")
            is_clock = entry.kind == "clock"
            shown[entry.name] = pd.Timestamp(begins) + lasted if is_clock else lasted
    return shown.rename(columns=lambda name: name.removesuffix("_s"))


def summary_document(
    table: pd.DataFrame,
    ports: Mapping[str, Mapping[str, float]],
    scenario: Scenario,
    *,
    label: str | None,
    attempts: str,
    background: str,
    run: str,
) -> Document:
    """What happened to the campaigns of a run, in words and tables; `label` is under study.

    `ports` has what campaigns, and all calls, took of the platform.
    """
    begins = scenario.clock.begins
    if scenario.background:
        attempts += f"; background tenants make {background}"
    answer = f"{attempts}, and no campaign to speak of."
    if label is not None:
        share, wait = (float(table[name][label]) for name in ("completed_share", "wait_p90_s"))
        answer = f"{attempts}: {label} has no calls that can be dialed."
        if share == share:
            answer = (
                f"{format_figure('share', share, begins)} of the calls of {label} are completed "
                f"in the end; p90 wait: {format_figure('seconds', wait, begins)}."
            )
    defaults = defaults_in_use(scenario)
    assumed = sum(DEFAULTS[key].grade == "A" for key in defaults)
    return Document(
        id="run",
        title="What happened in this run?",
        answer=answer,
        asked=f"{scenario.name}: one run, {run} ({scenario.clock.zone}). {attempts}.",
        tables=[_table(table, scenario), _ports(ports, begins)],
        notes=[
            "One run is one day that could be; `outsim compare` gives means with intervals.",
            f"It rests on {len(defaults)} defaults, {assumed} of them assumptions: "
            "`outsim run --json` lists each with its source.",
        ],
    )


def _table(table: pd.DataFrame, scenario: Scenario) -> Table:
    """A summary as people read it: a row a count or measure, a column a campaign."""
    begins, names = scenario.clock.begins, {entry.name for entry in MEASURES}
    rows = [
        [name.replace("_", " "), *(f"{value:,.0f}" for value in table[name])]
        for name in table.columns
        if name not in names
    ]
    rows += [
        [
            entry.label_at(scenario.deadline),
            *(format_figure(entry.kind, value, begins) for value in table[entry.name]),
        ]
        for entry in MEASURES
        if not (entry.optional and table[entry.name].isna().all())
    ]
    return Table("Calls and measures by campaign", ["", *map(str, table.index)], rows)


def _ports(ports: Mapping[str, Mapping[str, float]], begins: datetime) -> Table:
    """What campaigns, and all calls, took of the platform: a row a measure."""
    rows = [
        [
            entry.label,
            *(
                format_figure(entry.kind, figures[entry.name], begins)
                for figures in ports.values()
            ),
        ]
        for entry in PORT_MEASURES
    ]
    return Table("Ports and queue", ["", *ports], rows)
