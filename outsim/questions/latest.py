"""The latest start of a campaign, or stop of it, that keeps promises; or the earliest.

start = await outsim.latest_start(scenario, ["P(95% of calls done by 11:00) >= 0.9"])
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Unpack

from outsim.clock import SECOND, after, format_duration, parse_duration_us
from outsim.errors import StudyError, parsed
from outsim.questions.capacity import CapacityOptions, Planner, base_runs
from outsim.questions.capacity_answers import Capacity
from outsim.questions.everybody import Everybody
from outsim.questions.question import Question, asks
from outsim.questions.schedule import TITLE as WHEN_TO_START
from outsim.questions.stop import TITLE as AFTER_A_STOP
from outsim.scenario.campaigns import Campaign
from outsim.scenario.factors import Moments
from outsim.scenario.model import Scenario
from outsim.studies.comparable import campaign_of
from outsim.studies.default_replications import CAPACITY_RUNS
from outsim.studies.variants import (
    Variants,
    about_campaign,
    check_start,
    moment_of,
    over_the_day,
    usual_stops,
)

MOST_MOMENTS = 5_000
"""Moments that are searched among at most."""


@asks(CapacityOptions)
def latest_start(
    scenario: Scenario,
    promise: Sequence[str],
    campaign: str | Campaign | None = None,
    *,
    between: tuple[str | datetime, str | datetime] | None = None,
    every: str = "1min",
    earliest: bool = False,
    confidence: str | float = 0.95,
    replications: int | None = None,
    precision: Mapping[str, str | float] | None = None,
    most: int = CAPACITY_RUNS,
    **options: Unpack[CapacityOptions],
) -> Question[Capacity]:
    """Find the latest start of a campaign that keeps every promise, with confidence.

    Parameters
    ----------
    promise : sequence of str
        Promises, such as ``"95% of calls out by 11:00"``; see `outsim.studies.promises`.
    between : (first, last), optional
        First and last start that come into question; default: the whole day, as far as a start
        makes sense.
    every : str
        Time between two starts.
    earliest : bool
        Whether the earliest start is looked for instead.
    confidence : str or float
        How sure it must be that the answer keeps the promises.
    replications : int, optional
        Runs that the answer and the start next to it rest on; default: 100.
    precision : mapping, optional
        As many runs as the scenario as it stands takes for intervals of this width, instead.
    most : int
        Runs in all, at most.

    Raises
    ------
    StudyError
        If there is no such campaign, it can't start then, or a promise can't be read, or never
        be shown with so few replications.

    Examples
    --------
    >>> start = await outsim.latest_start(scenario, ["finished by 11:00"])  # doctest: +SKIP
    >>> start.value  # doctest: +SKIP
    """
    chosen = campaign_of(scenario, campaign)
    asked = scenario.asked_about(chosen)
    ends = between or over_the_day(scenario, chosen)[1] or (chosen.start, scenario.deadline)
    first, last = (moment_of(scenario, end) for end in ends)
    starts = _moments(scenario, first, last, every)
    for start in (starts[0], starts[-1]):
        check_start(scenario, chosen, start)
    vary = Moments.of(f"campaign[{chosen.entry}].start", starts, is_descending=not earliest)

    async def work(_: Any) -> Capacity:
        base, count = await base_runs(asked, replications, precision, options)
        planner = Planner(asked, vary, promise, Everybody(), count, confidence, most, options)
        with planner.working():
            found = await planner.plan(asked)
        return replace(
            found, base=base, called=f"start of {chosen.full_name}", title=WHEN_TO_START
        )

    return Question("latest_start", work)


@asks(CapacityOptions)
def latest_stop(
    scenario: Scenario,
    promise: Sequence[str],
    campaign: str | Campaign | None = None,
    *,
    every: str | None = None,
    earliest: bool = False,
    confidence: str | float = 0.95,
    replications: int | None = None,
    precision: Mapping[str, str | float] | None = None,
    most: int = CAPACITY_RUNS,
    **options: Unpack[CapacityOptions],
) -> Question[Capacity]:
    """Find the latest stop of a campaign that keeps every promise, with confidence.

    Stops are tried from the start of the campaign on, until one saves no more dials in the first
    replication.

    Parameters
    ----------
    promise : sequence of str
        Promises, such as ``"at most 300 dialed after the stop"`` or ``"at most 2000 dialed"``;
        see `outsim.studies.promises`.
    every : str, optional
        Time between two stops; default: about a two hundredth of all of it.
    earliest : bool
        Whether the earliest stop is looked for instead.
    confidence : str or float
        How sure it must be that the answer keeps the promises.
    replications : int, optional
        Runs that the answer and the stop next to it rest on; default: 100.
    precision : mapping, optional
        As many runs as the scenario as it stands takes for intervals of this width, instead.
    most : int
        Runs in all, at most.

    Raises
    ------
    StudyError
        If there is no such campaign, or a promise can't be read, or never be shown with so few
        replications.

    Examples
    --------
    >>> stop = await outsim.latest_stop(scenario, ["at most 300 dialed"])  # doctest: +SKIP
    """
    chosen = campaign_of(scenario, campaign)
    (never,) = Variants(scenario, {scenario.name: about_campaign(chosen, stop_at=None)}).scenarios
    latest_us = usual_stops(never, options.get("seed"))[-1]
    if every is None:
        every = format_duration(max(1, round(latest_us / 200 / SECOND)) * SECOND)
    stops = _moments(scenario, chosen.start, after(chosen.start, latest_us), every)
    vary = Moments.of(f"campaign[{chosen.entry}].stop_at", stops, is_descending=not earliest)

    async def work(_: Any) -> Capacity:
        base, count = await base_runs(never, replications, precision, options)
        planner = Planner(never, vary, promise, Everybody(), count, confidence, most, options)
        with planner.working():
            found = await planner.plan(never)
        called = f"stop of {chosen.full_name}"
        return replace(found, base=base, called=called, title=AFTER_A_STOP)

    return Question("latest_stop", work)


def _moments(scenario: Scenario, first: datetime, last: datetime, every: str) -> list[datetime]:
    """Moments from the first to the last, in even steps."""
    every_us = parsed("every", parse_duration_us, every)
    if every_us < SECOND or every_us % SECOND:
        raise StudyError(f"every {every!r}: must be whole seconds, 1 s or more")
    span_us = scenario.instant_us(last) - scenario.instant_us(first)
    if span_us < every_us:
        raise StudyError(
            f"between {first:%H:%M:%S} and {last:%H:%M:%S}: the last must be later than the "
            f"first by {format_duration(every_us)} or more, or there is nothing to search"
        )
    count = span_us // every_us + 1
    if count > MOST_MOMENTS:
        raise StudyError(
            f"every {every!r}: that makes {count:,} moments; at most {MOST_MOMENTS:,} are "
            "allowed: take longer steps"
        )
    return [after(first, k * every_us) for k in range(count)]
