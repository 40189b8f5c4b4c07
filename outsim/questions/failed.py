"""Why am I seeing "failed" calls? Causes of failures, and what became of pending calls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pandas as pd

from outsim.display import percent, rows_for
from outsim.document import Answer, Document, Picture, Table
from outsim.engine import Engine
from outsim.questions.means import NO_MEANS, Means
from outsim.questions.one_run import ONE_DAY, one_run, scenario_of, this_run
from outsim.questions.question import Question, asks
from outsim.results.result import Result
from outsim.results.tables.call_history import calls_not_accepted
from outsim.results.tables.failures import (
    REASONS,
    PendingMatch,
    failed_calls_by_cause,
    match_pending,
    unanswered_by_attempt,
    unanswered_by_hour,
    why_failed,
)
from outsim.results.tables.over_time import hourly_outcomes
from outsim.results.view import View
from outsim.scenario.campaigns import ALL_CALLS, Campaign
from outsim.scenario.model import Scenario
from outsim.studies.comparable import campaign_of
from outsim.text import plain

TITLE = 'Why am I seeing "failed" calls?'


@dataclass(frozen=True, eq=False, repr=False)
class Failures(Answer):
    """Why calls of a campaign, or all calls, failed in one run."""

    result: Result
    campaign: Campaign | None = None
    """Whose calls; None: everybody's."""

    @cached_property
    def _view(self) -> View:
        return self.result.view(self.campaign or ALL_CALLS)

    @property
    def count(self) -> int:
        """Failed calls."""
        return int((self._view.calls["status"] == "failed").sum())

    @cached_property
    def by_cause(self) -> pd.DataFrame:
        """Failed calls by the outcome of their last attempt: ``calls`` and ``share``."""
        return failed_calls_by_cause(self._view.calls)

    @cached_property
    def not_accepted(self) -> pd.DataFrame:
        """Calls that never were in the queue, by ``status`` and ``reason``: ``calls``.

        A refused request was not taken as it came in; a rejected row can't be dialed.
        """
        return calls_not_accepted(self.result, self._view.calls)

    @cached_property
    def by_attempt(self) -> pd.DataFrame:
        """Attempts by number: ``attempts``, each unanswered outcome, and ``answered_share``."""
        return unanswered_by_attempt(self._view.attempts)

    @cached_property
    def by_hour(self) -> pd.DataFrame:
        """The same by local clock hour of dispatch."""
        return unanswered_by_hour(self._view.attempts)

    @cached_property
    def pending(self) -> PendingMatch:
        """Calls still shown as pending at the end, matched against the call log."""
        result = self.result
        asked = result.calls["call_id"].isin(self._view.calls["call_id"])
        return match_pending(result.calls, result.attempts, result.updates, result.end, asked)

    def document(self, means: Means = NO_MEANS) -> Document:
        """The answer in words, with its tables and picture; means of a study come before it."""
        calls, result = self._view.calls, self.result
        whose = "all campaigns"
        if self.campaign is not None:
            whose = f"{self.campaign.name} ({self.campaign.tenant})"
        causes = {
            str(cause): (row["share"], percent(row["share"], 1))
            for cause, row in self.by_cause.iterrows()
        }
        answer = f"{self.count:,} of {len(calls):,} calls failed. {why_failed(causes)}"
        document = Document(
            id="failed",
            title=TITLE,
            asked=(
                f"{whose}, one run, seed {result.seed}, replication {result.replication}: what "
                "ended the calls that were dialed and never answered, by cause, attempt and hour."
            ),
            answer=answer.strip(),
            more=[
                "A failed call was dialed and never answered. That says nothing of the queue: "
                "every one of them went out.",
                *self._said_of_not_accepted(),
                *self._nothing_dialed(),
                *self._said_of_pending(),
            ],
            pictures=[self._picture()],
            tables=[*self._tables()],
            notes=[ONE_DAY],
        )
        return document if means.findings is None else self._over_replications(document, means)

    def _over_replications(self, document: Document, means: Means) -> Document:
        """What came of the calls by a study, before what this run says."""
        run = this_run(self.result)
        own, completed = f"In {run}, {document.answer}", means.get("completed_share")
        answer, refused = _why(means) or own, means.get("refused_share")
        if completed is not None:
            answer += f" {completed.text} of the calls are completed in the end"
            if refused is not None:
                share = "none" if refused.estimate.is_zero else refused.text
                answer += f"; the carrier refuses {share} of the attempts"
            answer += "."
        rows = means.rows(
            *("completed_share", "answered_by_person_share", "attempts_per_call", "refused_share")
        )
        tables = [Table("What came of the calls", ["measure", "mean"], rows)] if rows else []
        return replace(
            document,
            answer=answer,
            more=[own, *document.more],
            tables=[*tables, *document.tables],
            notes=[f"Causes, attempts and hours are those of {run}. {ONE_DAY}"],
        )

    def _said_of_not_accepted(self) -> list[str]:
        counts = self.not_accepted.groupby("status", sort=False)["calls"].sum()
        said = {
            "refused": "{:,} calls were refused as they were requested",
            "rejected": "{:,} rows were rejected, as they can't be dialed",
        }
        words = [text.format(counts[status]) for status, text in said.items() if status in counts]
        if not words:
            return []
        text = "; ".join(words)
        return [f"{text[:1].upper()}{text[1:]}. None of these failed: none was in the queue."]

    def _nothing_dialed(self) -> list[str]:
        if not self.by_attempt.empty:
            return []
        statuses = self._view.calls["status"].value_counts()
        calls = ", ".join(f"{count:,} {status}" for status, count in statuses.items() if count)
        return [f"No attempt was made: {calls}." if calls else "There are no calls."]

    def _said_of_pending(self) -> list[str]:
        match, ended = self.pending, f"{self.result.end:%H:%M}"
        count = len(match.calls)
        shown = f"{count:,} calls are still shown as pending at {ended}"
        if not count:
            return [f"{shown}."]
        given = count - match.counts["ambiguous"]
        return [
            f"{shown}. Matched by number and time against the call log, which has no call_id, "
            f"{match.wrong:,} of {given:,} verdicts differ from the truth."
        ]

    def _tables(self) -> list[Table]:
        tables = []
        if self.count:
            rows = [
                [
                    str(cause).replace("_", " "),
                    f"{row['calls']:,.0f}",
                    percent(row["share"], 1),
                ]
                for cause, row in self.by_cause.iterrows()
            ]
            caption = "Failed calls by the outcome of their last attempt"
            tables.append(Table(caption, ["last attempt", "calls", "share"], rows))
        by_number, by_hour = ("attempt", "number", self.by_attempt), ("hour", "hour", self.by_hour)
        for title, key, frame in (by_number, by_hour):
            rows = [
                [
                    str(index),
                    *(f"{row[column]:,.0f}" for column in frame.columns[:-1]),
                    percent(row["answered_share"], 1),
                ]
                for index, row in frame.iterrows()
            ]
            columns = [title, *(str(column).replace("_", " ") for column in frame.columns)]
            if rows:
                tables.append(Table(f"Attempts by {key}", columns, rows))
        if len(self.not_accepted):
            rows = [
                [str(row["status"]), str(row["reason"]).replace("_", " "), f"{row['calls']:,}"]
                for row in self.not_accepted.to_dict(orient="records")
            ]
            caption = "Calls that never were in the queue"
            tables.append(Table(caption, ["status", "reason", "calls"], rows))
        if len(self.pending.calls):
            ended = f"{self.result.end:%H:%M}"
            rows = [[verdict, f"{count:,}"] for verdict, count in self.pending.counts.items()]
            caption = f"Calls still shown as pending at {ended}, by what the call log says"
            tables.append(Table(caption, ["verdict", "calls"], rows))
        return tables

    def _picture(self) -> Picture:
        table = hourly_outcomes(self._view.attempts, self.result.start)
        total = int(table.to_numpy().sum())
        shares = table.sum().sort_values(ascending=False) / max(1, total)
        outcomes = ", ".join(
            f"{str(name).replace('_', ' ')} {percent(share, 1)}"
            for name, share in shares.items()
            if share
        )
        return Picture(
            "outcome_mix",
            self.result,
            alt=(
                f"A bar an hour, parted by outcome. Of all {total:,} attempts: "
                f"{outcomes or 'none'}."
            ),
            caption="Outcomes of the attempts by hour, one run",
            options={"campaign": self.campaign},
            rows=8 if self.campaign else rows_for(self.result.start, self.result.end, 8),
        )

    def to_dict(self) -> dict[str, Any]:
        """The answer for machines."""
        return plain(
            {
                "campaign": self.campaign.name if self.campaign else "all campaigns",
                "seed": self.result.seed,
                "by_cause": self.by_cause.to_dict(orient="index"),
                "not_accepted": self.not_accepted.to_dict(orient="records"),
                "by_attempt": self.by_attempt.to_dict(orient="index"),
                "by_hour": self.by_hour.to_dict(orient="index"),
                "pending": {
                    "at": self.result.end.isoformat(),
                    **self.pending.counts,
                    "wrong": self.pending.wrong,
                    "error_rate": self.pending.error_rate,
                },
            }
        )


def _why(means: Means) -> str:
    """How many calls fail and why most of them do; empty where a study does not tell."""
    failed = means.get("failed_share")
    if failed is None:
        return ""
    if not failed.estimate.mean > 0:
        return "In no run did a call fail."
    by = {outcome: means.get(f"failed_by_{outcome}") for outcome in REASONS}
    shares = {
        outcome: (mean.estimate.mean, mean.text)
        for outcome, mean in by.items()
        if mean is not None
    }
    return f"{failed.text} of the calls fail. {why_failed(shares)}"


@asks()
def failed(
    asked: Scenario | Result,
    campaign: str | Campaign | None = None,
    *,
    seed: int | None = None,
    replication: int = 0,
    engine: Engine = "auto",
) -> Question[Failures]:
    """Find out why calls fail, and what became of those still shown as pending.

    Parameters
    ----------
    campaign : str or Campaign, optional
        ``name``, ``tenant/name`` or the campaign; default: the one under study, or all calls of
        a scenario without one.

    Raises
    ------
    StudyError
        If there is no such campaign.

    Examples
    --------
    >>> failures = await outsim.failed(scenario)  # doctest: +SKIP
    >>> failures.by_cause  # doctest: +SKIP
    """
    scenario = scenario_of(asked, seed, replication)
    chosen = campaign_of(scenario, campaign) if campaign or scenario.campaigns else None
    return Question(
        "failed", lambda _: Failures(one_run(asked, seed, replication, engine), chosen)
    )
