"""Sections about time: when to start, when calls go out, what a stop still saves."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from outsim import display
from outsim.clock import after as clock_after
from outsim.document import Document, Table
from outsim.present.context import ReportContext
from outsim.present.run_pictures import waits
from outsim.questions.schedule import TITLE as WHEN_TO_START
from outsim.questions.stop import TITLE as WHY_AFTER_STOP
from outsim.questions.stop import stop_rule
from outsim.results.tables.views import counts

if TYPE_CHECKING:
    from outsim.questions.eta import Forecast

_START = Document("schedule", WHEN_TO_START)
_OUT = Document("eta", "When is my call going out?")
_STOP = Document("stop", WHY_AFTER_STOP)

INTERVALS = f"{display.INTERVALS.capitalize()}."


def _counted(count: int, what: str = "replication") -> str:
    return f"{count:,} {what}" + ("" if count == 1 else "s")


# When should I schedule my calls?


def when_to_start(context: ReportContext) -> Document:
    """Start times held against each other, or why they are not."""
    answer = context.schedule
    if answer is None:
        return replace(
            _START,
            asked=context.reason("schedule") or "No start times were tried in this study.",
            command=context.asking("schedule"),
        )
    return answer.document()


# When is my call going out?


def when_out(context: ReportContext) -> Document:
    """When calls go out and when the campaign is finished."""
    answer = context.forecast
    if answer is not None:
        return _forecast(context, answer)
    rows = _known_rows(
        context, "wait_p50_s", "wait_p90_s", "finish_time_s", "duration_s", "completed_by_deadline"
    )
    if not rows:
        return replace(
            _OUT,
            asked="This study did not keep when calls go out.",
            command=context.asking("eta"),
        )
    return replace(
        _OUT,
        asked=_of_known(context),
        answer=_waits(context),
        pictures=[waits(context)],
        tables=[Table("When calls go out", ["figure", "mean"], rows)],
        notes=[INTERVALS],
        command=context.asking("eta"),
    )


def _waits(context: ReportContext) -> str:
    half, most = context.measure("wait_p50_s"), context.measure("wait_p90_s")
    end = context.measure("finish_time_s")
    texts = []
    if half is not None and most is not None:
        texts.append(f"The p50 wait is {half.text}, the p90 wait {most.text}")
    if end is not None:
        texts.append(f"{'the' if texts else 'The'} campaign is finished at {end.text}")
    return "; ".join(texts) + "." if texts else ""


def _forecast(context: ReportContext, answer: Forecast) -> Document:
    found = answer.document()
    return replace(found, pictures=[*found.pictures, waits(context)])


def _known_rows(context: ReportContext, *names: str) -> list[list[str]]:
    return [found.row() for name in names if (found := context.measure(name)) is not None]


def _of_known(context: ReportContext) -> str:
    campaign, count = context.campaign, max(each.replications for each in context.known)
    return (
        f"{campaign.name} ({campaign.tenant}), starting at {campaign.start:%H:%M}: from the "
        f"figures that the study kept, {_counted(count)}."
    )


# Why do calls still go out after I stopped?


def after_stop(context: ReportContext) -> Document:
    """What a stop saves, by when it comes."""
    command = context.asking("stop")
    answer = context.race
    if answer is not None:
        found = answer.document()
        return replace(found, more=[*_standing_at_stop(context), *found.more])
    rows = _known_rows(context, "dispatched_before_stop_effect", "dispatched_after_stop_effect")
    if not rows:
        why = context.reason("stop") or "Nobody stops the campaign in this study."
        return replace(_STOP, asked=why, command=command)
    before, after = (row[1] for row in rows)
    stop_at = context.campaign.stop_at
    assert stop_at is not None
    return replace(
        _STOP,
        asked=f"{_of_known(context)} The campaign is stopped at {stop_at:%H:%M:%S}.",
        answer=(
            f"{stop_rule(context.scenario, context.campaign)}. {before} dials go out "
            f"between the request to stop and its effect, and {after} from then on."
        ),
        more=_standing_at_stop(context),
        tables=[Table("Dials after the stop, retries included", ["figure", "mean"], rows)],
        notes=[INTERVALS],
        command=command,
    )


def _standing_at_stop(context: ReportContext) -> list[str]:
    """Where the calls stood when the scenario's own stop took effect, in the one run."""
    campaign, result = context.campaign, context.result
    if campaign.stop_at is None:
        return []
    effect = clock_after(campaign.stop_at, context.scenario.platform.stop_latency)
    if not result.start <= effect <= result.end:
        return []
    page = result.status_page(effect)
    own = page["campaign"].eq(campaign.name) & page["tenant"].eq(campaign.tenant)
    told = "; ".join(f"{word} {true:,}" for word, _, true in counts(page[own]) if true)
    return [
        f"In {context.this_run}, the stop at {campaign.stop_at:%H:%M:%S} took effect at "
        f"{effect:%H:%M:%S}; its calls by status then: {told or 'none'}."
    ]
