"""Start times of one campaign, paired; the answer to when calls should be scheduled.

Every start gets the same tape, so others' calls and everybody's answers are the same whenever
the campaign starts; and every run goes on until the campaign is over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from itertools import combinations
from operator import add
from typing import TYPE_CHECKING, Any, Unpack

from outsim.display import (
    explain_missing,
    format_estimate,
    format_estimates,
    format_matters,
    in_runs,
)
from outsim.document import Answer, Document, Picture, Table
from outsim.errors import StudyError, unknown_name
from outsim.estimates import LEVEL, Estimate
from outsim.questions.question import StudyOptions, StudyQuestion, asks
from outsim.results.measures import MEASURES, Measure, measure_named
from outsim.scenario.campaigns import Campaign
from outsim.scenario.model import Scenario
from outsim.studies.comparable import campaign_of
from outsim.studies.foot import with_foot
from outsim.studies.matters import read_matters
from outsim.studies.study_result import START_TIME_MEASURES, StudyResult
from outsim.studies.variants import Variants, about_campaign, check_start, labels_of, starts_of
from outsim.text import plain

if TYPE_CHECKING:
    import pandas as pd

SCHEDULE_MEASURES: tuple[Measure, ...] = tuple(
    measure for measure in MEASURES if measure.name in (*START_TIME_MEASURES, "status_lag_p90_s")
)
"""Measures by which start times are compared."""

TITLE = "When should I schedule my calls?"

EVERY = "15min"
"""Time between two starts, if nothing is said."""


@dataclass(frozen=True)
class Ranking:
    """What is known of which start is best by one measure.

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
    """Whether runs were too short for this measure; then there is no best start, as those whose
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
    """Two starts that measures order differently, each of them clearly."""

    start: datetime
    """The earlier one."""
    by: tuple[Measure, ...]
    """Measures by which it is the better one."""
    other: datetime
    other_by: tuple[Measure, ...]
    """Measures by which the other one is."""


@dataclass(frozen=True, eq=False, repr=False)
class Schedule(Answer):
    """Start times of one campaign, compared over the same replications."""

    findings: StudyResult
    """Measures of a scenario for each start; the first is the one that others are held against."""

    @property
    def campaign(self) -> Campaign:
        """The campaign, as it is where it starts at `base`."""
        return campaign_of(self.findings.scenarios[0])

    @property
    def base(self) -> datetime:
        """Start that the others are held against: the scenario's own, or the earliest."""
        return self.campaign.start

    @cached_property
    def _places(self) -> dict[datetime, int]:
        """Place of each start among the scenarios, earliest first."""
        scenarios = enumerate(self.findings.scenarios)
        starts = {campaign_of(scenario).start: place for place, scenario in scenarios}
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
        """Mean of one measure of one start, with its 95 % interval."""
        return self.findings.mean(self._place(start), name)

    def difference(self, start: datetime, name: str) -> Estimate:
        """Paired difference of a start from `base`, see `Findings.difference`."""
        return self.findings.difference(self._place(start), name)

    def _between(self, start: datetime, other: datetime, name: str) -> Estimate:
        level = 1 - (1 - LEVEL) / max(1, len(self.starts) - 1)
        mine, theirs = self._places[start], self._places[other]
        values = (self.findings.values(place, name) for place in (mine, theirs))
        return self.findings.estimate_of(
            lambda of: of(mine, name) - of(theirs, name),
            level,
            self.findings.measure(name).support.between(*values),
        )

    def _matters(self, difference: Estimate, name: str) -> bool:
        """Whether a difference is clear and not too small to matter."""
        return difference.is_clear and abs(difference.mean) >= self.findings.matters_from(name)

    @cached_property
    def _preferred(self) -> dict[str, dict[tuple[datetime, datetime], datetime]]:
        """By measure and pair of starts, the one that is clearly better, and not too little so."""
        preferred: dict[str, dict[tuple[datetime, datetime], datetime]] = {}
        for measure in SCHEDULE_MEASURES:
            preferred[measure.name] = {}
            for pair in combinations(self.starts, 2):
                difference = self._between(*pair, measure.name)
                if self._matters(difference, measure.name):
                    first = difference.mean * measure.sign > 0
                    preferred[measure.name][pair] = pair[0] if first else pair[1]
        return preferred

    def ranking(self, name: str) -> Ranking:
        """Which starts may be the best by the measure of a name."""
        measure = measure_named(name, SCHEDULE_MEASURES)
        preferred = self._preferred[name]
        beaten = {at for pair, better in preferred.items() for at in pair if at != better}
        return Ranking(
            measure=measure,
            candidates=tuple(start for start in self.starts if start not in beaten),
            incomplete=any(self.mean(start, name).n_missing for start in self.starts),
            any_clear=bool(preferred),
        )

    def rankings(self) -> list[Ranking]:
        """The ranking by each measure."""
        return [self.ranking(measure.name) for measure in SCHEDULE_MEASURES]

    @property
    def conflicts(self) -> list[Conflict]:
        """Starts that measures order differently, so many that each two such measures are there.

        Of the starts that two measures order differently, they are those furthest apart.
        """
        pairs = set()
        for one, other in combinations(SCHEDULE_MEASURES, 2):
            ours, theirs = self._preferred[one.name], self._preferred[other.name]
            apart = [pair for pair in ours.keys() & theirs.keys() if ours[pair] != theirs[pair]]
            if apart:
                pairs.add(max(apart, key=lambda pair: (pair[1] - pair[0], pair[1])))
        return [*map(self._conflict, sorted(pairs))]

    def _conflict(self, pair: tuple[datetime, datetime]) -> Conflict:
        def by(better: datetime) -> tuple[Measure, ...]:
            preferred = self._preferred
            return tuple(m for m in SCHEDULE_MEASURES if preferred[m.name].get(pair) == better)

        start, other = pair
        return Conflict(start, by(start), other, by(other))

    def table(self) -> pd.DataFrame:
        """One row a start and measure.

        Columns ``start``, ``measure``, ``mean``, ``low``, ``high``, and ``difference``,
        ``difference_low``, ``difference_high`` from `base`; shares from 0 to 1, durations in
        seconds, ``finish_time_s`` in seconds since the run begins.
        """
        import pandas as pd

        rows = []
        for start in self.starts:
            for measure in SCHEDULE_MEASURES:
                mean = self.mean(start, measure.name)
                row = {"start": start, "measure": measure.name}
                row |= {"mean": mean.mean, "low": mean.low, "high": mean.high}
                rows.append(row | self.difference(start, measure.name).columns("difference"))
        return pd.DataFrame(rows)

    def document(self) -> Document:
        """The answer in words, with its tables and pictures."""
        campaign, findings = self.campaign, self.findings
        base = self.label(self.base)
        first, *rest = self.rankings()
        fewest, most = findings.attempts
        document = Document(
            id="schedule",
            title=TITLE,
            asked=(
                f"{campaign.name} ({campaign.tenant}) was started at "
                f"{', '.join(map(self.label, self.starts))}, on the same days: "
                f"{findings.replications} replications, seed {findings.seed}; {fewest:,} "
                f"to {most:,} attempts a run, each until the campaign is over."
            ),
            answer=self._best(first),
            more=[
                *(
                    f"{_capital(findings.label(ranking.measure))}: {self._candidates(ranking)}"
                    for ranking in rest
                ),
                *self._disagreement(),
                *self._same_for_all(),
            ],
            pictures=[self._picture(measure) for measure in SCHEDULE_MEASURES],
            tables=[
                self._table(
                    "By start time", self.starts, self.mean, lambda mean, _: in_runs(mean)
                ),
                self._table(
                    f"Paired differences from {base}; a star marks what is clear and matters",
                    [start for start in self.starts if start != self.base],
                    self.difference,
                    lambda difference, name: " *" * self._matters(difference, name),
                ),
            ],
            notes=[
                "A difference is clear if its interval leaves 0 out, all of a column at once. It "
                "matters from so much on: "
                + "; ".join(
                    f"{findings.label(measure)} "
                    + format_matters(measure.kind, findings.matters_from(measure.name))
                    for measure in SCHEDULE_MEASURES
                )
                + "."
            ],
        )
        missing = explain_missing(
            estimate
            for measure in SCHEDULE_MEASURES
            for start in self.starts
            for estimate in (self.mean(start, measure.name), self.difference(start, measure.name))
            if not estimate.is_zero
        )
        return with_foot(document, findings, missing)

    def _best(self, ranking: Ranking) -> str:
        """Which start is best by the first measure, and how good it is."""
        measure = ranking.measure
        label = self.findings.label(measure)
        first, last = self.label(self.starts[0]), self.label(self.starts[-1])
        tried = f"{len(self.starts)} starts from {first} to {last}"
        if ranking.best is None:
            return f"Of {tried}, by calls {label}: {self._candidates(ranking)}"
        text = format_estimate(measure.kind, self.mean(ranking.best, measure.name), self.base)
        at = self.label(ranking.best)
        edge = {first: ", and the earliest", last: ", and the latest"}.get(at, "")
        return f"Start at {at}, the best{edge} of {tried}: {text} of the calls are {label}."

    def _candidates(self, ranking: Ranking) -> str:
        """Which starts may be the best by a measure, as far as that is clear."""
        labels = [self.label(start) for start in ranking.candidates]
        if ranking.incomplete:
            return "no best start is named, since not every run has a value."
        if ranking.best is not None:
            return f"{labels[0]} is best."
        if not ranking.any_clear:
            return "no difference between any two starts that is clear and matters."
        others = ", ".join(labels[:-1])
        return (
            f"the best is one of {others} and {labels[-1]}; between these no difference is clear "
            "and matters."
        )

    def _disagreement(self) -> Iterator[str]:
        """Where measures order the starts differently."""
        label = self.findings.label
        if not self.conflicts:
            yield "No two measures clearly order any starts differently."
            return
        yield (
            "The measures order the starts differently. Which one counts depends on whether you "
            "promise a clock time, a duration or a result."
        )
        for conflict in self.conflicts:
            start, other = self.label(conflict.start), self.label(conflict.other)
            by = ", ".join(map(label, conflict.by))
            other_by = ", ".join(map(label, conflict.other_by))
            yield f"{start} is better than {other} by: {by}; {other} by: {other_by}."

    def _same_for_all(self) -> Iterator[str]:
        """What keeps its clock time wherever the campaign starts, and how much others call."""
        campaign, window = self.campaign, self.campaign.window
        fixed = [
            f"{what} {moment:%H:%M:%S}"
            for what, moment in (
                ("handed in at", campaign.submitted_at),
                ("stopped at", campaign.stop_at),
                ("expires at", campaign.expires_at),
            )
            if moment is not None
        ]
        if window is not None:
            fixed.append(f"dialed from {window.opens:%H:%M} to {window.closes:%H:%M}")
        if fixed:
            yield f"At every start: {', '.join(fixed)}."
        if any(scenario.background for scenario in self.findings.scenarios):
            share = format_estimate("share", self.findings.background_share)
            yield f"Background tenants make {share} of all attempts."

    def _table(
        self,
        caption: str,
        starts: Sequence[datetime],
        estimate: Callable[[datetime, str], Estimate],
        mark: Callable[[Estimate, str], str],
    ) -> Table:
        """One row a start, one column a measure; means have a clock time, differences a sign."""
        is_mean = estimate == self.mean
        begins = self.findings.scenarios[0].clock.begins if is_mean else None
        columns = {"start": [*map(self.label, starts)]}
        for measure in SCHEDULE_MEASURES:
            values = [estimate(start, measure.name) for start in starts]
            texts = format_estimates(measure.kind, values, begins, signed=not is_mean)
            marks = (mark(value, measure.name) for value in values)
            columns[self.findings.label(measure)] = [*map(add, texts, marks)]
        return Table.of_columns(caption, columns)

    def _picture(self, measure: Measure) -> Picture:
        label, begins = self.findings.label(measure), self.findings.scenarios[0].clock.begins
        values = "; ".join(
            f"{self.label(start)}: "
            + format_estimate(measure.kind, self.mean(start, measure.name), begins)
            for start in self.starts
        )
        return Picture(
            "start_sweep",
            self,
            alt=f"Marks with intervals, one for each start time. {label}: {values}.",
            caption=f"{_capital(label)}, by start time",
            options={"measure": measure.name},
        )

    def to_dict(self) -> dict[str, Any]:
        """The answer for machines: the findings, and what they say about each start."""
        label = self.findings.label
        return plain(
            {
                "campaign": self.campaign.full_name,
                "starts": [start.isoformat() for start in self.starts],
                "scenario_of_start": list(self._places.values()),
                "base": self.base.isoformat(),
                "best": {
                    ranking.measure.name: {
                        "label": label(ranking.measure),
                        "best": None if ranking.best is None else ranking.best.isoformat(),
                        "candidates": [start.isoformat() for start in ranking.candidates],
                    }
                    for ranking in self.rankings()
                },
                "conflicts": [
                    {
                        "starts": [conflict.start.isoformat(), conflict.other.isoformat()],
                        "better_by": [
                            [measure.name for measure in conflict.by],
                            [measure.name for measure in conflict.other_by],
                        ],
                    }
                    for conflict in self.conflicts
                ],
                "findings": self.findings.to_dict(),
            }
        )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


@asks(StudyOptions)
def schedule(
    scenario: Scenario,
    campaign: str | Campaign | None = None,
    *,
    every: str = EVERY,
    between: tuple[str | datetime, str | datetime] | None = None,
    matters: Mapping[str, str | float] | None = None,
    **options: Unpack[StudyOptions],
) -> StudyQuestion[Schedule]:
    """Compare start times of a campaign by `SCHEDULE_MEASURES`.

    The campaign's stop, expiry, window and time of submission keep their clock times where the
    scenario gives them; a campaign without a time of submission is handed in as it starts.

    Parameters
    ----------
    every : str
        Time between two starts, such as ``"5min"``.
    between : (first, last), optional
        First and latest start, as local clock times or aware datetimes; both are among the
        starts, if the steps meet the last one. Default: the full hour in which the scenario
        has the start, to the next full hour.
    matters : mapping of str to str or float, optional
        Least difference that counts, by measure, as for `outsim.compare`.

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
    variants = Variants(
        scenario,
        {
            f"{scenario.name}, start {labels[at]}": about_campaign(chosen, start=at)
            for at in (base, *(at for at in starts if at != base))
        },
    )
    run = variants.stream(measures=SCHEDULE_MEASURES, **options)
    least = read_matters(matters, SCHEDULE_MEASURES)
    return StudyQuestion(
        "schedule", run, lambda findings: Schedule(replace(findings, matters=least))
    )
