"""The section about where the wait went."""

from __future__ import annotations

from dataclasses import replace

from outsim.document import Document
from outsim.present import run_pictures
from outsim.present.context import Subject
from outsim.questions.explain import Explanation


def where_the_wait_went(subject: Subject) -> Document:
    """Causes of the time between a call's submission and its end."""
    found = Explanation(subject.result, subject.campaign).document()
    return replace(
        found,
        answer=f"In this one run: {found.answer}",
        more=[f"In this one run, {text}" for text in found.more],
        pictures=[*found.pictures, *run_pictures.load(subject)],
        notes=[f"All of it is of {subject.this_run}.", *found.notes],
        command=subject.asking("explain"),
    )
