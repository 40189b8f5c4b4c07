"""Where did the wait go? The time of a campaign's calls, by cause and by whom."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Unpack

import pandas as pd

from outsim.clock import SECOND, format_duration
from outsim.display import clock_text, percent, rows_for
from outsim.document import Answer, Document, Picture, Table
from outsim.errors import StudyError
from outsim.questions.marginal_value import (
    MARGINAL_MEASURES,
    MarginalValue,
    default_increments,
)
from outsim.questions.one_run import ONE_DAY, one_run, scenario_of, ten_digits
from outsim.questions.question import Question, StudyOptions, StudyQuestion, asks
from outsim.questions.served_ahead import ServedAhead
from outsim.results.result import Result
from outsim.results.tables.call_history import Account, account, reasons
from outsim.results.tables.causes import CAUSES
from outsim.results.tables.schema import handed_out
from outsim.scenario.campaigns import Campaign
from outsim.scenario.model import Scenario
from outsim.studies.comparable import campaign_of
from outsim.studies.default_replications import EXPLAIN, check_replications
from outsim.studies.study_result import StudyResult
from outsim.studies.variants import Variants, about_campaign
from outsim.text import plain
from outsim.vocabulary import FIRST_CALL_ID

NAMED = 8
"""Campaigns that are named among those that calls waited for."""


@dataclass(frozen=True, eq=False, repr=False)
class Explanation(Answer):
    """Where the time of a campaign's calls went in one run."""

    result: Result
    campaign: Campaign
    worth: MarginalValue | None = None
    """What one more would have been worth, over paired replications; None if nobody asked."""

    @property
    def time_by_cause(self) -> pd.DataFrame:
        """One row a call, to its end, time behind others by what was lacking.

        See `Result.time_by_cause`: every table, sentence and picture of the answer is made of it.
        """
        return handed_out(self._time_by_cause)

    @property
    def charges(self) -> pd.DataFrame:
        """Time in the queue, by whom and by what; see `Result.queue_time_by_blocker`."""
        return handed_out(self._charges)

    @cached_property
    def _time_by_cause(self) -> pd.DataFrame:
        return self.result.time_by_cause(self.campaign, by_resource=True)

    @cached_property
    def _charges(self) -> pd.DataFrame:
        return self.result.queue_time_by_blocker(self.campaign)

    def table(self) -> pd.DataFrame:
        """One row a cause that took any time, indexed by its name.

        Columns: ``label``, ``mean_s`` (seconds of a call, over all calls of the campaign) and
        ``share`` of all time from submission to the end.
        """
        sums = self.time_by_cause.astype("int64").sum()
        sums = sums[sums > 0]
        return pd.DataFrame(
            {
                "label": [CAUSES[cause] for cause in sums.index],
                "mean_s": sums / max(1, len(self.time_by_cause)) / SECOND,
                "share": sums / max(1, sums.sum()),
            }
        ).rename_axis("cause")

    def by_whom(self) -> pd.DataFrame:
        """One row a campaign that time in the queue went to, most first.

        Columns: ``tenant``, ``campaign``, ``start``, ``own`` (whether it is the campaign that is
        explained) and ``share`` of the time in the queue.
        """
        total = self.charges["total"].astype("int64")
        table = self.charges[["tenant", "campaign", "start"]].copy()
        key = (self.campaign.tenant, self.campaign.name)
        table["own"] = [(row.tenant, row.campaign) == key for row in table.itertuples()]
        table["share"] = total / max(1, total.sum())
        return table

    @property
    def cause_sentence(self) -> str:
        """What most of the time went to, in a sentence."""
        table = self.table()
        if table.empty:
            return "No call of the campaign took any time."
        most = table.iloc[int(table["share"].to_numpy().argmax())]
        whole = format_duration(table["mean_s"].sum() * SECOND)
        return (
            f"In this one run the largest part of a call's time, {percent(most['share'], 1)} of "
            f"{whole} on average, went to: {most['label']}."
        )

    @property
    def sentence(self) -> str:
        """Whose calls the time in the queue went to, in a sentence."""
        whom = self.by_whom()
        if whom.empty:
            return "No call of the campaign waited in the queue."
        first, own = whom.iloc[0], float(whom.loc[whom["own"], "share"].sum())
        if first["own"]:
            others = f"; {percent(1 - own)} went to others' calls" if own < 1 else ""
            return (
                f"{percent(own)} of the time that the calls spent in the queue went to calls of "
                f"the campaign itself{others}."
            )
        whose = f"{first['start']:%H:%M} campaign"
        if first["tenant"] == self.campaign.tenant:
            whose = f"other campaign, {first['campaign']}"
        return (
            f"{percent(first['share'])} of the time that the calls spent in the queue went to "
            f"calls of {first['tenant']}'s {whose}; {percent(own)} to their own."
        )

    @cached_property
    def served_ahead(self) -> ServedAhead:
        """Attempts of others that went before older calls of the campaign, and why."""
        return ServedAhead(self.result, self.campaign)

    def reasons(self) -> pd.DataFrame:
        """Why calls were not completed, with examples."""
        return reasons(self.result, self.time_by_cause.index.to_numpy())

    def call(self, call_id: int) -> Account:
        """What became of one call of the campaign, by its `call_id`, attempt by attempt.

        The number that a sandbox's customers know it by will do as well.

        Raises
        ------
        StudyError
            If the campaign has no such call.
        """
        own = _own_id(self.result, call_id)
        if own not in self.time_by_cause.index:
            raise _no_such_call(call_id, self.time_by_cause.index, self.campaign.full_name)
        return account(self.result, own)

    def call_of_number(self, number: str) -> int:
        """The call of the campaign to a number of ten digits.

        Raises
        ------
        StudyError
            If there is none, or more than one.
        """
        calls = self.result.view(self.campaign).calls
        ids = calls.loc[calls["number"] == int(number), "call_id"].tolist()
        if len(ids) == 1:
            return int(ids[0])
        what = f"is called by several: {', '.join(map(str, ids))}; give --call" if ids else ""
        raise StudyError(f"number {number}: {what or 'no call of the campaign goes to it'}")

    def document(self) -> Document:
        """The answer in words, with its tables and picture."""
        campaign, result, worth = self.campaign, self.result, self.worth
        of_worth = None if worth is None else worth.document()
        examples = [ids[0] for ids in self.reasons()["examples"].head(1)]
        causes = self.table().sort_values("share", ascending=False).head(3)
        parts = zip(causes["label"], causes["share"], strict=True)
        most = ", ".join(f"{label} {percent(share, 1)}" for label, share in parts)
        most = f"of all that time most went to: {most}" if most else "no call took any time"
        return Document(
            id="explain",
            title="Where did the wait go?",
            asked=(
                f"{campaign.name} ({campaign.tenant}), one run, seed {result.seed}, replication "
                f"{result.replication}: where the time of its {len(self.time_by_cause):,} calls "
                "went, from submission to the end. The parts add up to all of it."
            ),
            answer=self.cause_sentence,
            more=[one for one in (self.sentence, self.served_ahead.sentence) if one],
            pictures=[
                Picture(
                    "explain",
                    self,
                    alt=(
                        "Bars over the time of day, as high as a call's mean time, parted by "
                        f"cause; {most}."
                    ),
                    caption="Where the time of the calls went, by when they came, one run",
                    rows=rows_for(result.start, result.end, 7),
                ),
                *self._load(),
            ],
            tables=[
                *self._causes(),
                *self._whose(),
                *self.served_ahead.tables(),
                *self._not_completed(),
                *(of_worth.tables if of_worth else ()),
            ],
            notes=[
                f"{ONE_DAY} Time behind calls ahead in the queue is put down to what these waited "
                "for, and by whose call went out next.",
                *(f"--call {call_id} tells why, attempt by attempt." for call_id in examples),
                *(of_worth.notes if of_worth else ()),
            ],
        )

    def _load(self) -> list[Picture]:
        """Queue and busy ports over time."""
        timeline, pictures = self.result.timeline(), []
        span = self.result.start, self.result.end
        for plot, column, what, limit in (
            ("queue", "queue", "calls in the outbound queue", ""),
            ("ports", "busy_ports", "busy ports", f" of {self.result.scenario.platform.ports:,}"),
        ):
            most, at = timeline[column].max(), timeline[column].idxmax()
            pictures.append(
                Picture(
                    plot,
                    self.result,
                    alt=(
                        f"Areas over the time of day, one a tenant: {what}. Minute by minute, "
                        f"together they are most at {clock_text(at, *span)}: {most:,.0f}{limit}."
                    ),
                    caption=f"{what.capitalize()} by tenant, one run",
                    rows=rows_for(*span, 7),
                )
            )
        return pictures

    def _causes(self) -> list[Table]:
        rows = [
            [row["label"], format_duration(row["mean_s"] * SECOND), percent(row["share"], 1)]
            for row in self.table().to_dict(orient="records")
        ]
        columns = ["cause", "mean of a call", "share"]
        return [Table("Time of a call by cause", columns, rows)] if rows else []

    def _whose(self) -> list[Table]:
        whom = self.by_whom()
        if not whom["share"].sum():
            return []
        rows = [
            [f"{row.tenant}: {row.campaign}", f"{row.start:%H:%M}", percent(share, 1)]
            for row, share in zip(whom.itertuples(), whom["share"].head(NAMED), strict=False)
        ]
        others = whom.iloc[NAMED:]
        if len(others):
            rows.append([f"{len(others)} others", "", percent(others["share"].sum(), 1)])
        caption = "Time in the queue, by whose call went out next"
        return [Table(caption, ["campaign", "start", "share"], rows)]

    def _not_completed(self) -> list[Table]:
        reasons = self.reasons()
        if reasons.empty:
            return []
        rows = []
        for row in reasons.to_dict(orient="records"):
            named = f": {row['reason'].replace('_', ' ')}" if row["reason"] else ""
            examples = ", ".join(map(str, row["examples"]))
            rows.append([f"{row['status']}{named}", f"{row['calls']:,}", examples])
        caption = "Calls that were not completed, by what their last attempt came to"
        return [Table(caption, ["status", "calls", "such as"], rows, text_columns=["such as"])]

    def to_dict(self) -> dict[str, Any]:
        """The answer for machines."""
        whom = self.by_whom()
        return plain(
            {
                "campaign": self.campaign.full_name,
                "seed": self.result.seed,
                "replication": self.result.replication,
                "calls": len(self.time_by_cause),
                "sentence": self.cause_sentence,
                "causes": self.table().reset_index().to_dict(orient="records"),
                "queue": {
                    "sentence": self.sentence,
                    "by_whom": [
                        row | {"start": row["start"].isoformat()}
                        for row in whom.astype(object).to_dict(orient="records")
                    ],
                },
                "served_ahead": self.served_ahead.to_dict(),
                "not_completed": self.reasons().astype(object).to_dict(orient="records"),
                "worth": None if self.worth is None else self.worth.to_dict(),
            }
        )


@asks(StudyOptions, usual=EXPLAIN)
def explain(
    asked: Scenario | Result,
    campaign: str | Campaign | None = None,
    *,
    call: int | None = None,
    number: str | None = None,
    worth: bool = True,
    replication: int = 0,
    **options: Unpack[StudyOptions],
) -> Question[Explanation | Account]:
    """Explain where the wait of a campaign's calls went, and what one more would have been worth.

    The time is that of one run: the result that is given, or one replication of the scenario. The
    value of one more port, 5 % more of them, one more worker, and one more call per second is the
    mean effect of each over paired replications.

    Parameters
    ----------
    campaign : str or Campaign, optional
        ``name``, ``tenant/name`` or the campaign; default: the one under study, or that of the
        call.
    call : int, optional
        One call, as in `Result.calls` or as a sandbox's customers know it: then its history is
        the answer.
    number : str, optional
        The same, by its national number of ten digits.
    worth : bool
        Whether to find out what one more would have been worth.
    replication : int
        Which replication of a scenario is explained.

    Raises
    ------
    StudyError
        If there is no such campaign or call.

    Examples
    --------
    >>> found = await outsim.explain(scenario)  # doctest: +SKIP
    >>> found.sentence  # doctest: +SKIP
    """
    scenario = scenario_of(asked, options.get("seed"), replication)
    if call is not None and number is not None:
        raise StudyError("call and number: give one or the other")
    digits = ten_digits(number)
    chosen = campaign_of(scenario, campaign)
    is_one_call = call is not None or digits is not None

    def run(seed: int | None) -> Result:
        engine, progress = options.get("engine", "auto"), options.get("progress", "bar")
        return one_run(asked, seed, replication, engine, progress)

    if is_one_call or not worth:

        def look(_: object) -> Explanation | Account:
            result = run(options.get("seed"))
            if not is_one_call:
                return Explanation(result, chosen)
            its = chosen if campaign is not None else _campaign_of_call(result, call, digits)
            if its is None and call is not None:
                calls = result.calls
                there = calls.loc[~calls["background"], "call_id"]
                raise _no_such_call(call, there, "the scenario's campaigns")
            explanation = Explanation(result, its or chosen)
            return explanation.call(explanation.call_of_number(digits) if digits else call or 0)

        return Question("explain", look)
    steps = default_increments(scenario)
    changes = {scenario.name: about_campaign(chosen)}
    for step in steps:
        changes[f"{scenario.name}, {step.what}"] = about_campaign(chosen) | {step.key: step.value}
    if isinstance(asked, Result):
        options.setdefault("seed", asked.seed)
    check_replications(options.get("replications"))
    study = Variants(scenario, changes).stream(measures=MARGINAL_MEASURES, **options)

    def answered(findings: StudyResult) -> Explanation | Account:
        return Explanation(run(findings.seed), chosen, MarginalValue(findings, steps))

    return StudyQuestion("explain", study, answered)


def _own_id(result: Result, call: int) -> int:
    """The run's own number of a call that may be given by the one a sandbox's customers know."""
    is_known = (result.calls["call_id"] == call).any()
    return call if is_known or call < FIRST_CALL_ID else call - FIRST_CALL_ID


def _no_such_call(call: int, ids: pd.Series | pd.Index, whose: str) -> StudyError:
    there = f"{ids.min()} to {ids.max()}" if len(ids) else "none"
    more = (
        f"; customers of a sandbox know these by {FIRST_CALL_ID:,} more"
        if call >= FIRST_CALL_ID
        else ""
    )
    return StudyError(f"call {call}: no such call of {whose} in this run; there is: {there}{more}")


def _campaign_of_call(result: Result, call: int | None, digits: str | None) -> Campaign | None:
    """The campaign that a call is of; None where no campaign of the scenario has it."""
    calls = result.calls
    own = None if call is None else _own_id(result, call)
    meant = calls["number"] == int(digits) if digits else calls["call_id"] == own
    whose = calls.loc[meant, ["tenant", "campaign"]].drop_duplicates()
    campaigns = [
        result.scenario.campaign_or_none(f"{tenant}/{name}")
        for tenant, name in whose.itertuples(index=False)
    ]
    return next(filter(None, reversed(campaigns)), None)
