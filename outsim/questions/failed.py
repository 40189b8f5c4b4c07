"""Why am I seeing "failed" calls? Causes of failures, and what became of pending calls."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from outsim.document import Answer, Document, Picture, Table
from outsim.engine import Engine
from outsim.questions.one_run import ONE_DAY, campaign_or_all, one_run
from outsim.questions.question import Question, asks
from outsim.results.measures import View
from outsim.results.result import Result
from outsim.results.tables.failures import (
    PendingMatch,
    failed_calls_by_cause,
    match_pending,
    unanswered_by_attempt,
    unanswered_by_hour,
    why_failed,
)
from outsim.results.tables.over_time import hourly_outcomes
from outsim.scenario.campaigns import ALL_CALLS, Campaign
from outsim.scenario.model import Scenario
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

    def document(self) -> Document:
        """The answer in words, with its tables and picture."""
        calls, result = self._view.calls, self.result
        whose = "all campaigns"
        if self.campaign is not None:
            whose = f"{self.campaign.name} ({self.campaign.tenant})"
        causes = {
            str(cause): (row["share"], f"{row['share']:.1%}")
            for cause, row in self.by_cause.iterrows()
        }
        answer = f"{self.count:,} of {len(calls):,} calls failed. {why_failed(causes)}"
        return Document(
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
                *self._nothing_dialed(),
                *self._said_of_pending(),
            ],
            pictures=[self._picture()],
            tables=[*self._tables()],
            notes=[ONE_DAY],
        )

    def _nothing_dialed(self) -> list[str]:
        if not self.by_attempt.empty:
            return []
        statuses = self._view.calls["status"].value_counts()
        told = ", ".join(f"{count:,} {status}" for status, count in statuses.items() if count)
        return [f"No attempt was made: {told}." if told else "There are no calls."]

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
                [str(cause).replace("_", " "), f"{row['calls']:,.0f}", f"{row['share']:.1%}"]
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
                    f"{row['answered_share']:.1%}",
                ]
                for index, row in frame.iterrows()
            ]
            columns = [title, *(str(column).replace("_", " ") for column in frame.columns)]
            if rows:
                tables.append(Table(f"Attempts by {key}", columns, rows))
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
        told = ", ".join(
            f"{str(name).replace('_', ' ')} {share:.1%}" for name, share in shares.items() if share
        )
        return Picture(
            "outcome_mix",
            self.result,
            alt=f"A bar an hour, parted by outcome. Of all {total:,} attempts: {told or 'none'}.",
            caption="Outcomes of the attempts by hour, one run",
            options={"campaign": self.campaign},
            rows=8,
        )

    def to_dict(self) -> dict[str, Any]:
        """The answer for machines."""
        return plain(
            {
                "campaign": self.campaign.name if self.campaign else "all campaigns",
                "seed": self.result.seed,
                "by_cause": self.by_cause.to_dict(orient="index"),
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
    asked : Scenario or Result
        What `outsim.load`, `outsim.simulate` or `outsim.load_result` gives.
    campaign : str or Campaign, optional
        ``name``, ``tenant/name`` or the campaign; default: the one under study, or all calls of
        a scenario without one.
    seed, replication, engine
        As for `outsim.simulate`, if a scenario is asked about.

    Returns
    -------
    Question of Failures
        To be awaited, or `run` in a script.

    Raises
    ------
    StudyError
        If there is no such campaign.

    Examples
    --------
    >>> failures = await outsim.failed(scenario)  # doctest: +SKIP
    >>> failures.by_cause  # doctest: +SKIP
    """
    chosen = campaign_or_all(asked, campaign)
    return Question(
        "failed", lambda _: Failures(one_run(asked, seed, replication, engine), chosen)
    )
