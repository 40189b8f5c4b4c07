"""Sections about what came of calls: what the customer sees of it, and why calls fail."""

from __future__ import annotations

from dataclasses import replace

from outsim.document import Document, Table
from outsim.present.context import MeanOfMeasure, ReportContext
from outsim.questions.failed import Failures
from outsim.questions.one_run import ONE_DAY
from outsim.questions.status import CampaignStatus, furthest_behind
from outsim.results.tables.failures import REASONS, why_failed


def what_is_seen(context: ReportContext) -> Document:
    """What the customer's page shows, and how far it is behind."""
    lag, never = context.measure("status_lag_p90_s"), context.measure("unreported_final_calls")
    moment = furthest_behind(context.result.view(context.campaign).updates)
    at = context.result.start if moment is None else moment.to_pydatetime()
    found = CampaignStatus(context.result, context.campaign, at).document()
    more = [found.answer, *found.more]
    if never is not None:
        more.insert(0, f"Calls that are over and never shown so by the end: {never.text}.")
    return replace(
        found,
        asked=(
            "How long a change takes until the customer's page shows it, and what the page shows "
            "beside the truth when it is furthest behind."
        ),
        answer=(
            ""
            if lag is None
            else f"The page shows a change {lag.text} after it happened (p90 status lag)."
        ),
        more=more,
        notes=[f"Pictures and table are of {context.this_run}. {ONE_DAY}"],
        command="" if lag is not None else context.asking("status", "--at 09:30"),
    )


def why_calls_failed(context: ReportContext) -> Document:
    """Failures by cause, attempt and hour; what became of pending calls."""
    found = Failures(context.result, context.campaign).document()
    completed, refused = context.measure("completed_share"), context.measure("refused_share")
    answer = _why(context) or f"In {context.this_run}, {found.answer}"
    if completed is not None:
        answer += f" {completed.text} of the calls are completed in the end"
        answer += "." if refused is None else f"; the carrier refuses {_share(refused)} attempts."
    rows = [
        measure.row()
        for name in (
            "completed_share",
            "answered_by_person_share",
            "attempts_per_call",
            "refused_share",
        )
        if (measure := context.measure(name)) is not None
    ]
    tables = [Table("What came of the calls", ["measure", "mean"], rows)] if rows else []
    return replace(
        found,
        asked=(
            "What ended the calls that were dialed and never answered, by cause, attempt and hour."
        ),
        answer=answer,
        more=[f"In {context.this_run}, {found.answer}", *found.more],
        tables=[*tables, *found.tables],
        notes=[f"Causes, attempts and hours are those of {context.this_run}. {ONE_DAY}"],
        command="" if completed is not None else context.asking("failed"),
    )


def _why(context: ReportContext) -> str:
    """How many calls fail and why most of them do, over replications if these tell."""
    failed = context.measure("failed_share")
    if failed is None:
        return ""
    if not failed.estimate.mean > 0:
        return "In no run did a call fail."
    by = {outcome: context.measure(f"failed_by_{outcome}") for outcome in REASONS}
    shares = {
        outcome: (measure.estimate.mean, measure.text)
        for outcome, measure in by.items()
        if measure is not None
    }
    return f"{failed.text} of the calls fail. {why_failed(shares)}"


def _share(measure: MeanOfMeasure) -> str:
    """A share of the attempts, in words where no run has any."""
    return "none of the" if measure.estimate.is_zero else f"{measure.text} of the"
