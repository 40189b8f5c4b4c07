"""The section about where the wait went."""

from __future__ import annotations

from dataclasses import replace

from outsim.document import Document
from outsim.present import run_pictures
from outsim.present.context import ReportContext
from outsim.questions.explain import Explanation


def where_the_wait_went(context: ReportContext) -> Document:
    """Causes of the time between a call's submission and its end."""
    found = Explanation(context.result, context.campaign).document()
    return replace(
        found,
        answer=f"In this one run: {found.answer}",
        more=[f"In this one run, {text}" for text in found.more],
        pictures=[*found.pictures, *run_pictures.load(context)],
        notes=[f"All of it is of {context.this_run}.", *found.notes],
        command=context.asking("explain"),
    )
