"""What's the status of my campaign? The truth at a moment beside what the customer sees."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

import pandas as pd

from outsim.clock import SECOND, format_duration
from outsim.display import clock_text, rows_for
from outsim.document import Answer, Document, Picture, Table
from outsim.engine import Engine
from outsim.questions.means import NO_MEANS, Means
from outsim.questions.one_run import ONE_DAY, one_run, scenario_of, this_run
from outsim.questions.question import Question, asks
from outsim.results.result import Result
from outsim.results.run_arrays import in_run
from outsim.results.tables.over_time import status_lag as lag_of
from outsim.results.tables.over_time import status_lags_s
from outsim.results.tables.views import counts
from outsim.scenario.campaigns import Campaign
from outsim.scenario.model import Scenario
from outsim.studies.comparable import campaign_of
from outsim.text import plain
from outsim.vocabulary import RECENT_UPDATES

TITLE = "What's the status of my campaign?"

CALL_COLUMNS = ("number", "ani", "status", "attempt", "callee_type", "call_info")
"""Columns of the customer's call table."""


@dataclass(frozen=True, eq=False, repr=False)
class CampaignStatus(Answer):
    """A campaign at a moment of one run: the truth beside what its customer sees."""

    result: Result
    campaign: Campaign
    at: datetime
    """The moment, local time."""
    limit: int = 0
    """Rows of the customer's call table that are shown; none for 0."""

    @cached_property
    def page(self) -> pd.DataFrame:
        """One row a call; see `Result.status_page`."""
        page = self.result.status_page(self.at)
        own = page["campaign"].eq(self.campaign.name) & page["tenant"].eq(self.campaign.tenant)
        return page[own]

    @property
    def differing(self) -> int:
        """Calls that are further than their page says."""
        page = self.page
        return int((page["status"].astype(str) != page["true_status"].astype(str)).sum())

    def document(self, means: Means = NO_MEANS) -> Document:
        """The answer in words, with its tables and pictures; means of a study come before it."""
        result, campaign, page = self.result, self.campaign, self.page
        rows = [[word, f"{seen:,}", f"{true:,}"] for word, seen, true in counts(page)]
        tables = [
            Table(
                f"Calls by status at {self.at:%H:%M:%S}",
                ["status", "customer sees", "truth"],
                [*rows, ["calls", *[f"{len(page):,}"] * 2]],
            )
        ]
        document = Document(
            id="status",
            title=TITLE,
            asked=(
                f"{campaign.name} ({campaign.tenant}) at {self.at:%H:%M:%S}, one run, seed "
                f"{result.seed}, replication {result.replication}."
            ),
            answer=(
                f"{self.differing:,} of {len(page):,} calls are further than their page says at "
                f"{self.at:%H:%M:%S}."
            ),
            more=self._behind(),
            pictures=self._pictures(),
            tables=[*tables, *self._calls()],
            notes=[ONE_DAY],
        )
        lag, never = means.get("status_lag_p90_s"), means.get("unreported_final_calls")
        if lag is None and never is None:
            return document
        more = [document.answer, *document.more]
        if never is not None:
            more.insert(0, f"Calls that are over and never shown so by the end: {never.text}.")
        return replace(
            document,
            answer=f"The page shows a change {lag.text} after it happened (p90 status lag)."
            if lag is not None
            else "",
            more=more,
            notes=[f"Pictures and table are of {this_run(result)}. {ONE_DAY}"],
        )

    def _behind(self) -> list[str]:
        """How far the page is behind."""
        updates = self.result.view(self.campaign).updates
        lags = status_lags_s(updates[updates["visible_at"] <= self.at].tail(RECENT_UPDATES))
        happened, visible = updates["happened_at"] <= self.at, updates["visible_at"] <= self.at
        waiting = int((happened & ~visible).sum())
        texts = [f"{waiting:,} updates have happened and are not visible yet."]
        if len(lags):
            mean = format_duration(lags.mean() * SECOND)
            texts.insert(0, f"Lag of the last {len(lags)} updates shown: {mean} on average.")
        return texts

    def _calls(self) -> list[Table]:
        if not self.limit:
            return []
        shown = self.page.head(self.limit)
        columns = [shown["number"].map(_number), shown["ani"].map(_number)]
        columns += [shown[name].astype(str) for name in ("status", "attempt")]
        columns += [shown[name].astype(str).str.replace("_", " ") for name in CALL_COLUMNS[4:]]
        more = f", {self.limit} of {len(self.page):,}" if len(self.page) > self.limit else ""
        return [
            Table(
                f"The customer's call table{more}",
                ["number dialed", "ANI", "status", "attempt", "callee type", "call info"],
                [list(row) for row in zip(*columns, strict=True)],
                is_text=True,
            )
        ]

    def _pictures(self) -> list[Picture]:
        result, campaign, at = self.result, self.campaign, self.at
        by_status = "; ".join(
            f"{word} {true:,} and {seen:,}" for word, seen, true in counts(self.page)
        )
        lag = lag_of(result.view(campaign).updates, result.start, result.end)["p90"].dropna()
        lag_told = "no change of status is shown"
        if len(lag):
            longest = format_duration(round(float(lag.max()) * SECOND))
            at_most = clock_text(lag.idxmax(), result.start, result.end)
            lag_told = f"the p90 of a minute is longest at {at_most}: {longest}"
        return [
            Picture(
                "truth_and_seen",
                result,
                alt=(
                    "Lines over the time of day: pending, completed and failed calls in truth, "
                    f"and behind them what the customer sees. At {at:%H:%M}, truth and page: "
                    f"{by_status}."
                ),
                caption=f"Truth and page over the day, one run; {at:%H:%M} is marked",
                options={"campaign": campaign, "at": at},
                rows=rows_for(result.start, result.end, 7),
            ),
            Picture(
                "status_lag",
                result,
                alt=(
                    "Lag of the page over the time of day, above the dial load of all tenants: "
                    f"{lag_told}."
                ),
                caption="How far the page is behind, by when it happened, one run",
                options={"campaign": campaign},
                rows=rows_for(result.start, result.end, 7),
            ),
        ]

    def to_dict(self) -> dict[str, Any]:
        """The answer for machines."""
        page = self.page
        document: dict[str, Any] = {
            "campaign": self.campaign.name,
            "tenant": self.campaign.tenant,
            "at": self.at.isoformat(),
            "calls": len(page),
            "seen": {word: seen for word, seen, _ in counts(page)},
            "true": {word: true for word, _, true in counts(page)},
            "differing": self.differing,
        }
        if self.limit:
            shown = page.head(self.limit)[[*CALL_COLUMNS, "true_status"]]
            document["table"] = shown.astype(object).to_dict(orient="records")
        return {**plain(document)}


def _number(number: int) -> str:
    text = f"{number:010d}"
    return f"{text[:3]}-{text[3:6]}-{text[6:]}" if number else ""


def furthest_behind(result: Result, campaign: Campaign) -> datetime:
    """First moment at which most updates have happened and are not visible yet.

    The begin of the run if there are none.
    """
    updates = result.view(campaign).updates
    if updates.empty:
        return result.start
    happened, visible = updates["happened_at"], updates["visible_at"].dropna()
    steps = pd.concat([pd.Series(1, index=happened), pd.Series(-1, index=visible)])
    waiting = steps.groupby(level=0).sum().cumsum()
    at = pd.DatetimeIndex(waiting.index)[int(waiting.to_numpy().argmax())]
    return at.to_pydatetime()


@asks()
def status(
    asked: Scenario | Result,
    campaign: str | Campaign | None = None,
    *,
    at: datetime | str,
    calls: bool = False,
    limit: int = 20,
    seed: int | None = None,
    replication: int = 0,
    engine: Engine = "auto",
) -> Question[CampaignStatus]:
    """Say where a campaign stands at a moment: the truth beside what its customer sees.

    Parameters
    ----------
    at : datetime or str
        The moment: an aware datetime, or a local clock time such as ``"09:30"``.
    calls : bool
        Whether to show the customer's call table.
    limit : int
        How many rows of it.

    Raises
    ------
    StudyError
        If there is no such campaign.
    MomentError
        If `at` is no moment, or lies outside the run.

    Examples
    --------
    >>> status = await outsim.status(scenario, at="09:30")  # doctest: +SKIP
    >>> status.page  # doctest: +SKIP
    """
    scenario = scenario_of(asked, seed, replication)
    chosen = campaign_of(scenario, campaign)
    moment = in_run(scenario, at, scenario.instant_us(scenario.clock.latest_end))

    def look(_: object) -> CampaignStatus:
        result = one_run(asked, seed, replication, engine)
        in_run(scenario, moment, result.arrays.ended_us)
        return CampaignStatus(result, chosen, moment, limit if calls else 0)

    return Question("status", look)
