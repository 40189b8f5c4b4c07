"""A session in batch: scenario, seed and input log give the same records, on either engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from warnings import warn

import numpy as np

from outsim.document import Answer as AnswerDocument
from outsim.document import Document
from outsim.engine import Engine, Records, execute
from outsim.live import state as states
from outsim.live.inputs import Answer, AnyInput
from outsim.live.log import moment_of, read_log, torn_note
from outsim.live.planning import SessionPlan
from outsim.live.run import latest_answer_us
from outsim.live.saving import endpoint_names, scenario_of
from outsim.progress import Progress, unseen
from outsim.results.result import Result
from outsim.results.run_arrays import RunArrays
from outsim.results.tables.run_tables import RunTables
from outsim.text import plain
from outsim.vocabulary import TIMEOUT

MOST_CAMPAIGNS = 50
"""Campaigns that are shown each by itself: every single call is a campaign of its own."""


def replay(
    directory: str | Path,
    *,
    engine: Engine = "auto",
    progress: Progress = unseen,
    note: Callable[[str], None] = warn,
) -> Result:
    """Run a session again, from what its directory holds, up to the moment that it came to.

    Parameters
    ----------
    directory : path
        What ``outsim serve --state`` or `Sandbox` wrote.
    engine : str
        "auto", "simpy" or "compiled"; the choice never changes a result.
    progress : callable, optional
        Told a few times a second (microseconds simulated, microseconds in all).
    note : callable, optional
        Told if the last line of the log is not whole, and left out. Default: a warning.

    Returns
    -------
    Result
        All tables; the same records as those of the session, bit for bit.

    Raises
    ------
    SandboxError
        If it holds no session, or one that can't be read.
    """
    place = Path(directory)
    begun = states.read(place)
    session = SessionPlan(begun.scenario, begun.seed, begun.handlers)
    path = place / states.INPUTS
    entries: list[AnyInput] = []
    if path.exists():
        entries, _, torn = read_log(path)
        if torn:
            note(torn_note(path))
    for entry in entries:
        session.number_others(entry.at)
        session.add(entry)
    records, ran_on = execute(session.plan(moment_of(entries)), engine, progress)
    standing_us = _first_open(session, entries, records)
    if standing_us < records.ended_us:
        records, ran_on = execute(session.plan(standing_us), engine, progress)
    return result_of(session, records, ran_on, is_about_submitted=True)


def _first_open(session: SessionPlan, entries: Sequence[AnyInput], records: Records) -> int:
    """Where a session stood that was killed while posts were open: none of them has timed out."""
    last_us = entries[-1].at if entries else 0
    answered = {(entry.call_id, entry.post) for entry in entries if isinstance(entry, Answer)}
    found = records.deliveries
    standing_us = records.ended_us
    for row in np.flatnonzero((found["result"] == TIMEOUT) & (found["ended"] >= last_us)):
        call_id, post = int(found["call_id"][row]), int(found["post"][row])
        campaign = session.campaign_of_call(call_id)
        tape = None if campaign is None else campaign.tape
        if tape is not None and tape.has_handler and (call_id, post) not in answered:
            begun_us = int(found["begun"][row])
            timeout_us = int(found["ended"][row]) - begun_us
            standing_us = min(standing_us, latest_answer_us(begun_us, timeout_us))
    return standing_us


def result_of(
    session: SessionPlan, records: Records, engine: str, *, is_about_submitted: bool = False
) -> Result:
    """What was recorded of a session, with all its tables; see `scenario_of`."""
    scenario = scenario_of(session, is_about_submitted=is_about_submitted)
    plan = session.plan(records.ended_us)
    names = endpoint_names(session)
    endpoints = tuple(
        replace(endpoint, name=name) for endpoint, name in zip(plan.endpoints, names, strict=True)
    )
    arrays = RunArrays(scenario, replace(plan, endpoints=endpoints), records)
    return Result(RunTables(arrays), session.tape.seed, session.tape.replication, engine)


@dataclass(frozen=True, eq=False, repr=False)
class ManyCampaigns(AnswerDocument):
    """A session of more campaigns than a table has room for: its calls by status."""

    result: Result

    @cached_property
    def _counts(self) -> dict[str, int]:
        calls = self.result.calls
        counted = calls.loc[~calls.background, "status"].value_counts()
        return {str(status): int(count) for status, count in counted.items() if count}

    def document(self) -> Document:
        """How many calls came to what."""
        result, counts = self.result, self._counts
        said = ", ".join(f"{count:,} {status}" for status, count in counts.items())
        return Document(
            id="replay",
            title="What became of the calls of a session?",
            answer=f"{sum(counts.values()):,} calls: {said}.",
            asked=f"{result.scenario.name}: {len(result.scenario.campaign):,} campaigns, "
            f"{result.arrays.attempts.rows:,} attempts, {result.period}",
        )

    def to_dict(self) -> dict[str, Any]:
        """The same for machines."""
        result = self.result
        return plain(
            {
                "scenario": result.scenario.name,
                "seed": result.seed,
                "engine": result.engine,
                "version": result.version,
                "ended": result.end.isoformat(),
                "campaigns": len(result.scenario.campaign),
                "attempts": result.arrays.attempts.rows,
                "calls": self._counts,
            }
        )


def answer_of(result: Result) -> AnswerDocument:
    """What a session came to: each campaign by itself, or all calls together if it has many."""
    is_many = len(result.scenario.campaign) > MOST_CAMPAIGNS
    return ManyCampaigns(result) if is_many else result
