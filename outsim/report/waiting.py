"""The section about where the wait went."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from outsim.clock import format_duration
from outsim.report import run_pictures
from outsim.report.outcomes import ONE_DAY
from outsim.report.parts import Section, Table
from outsim.report.subject import Subject
from outsim.tables.causes import CAUSES, QUEUE_CAUSES

if TYPE_CHECKING:
    from outsim.scenario.campaigns import Campaign

_NAMED = 8
"""Campaigns that are named among those that were dialled in the meantime."""


def where_the_wait_went(subject: Subject) -> Section:
    """Causes of the time between a call's submission and its end."""
    campaign = subject.campaign
    spent = subject.result.time_by_cause(campaign)
    charges = subject.result.queue_charges(campaign)
    return Section(
        id="wait",
        title="Where did the wait go?",
        asked=(
            "What each call's time went to, from its submission to its end. The parts add up to "
            "all of it."
        ),
        answer=_answer(charges, campaign),
        pictures=[run_pictures.wait_causes(subject), *run_pictures.load(subject)],
        tables=[*_by_cause(spent), *_by_whom(charges)],
        notes=[
            f"All of it is of {subject.this_run}. {ONE_DAY} Time in the queue is charged twice: "
            "to the campaign whose call went out next, and to what that one waited for."
        ],
        command=subject.asking("explain"),
    )


def _us(column: pd.Series) -> int:
    return int(column.astype("int64").sum())


def _answer(charges: pd.DataFrame, campaign: Campaign) -> str:
    """Who was dialled while the calls waited in the queue."""
    total = _us(charges["total"])
    if not total:
        return "In this one run no call waited in the queue."
    own = charges["tenant"].eq(campaign.tenant) & charges["campaign"].eq(campaign.name)
    others = charges[~own]
    share = _us(others["total"]) / total
    if others.empty:
        return "In this one run all of the time in the queue went to the campaign's own calls."
    first = others.iloc[0]
    part = int(first["total"] / pd.Timedelta(microseconds=1)) / total
    return (
        f"In this one run, {share:.0%} of the time in the queue went to others' calls: most, "
        f"{part:.0%}, to {first['tenant']}'s {first['start']:%H:%M} campaign."
    )


def _by_cause(spent: pd.DataFrame) -> list[Table]:
    calls, total = len(spent), sum(_us(spent[cause]) for cause in spent.columns)
    if not total:
        return []
    rows = [
        [CAUSES[cause], format_duration(round(us / calls)), f"{us / total:.1%}"]
        for cause in spent.columns
        if (us := _us(spent[cause]))
    ]
    return [Table("Time of a call by cause", ["cause", "mean of a call", "share"], rows)]


def _by_whom(charges: pd.DataFrame) -> list[Table]:
    total = _us(charges["total"])
    if not total:
        return []
    rows = [
        [
            f"{row['tenant']}: {row['campaign']}",
            f"{row['start']:%H:%M}",
            f"{row['total'] / pd.Timedelta(microseconds=1) / total:.1%}",
        ]
        for _, row in charges.head(_NAMED).iterrows()
    ]
    rest = charges.iloc[_NAMED:]
    if len(rest):
        rows.append([f"{len(rest)} others", "", f"{_us(rest['total']) / total:.1%}"])
    resources = [
        [CAUSES[cause], f"{us / total:.1%}"]
        for cause in QUEUE_CAUSES
        if (us := _us(charges[cause]))
    ]
    return [
        Table(
            "Time in the queue, by whose call went out next", ["campaign", "start", "share"], rows
        ),
        Table(
            "Time in the queue, by what that call waited for", ["waited for", "share"], resources
        ),
    ]
