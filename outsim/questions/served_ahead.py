"""Who was served ahead: calls that came later and went out before older ones of a campaign."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from outsim.document import Table
from outsim.engine.records import Integers
from outsim.results.result import Result
from outsim.results.run_arrays import Mask, RunArrays
from outsim.results.tables.time_in_system import lanes
from outsim.scenario.campaigns import Campaign

NAMED = 8
"""Campaigns that are named among those that were served ahead."""


@dataclass(frozen=True, eq=False)
class ServedAhead:
    """Attempts of others that went before older ones of a campaign, which could have gone."""

    result: Result
    campaign: Campaign

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row a campaign, most first: ``tenant``, ``campaign`` and ``attempts``.

        Counted is each attempt at whose dispatch a call of the campaign was in the queue that had
        entered it earlier, and that nothing held back from then on. First in, first out there is
        none.
        """
        run = self.result.arrays
        rank = next(p.rank for p in run.plan.campaigns if p.key == self.campaign.key)
        mine = run.rank == rank
        ahead = np.zeros(len(mine), dtype=np.bool_)
        # What waits in one lane is held back together.
        lane = 2 * lanes(run)[run.attempts["call_id"]] + (run.attempts["attempt"] > 1)
        for one in np.unique(lane[mine]):
            ahead |= _ahead_of(run, np.flatnonzero(mine & (lane == one)))
        counts = np.bincount(run.rank[ahead & ~mine], minlength=len(run.plan.campaigns))
        order = [at for at in np.argsort(-counts, kind="stable") if counts[at]]
        return pd.DataFrame(
            {
                "tenant": [run.plan.campaigns[at].tenant for at in order],
                "campaign": [run.plan.campaigns[at].name for at in order],
                "attempts": counts[order].astype(np.int64),
            }
        )

    @property
    def why(self) -> str:
        """Why they went first, by the discipline of the queue."""
        return self.result.arrays.plan.platform.discipline.ahead

    @property
    def sentence(self) -> str:
        """How many there were, why, and whose most of them; nothing if there was none."""
        if self.table.empty:
            return ""
        most = self.table.iloc[0]
        return (
            f"{self.table['attempts'].sum():,} attempts of others went out before calls of the "
            f"campaign that had waited longer, because {self.why}; most of them of "
            f"{most['tenant']}: {most['campaign']} ({most['attempts']:,})."
        )

    def tables(self) -> list[Table]:
        """The same as a table; none if there was none."""
        if self.table.empty:
            return []
        rows = [
            [f"{row.tenant}: {row.campaign}", f"{row.attempts:,}"]
            for row in self.table.head(NAMED).itertuples()
        ]
        others = self.table.iloc[NAMED:]
        if len(others):
            rows.append([f"{len(others)} others", f"{others['attempts'].sum():,}"])
        caption = f"Served ahead of calls that had waited longer, because {self.why}"
        return [Table(caption, ["campaign", "attempts"], rows)]

    def to_dict(self) -> dict[str, Any]:
        """The same for machines."""
        return {
            "attempts": int(self.table["attempts"].sum()),
            "why": self.why,
            "by_whom": self.table.to_dict(orient="records"),
        }


def _ahead_of(run: RunArrays, rows: Integers) -> Mask:
    """Per attempt, whether it went before an older one of these that could have gone."""
    a, entry = run.attempts, run.entry_of_attempt
    # Of those that are still to go, in the order of dispatch, the oldest.
    oldest = np.minimum.accumulate(entry[rows][::-1])[::-1]
    eligible = np.zeros(entry.max(initial=0) + 1, dtype=np.int64)
    eligible[entry[rows]] = a["eligible"][rows]
    still = np.searchsorted(rows, np.arange(len(entry)), side="right")
    first = oldest[np.minimum(still, len(rows) - 1)]
    could_go = (still < len(rows)) & (eligible[first] <= a["dispatched"])
    return np.asarray(could_go & (entry > first))
