"""The section about where the wait went."""

from __future__ import annotations

from outsim.report import run_pictures
from outsim.report.outcomes import ONE_DAY
from outsim.report.parts import Section
from outsim.report.subject import Subject


def where_the_wait_went(subject: Subject) -> Section:
    """Causes of the time between a call's submission and its end."""
    return Section(
        id="wait",
        title="Where did the wait go?",
        asked="What each call's time went to, from its submission to its end.",
        pictures=run_pictures.load(subject),
        notes=[f"All of it is of {subject.this_run}. {ONE_DAY}"],
    )
