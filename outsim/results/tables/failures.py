"""Why calls fail, and what became of those that the page still shows as pending."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import numpy as np
import pandas as pd

from outsim.results.measures import Measure
from outsim.results.tables.views import call_log, status_page
from outsim.results.view import View
from outsim.text import brief
from outsim.vocabulary import PENDING_STATUSES, UNANSWERED_OUTCOMES

WENT_OUT, NEVER_WENT_OUT, AMBIGUOUS = "went out", "never went out", "ambiguous"
VERDICTS = (WENT_OUT, NEVER_WENT_OUT, AMBIGUOUS)

REASONS = {outcome.name: (outcome.reason, outcome.side) for outcome in UNANSWERED_OUTCOMES}
"""Why a dialed call fails, by the outcome of its last attempt, and whose side that is."""

_UNANSWERED = list(REASONS)


def failed_calls_by_cause(calls: pd.DataFrame) -> pd.DataFrame:
    """Failed calls by the outcome of their last attempt: ``calls`` and ``share`` of the failed."""
    causes = calls.loc[calls["status"] == "failed", "outcome"].astype(str).value_counts()
    counted = causes.reindex(_UNANSWERED, fill_value=0)
    return pd.DataFrame({"calls": counted, "share": counted / max(1, counted.sum())}).rename_axis(
        "cause"
    )


def failed_share(view: View) -> float:
    """Calls that failed, of all accepted; NaN where none was accepted."""
    accepted = view.accepted
    return float((accepted["status"] == "failed").mean()) if len(accepted) else math.nan


def failed_by(view: View, outcome: str) -> float:
    """Failed calls whose last attempt came to this, of all that failed; NaN where none did."""
    last = view.calls["outcome"][view.calls["status"] == "failed"]
    return float((last == outcome).mean()) if len(last) else math.nan


FAILURE_MEASURES: tuple[Measure, ...] = (
    Measure("failed_share", "failed", "share", failed_share, "minimize"),
    *(
        Measure(f"failed_by_{outcome}", reason, "share", partial(failed_by, outcome=outcome), None)
        for outcome, (reason, _) in REASONS.items()
    ),
)
"""How many calls fail, and why, as shares of those that do."""


def why_failed(shares: Mapping[str, tuple[float, str]]) -> str:
    """Leading reason of failed calls, and the next one, from (share, as written) by outcome."""
    ranked = sorted(
        ((share, outcome, text) for outcome, (share, text) in shares.items() if share > 0),
        reverse=True,
    )
    if not ranked:
        return ""
    (_, first, text), *others = ranked
    reason, side = REASONS[first]
    sentence = f"The leading reason, with {side}, is that {reason}: {text} of the failed calls."
    for _, outcome, of_next in others[:1]:
        reason, side = REASONS[outcome]
        sentence += f" Next, with {side}: {reason}, {of_next}."
    return sentence


def unanswered_by(attempts: pd.DataFrame, key: pd.Series) -> pd.DataFrame:
    """Ended attempts by unanswered outcome over a key such as the hour; ``answered_share``."""
    ended = attempts["outcome"].notna()
    table = pd.crosstab(key[ended], attempts.loc[ended, "outcome"].astype(str))
    total = table.sum(axis=1)
    unanswered = table.reindex(columns=_UNANSWERED, fill_value=0)
    unanswered.insert(0, "attempts", total)
    unanswered["answered_share"] = 1 - unanswered[_UNANSWERED].sum(axis=1) / total
    unanswered.columns.name = None
    return unanswered


def unanswered_by_attempt(attempts: pd.DataFrame) -> pd.DataFrame:
    """Attempts by outcome and attempt number."""
    return unanswered_by(attempts, attempts["attempt"])


def unanswered_by_hour(attempts: pd.DataFrame) -> pd.DataFrame:
    """Attempts by outcome and local clock hour of dispatch."""
    return unanswered_by(attempts, attempts["dispatched_at"].dt.strftime("%H:00").rename("hour"))


@dataclass(frozen=True, eq=False)
class PendingMatch:
    """Calls that the page shows as pending, matched against the call log."""

    __repr__ = brief

    calls: pd.DataFrame
    """One row a call shown as pending: the columns of `views.status_page`, ``verdict``, and
    ``dialed`` (the truth: whether it ever went out)."""

    @property
    def counts(self) -> dict[str, int]:
        """Calls by verdict."""
        counts = self.calls["verdict"].value_counts()
        return {verdict: int(counts.get(verdict, 0)) for verdict in VERDICTS}

    @property
    def wrong(self) -> int:
        """Calls whose verdict is not the truth; ambiguous ones have none."""
        claimed = self.calls["verdict"].map({WENT_OUT: True, NEVER_WENT_OUT: False})
        return int((claimed.notna() & (claimed != self.calls["dialed"])).sum())

    @property
    def error_rate(self) -> float:
        """Wrong verdicts, of all verdicts that were given; NaN where none was."""
        verdicts = int((self.calls["verdict"] != AMBIGUOUS).sum())
        return self.wrong / verdicts if verdicts else float("nan")


def match_pending(
    calls: pd.DataFrame,
    attempts: pd.DataFrame,
    updates: pd.DataFrame,
    moment: datetime,
    chosen: pd.Series,
) -> PendingMatch:
    """Tell pending calls that went out from those that did not, as a customer can.

    The call log knows numbers and times but no call_id. So the customer counts the log entries of
    a number, and takes away the attempts that the page shows for the calls to it that are over.
    With nothing left, or nothing since its submission, the call never went out; with something
    left it did, or another pending call to the number did: with more than one of those it is
    ambiguous. Pages lag, so even this can be wrong. The tables are those of a whole run; `chosen`
    marks rows of `calls`.
    """
    page = status_page(calls, attempts, updates, moment)
    about = set(calls.loc[chosen, "call_id"])
    pending = page[page["status"].isin(PENDING_STATUSES) & page["call_id"].isin(about)].copy()
    whose = ["tenant", "number"]
    log = call_log(calls, attempts)
    starts = log[log["start"] <= moment].groupby(["tenant", "dest"], observed=True)["start"]
    entries = starts.agg(["size", "max"]).rename_axis(whose)
    shown = page[~page["status"].isin(("rejected", "refused"))].assign(
        pending=page["status"].isin(PENDING_STATUSES),
        explained=page["attempt"].where(~page["status"].isin(PENDING_STATUSES), 0),
    )
    by_number = shown.groupby(whose, observed=True)[["pending", "explained"]].sum()
    matches = pending[["call_id", *whose]].merge(by_number.reset_index(), on=whose, how="left")
    matches = matches.merge(entries.reset_index(), on=whose, how="left")
    matches = matches.merge(calls[["call_id", "submitted_at"]], on="call_id", how="left")
    its_time = matches["max"] >= matches["submitted_at"]
    unexplained = (its_time & (matches["size"] > matches["explained"])).to_numpy()
    alone = matches["pending"].to_numpy() == 1
    pending["verdict"] = np.select(
        [~unexplained, alone], [NEVER_WENT_OUT, WENT_OUT], default=AMBIGUOUS
    )
    dialed = attempts.loc[attempts["dialed_at"] <= moment, "call_id"]
    pending["dialed"] = pending["call_id"].isin(dialed)
    return PendingMatch(pending.reset_index(drop=True))
