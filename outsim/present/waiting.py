"""The section about where the wait went."""

from __future__ import annotations

from outsim.document import Document, Table
from outsim.present import run_pictures
from outsim.present.context import Subject
from outsim.questions.explain import Explanation
from outsim.questions.one_run import ONE_DAY

_NAMED = 8
"""Campaigns that are named among those that were dialled in the meantime."""


def where_the_wait_went(subject: Subject) -> Document:
    """Causes of the time between a call's submission and its end."""
    found = Explanation(subject.result, subject.campaign)
    return Document(
        id="wait",
        title="Where did the wait go?",
        asked=(
            "What each call's time went to, from its submission to its end. The parts add up to "
            "all of it."
        ),
        answer=f"In this one run: {found.cause_sentence}",
        more=[_whose(found)],
        pictures=[run_pictures.wait_causes(found), *run_pictures.load(subject)],
        tables=[*_by_cause(found), *_by_whom(found)],
        notes=[
            f"All of it is of {subject.this_run}. {ONE_DAY} Time behind calls ahead in the queue "
            "is put down to what these waited for, and by whose call went out next."
        ],
        command=subject.asking("explain"),
    )


def _whose(found: Explanation) -> str:
    """Who was dialled while the calls waited in the queue."""
    whom = found.by_whom()
    others = whom[~whom["own"]]
    if not whom["share"].sum():
        return "In this one run no call waited in the queue."
    if others.empty:
        return "In this one run all of the time in the queue went to the campaign's own calls."
    first = others.iloc[0]
    return (
        f"In this one run, {others['share'].sum():.0%} of the time in the queue went to others' "
        f"calls: most, {first['share']:.0%}, to {first['tenant']}'s {first['start']:%H:%M} "
        "campaign."
    )


def _by_cause(found: Explanation) -> list[Table]:
    rows = found.rows()
    columns = ["cause", "mean of a call", "share"]
    return [Table("Time of a call by cause", columns, rows)] if rows else []


def _by_whom(found: Explanation) -> list[Table]:
    whom = found.by_whom()
    if not whom["share"].sum():
        return []
    rows = [
        [f"{row.tenant}: {row.campaign}", f"{row.start:%H:%M}", f"{row.share:.1%}"]
        for row in whom.head(_NAMED).itertuples()
    ]
    rest = whom.iloc[_NAMED:]
    if len(rest):
        rows.append([f"{len(rest)} others", "", f"{rest['share'].sum():.1%}"])
    return [
        Table(
            "Time in the queue, by whose call went out next", ["campaign", "start", "share"], rows
        ),
    ]
