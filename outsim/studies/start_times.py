"""Which starts of a campaign are compared, and which of them make sense."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from outsim.clock import HOUR, SECOND, after, format_duration, parse_duration_us
from outsim.errors import StudyError
from outsim.scenario.campaigns import Campaign
from outsim.scenario.model import Scenario

MOST_STARTS = 100


def labels_of(starts: Sequence[datetime]) -> list[str]:
    """Clock times of some starts, as short as they can be told apart."""
    form = "%H:%M" if not any(at.second for at in starts) else "%H:%M:%S"
    if len({at.date() for at in starts}) > 1:
        form = f"%m-%d {form}"
    labels = [at.strftime(form) for at in starts]
    if len(set(labels)) < len(labels):
        # Clocks are put back: an hour comes twice.
        labels = [at.strftime(f"{form} %Z") for at in starts]
    return labels


def starts_of(
    scenario: Scenario,
    campaign: Campaign,
    every: str,
    between: tuple[str | datetime, str | datetime] | None,
) -> list[datetime]:
    """Starts from the first to the latest, see `outsim.questions.schedule.schedule`.

    Raises
    ------
    StudyError
        If they can't be read, or are too few or too many.
    """
    try:
        every_us = parse_duration_us(every)
    except ValueError as error:
        raise StudyError(f"every: {error}") from None
    if every_us < SECOND:
        raise StudyError(f"every {every!r}: must be 1 s or more")
    if between is None:
        hour = campaign.start.replace(minute=0, second=0, microsecond=0)
        first, last = max(hour, scenario.clock.begins), after(hour, HOUR)
    else:
        first, last = (_moment(scenario, each) for each in between)
    span_us = scenario.instant_us(last) - scenario.instant_us(first)
    if span_us < every_us:
        raise StudyError(
            f"between {first:%H:%M:%S} and {last:%H:%M:%S}: the latest start must be later than "
            f"the first by {format_duration(every_us)} or more, or there is nothing to compare"
        )
    count = span_us // every_us + 1
    if count > MOST_STARTS:
        raise StudyError(
            f"every {every!r}: that makes {count:,} starts; at most {MOST_STARTS} are allowed: "
            "take longer steps"
        )
    return [after(first, k * every_us) for k in range(count)]


_STEPS_MIN = (5, 10, 15, 20, 30, 60, 120, 240)
"""Minutes between two starts that read well."""

_OVER_THE_DAY = 12
"""Starts that are tried at most over the whole time in which a start makes sense."""


def over_the_day(
    scenario: Scenario, campaign: Campaign
) -> tuple[str, tuple[datetime, datetime] | None]:
    """Step and ends of starts over the whole time in which a start makes sense.

    That is from the begin of the run, or the submission, to the deadline, a stop or the expiry.
    The scenario's own start is among them. Ends are None where there is no room for two.
    """
    clock = scenario.clock
    begins = max(clock.begins, campaign.submitted_at or clock.begins)
    bounds = (scenario.deadline, clock.ends, campaign.stop_at, campaign.expires_at)
    ends = min(each for each in bounds if each is not None)
    start = scenario.instant_us(campaign.start)
    before, behind = start - scenario.instant_us(begins), scenario.instant_us(ends) - start - 1
    for step in _STEPS_MIN:
        earlier, later = (max(0, room) // (step * 60 * SECOND) for room in (before, behind))
        if earlier + later < _OVER_THE_DAY:
            break
    if earlier + later == 0:
        return "15min", None
    first, last = (
        after(campaign.start, count * step * 60 * SECOND) for count in (-earlier, later)
    )
    return f"{step}min", (first, last)


def _moment(scenario: Scenario, at: str | datetime) -> datetime:
    if isinstance(at, datetime):
        if at.tzinfo is None:
            raise StudyError(f"between: found {at!r}; give a datetime with a time zone")
        return at.astimezone(scenario.clock.zone_info)
    try:
        return scenario.clock.at(at)
    except ValueError as error:
        raise StudyError(f"between: {error}") from None


def check_start(scenario: Scenario, campaign: Campaign, start: datetime) -> None:
    """Refuse a start that makes no sense with what else the scenario says.

    Raises
    ------
    StudyError
        If it is one; the message says why.
    """
    name, clock = f"{campaign.tenant}/{campaign.name}", scenario.clock
    if campaign.requests is not None:
        raise StudyError(
            f"{name}: its calls are handed in one by one; only a list has a start to choose"
        )
    if start < clock.begins or start >= clock.latest_end:
        raise StudyError(
            f"start {start:%Y-%m-%d %H:%M:%S}: the run begins at {clock.begins:%Y-%m-%d %H:%M} "
            f"and ends at {clock.latest_end:%Y-%m-%d %H:%M} at the latest; choose starts between, "
            "or give the scenario another clock.begins or clock.latest"
        )
    reasons = {
        "submitted_at": "before it is handed in",
        "stop_at": "when it is stopped already",
        "expires_at": "when it has expired already",
    }
    for key, why in reasons.items():
        bound: datetime | None = getattr(campaign, key)
        if bound is None:
            continue
        if start < bound if key == "submitted_at" else start >= bound:
            raise StudyError(
                f"start {start:%H:%M:%S}: {name} can't start {why}, at {bound:%H:%M:%S} "
                f"({key}, which keeps its clock time); choose other starts, or change {key}"
            )
