"""Sections about what came of calls: what the customer sees of it, and why calls fail."""

from __future__ import annotations

from datetime import datetime

import pandas as pd

from outsim.document import Document, Table
from outsim.present import run_pictures
from outsim.present.context import Figure, Subject
from outsim.results.tables.failures import (
    REASONS,
    failed_calls_by_cause,
    match_pending,
    unanswered_by_attempt,
    unanswered_by_hour,
)
from outsim.results.tables.failures import why_failed as why_most_failed
from outsim.results.tables.views import counts

ONE_DAY = "One run is one day that could be."


def what_is_seen(subject: Subject) -> Document:
    """What the customer's page shows, and how far it is behind."""
    lag, never = subject.figure("status_lag_p90_s"), subject.figure("unreported_final_calls")
    moment = furthest_behind(subject.result.view(subject.campaign).updates)
    at = subject.result.begins if moment is None else moment.to_pydatetime()
    return Document(
        id="status",
        title="What's the status of my campaign?",
        asked=(
            "How long a change takes until the customer's page shows it, and what the page shows "
            "beside the truth when it is furthest behind."
        ),
        answer=(
            ""
            if lag is None
            else f"The page shows 9 in 10 changes within {lag.text} after they happened."
        ),
        more=[]
        if never is None
        else [f"Calls that are over and never shown so by the end of the run: {never.text}."],
        pictures=[run_pictures.truth_beside_page(subject, at), run_pictures.lag(subject)],
        tables=[_page(subject, at)],
        notes=[f"Pictures and table are of {subject.this_run}. {ONE_DAY}"],
        command="" if lag is not None else subject.asking("status", "--at 09:30"),
    )


def _page(subject: Subject, at: datetime) -> Table:
    """The page at a moment beside the truth."""
    campaign = subject.campaign
    page = subject.result.status_page(at)
    page = page[page["campaign"].eq(campaign.name) & page["tenant"].eq(campaign.tenant)]
    rows = [[word, f"{seen:,}", f"{true:,}"] for word, seen, true in counts(page)]
    return Table(
        f"Calls by status at {at:%H:%M:%S}, when most changes were not shown yet",
        ["status", "customer sees", "truth"],
        [*rows, ["calls", *[f"{len(page):,}"] * 2]],
    )


def furthest_behind(updates: pd.DataFrame) -> pd.Timestamp | None:
    """First moment at which most updates have happened and are not visible yet.

    Parameters
    ----------
    updates : DataFrame
        As `Result.updates` or `View.updates` has them.

    Returns
    -------
    Timestamp
        None if there are no updates.
    """
    if updates.empty:
        return None
    happened, visible = updates["happened_at"], updates["visible_at"].dropna()
    steps = pd.concat([pd.Series(1, index=happened), pd.Series(-1, index=visible)])
    waiting = steps.groupby(level=0).sum().cumsum()
    return pd.DatetimeIndex(waiting.index)[int(waiting.to_numpy().argmax())]


def why_failed(subject: Subject) -> Document:
    """Failures by cause, attempt and hour; what became of pending calls."""
    result, campaign = subject.result, subject.campaign
    view = result.view(campaign)
    failed = int((view.calls["status"] == "failed").sum())
    completed, refused = subject.figure("completed_share"), subject.figure("refused_share")
    answer = _why(subject, view.calls)
    if completed is not None:
        answer += f" {completed.text} of the calls are completed in the end"
        answer += "." if refused is None else f"; the carrier refuses {_share(refused)} attempts."
    rows = [
        found.row()
        for name in (
            "completed_share",
            "answered_by_person_share",
            "attempts_per_call",
            "refused_share",
        )
        if (found := subject.figure(name)) is not None
    ]
    tables = [Table("What came of the calls", ["figure", "mean"], rows)] if rows else []
    return Document(
        id="failed",
        title='Why am I seeing "failed" calls?',
        asked=(
            "What ended the calls that were dialled and never answered, by cause, attempt and "
            "hour."
        ),
        answer=answer.strip(),
        more=[
            "A failed call was dialled and never answered. That says nothing of the queue: every "
            "one of them went out.",
            f"In {subject.this_run}, {failed:,} of {len(view.calls):,} calls failed.",
        ],
        pictures=[run_pictures.outcomes(subject)],
        tables=[*tables, *_failure_tables(subject)],
        notes=[f"Causes, attempts and hours are those of {subject.this_run}. {ONE_DAY}"],
        command="" if completed is not None else subject.asking("failed"),
    )


def _why(subject: Subject, calls: pd.DataFrame) -> str:
    """How many calls fail and why most of them do: over replications where these tell."""
    failed = subject.figure("failed_share")
    if failed is not None:
        by = {outcome: subject.figure(f"failed_by_{outcome}") for outcome in REASONS}
        shares = {
            outcome: (figure.estimate.mean, figure.text)
            for outcome, figure in by.items()
            if figure is not None
        }
        if not failed.estimate.mean > 0:
            return "In no run did a call fail."
        return f"{failed.text} of the calls fail. {why_most_failed(shares)}"
    causes, count = failed_calls_by_cause(calls), int((calls["status"] == "failed").sum())
    if not count:
        return f"In {subject.this_run} no call failed."
    told = {str(name): (row["share"], f"{row['share']:.1%}") for name, row in causes.iterrows()}
    return (
        f"In {subject.this_run}, {count:,} of {len(calls):,} calls failed. {why_most_failed(told)}"
    )


def _share(figure: Figure) -> str:
    """A share of the attempts, in words where no run has any."""
    value = figure.estimate
    if value.is_zero:
        return "none of the"
    return f"{figure.text} of the"


def _failure_tables(subject: Subject) -> list[Table]:
    view = subject.result.view(subject.campaign)
    causes = failed_calls_by_cause(view.calls)
    tables = [
        Table(
            "Failed calls by the outcome of their last attempt",
            ["last attempt", "calls", "share"],
            [
                [str(cause).replace("_", " "), f"{row['calls']:,.0f}", f"{row['share']:.1%}"]
                for cause, row in causes.iterrows()
            ],
        )
    ]
    for title, frame in (
        ("attempt", unanswered_by_attempt(view.attempts)),
        ("hour", unanswered_by_hour(view.attempts)),
    ):
        rows = [
            [
                str(index),
                *(f"{row[column]:,.0f}" for column in frame.columns[:-1]),
                f"{row['answered_share']:.1%}",
            ]
            for index, row in frame.iterrows()
        ]
        columns = [title, *(str(column).replace("_", " ") for column in frame.columns)]
        if rows:
            tables.append(Table(f"Attempts by {title}", columns, rows))
    return [*tables, *_pending(subject, view.calls)]


def _pending(subject: Subject, calls: pd.DataFrame) -> list[Table]:
    """Calls still shown as pending in the end, matched against the call log."""
    result = subject.result
    asked = result.calls["call_id"].isin(calls["call_id"])
    match = match_pending(result.calls, result.attempts, result.updates, result.ended, asked)
    if match.calls.empty:
        return []
    return [
        Table(
            f"Calls still shown as pending at {result.ended:%H:%M}, by what the call log says",
            ["", "calls"],
            [[verdict, f"{count:,}"] for verdict, count in match.counts.items()],
        )
    ]
