"""Where did the wait go? The time of a campaign's calls, by cause and by whom."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from outsim.clock import SECOND, format_duration
from outsim.display import table_html
from outsim.errors import StudyError
from outsim.questions.marginal_value import WORTH_MEASURES, Worth, usual_steps
from outsim.questions.question import Question, StudyQuestion
from outsim.results.checkpoint import simulate
from outsim.results.result import Result
from outsim.results.tables.call_history import Account, account, reasons
from outsim.results.tables.causes import CAUSES
from outsim.results.tables.columns import handed_out
from outsim.scenario.campaigns import Campaign
from outsim.scenario.model import Scenario
from outsim.studies.study import Study
from outsim.studies.study_result import StudyResult
from outsim.studies.variants import campaign_of, with_campaign
from outsim.text import brief_document

if TYPE_CHECKING:
    pass

USUAL = 10
"""Replications that the worth of more rests on, if nothing is said."""

NAMED = 5
"""Campaigns that are named among those that calls waited for."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """Where the time of a campaign's calls went in one run."""

    result: Result
    campaign: Campaign
    worth: Worth | None = None
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
        share = f"{most['share']:.1%} of {whole} on average"
        return f"The largest part of a call's time, {share}, went to: {most['label']}."

    @property
    def sentence(self) -> str:
        """Whose calls the time in the queue went to, in a sentence."""
        whom = self.by_whom()
        if whom.empty:
            return "No call of the campaign waited in the queue."
        first, own = whom.iloc[0], float(whom.loc[whom["own"], "share"].sum())
        if first["own"]:
            others = f"; {1 - own:.0%} went to others' calls" if own < 1 else ""
            return (
                f"{own:.0%} of the time that the calls spent in the queue went to calls of the "
                f"campaign itself{others}."
            )
        whose = f"{first['start']:%H:%M} campaign"
        if first["tenant"] == self.campaign.tenant:
            whose = f"other campaign, {first['campaign']}"
        return (
            f"{first['share']:.0%} of the time that the calls spent in the queue went to calls "
            f"of {first['tenant']}'s {whose}; {own:.0%} to their own."
        )

    def reasons(self) -> pd.DataFrame:
        """Why calls were not completed, with examples."""
        return reasons(self.result, self.time_by_cause.index.to_numpy())

    def call(self, call_id: int) -> Account:
        """What became of one call of the campaign, attempt by attempt.

        Parameters
        ----------
        call_id : int
            As in `Result.calls`.

        Returns
        -------
        Account
            Its attempts, each with its reason and the state of the platform at that moment.

        Raises
        ------
        StudyError
            If the campaign has no such call.
        """
        if call_id not in self.time_by_cause.index:
            ids = self.time_by_cause.index
            there = f"{ids.min()} to {ids.max()}" if len(ids) else "none"
            raise StudyError(
                f"call {call_id}: no such call of {self.campaign.tenant}/{self.campaign.name} in "
                f"this run; there is: {there}"
            )
        return account(self.result, call_id)

    def call_of_number(self, number: str) -> int:
        """The call of the campaign to a number of ten digits.

        Raises
        ------
        StudyError
            If there is none, or more than one.
        """
        calls = self.result.view(self.campaign).calls
        found = calls.loc[calls["number"] == int(number), "call_id"].tolist()
        if len(found) == 1:
            return int(found[0])
        what = f"is called by several: {', '.join(map(str, found))}; give --call" if found else ""
        raise StudyError(f"number {number}: {what or 'no call of the campaign goes to it'}")

    @brief_document
    def to_json(self) -> dict[str, Any]:
        """The answer for machines."""
        whom = self.by_whom()
        return {
            "campaign": f"{self.campaign.tenant}/{self.campaign.name}",
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
            "not_completed": self.reasons().astype(object).to_dict(orient="records"),
            "worth": None if self.worth is None else self.worth.to_json(),
        }

    def __repr__(self) -> str:
        return (
            f"Explanation({self.campaign.name!r}; {len(self.time_by_cause)} calls, "
            f"seed {self.result.seed}, replication {self.result.replication})"
        )

    def _repr_html_(self) -> str:
        from html import escape

        said = f"<p>{escape(self.cause_sentence)}</p><p>{escape(self.sentence)}</p>"
        return said + table_html(self.table())

    def rows(self) -> list[list[str]]:
        """The table of causes, as people write it."""
        table = self.table()
        return [
            [label, format_duration(mean_s * SECOND), f"{share:.1%}"]
            for label, mean_s, share in zip(
                table["label"].tolist(),
                table["mean_s"].tolist(),
                table["share"].tolist(),
                strict=True,
            )
        ]


def explain(
    asked: Scenario | Result, campaign: str | None = None, **options: Any
) -> Question[Explanation]:
    """Explain where the wait of a campaign's calls went, and what one more would have been worth.

    The time is that of one run: the result that is given, or the first replication of the
    scenario. The worth of one more port, 5 % more of them, one more worker, and one more call
    per second is the mean effect of each over paired replications.

    Parameters
    ----------
    asked : Scenario or Result
        What `outsim.load`, `outsim.simulate` or `outsim.load_result` gives.
    campaign : str, optional
        ``name`` or ``tenant/name``; default: the campaign under study.
    **options
        As for `Study`; 10 replications if nothing is said.

    Returns
    -------
    Question of Explanation
        To be awaited, or `run` in a script.

    Raises
    ------
    StudyError
        If there is no such campaign.

    Examples
    --------
    >>> found = await outsim.explain(scenario)  # doctest: +SKIP
    >>> found.sentence  # doctest: +SKIP
    """
    scenario = asked.scenario if isinstance(asked, Result) else asked
    chosen = campaign_of(scenario, campaign)
    base = with_campaign(scenario, chosen, scenario.name, {})
    steps = usual_steps(base)
    if isinstance(asked, Result):
        options = {"seed": asked.seed} | options
    if not any(options.get(name) for name in ("replications", "precision", "within")):
        options["replications"] = USUAL
    study = Study([base, *(step.of(base) for step in steps)], measures=WORTH_MEASURES, **options)

    def answered(findings: StudyResult) -> Explanation:
        result = asked
        if not isinstance(result, Result):
            result = simulate(base, seed=findings.seed, replication=findings.indexes.start)
        return Explanation(result, chosen, Worth(findings, steps))

    return StudyQuestion("explain", study, answered)
