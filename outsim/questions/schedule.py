"""Start times of one campaign, paired; the answer to when calls should be scheduled.

Every start gets the same tape, so others' calls and everybody's answers are the same whenever
the campaign starts; and every run goes on until the campaign is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Any

from outsim.display import explain_missing, format_estimate, table_html, unit_of
from outsim.errors import StudyError, unknown_name
from outsim.estimates import LEVEL, Estimate
from outsim.questions.question import Question, StudyQuestion
from outsim.results.measures import MEASURES, Measure, measure_named
from outsim.scenario.campaigns import Campaign
from outsim.scenario.model import Scenario
from outsim.studies.start_times import check_start, labels_of, starts_of
from outsim.studies.study import Study
from outsim.studies.study_result import START_TIME_MEASURES, StudyResult
from outsim.studies.variants import campaign_of, with_campaign
from outsim.text import brief_document

if TYPE_CHECKING:
    import pandas as pd

FIGURES: tuple[Measure, ...] = tuple(
    each for each in MEASURES if each.name in (*START_TIME_MEASURES, "status_lag_p90_s")
)
"""Figures by which start times are compared."""

EVERY = "15min"
"""Time between two starts, if nothing is said."""


@dataclass(frozen=True)
class Ranking:
    """What is known of which start is best by one figure.

    `candidates` are the starts that no other one is clearly better than; the best start is one
    of them with a confidence of 95 %, and if there is one only, it is `best`. Each start is
    held against all others by paired differences whose intervals hold together with that
    confidence (Bonferroni). That errors in favour of none but the true best need be bounded, and
    so as many intervals as there are other starts, is the argument of multiple comparisons
    with the best (Hsu, Annals of Statistics 12, 1984; for common random numbers Nelson and
    Matejcik, Management Science 41, 1995).
    """

    measure: Measure
    candidates: tuple[datetime, ...]
    incomplete: bool
    """Whether runs were too short for this figure; then there is no best start, as those whose
    campaigns were not over in time would be judged by the runs that went well."""
    any_clear: bool
    """Whether any start is clearly better than any other, by a difference that matters."""

    @property
    def best(self) -> datetime | None:
        """Start that is clearly better than every other one; None if there is no such."""
        alone = len(self.candidates) == 1 and not self.incomplete
        return self.candidates[0] if alone else None


@dataclass(frozen=True)
class Conflict:
    """Two starts that figures order differently, each of them clearly."""

    start: datetime
    """The earlier one."""
    by: tuple[Measure, ...]
    """Figures by which it is the better one."""
    other: datetime
    other_by: tuple[Measure, ...]
    """Figures by which the other one is."""


@dataclass(frozen=True, eq=False)
class Schedule:
    """Start times of one campaign, compared over the same replications."""

    findings: StudyResult
    """Figures of a scenario for each start; the first is the one that others are held against."""

    @property
    def campaign(self) -> Campaign:
        """The campaign, as it is where it starts at `base`."""
        campaign = self.findings.scenarios[0].campaign_under_study
        assert campaign is not None
        return campaign

    @property
    def base(self) -> datetime:
        """Start that the others are held against: the scenario's own, or the earliest."""
        return self.campaign.start

    @cached_property
    def _places(self) -> dict[datetime, int]:
        """Place of each start among the scenarios, earliest first."""
        starts = {
            each.campaign_under_study.start: place
            for place, each in enumerate(self.findings.scenarios)
            if each.campaign_under_study is not None
        }
        return dict(sorted(starts.items(), key=lambda item: item[0].timestamp()))

    @property
    def starts(self) -> tuple[datetime, ...]:
        """Start times, earliest first."""
        return tuple(self._places)

    def label(self, start: datetime) -> str:
        """Clock time of a start, with what is needed to tell it from the others."""
        self._place(start)
        return labels_of(self.starts)[self.starts.index(start)]

    def _place(self, start: datetime) -> int:
        if start not in self._places:
            raise StudyError(unknown_name("start", str(start), self.starts))
        return self._places[start]

    def mean(self, start: datetime, name: str) -> Estimate:
        """Mean of one figure of one start, with its 95 % interval."""
        return self.findings.mean(self._place(start), name)

    def difference(self, start: datetime, name: str) -> Estimate:
        """Paired difference of a start from `base`, see `Findings.difference`."""
        return self.findings.difference(self._place(start), name)

    def _between(self, start: datetime, other: datetime, name: str) -> Estimate:
        level = 1 - (1 - LEVEL) / max(1, len(self.starts) - 1)
        mine, theirs = self._places[start], self._places[other]
        figures = (self.findings.values(place, name) for place in (mine, theirs))
        return self.findings.estimate_of(
            lambda values: values(mine, name) - values(theirs, name),
            level,
            self.findings.measure(name).support.between(*figures),
        )

    def _matters(self, difference: Estimate, name: str) -> bool:
        """Whether a difference is clear and not too small to matter."""
        return difference.is_clear and abs(difference.mean) >= self.findings.matters_from(name)

    @cached_property
    def _preferred(self) -> dict[str, dict[tuple[datetime, datetime], datetime]]:
        """By figure and pair of starts, the one that is clearly better, and not too little so."""
        found: dict[str, dict[tuple[datetime, datetime], datetime]] = {}
        for each in FIGURES:
            found[each.name] = {}
            for pair in combinations(self.starts, 2):
                difference = self._between(*pair, each.name)
                if self._matters(difference, each.name):
                    first = difference.mean * each.sign > 0
                    found[each.name][pair] = pair[0] if first else pair[1]
        return found

    def ranking(self, name: str) -> Ranking:
        """Which starts may be the best by a figure.

        Raises
        ------
        StudyError
            If it is none of `FIGURES`.
        """
        measure = measure_named(name, FIGURES)
        preferred = self._preferred[name]
        beaten = {at for pair, better in preferred.items() for at in pair if at != better}
        return Ranking(
            measure=measure,
            candidates=tuple(start for start in self.starts if start not in beaten),
            incomplete=any(self.mean(start, name).missing for start in self.starts),
            any_clear=bool(preferred),
        )

    def rankings(self) -> list[Ranking]:
        """The ranking by each figure."""
        return [self.ranking(each.name) for each in FIGURES]

    @property
    def conflicts(self) -> list[Conflict]:
        """Starts that figures order differently, so many that each two such figures are there.

        Of the starts that two figures order differently, they are those furthest apart.
        """
        pairs = set()
        for one, other in combinations(FIGURES, 2):
            ours, theirs = self._preferred[one.name], self._preferred[other.name]
            apart = [pair for pair in ours.keys() & theirs.keys() if ours[pair] != theirs[pair]]
            if apart:
                pairs.add(max(apart, key=lambda each: (each[1] - each[0], each[1])))
        return [self._conflict(*pair) for pair in sorted(pairs)]

    def _conflict(self, start: datetime, other: datetime) -> Conflict:
        def by(better: datetime) -> tuple[Measure, ...]:
            preferred = [self._preferred[each.name].get((start, other)) for each in FIGURES]
            return tuple(each for each, at in zip(FIGURES, preferred, strict=True) if at == better)

        return Conflict(start, by(start), other, by(other))

    def table(self) -> pd.DataFrame:
        """One row a start and figure.

        Columns ``start``, ``measure``, ``mean``, ``low``, ``high``, and ``difference``,
        ``difference_low``, ``difference_high`` from `base`; shares from 0 to 1, durations in
        seconds, ``finish_time_s`` in seconds since the run begins.
        """
        import pandas as pd

        rows = []
        for start in self.starts:
            for each in FIGURES:
                mean, difference = (of(start, each.name) for of in (self.mean, self.difference))
                row = {"start": start, "measure": each.name}
                row |= {"mean": mean.mean, "low": mean.low, "high": mean.high}
                row |= {"difference": difference.mean, "difference_low": difference.low}
                rows.append(row | {"difference_high": difference.high})
        return pd.DataFrame(rows)

    @property
    def columns(self) -> list[str]:
        """Headers of `rows` and `difference_rows`."""
        return ["start", *map(self.findings.label, FIGURES)]

    def rows(self) -> list[list[str]]:
        """The figures of each start as people write them."""
        begins = self.findings.scenarios[0].clock.begins
        found = []
        units = {
            each.name: unit_of(each.kind, [self.mean(start, each.name) for start in self.starts])
            for each in FIGURES
        }
        for start in self.starts:
            row = [self.label(start)]
            for each in FIGURES:
                mean = self.mean(start, each.name)
                over = f" ({mean.count} of {mean.count + mean.missing})" if mean.missing else ""
                unit = units[each.name]
                row.append(format_estimate(each.kind, mean, begins, unit=unit) + over)
            found.append(row)
        return found

    def difference_rows(self) -> list[list[str]]:
        """The differences of each other start from `base`.

        Those that are clear, and not too small to matter, have a star.
        """
        found = []
        units = {
            each.name: unit_of(
                each.kind,
                [self.difference(start, each.name) for start in self.starts],
                signed=True,
            )
            for each in FIGURES
        }
        for start in self.starts:
            if start == self.base:
                continue
            row = [self.label(start)]
            for each in FIGURES:
                difference = self.difference(start, each.name)
                text = format_estimate(
                    each.kind, difference, self.base, signed=True, unit=units[each.name]
                )
                row.append(text + " *" if self._matters(difference, each.name) else text)
            found.append(row)
        return found

    @property
    def missing_intervals(self) -> str:
        """What so few runs can know of figures without an interval; empty where all have one."""
        return explain_missing(
            found
            for each in FIGURES
            for start in self.starts
            for found in (self.mean(start, each.name), self.difference(start, each.name))
            if not found.is_zero
        )

    @brief_document
    def to_json(self) -> dict[str, Any]:
        """The answer for machines: the findings, and what they say about each start."""
        label = self.findings.label
        return {
            "campaign": f"{self.campaign.tenant}/{self.campaign.name}",
            "starts": [start.isoformat() for start in self.starts],
            "scenario_of_start": list(self._places.values()),
            "base": self.base.isoformat(),
            "best": {
                each.measure.name: {
                    "label": label(each.measure),
                    "best": None if each.best is None else each.best.isoformat(),
                    "candidates": [start.isoformat() for start in each.candidates],
                }
                for each in self.rankings()
            },
            "conflicts": [
                {
                    "starts": [each.start.isoformat(), each.other.isoformat()],
                    "better_by": [[m.name for m in each.by], [m.name for m in each.other_by]],
                }
                for each in self.conflicts
            ],
            "findings": self.findings.to_json(),
        }

    def __repr__(self) -> str:
        first, last = self.label(self.starts[0]), self.label(self.starts[-1])
        return (
            f"Schedule({self.campaign.name!r}; {len(self.starts)} starts, {first} to {last}; "
            f"{self.findings.replications} replications, seed {self.findings.seed})"
        )

    def _repr_html_(self) -> str:
        import pandas as pd

        return table_html(pd.DataFrame(self.rows(), columns=self.columns), index=False)


def schedule(
    scenario: Scenario,
    campaign: str | None = None,
    *,
    every: str = EVERY,
    between: tuple[str | datetime, str | datetime] | None = None,
    **options: Any,
) -> Question[Schedule]:
    """Compare start times of a campaign.

    The campaign's stop, expiry, window and time of submission keep their clock times where the
    scenario gives them; a campaign without a time of submission is handed in as it starts.

    Parameters
    ----------
    scenario : Scenario
        What `outsim.load` gives.
    campaign : str, optional
        ``name`` or ``tenant/name``; default: the campaign under study.
    every : str
        Time between two starts, such as ``"5min"``.
    between : (first, last), optional
        First and latest start, as local clock times or aware datetimes; both are among the
        starts, if the steps meet the last one. Default: the full hour in which the scenario
        has the start, to the next full hour.
    **options
        As for `Study`; figures are those of `FIGURES`.

    Returns
    -------
    Question of Schedule
        To be awaited, or `run` in a script.

    Raises
    ------
    StudyError
        If there is no such campaign, or it can't start then; the message says why.

    Examples
    --------
    >>> answer = await outsim.schedule(scenario, between=("09:00", "10:00"))  # doctest: +SKIP
    >>> answer.ranking("completed_share").best  # doctest: +SKIP
    """
    chosen = campaign_of(scenario, campaign)
    starts = starts_of(scenario, chosen, every, between)
    for start in starts:
        check_start(scenario, chosen, start)
    base = chosen.start if chosen.start in starts else starts[0]
    labels = dict(zip(starts, labels_of(starts), strict=True))
    scenarios = [
        with_campaign(scenario, chosen, f"{scenario.name}, start {labels[at]}", {"start": at})
        for at in (base, *(at for at in starts if at != base))
    ]
    return StudyQuestion("schedule", Study(scenarios, measures=FIGURES, **options), Schedule)
