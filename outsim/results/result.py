"""A result: the tables of one run, with everything needed to make it again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from outsim._version import __version__
from outsim.clock import after
from outsim.display import percent
from outsim.document import Answer, Document
from outsim.errors import ScenarioError, unknown_name
from outsim.plan import CampaignPlan
from outsim.results.measures import PORT_MEASURES, measure
from outsim.results.run_arrays import RunArrays, in_run, period
from outsim.results.saving import SavedRun, provenance, read, save
from outsim.results.tables.causes import Causes, Until
from outsim.results.tables.over_time import status_lag
from outsim.results.tables.run_tables import RunTables
from outsim.results.tables.schema import TABLES, handed_out
from outsim.results.tables.summary import summary, summary_document, with_units
from outsim.results.tables.views import (
    call_log,
    snapshot,
    status_page,
    timeline,
    timeline_by_tenant,
)
from outsim.results.view import NEEDED, View
from outsim.scenario.campaigns import ALL_CALLS, Campaign, Everybody, Whose
from outsim.scenario.defaults import DEFAULTS, defaults_in_use
from outsim.scenario.model import Scenario
from outsim.scenario.provenance import ParameterTable, assumptions
from outsim.scenario.snapshot import Snapshot
from outsim.tape import Tape
from outsim.text import bounded, plain, shortened

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Result(Answer):
    """What one run gives: tables, views of them, and where they come from."""

    frames: RunTables
    seed: int
    replication: int
    engine: str
    """Engine that made it; the records don't depend on it."""
    version: str = __version__
    """Version of outsim that made it."""

    @property
    def arrays(self) -> RunArrays:
        """What was recorded, in integers, and what the run was made from."""
        return self.frames.run

    @property
    def scenario(self) -> Scenario:
        """The scenario that was run."""
        return self.arrays.scenario

    @property
    def start(self) -> datetime:
        """Start of the run, local time."""
        return self.arrays.start

    @property
    def end(self) -> datetime:
        """End of the run, local time: nothing from here on is in the tables."""
        return self.arrays.end

    @property
    def duration(self) -> timedelta:
        """How long the run lasts, in simulated time."""
        return timedelta(microseconds=self.arrays.ended_us)

    @property
    def period(self) -> str:
        """Start and end of the run, local time, for people."""
        return period(self.start, self.end)

    @property
    def calls(self) -> pd.DataFrame:
        """One row a call; columns as in `outsim.results.tables.schema.CALLS`; see `tables`."""
        return handed_out(self.frames["calls"])

    @property
    def attempts(self) -> pd.DataFrame:
        """One row an attempt; columns as in `outsim.results.tables.schema.ATTEMPTS`."""
        return handed_out(self.frames["attempts"])

    @property
    def updates(self) -> pd.DataFrame:
        """One row a change; columns as in `outsim.results.tables.schema.UPDATES`; see `tables`."""
        return handed_out(self.frames["updates"])

    @property
    def deliveries(self) -> pd.DataFrame:
        """One row a POST; columns as in `outsim.results.tables.schema.DELIVERIES`."""
        return handed_out(self.frames["deliveries"])

    @property
    def requests(self) -> pd.DataFrame:
        """One row a request that intake could refuse; `outsim.results.tables.schema.REQUESTS`."""
        return handed_out(self.frames["requests"])

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """All tables by name.

        They are the caller's own: whatever is done to them changes neither the result nor the
        tables that it gives next. No column is copied until it is written to.
        """
        return {name: handed_out(self.frames[name]) for name in TABLES}

    def timeline(
        self, every: str | None = "1min", *, by: Literal["tenant"] | None = None
    ) -> pd.DataFrame:
        """Queue, busy ports, backlog, rates and status lag over time, indexed by local time.

        Values are those at the start of each interval; ``dispatched``, ``dialed``, ``refused`` and
        ``status_lag_p90_s`` (not by tenant) are of what happened in it.

        Parameters
        ----------
        every : str or None
            Step of the rows, as pandas writes it; None: one row at each change.
        by : "tenant", optional
            Whose: each column then has one for each tenant below it.

        Raises
        ------
        ScenarioError
            If `by` is another word; `MomentError`, if `every` is no step of time.
        """
        tables = self.frames["calls"], self.frames["attempts"], self.frames["updates"]
        if by is None:
            table = timeline(*tables, self.start, self.end, every)
            if every is not None:
                lag = status_lag(self.frames["updates"], self.start, self.end, every)
                table["status_lag_p90_s"] = lag["p90"]
            return table
        if by != "tenant":
            raise ScenarioError(unknown_name("by", by, ["tenant"]))
        return timeline_by_tenant(*tables, self.start, self.end, every)

    @cached_property
    def causes(self) -> Causes:
        """Where the time of every call went; see `outsim.results.tables.causes`."""
        return Causes(self.arrays)

    def _campaign(self, whose: Whose) -> Campaign | None:
        """The campaign that is asked about; None for all calls."""
        return None if isinstance(whose, Everybody) else self.scenario.find_campaign(whose)

    def _call_ids(self, campaign: Campaign | None) -> NDArray[np.int64]:
        """Calls of one campaign that were handed in, or of all."""
        ids = self.frames.calls(("call_id",))["call_id"].to_numpy()
        rows = self.arrays.rows_of(_is(campaign))(ids)
        return (ids if rows is None else ids[rows]).astype(np.int64)

    def time_by_cause(
        self,
        campaign: Whose = ALL_CALLS,
        *,
        until: Literal["end", "wait", "first_dispatch"] = "end",
        by_resource: bool = False,
    ) -> pd.DataFrame:
        """Where the time of every call went, split by cause; the parts add up exactly.

        Parameters
        ----------
        campaign : Campaign or str, optional
            A campaign of the scenario, or its ``name`` or ``tenant/name``; default: all calls.
        until : "end", "wait" or "first_dispatch"
            Up to where. The end of a call is its final status, made visible and posted to its
            result_url; or that of the run. With "wait" a row less its ``schedule`` is the call's
            wait, which ends with the dispatch of the first attempt that the carrier takes.
        by_resource : bool
            Whether time behind calls ahead, ``calls_ahead``, is put down to what their dispatches
            waited for, too: ``no_free_port``, ``dial_rate`` or ``no_worker``.

        Returns
        -------
        DataFrame
            One row a call, indexed by ``call_id``; columns are those of
            `outsim.results.tables.causes.CAUSES`, of type timedelta64[us].

        Raises
        ------
        ScenarioError
            If there is no such campaign, or `until` is another word.

        Notes
        -----
        A call that is held back in the queue for several reasons at once has the first of these:
        suspension, pause, window, limit on simultaneous calls, another call to its number,
        pacing. ``pacing`` is that of
        campaign and tenant, at admission and at dispatch. ``no_worker`` is, beside the wait of its
        own dial work, the share of waits for a port in which ports stood idle for want of a
        worker.
        ``earlier`` is time before the moment of a snapshot.
        """
        if until not in get_args(Until):
            raise ScenarioError(unknown_name("until", until, get_args(Until)))
        rows = self._call_ids(self._campaign(campaign))
        return self.causes.by_call(rows, until=until, by_resource=by_resource)

    def causes_over_time(
        self,
        every: str = "5min",
        campaign: Whose = ALL_CALLS,
        *,
        by_resource: bool = True,
        until: Literal["end", "first_dispatch"] = "first_dispatch",
    ) -> pd.DataFrame:
        """Mean wait by cause, by when calls entered the queue for the first time.

        `campaign` and `by_resource` are as for `time_by_cause`; so is `until`: with "end", the
        columns are the mean of all the time of all calls. `every` is the length of a slot, as
        pandas has it.

        Returns
        -------
        DataFrame
            Indexed by ``since``, the local time at which a slot begins; slots without calls are
            left out. ``calls`` is how many calls entered in it, the other columns the mean of
            their waits by cause (timedelta64[us]). Calls canceled before they went out, wedged and
            rejected ones are left out; the wait of a call that never went out goes to its end, or
            that of the run.
        """
        calls = self.view(campaign).calls
        return self.causes.over_time(calls, every, by_resource=by_resource, until=until)

    def queue_time_by_blocker(self, campaign: Whose = ALL_CALLS) -> pd.DataFrame:
        """Time in the outbound queue, charged twice: by whom, and by what.

        Each gap between two dispatches is charged to the campaign whose call is dispatched next,
        and to what this dispatch waited for: a port or a dial token, whichever came last. What a
        call waits at the head of the queue, and while it is held back, is its own campaign's.
        `campaign` says whose calls' time is meant, as for `time_by_cause`.

        Returns
        -------
        DataFrame
            One row a campaign that was charged with any, most first: ``tenant``, ``campaign``,
            ``start`` (local time), one column a cause (timedelta64[us], summed over all calls and
            attempts), and ``total``. The totals add up to the time in the queue exactly.
        """
        stays, chosen = self.causes.queue.stays, self._campaign(campaign)
        rank = next((p.rank for p in self.arrays.campaigns if _is(chosen)(p)), -1)
        return self.causes.by_blocker(stays if chosen is None else stays.of(stays.rank == rank))

    def call_log(self) -> pd.DataFrame:
        """What customers can get of their calls: numbers and times, and no call_id."""
        return call_log(self.calls, self.attempts)

    def local_time(self, at: datetime | str) -> datetime:
        """Moment of this run: an aware datetime, or a local clock time such as ``"09:15"``.

        `MomentError`, if `at` is no such thing, or lies outside the run.
        """
        return in_run(self.scenario, at, self.arrays.ended_us)

    def status_page(self, at: datetime | str) -> pd.DataFrame:
        """The customer's page at a moment, beside the truth; one row a call.

        `at` is as for `local_time`.
        """
        return status_page(self.calls, self.attempts, self.updates, self.local_time(at))

    def snapshot(self, at: datetime | str) -> Snapshot:
        """The queue as it is at a moment, to forecast from.

        `at` is as for `local_time`. A wedged call is in no queue, and left out.
        """
        starts = {plan.key: after(self.start, plan.start_us) for plan in self.arrays.campaigns}
        return snapshot(self.calls, self.attempts, self.updates, starts, self.local_time(at))

    def view(self, campaign: Whose = ALL_CALLS) -> View:
        """Tables of one campaign of the scenario, as for `time_by_cause`, or of all calls."""
        chosen = self._campaign(campaign)
        rows_of = self.arrays.rows_of(_is(chosen))

        def cut(table: pd.DataFrame) -> pd.DataFrame:
            rows = rows_of(table["call_id"].to_numpy())
            return handed_out(table) if rows is None else table.take(rows)

        names = ("calls", "attempts", "updates")
        return self._view([cut(self.frames[name]) for name in names], chosen, _is(chosen))

    def measure_view(self, campaign: Whose = ALL_CALLS) -> View:
        """What the measures need of `view` of a campaign, and no more: no table is made for it."""
        chosen = self._campaign(campaign)
        return self._view(self._needed(_is(chosen)), chosen, _is(chosen))

    def view_of(self, whose: Callable[[CampaignPlan], bool]) -> View:
        """The same of all calls of some campaigns; `whose` says of each plan whether it is one."""
        return self._view(self._needed(whose), None, whose)

    def _needed(self, whose: Callable[[CampaignPlan], bool]) -> Iterable[pd.DataFrame]:
        return map(handed_out, self.frames.columns(whose, NEEDED))

    def _view(
        self,
        tables: Iterable[pd.DataFrame],
        campaign: Campaign | None,
        whose: Callable[[CampaignPlan], bool],
    ) -> View:
        calls, attempts, updates = tables
        requested = campaign.stop_at if campaign is not None else None
        latency_us = self.scenario.platform.stop_latency
        return View(
            calls,
            attempts,
            updates,
            self.start,
            self.scenario.deadline,
            stop_requested=requested,
            stop_effect=after(requested, latency_us) if requested else None,
            arrays=self.arrays,
            whose=whose,
        )

    def measures(self, campaign: Campaign | str | None = None) -> dict[str, float]:
        """Measures of `outsim.results.measures.MEASURES` by name, in seconds, shares and numbers.

        `campaign` is as for `time_by_cause`; default: the campaign under study, or all calls if
        there is none.
        """
        return measure(
            self.measure_view(campaign or self.scenario.campaign_under_study or ALL_CALLS)
        )

    def summary(self) -> pd.DataFrame:
        """Counts and measures of each campaign and of the background, one row each.

        Columns are named as measures are, without ``_s``: times are of type timedelta64, and clock
        times local ones.
        """
        return with_units(self._summary(), self.start)

    def _summary(self) -> pd.DataFrame:
        views = {self._label(c): self.measure_view(c) for c in self.scenario.campaigns}
        if self.scenario.background is not None:
            views["(background)"] = self.view_of(lambda plan: plan.background)
        return summary(views)

    def _ports(self) -> dict[str, dict[str, float]]:
        """What the calls of each campaign, and all calls, took of the platform, by measure."""
        views = {self._label(one): self.measure_view(one) for one in self.scenario.campaign}
        views["(all calls)"] = self.measure_view(ALL_CALLS)
        return {label: measure(view, PORT_MEASURES) for label, view in views.items()}

    @cached_property
    def assumptions(self) -> ParameterTable:
        """Every number that this result rests on, with its grade and source."""
        return assumptions(self.scenario)

    def save(self, directory: str | Path) -> Path:
        """Write the tables as Parquet, and the provenance as JSON, into a directory.

        `outsim.load_result` reads them again. Contact lists, and recorded attempts, are copied
        with them. Each file is written beside its place and then put there whole, ``run.json``
        last: where it stands, everything does. `ResultError`, if a contact list is gone.
        """
        return save(self._saved, Path(directory))

    def provenance(self) -> dict[str, Any]:
        """What is needed to make this result again: what ``run.json`` holds."""
        document: dict[str, Any] = plain(provenance(self._saved))
        return document

    @property
    def _saved(self) -> SavedRun:
        return SavedRun(self.frames, self.tape, self.engine, self.version)

    @property
    def tape(self) -> Tape:
        """The random inputs that it was made from."""
        for campaign in self.arrays.plan.campaigns:
            return campaign.tape
        return Tape(self.seed, self.replication)

    @property
    def background_share(self) -> float:
        """Share of all attempts that background tenants make."""
        return self.arrays.background_share

    def _label(self, campaign: Campaign) -> str:
        names = [entry.name for entry in self.scenario.campaigns]
        is_alone = names.count(campaign.name) == 1
        return campaign.name if is_alone else campaign.full_name

    def document(self) -> Document:
        """What happened to the campaigns, in words and a table."""
        campaign = self.scenario.campaign_under_study
        return summary_document(
            self._summary(),
            self._ports(),
            self.scenario,
            label=None if campaign is None else self._label(campaign),
            attempts=f"{self.arrays.attempts.rows:,} attempts",
            background=percent(self.background_share),
            run=f"seed {self.seed}, replication {self.replication}, {self.period}",
        )

    def to_dict(self) -> dict[str, Any]:
        """What happened to the campaigns, for machines."""
        in_use = defaults_in_use(self.scenario)
        document = plain(
            {
                "scenario": self.scenario.name,
                "seed": self.seed,
                "replication": self.replication,
                "engine": self.engine,
                "version": self.version,
                "ended": self.end.isoformat(),
                "attempts": self.arrays.attempts.rows,
                "background_share": self.background_share,
                "campaigns": self._summary().to_dict(orient="index"),
                "ports": self._ports(),
                "assumptions": [
                    {"key": key, "value": d.value, "grade": d.grade, "source": d.source}
                    for key, d in DEFAULTS.items()
                    if key in in_use
                ],
            }
        )
        return dict(document)

    def __repr__(self) -> str:
        calls, attempts = np.count_nonzero(self.arrays.handed_in), self.arrays.attempts.rows
        return bounded(
            f"Result(scenario: {shortened(self.scenario.name, 200)}; run: {self.period} "
            f"{self.scenario.clock.zone}; seed, replication: {self.seed}, {self.replication}; "
            f"calls: {calls:,}; attempts: {attempts:,}; "
            f"background share: {percent(self.background_share)} of attempts)"
        )


def _is(campaign: Campaign | None) -> Callable[[CampaignPlan], bool]:
    """Whether a campaign of the plan is this one of the scenario; all are where none is given."""
    return lambda plan: campaign is None or plan.key == (campaign.tenant, campaign.name)


def load_result(directory: str | Path) -> Result:
    """Read what `Result.save`, or ``outsim run --out``, wrote.

    Parameters
    ----------
    directory : path
        The directory.

    Returns
    -------
    Result
        With every table, view and measure of it; nothing is run.

    Raises
    ------
    ResultError
        If there is no result in it, or one that is not whole, is damaged, or was written by an
        outsim of another model; the message says what to do.
    """
    run = read(directory)
    return Result(run.frames, run.tape.seed, run.tape.replication, run.engine, run.version)
