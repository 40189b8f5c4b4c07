"""Why do calls still go out after I stopped? One campaign, stopped at several times.

Each replication is run as if nobody ever stopped the campaign, and again for each stop; up to
their stops all of these runs are one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from outsim.clock import SECOND, format_duration
from outsim.clock import after as later
from outsim.display import explain_missing, format_estimate, table_html
from outsim.errors import StudyError, unknown_name
from outsim.estimates import NOT_NEGATIVE, Estimate, Support, finite_or_none
from outsim.questions.question import Question
from outsim.results.stop_measures import STOP_MEASURES
from outsim.scenario.campaigns import Campaign
from outsim.scenario.model import Scenario
from outsim.studies.estimating import Values
from outsim.studies.stop_times import read_stops, usual_stops, written
from outsim.studies.study import Study
from outsim.studies.study_result import StudyResult
from outsim.studies.variants import campaign_of, with_campaign
from outsim.text import brief_document

if TYPE_CHECKING:
    import pandas as pd

SHARES = (0.5, 0.9)
"""Shares of the dials of which it is said until when a stop saves them."""


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


@dataclass(frozen=True, eq=False)
class StopRace:
    """Stops of one campaign at several times after its start."""

    findings: StudyResult
    """Figures of a scenario for each stop; in the first one nobody stops the campaign."""

    @property
    def campaign(self) -> Campaign:
        """The campaign, never stopped."""
        campaign = self.findings.scenarios[0].campaign_under_study
        assert campaign is not None
        return campaign

    @cached_property
    def _places(self) -> dict[int, int]:
        """By microseconds from the start to the stop, its place among the scenarios."""
        found = {}
        for place, scenario in enumerate(self.findings.scenarios):
            campaign = scenario.campaign_under_study
            if campaign is not None and campaign.stop_at is not None:
                found[_elapsed_us(scenario, campaign)] = place
        return dict(sorted(found.items()))

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
        """Dials, retries included, that a stop keeps from being made.

        In each replication, those of the run in which nobody ever stops the campaign, less those
        of the run with the stop.
        """
        return self.findings.estimate_of(
            lambda values: self._less(values, after_us), support=COUNT
        )

    def calls_never_dialled(self, after_us: int) -> Estimate:
        """Calls that a stop keeps from being dialled at all: dialled if nobody stops."""
        return self.findings.estimate_of(
            lambda values: self._less(values, after_us, "calls_dialled"), support=COUNT
        )

    def saved_share(self, after_us: int) -> Estimate:
        """Dials saved, as a share of those that are made if nobody stops."""
        return self.findings.estimate_of(
            lambda values: self._saved_share(values, after_us), support=SAVED
        )

    def dialled_before_effect(self, after_us: int) -> Estimate:
        """Dials, retries included, from the request to stop to its effect."""
        return self.findings.mean(self._place(after_us), "dispatched_before_stop_effect")

    def dialled_after_effect(self, after_us: int) -> Estimate:
        """Dials, retries included, from the effect of the stop on: what it did not reach."""
        return self.findings.mean(self._place(after_us), "dispatched_after_stop_effect")

    def dialled_after(self, after_us: int) -> Estimate:
        """Dials, retries included, from the request to stop on."""
        place = self._place(after_us)
        return self.findings.estimate_of(
            lambda values: (
                values(place, "dispatched_before_stop_effect")
                + values(place, "dispatched_after_stop_effect")
            ),
            support=COUNT,
        )

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
            after_s=replace(read_off.widened(distance_s / 2, NOT_NEGATIVE), missing=0),
            between_us=(self.after_us[steps[0]], self.after_us[steps[-1]]) if steps else (0, 0),
            always=int(np.count_nonzero(lasts == len(at_s) - 1)),
            never=int(np.count_nonzero(lasts < 0)),
        )

    def _lasts(self, values: Values, share: float) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Shares saved, shape (stops, replications), and the last stop that saves enough.

        By replication; -1 where none does.
        """
        saved = np.array([self._saved_share(values, each) for each in self.after_us])
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
        ``NAME_high``: ``dialled_before_effect``, ``dialled_after_effect``, ``dialled_after``,
        ``calls_never_dialled``, ``dials_saved`` (counts) and ``saved_share`` (of the dials that
        are made if nobody stops, 0 to 1).
        """
        import pandas as pd

        rows = []
        for each in self.after_us:
            row = {"after_s": each / SECOND}
            for name, found in self._estimates(each).items():
                row |= {name: found.mean, f"{name}_low": found.low, f"{name}_high": found.high}
            rows.append(row)
        return pd.DataFrame(rows).set_index("after_s")

    def _estimates(self, after_us: int) -> dict[str, Estimate]:
        return {
            "dialled_before_effect": self.dialled_before_effect(after_us),
            "dialled_after_effect": self.dialled_after_effect(after_us),
            "dialled_after": self.dialled_after(after_us),
            "calls_never_dialled": self.calls_never_dialled(after_us),
            "dials_saved": self.dials_saved(after_us),
            "saved_share": self.saved_share(after_us),
        }

    @property
    def missing_intervals(self) -> str:
        """What so few runs can know of figures without an interval; empty where all have one."""
        return explain_missing(
            found
            for each in self.after_us
            for found in self._estimates(each).values()
            if not found.is_zero
        )

    COLUMNS = (
        "stop after",
        "dials before effect",
        "dials after effect",
        "calls never dialled",
        "dials saved",
        "of all dials",
    )
    """Headers of `rows`."""

    def rows(self) -> list[list[str]]:
        """What each stop does, as people write it."""
        found = []
        for each in self.after_us:
            row = [written(each)]
            for name, value in self._estimates(each).items():
                if name != "dialled_after":
                    kind = "share" if name == "saved_share" else "number"
                    row.append(format_estimate(kind, value, self.campaign.start))
            found.append(row)
        return found

    @brief_document
    def to_json(self) -> dict[str, Any]:
        """The answer for machines: what each stop does, and until when it helps."""
        from outsim.questions.timing_texts import why_after

        campaign, table = self.campaign, self.table().reset_index().astype(object)
        return {
            "campaign": f"{campaign.tenant}/{campaign.name}",
            "start": campaign.start.isoformat(),
            "stop_latency_s": self.effect_us / SECOND,
            "stop_reaches": campaign.stop_reaches,
            "stop_cancels_retries": campaign.stop_cancels_retries,
            "why": why_after(self),
            "stops": table.where(table.notna(), None).to_dict(orient="records"),
            "last_moment": [
                {
                    "share": share,
                    "after_s": finite_or_none(found.after_s.mean),
                    "low": finite_or_none(found.after_s.low),
                    "high": finite_or_none(found.after_s.high),
                    "between": [each / SECOND for each in found.between_us],
                    "replications": found.after_s.count,
                    "always": found.always,
                    "never": found.never,
                }
                for share, found in self.last_moments.items()
            ],
            "findings": self.findings.to_json(),
        }

    def __repr__(self) -> str:
        return (
            f"StopRace({self.campaign.name!r}; {len(self.after_us)} stops; "
            f"{self.findings.replications} replications, seed {self.findings.seed})"
        )

    def _repr_html_(self) -> str:
        from html import escape

        import pandas as pd

        from outsim.questions.timing_texts import why_after

        rows = pd.DataFrame(self.rows(), columns=list(self.COLUMNS))
        return f"<p>{escape(why_after(self))}</p>{table_html(rows, index=False)}"


def _elapsed_us(scenario: Scenario, campaign: Campaign) -> int:
    assert campaign.stop_at is not None
    return scenario.instant_us(campaign.stop_at) - scenario.instant_us(campaign.start)


def stop_race(
    scenario: Scenario,
    campaign: str | None = None,
    *,
    after: Sequence[str] | None = None,
    **options: Any,
) -> Question[StopRace]:
    """Find out what a stop of a campaign does, depending on when it comes.

    Each replication is run without a stop and with each of them; a stop of this campaign that
    the scenario has is left out. How a stop works is the scenario's: ``stop_latency``,
    ``stop_reaches``, ``stop_cancels_retries``.

    Parameters
    ----------
    scenario : Scenario
        What `outsim.load` gives.
    campaign : str, optional
        ``name`` or ``tenant/name``; default: the campaign under study.
    after : sequence of str, optional
        From the start of the campaign to the request to stop it, such as ``["0s", "30s"]``.
        Default: about fifteen, until a stop saves no more dials in the first replication.
    **options
        As for `Study`; figures are those of `outsim.results.stop_measures.STOP_MEASURES`.

    Returns
    -------
    Question of StopRace
        To be awaited, or `run` in a script.

    Raises
    ------
    StudyError
        If there is no such campaign, or it can't be stopped then.

    Examples
    --------
    >>> race = await outsim.stop_race(scenario, after=["0s", "5s", "1 min"])  # doctest: +SKIP
    >>> race.last_moment(0.5).after_s  # doctest: +SKIP
    """
    chosen = campaign_of(scenario, campaign)
    never = with_campaign(scenario, chosen, f"{scenario.name}, never stopped", {"stop_at": None})
    stops = usual_stops(never, options.get("seed")) if after is None else read_stops(after)
    latest_us = scenario.instant_us(scenario.clock.latest_end)
    if scenario.instant_us(chosen.start) + stops[-1] >= latest_us:
        raise StudyError(
            f"stop {format_duration(stops[-1])} after the start: the run is over by then, at "
            f"{scenario.clock.latest_end:%Y-%m-%d %H:%M} at the latest"
        )
    stopped = [
        with_campaign(
            scenario,
            chosen,
            f"{scenario.name}, stopped after {written(each)}",
            {"stop_at": later(chosen.start, each)},
        )
        for each in stops
    ]
    return Question(Study([never, *stopped], measures=STOP_MEASURES, **options), StopRace)
