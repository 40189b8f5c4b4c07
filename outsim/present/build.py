"""A report from what is known of its subject."""

from __future__ import annotations

from collections.abc import Iterator

from outsim.document import Document
from outsim.present.comparison import comparison
from outsim.present.context import Subject
from outsim.present.outcomes import what_is_seen, why_calls_failed
from outsim.present.page import Page
from outsim.present.provenance import assumptions, checklist, reproduction
from outsim.present.sensitivity import sensitivity
from outsim.present.timing import after_stop, when_out, when_to_start
from outsim.present.waiting import where_the_wait_went


def page_of(subject: Subject, command: str) -> Page:
    """Page of a report.

    Parameters
    ----------
    subject : Subject
        What `outsim.present.sources.read_subject` gives.
    command : str
        Command that makes the report again.
    """
    scenario, campaign, result = subject.scenario, subject.campaign, subject.result
    calls = len(result.view(campaign).calls)
    return Page(
        title=f"{scenario.name}: {campaign.name}",
        about=[
            ("Campaign", f"{campaign.name} of {campaign.tenant}, {calls:,} calls"),
            ("Start", f"{campaign.start:%Y-%m-%d %H:%M} {scenario.clock.zone}"),
            ("Made of", subject.made_of),
        ],
        notices=subject.notices,
        sections=[*_sections(subject), *_ground(subject, command)],
    )


def _sections(subject: Subject) -> Iterator[Document]:
    if subject.comparison is not None:
        yield comparison(subject)
    if subject.sweep is not None:
        yield sensitivity(subject)
    for question in (when_to_start, when_out, what_is_seen, why_calls_failed, after_stop):
        yield question(subject)


def _ground(subject: Subject, command: str) -> Iterator[Document]:
    yield where_the_wait_went(subject)
    yield assumptions(subject)
    if subject.sweep is None:
        yield sensitivity(subject)
    yield checklist(subject)
    yield reproduction(subject, command)
