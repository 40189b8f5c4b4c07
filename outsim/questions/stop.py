"""Why do calls still go out after I stopped? One campaign, stopped at several times.

Each replication is run as if nobody ever stopped the campaign, and again for each stop, once as a
stop of the campaign and once call by call; up to their stops all of these runs are one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Unpack

import numpy as np
from numpy.typing import NDArray

from outsim.clock import RATE_SECONDS, SECOND, format_duration, format_rate
from outsim.clock import after as later
from outsim.display import explain_missing, format_estimate, percent
from outsim.document import Answer, Document, Picture, Table
from outsim.errors import StudyError, unknown_name
from outsim.estimates import NOT_NEGATIVE, Estimate, Support
from outsim.questions.means import NOTE, Means
from outsim.questions.one_run import this_run
from outsim.questions.question import StudyOptions, StudyQuestion, asks
from outsim.results.measures import STOP_MEASURES
from outsim.results.result import Result
from outsim.results.tables.views import counts
from outsim.scenario.campaigns import Campaign
from outsim.scenario.model import Scenario
from outsim.studies.bands import Band, Observed, observed_among, prediction_band
from outsim.studies.comparable import campaign_of
from outsim.studies.estimands import Values
from outsim.studies.foot import with_foot
from outsim.studies.study_result import StudyResult
from outsim.studies.variants import Variants, about_campaign, read_stops, usual_stops, written
from outsim.text import plain

if TYPE_CHECKING:
    import pandas as pd

TITLE = "Why do calls still go out after I stopped?"

SHARES = (0.5, 0.9)
"""Shares of the dials of which it is said until when a stop saves them."""

BEFORE, AFTER = "dispatched_before_stop_effect", "dispatched_after_stop_effect"

ESTIMATES = {
    "dialed_before_effect": "dials before effect",
    "dialed_after_effect": "dials after effect",
    "dialed_after": "",
    "calls_never_dialed": "calls never dialed",
    "dials_saved": "dials saved",
    "saved_share": "of all dials",
}
"""What is said of each stop, a method of `StopRace`, with its heading in tables if it has one."""

COUNT, SAVED = Support(0.0, negligible=0.5), Support(0.0, 1.0, negligible=0.005)
"""What counts of calls and dials can be, and shares of calls."""


@dataclass(frozen=True)
class LastMoment:
    """Until when a stop still saves a share of the dials."""

    share: float
    after_s: Estimate
    """From the start to the request, over the replications in which that moment lies between two
    of the stops. It is read off on a straight line between them: half of their distance is added
    to the interval for that."""
    between_us: tuple[int, int]
    """Stops that it lies between in all of these replications, in microseconds after the start;
    (0, 0) if there are none."""
    always: int
    """Replications in which the latest of the stops still saves that much."""
    never: int
    """Replications in which not even the earliest one does."""

    @property
    def is_known(self) -> bool:
        """Whether the moment lies between two stops in every replication."""
        return self.always == self.never == 0


Mode = Literal["campaign", "calls"]

MODES: dict[Mode, str] = {"campaign": "stop of the campaign", "calls": "call by call"}
"""How a campaign is stopped: values of its ``stop_mode``, and what people call them."""


@dataclass(frozen=True, eq=False, repr=False)
class StopRace(Answer):
    """Stops of one campaign at several times after its start."""

    findings: StudyResult
    """Measures of a scenario for each stop, by either mode; in the first one nobody stops the
    campaign."""
    own_stop: datetime | None = None
    """The stop that the scenario has itself, and that is left out."""
    by_mode: Mode | None = None
    """The mode of the stops that are told of; default: the campaign's own ``stop_mode``."""
    seen: int | None = None
    """Dials that somebody saw go out after the one stop that is asked about."""

    @property
    def mode(self) -> Mode:
        """How the campaign is stopped by the stops that are told of."""
        return self.by_mode or self.campaign.stop_mode

    def by(self, mode: Mode) -> StopRace:
        """The same about stops by a `mode`, ``campaign`` or ``calls``."""
        return replace(self, by_mode=mode)

    @property
    def campaign(self) -> Campaign:
        """The campaign, never stopped."""
        return campaign_of(self.findings.scenarios[0])

    @cached_property
    def _places(self) -> dict[int, int]:
        """By microseconds from the start to the stop, its place among the scenarios."""
        places = {}
        for place, scenario in enumerate(self.findings.scenarios):
            campaign = campaign_of(scenario)
            if campaign.stop_at is not None and campaign.stop_mode == self.mode:
                start_us = scenario.instant_us(campaign.start)
                places[scenario.instant_us(campaign.stop_at) - start_us] = place
        return dict(sorted(places.items()))

    def _place(self, after_us: int) -> int:
        if after_us not in self._places:
            raise StudyError(unknown_name("stop, in microseconds,", after_us, self._places))
        return self._places[after_us]

    @property
    def after_us(self) -> tuple[int, ...]:
        """From the start to each stop, earliest first, in microseconds."""
        return tuple(self._places)

    @property
    def effect_us(self) -> int:
        """From the request to stop to its effect, in microseconds."""
        return self.findings.scenarios[0].platform.stop_latency

    def _less(self, values: Values, after_us: int, name: str = "dials") -> NDArray[np.float64]:
        """By replication, a count of the run that is never stopped, less that of the stopped."""
        return values(0, name) - values(self._place(after_us), name)

    def _saved_share(self, values: Values, after_us: int) -> NDArray[np.float64]:
        everything = values(0, "dials")
        share = np.full(len(everything), np.nan)
        np.divide(self._less(values, after_us), everything, out=share, where=everything > 0)
        return share

    def dials_saved(self, after_us: int) -> Estimate:
        """Dials, retries included, that a stop `after_us` after the start keeps from being made.

        In each replication, those of the run in which nobody ever stops the campaign, less those
        of the run with the stop.
        """
        return self._count(lambda values: self._less(values, after_us))

    def saved_less(self, than: Mode, after_us: int) -> Estimate:
        """Dials that a stop by the other mode saves, less those that one by `than` saves.

        The same replications with either stop, `after_us` after the start: a paired difference,
        saved retries included.
        """
        (less,) = (mode for mode in MODES if mode != than)
        ours, theirs = (self.by(mode)._place(after_us) for mode in (than, less))
        return self.findings.estimate_of(
            lambda values: values(ours, "dials") - values(theirs, "dials")
        )

    def calls_never_dialed(self, after_us: int) -> Estimate:
        """Calls that a stop `after_us` after the start keeps from being dialed at all."""
        return self._count(lambda values: self._less(values, after_us, "calls_dialed"))

    def saved_share(self, after_us: int) -> Estimate:
        """Dials saved by a stop `after_us` after the start, as a share of all without a stop."""
        return self.findings.estimate_of(
            lambda values: self._saved_share(values, after_us), support=SAVED
        )

    def dialed_before_effect(self, after_us: int) -> Estimate:
        """Dials, retries included, from the request, `after_us` after the start, to its effect."""
        return self.findings.mean(self._place(after_us), BEFORE)

    def dialed_after_effect(self, after_us: int) -> Estimate:
        """Dials from the effect of the stop at `after_us` on: what it did not reach."""
        return self.findings.mean(self._place(after_us), AFTER)

    def dialed_after(self, after_us: int) -> Estimate:
        """Dials, retries included, from the request to stop, `after_us` after the start, on."""
        place = self._place(after_us)
        return self._count(lambda values: values(place, BEFORE) + values(place, AFTER))

    def _after(self, after_us: int) -> NDArray[np.float64]:
        """Dials from the request to stop on, by replication."""
        place, values = self._place(after_us), self.findings.values
        return values(place, BEFORE) + values(place, AFTER)

    def band(self, after_us: int) -> Band:
        """Dials on one day from the request to stop, `after_us` after the start, on."""
        return prediction_band(self._after(after_us))

    @property
    def observed(self) -> Observed | None:
        """Where the dials that somebody saw lie among those of the runs; None if nobody did."""
        return (
            None if self.seen is None else observed_among(self.seen, self._after(self.after_us[0]))
        )

    def _is_usual(self) -> str:
        """Whether what somebody saw is usual."""
        if self.observed is None:
            return ""
        at = later(self.campaign.start, self.after_us[0])
        return f"{self.seen:,} dials after the stop at {at:%H:%M:%S} are {self.observed.text}."

    def _by_day(self) -> Table:
        """What goes out after a stop on one day."""
        bands = [self.band(after_us) for after_us in self.after_us]
        columns = {"stop after": [written(after_us) for after_us in self.after_us]}
        for name, of in (("p5", "low"), ("p50", "median"), ("p95", "high")):
            columns[name] = [f"{getattr(band, of):,.0f}" for band in bands]
        return Table.of_columns("Dials after a stop on one day, percentiles of days", columns)

    def _count(self, of: Callable[[Values], NDArray[np.float64]]) -> Estimate:
        return self.findings.estimate_of(of, support=COUNT)

    def last_moment(self, share: float) -> LastMoment:
        """Until when a stop saves at least this share of the dials."""
        at_s = np.array(self.after_us) / SECOND
        lasts = self._lasts(self.findings.values, share)[1]
        inside = lasts[(lasts >= 0) & (lasts < len(at_s) - 1)]
        steps = sorted({step for last in inside.tolist() for step in (last, last + 1)})
        distance_s = float(np.max(at_s[inside + 1] - at_s[inside], initial=0.0))
        read_off = self.findings.estimate_of(
            lambda values: self._moments_s(values, share), support=NOT_NEGATIVE
        )
        return LastMoment(
            share=share,
            after_s=replace(read_off.widened(distance_s / 2, NOT_NEGATIVE), n_missing=0),
            between_us=(self.after_us[steps[0]], self.after_us[steps[-1]]) if steps else (0, 0),
            always=int(np.count_nonzero(lasts == len(at_s) - 1)),
            never=int(np.count_nonzero(lasts < 0)),
        )

    def _lasts(self, values: Values, share: float) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Shares saved, shape (stops, replications), and the last stop that saves enough.

        By replication; -1 where none does.
        """
        saved = np.array([self._saved_share(values, after_us) for after_us in self.after_us])
        enough = saved >= share
        last = len(enough) - 1 - np.argmax(enough[::-1], axis=0)
        return saved, np.where(enough.any(axis=0), last, -1)

    def _moments_s(self, values: Values, share: float) -> NDArray[np.float64]:
        """By replication, when that share is saved last, on a straight line between stops.

        Seconds after the start; NaN where no stop saves it, or the latest still does.
        """
        at_s = np.array(self.after_us) / SECOND
        saved, lasts = self._lasts(values, share)
        moments = np.full(len(lasts), np.nan)
        for k in np.flatnonzero((lasts >= 0) & (lasts < len(at_s) - 1)):
            last = lasts[k]
            here, there = saved[last, k], saved[last + 1, k]
            part = (here - share) / (here - there)
            moments[k] = at_s[last] + part * (at_s[last + 1] - at_s[last])
        return moments

    @property
    def last_moments(self) -> dict[float, LastMoment]:
        """`last_moment` of each of `SHARES`."""
        return {share: self.last_moment(share) for share in SHARES}

    def table(self) -> pd.DataFrame:
        """One row a stop, indexed by ``after_s``, the seconds from the start to the request.

        Columns are estimates with their 95 % intervals, each as ``NAME``, ``NAME_low`` and
        ``NAME_high``: ``dialed_before_effect``, ``dialed_after_effect``, ``dialed_after``,
        ``calls_never_dialed``, ``dials_saved`` (counts) and ``saved_share`` (of the dials that
        are made if nobody stops, 0 to 1).
        """
        import pandas as pd

        rows = []
        for after_us in self.after_us:
            row = {"after_s": after_us / SECOND}
            for name, estimate in self._estimates(after_us).items():
                row |= estimate.columns(name)
            rows.append(row)
        return pd.DataFrame(rows).set_index("after_s")

    def _estimates(self, after_us: int) -> dict[str, Estimate]:
        return {name: getattr(self, name)(after_us) for name in ESTIMATES}

    def document(self) -> Document:
        """The answer in words, with its table and pictures."""
        campaign, findings, scenario = self.campaign, self.findings, self.findings.scenarios[0]
        stops = [written(after_us) for after_us in self.after_us]
        estimates = [*map(self._estimates, self.after_us)]
        table = Table.of_columns(
            "What a stop does, by when it comes",
            {"stop after": stops}
            | {
                label: [_text(name, of_stop[name]) for of_stop in estimates]
                for name, label in ESTIMATES.items()
                if label
            },
        )
        own = []
        side_by_side = Table.of_columns(
            "Dials saved by a stop of the campaign and by one call by call",
            {"stop after": stops}
            | {
                title: [
                    _text("dials_saved", self.by(mode).dials_saved(after_us))
                    for after_us in self.after_us
                ]
                for mode, title in MODES.items()
            }
            | {
                "difference": [
                    _text("dials_saved", self.saved_less("campaign", after_us))
                    for after_us in self.after_us
                ]
            },
        )
        if self.own_stop is not None:
            own = [f"The scenario's own stop at {self.own_stop:%H:%M:%S} is left out."]
        if len(stops) == 1:
            when = f"{stops[0]} after its start, and"
            answer, until = self._what(self.after_us[0]), []
            if usual := self._is_usual():
                answer, until = usual, [answer]
        else:
            when = (
                f"at {len(stops)} times, from {stops[0]} to {stops[-1]} after its start, and each "
                "time"
            )
            answer, until = self._why(), [*map(self._until, self.last_moments.values())]
        document = Document(
            id="stop",
            title=TITLE,
            asked=(
                f"{campaign.name} ({campaign.tenant}), started at {campaign.start:%H:%M:%S}, was "
                f"stopped {when} compared with the same day without a stop: "
                f"{findings.replications} replications, seed {findings.seed}."
            ),
            answer=answer,
            more=[
                *until,
                self._side_by_side(),
                _settings(scenario, campaign),
                *own,
            ],
            tables=[table, side_by_side, self._by_day()],
            pictures=[
                Picture(
                    "saved_by_stop",
                    self,
                    alt="Share of the dials that a stop saves, falling with its time. "
                    + _by_stop(table, -1),
                    caption="Dials that a stop saves, by when it comes",
                ),
                Picture(
                    "dials_after_stop",
                    self,
                    alt="Dials after a stop took effect, by when it comes. " + _by_stop(table, 2),
                    caption="Dials after a stop, by when it comes",
                ),
            ],
            notes=[
                "Dials count with retries: before and after the effect from the request to stop "
                "on. Dials saved are those of the same run without the stop, less those with it; "
                "calls never dialed would be dialed without the stop. The difference is that of "
                "the dials saved, with both stops in the same replications."
            ],
        )
        missing = explain_missing(
            estimate
            for of_stop in estimates
            for estimate in of_stop.values()
            if not estimate.is_zero
        )
        return with_foot(document, findings, missing)

    def _why(self) -> str:
        """Why calls still go out after a stop, and how many at the most."""
        why = stop_rule(self.findings.scenarios[0], self.campaign)
        most_us = max(self.after_us, key=lambda after_us: self.dialed_after(after_us).mean)
        most = self.dialed_after(most_us)
        if not most.mean > 0:
            return f"{why}. After none of these stops a call went out."
        when = f"after a stop {written(most_us)} after the start"
        return f"{why}: {_text('dialed_after', most)} dials at the most, {when}."

    def _what(self, after_us: int) -> str:
        """What one stop saves, and why calls still go out after it."""
        saved, dialed = self.dials_saved(after_us), self.dialed_after(after_us)
        share = _text("saved_share", self.saved_share(after_us))
        saves = (
            f"{_text('dials_saved', saved)} dials, {share} of those made without it"
            if saved.mean
            else "no dials"
        )
        what = f"A stop at {later(self.campaign.start, after_us):%H:%M:%S} saves {saves}."
        if not dialed.mean > 0:
            return f"{what} After it no call goes out."
        why = stop_rule(self.findings.scenarios[0], self.campaign)
        return f"{what} {_text('dialed_after', dialed)} dials still go out after it. {why}."

    def _side_by_side(self) -> str:
        """Where a stop of the campaign and one call by call differ most."""
        campaign = self.campaign
        how = f"Call by call, {campaign.cancel_order} first, {format_rate(campaign.cancel_rate)},"
        most_us = max(
            self.after_us, key=lambda after_us: abs(self.saved_less("campaign", after_us).mean)
        )
        more, fewer = (self.saved_less(than, most_us) for than in MODES)
        if not more.mean:
            return f"{how} each of these stops saves as many dials as a stop of the campaign."
        size, word = (more, "more") if more.mean > 0 else (fewer, "fewer")
        return (
            f"{how} a stop {written(most_us)} after the start saves "
            f"{_text('dials_saved', size)} dials {word} than a stop of the campaign"
            f"{'' if len(self.after_us) == 1 else ', the most of these stops'}."
        )

    def _until(self, moment: LastMoment) -> str:
        """Until when a stop saves a share of the dials."""
        replications, share = self.findings.replications, percent(moment.share)
        if moment.never == replications:
            return f"None of these stops saves {share} of the dials."
        if moment.always == replications:
            latest = f"{written(self.after_us[-1])} after the start"
            return f"Even the latest of these stops, {latest}, saves {share} of the dials."
        if moment.is_known:
            last = format_estimate("seconds", moment.after_s, self.campaign.start)
            early, late = map(written, moment.between_us)
            return (
                f"A stop saves {share} of the dials until {last} after the start (on a straight "
                f"line between the stops at {early} and {late})."
            )
        return (
            f"These stops don't tell until when one saves {share} of the dials: in {moment.never} "
            f"of {replications} replications not even the first one does, in {moment.always} the "
            "latest one still does. Give other times (after)."
        )

    def _saved_by_mode(self, after_us: int) -> dict[str, float]:
        columns = {"after_s": after_us / SECOND}
        for mode in MODES:
            columns |= self.by(mode).dials_saved(after_us).columns(f"dials_saved_{mode}")
        return columns | self.saved_less("campaign", after_us).columns("difference")

    def to_dict(self) -> dict[str, Any]:
        """The answer for machines: what each stop does, and until when it helps."""
        campaign = self.campaign
        return plain(
            {
                "campaign": campaign.full_name,
                "start": campaign.start.isoformat(),
                "stop_latency_s": self.effect_us / SECOND,
                "stop_reaches": campaign.stop_reaches,
                "stop_cancels_retries": campaign.stop_cancels_retries,
                "stop_mode": self.mode,
                "cancel_per_s": campaign.cancel_rate / RATE_SECONDS,
                "cancel_order": campaign.cancel_order,
                "side_by_side": [*map(self._saved_by_mode, self.after_us)],
                "why": self._why(),
                "stops": self.table().reset_index().to_dict(orient="records"),
                "by_day": [self.band(after_us).to_dict() for after_us in self.after_us],
                "observed": None if self.observed is None else self.observed.to_dict(),
                "last_moment": [
                    {
                        "share": share,
                        "after_s": moment.after_s.mean,
                        "low": moment.after_s.low,
                        "high": moment.after_s.high,
                        "between": [after_us / SECOND for after_us in moment.between_us],
                        "replications": moment.after_s.count,
                        "always": moment.always,
                        "never": moment.never,
                    }
                    for share, moment in self.last_moments.items()
                ],
                "findings": self.findings.to_dict(),
            }
        )


def _by_stop(table: Table, column: int) -> str:
    return "; ".join(f"{row[0]} after the start: {row[column]}" for row in table.rows)


def _text(name: str, value: Estimate) -> str:
    return format_estimate("share" if name == "saved_share" else "number", value)


def stop_rule(scenario: Scenario, campaign: Campaign) -> str:
    """Why calls still go out after a stop: what it does not reach."""
    effect = format_duration(scenario.platform.stop_latency)
    if campaign.stop_mode == "calls":
        return (
            f"Because a stop takes effect after {effect} and calls are then canceled one by one, "
            f"{format_rate(campaign.cancel_rate)}, while others go out"
        )
    queued = {"loading": "in the outbound queue or ", "queue": ""}[campaign.stop_reaches]
    retries = "" if campaign.stop_cancels_retries else ", retries too"
    return (
        f"A stop takes effect after {effect}, and what is {queued}dispatched by then still goes "
        f"out{retries}"
    )


def stop_before_start(scenario: Scenario, campaign: Campaign, after_us: int) -> str:
    """What a stop saves that is in effect by the start; empty for one that is not.

    `after_us` is from the start to the stop, negative where it comes before.
    """
    if after_us + scenario.platform.stop_latency > 0 or campaign.stop_mode == "calls":
        return ""
    return (
        f"A stop at {later(campaign.start, after_us):%H:%M:%S} saves every dial: {campaign.name} "
        f"starts at {campaign.start:%H:%M:%S}, and all of its calls are canceled before."
    )


def _settings(scenario: Scenario, campaign: Campaign) -> str:
    """What a stop does in this scenario."""
    effect = format_duration(scenario.platform.stop_latency)
    if campaign.stop_mode == "calls":
        spared = "" if campaign.stop_cancels_retries else ", but for those that were dialed before"
        return (
            f"A stop takes effect after {effect} (stop_latency) and cancels calls (stop_mode = "
            f'"calls"), {campaign.cancel_order} first (cancel_order), '
            f"{format_rate(campaign.cancel_rate)} (cancel_rate){spared}."
        )
    reach = {"loading": "in the queue", "queue": "dispatched"}[campaign.stop_reaches]
    retries = "cancels" if campaign.stop_cancels_retries else "spares"
    return (
        f"A stop takes effect after {effect} (stop_latency), reaches what is not {reach} yet "
        f'(stop_reaches = "{campaign.stop_reaches}") and {retries} calls that wait for a retry '
        f"(stop_cancels_retries = {str(campaign.stop_cancels_retries).lower()})."
    )


def mean_document(means: Means) -> Document | None:
    """What means of a study say of its campaign's own stop; None where they say nothing."""
    rows = means.rows(BEFORE, AFTER)
    if means.findings is None or not rows:
        return None
    scenario = means.findings.scenarios[0]
    campaign = campaign_of(scenario)
    before, after = (mean for _, mean in rows)
    return Document(
        id="stop",
        title=TITLE,
        asked=f"{means.asked} The campaign is stopped at {campaign.stop_at:%H:%M:%S}.",
        answer=(
            f"{stop_rule(scenario, campaign)}. {before} dials go out between the request to stop "
            f"and its effect, and {after} from then on."
        ),
        tables=[Table("Dials after the stop, retries included", ["measure", "mean"], rows)],
        notes=[NOTE],
    )


def standing_at_stop(result: Result, campaign: Campaign) -> list[str]:
    """Where the calls stood in a run when the campaign's own stop took effect."""
    if campaign.stop_at is None:
        return []
    effect = later(campaign.stop_at, result.scenario.platform.stop_latency)
    if not result.start <= effect <= result.end:
        return []
    page = result.status_page(effect)
    own = page["campaign"].eq(campaign.name) & page["tenant"].eq(campaign.tenant)
    by_status = "; ".join(f"{word} {true:,}" for word, _, true in counts(page[own]) if true)
    return [
        f"In {this_run(result)}, the stop at {campaign.stop_at:%H:%M:%S} took effect at "
        f"{effect:%H:%M:%S}; its calls by status then: {by_status or 'none'}."
    ]


@asks(StudyOptions)
def stop(
    scenario: Scenario,
    campaign: str | Campaign | None = None,
    *,
    after: Sequence[str] | None = None,
    observed: int | None = None,
    **options: Unpack[StudyOptions],
) -> StudyQuestion[StopRace]:
    """Find out what a stop of a campaign does, depending on when it comes.

    Each replication is run without a stop and with each of them; a stop of this campaign that
    the scenario has is left out. How a stop works is the scenario's: ``stop_latency``,
    ``stop_reaches``, ``stop_cancels_retries``, and for one call by call ``cancel_rate`` and
    ``cancel_order``; its ``stop_mode`` says which of the two is told of first. Measures are those
    of `outsim.results.measures.STOP_MEASURES`.

    Parameters
    ----------
    after : sequence of str, optional
        From the start of the campaign to the request to stop it, such as ``["0s", "30s"]``.
        Default: about fifteen, until a stop saves no more dials in the first replication.
    observed : int, optional
        Dials that went out after a stop, retries included: is that usual? It is about one stop,
        the scenario's own if `after` says nothing else.

    Raises
    ------
    StudyError
        If there is no such campaign, or it can't be stopped then.

    Examples
    --------
    >>> race = await outsim.stop(scenario, after=["0s", "5s", "1 min"])  # doctest: +SKIP
    >>> race.last_moment(0.5).after_s  # doctest: +SKIP
    """
    chosen = campaign_of(scenario, campaign)
    if observed is not None:
        after = _one_stop(chosen, observed, after)
    changes = {f"{scenario.name}, never stopped": about_campaign(chosen, stop_at=None)}
    (never,) = Variants(scenario, changes).scenarios
    stops = usual_stops(never, options.get("seed")) if after is None else read_stops(after)
    latest_us = scenario.instant_us(scenario.clock.latest_end)
    if scenario.instant_us(chosen.start) + stops[-1] >= latest_us:
        raise StudyError(
            f"stop {format_duration(stops[-1])} after the start: the run is over by then, at "
            f"{scenario.clock.latest_end:%Y-%m-%d %H:%M} at the latest"
        )
    changes |= {
        f"{scenario.name}, {how} after {written(after_us)}": about_campaign(
            chosen, stop_at=later(chosen.start, after_us), stop_mode=mode
        )
        for mode, how in (("campaign", "stopped"), ("calls", "canceled call by call"))
        for after_us in stops
    }
    run = Variants(scenario, changes).stream(measures=STOP_MEASURES, **options)
    own = chosen.stop_at if observed is None else None
    return StudyQuestion("stop", run, lambda findings: StopRace(findings, own, seen=observed))


def _one_stop(campaign: Campaign, observed: int, after: Sequence[str] | None) -> Sequence[str]:
    """The stop after which somebody saw dials go out."""
    if observed < 0:
        raise StudyError(f"observed {observed}: give how many dials went out, 0 or more")
    if after is None and campaign.stop_at is not None:
        after_s = (campaign.stop_at - campaign.start).total_seconds()
        if after_s >= 0:
            return [f"{after_s:g} s"]
    if after is None or len(after) != 1:
        raise StudyError(
            f"observed {observed}: say after which stop: give one time from the start with "
            "--after (after= in Python), or stop_at in the scenario"
        )
    return after
