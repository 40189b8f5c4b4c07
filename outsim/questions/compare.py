"""Two or more scenarios, paired."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Unpack

from outsim.display import UNKNOWN, format_estimate, format_figure, format_matters, percent
from outsim.document import Answer, Document, Picture, Table
from outsim.errors import StudyError
from outsim.estimates import LEVEL, Estimate
from outsim.questions.everybody import Everybody, Gains
from outsim.questions.question import StudyOptions, StudyQuestion, asks
from outsim.questions.reasons import reasons
from outsim.results.measures import MEASURES, Measure
from outsim.results.tables.waiting import WAITING_MEASURES
from outsim.scenario.campaigns import Campaign, CampaignNames
from outsim.scenario.model import Scenario
from outsim.studies.comparable import asked_about, campaign_of, compared
from outsim.studies.default_replications import COMPARE, check_replications
from outsim.studies.foot import with_foot
from outsim.studies.matters import read_matters
from outsim.studies.study import run_of
from outsim.studies.study_result import StudyResult
from outsim.studies.variance_reduction import in_words
from outsim.text import plain

DRAWN = ("completed_by_deadline", "finish_time_s", "wait_p90_s", "status_lag_p90_s")
"""Measures that have a picture."""
COMPARED = (*MEASURES, *WAITING_MEASURES)
"""Measures that a comparison takes of each run: those it shows, and those that say why."""
_REASONS = {measure.name for measure in WAITING_MEASURES}
PROMISED = ("wait_p50_s", "finish_time_s", "completed_by_deadline")
"""A duration, a clock time and a result: what is shown while there is no verdict yet."""


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Answer):
    """What two or more scenarios come to, each against the first one."""

    findings: StudyResult
    """Of all scenarios, over the same replications."""
    verbose: bool = False
    """Whether its document also says what pairing the replications saved."""
    why: Sequence[str] = ()
    """Why the second scenario differs, from `reasons`; empty where there are more than two."""
    planned: int = 0
    """Replications that will be there; before, nothing is called better or worse.

    A verdict at each of many looks would be wrong at one of them far more often than it says.
    """
    gains: Gains | None = None
    """Who gains and who loses, if that is asked about others than the campaign under study."""

    @classmethod
    def of(
        cls,
        findings: StudyResult,
        *,
        verbose: bool = False,
        planned: int = 0,
        whose: Everybody | None = None,
    ) -> Comparison:
        """What findings come to, `verbose` or not, of so many replications that are `planned`.

        Of two scenarios measured by `COMPARED` it is also said why they differ; of those in
        `whose`, by default all that were measured, who gains.
        """
        says_why = len(findings.scenarios) == 2 and set(findings.data.columns) >= _REASONS
        shown = tuple(measure for measure in findings.measures if measure.name not in _REASONS)
        why = reasons(findings) if says_why else []
        gains = None
        whose = Everybody.measured(findings) if whose is None else whose
        if whose.subjects:
            gains = Gains(replace(findings, measures=shown), whose)
            shown = tuple(measure for measure in shown if measure.of is None)
        return cls(replace(findings, measures=shown), verbose, why, planned, gains)

    @property
    def is_early(self) -> bool:
        """Whether more replications are to come before there is a verdict."""
        return self.findings.replications < self.planned

    def document(self) -> Document:
        """The answer in words, with its table and pictures."""
        findings = self.findings
        places = range(1, len(findings.scenarios))
        text = findings.text_table()
        notes = ["Differences are paired."]
        if len(places) > 1:
            notes.append(
                f"The {len(places)} differences of one measure hold together with 95 %: each "
                "interval is the wider for it (Bonferroni)."
            )
        tables = [Table("Measures of each scenario", [*text.columns], text.to_numpy().tolist())]
        if self.verbose:
            tables.append(self._by_day())
            notes += [text for place in places for text in self._pairing(place)]
        document = Document(
            id="compare",
            title="Which scenario does better?",
            asked=self._asked(),
            answer=" ".join([*map(self._against_first, places), *findings.unlike_texts]),
            why=self.why,
            more=[text for place in places for text in self._in_full(place)],
            tables=tables,
            pictures=[
                self._picture(measure) for measure in findings.measures if measure.name in DRAWN
            ],
            notes=notes,
        )
        if self.gains is not None:
            answer = "" if self.is_early else with_level(self.gains.answer)
            document, findings = self.gains.extend(document, answer), self.gains.findings
        return with_foot(document, findings, findings.missing_intervals)

    def _by_day(self) -> Table:
        """What each measure is on one day, beside its mean over days."""
        findings, rows = self.findings, []
        begins = findings.scenarios[0].clock.begins
        for measure in findings.measures:
            cells = []
            for place in range(len(findings.scenarios)):
                band = findings.band(place, measure.name)
                ends = (format_figure(measure.kind, end, begins) for end in (band.low, band.high))
                cells.append(" to ".join(ends) if band.runs else UNKNOWN)
            if {*cells} != {UNKNOWN}:
                rows.append([findings.label(measure), *cells])
        return Table("One day: p5 to p95 of days", ["", *findings.labels], rows)

    def _asked(self) -> str:
        """What was compared, and how often."""
        findings = self.findings
        first, (fewest, most) = findings.scenarios[0], findings.attempts
        study = campaign_of(first)
        texts = [
            f"{compared(findings.labels)}: {findings.replications:,} paired replications, "
            f"seed {findings.seed}",
            f"{fewest:,} to {most:,} attempts a run",
        ]
        if "campaign" not in findings.unlike:
            texts.append(f"campaign under study: {study.name}")
        if any(scenario.background for scenario in findings.scenarios):
            share = format_estimate("share", findings.background_share, study.start)
            texts.append(f"background tenants make {share} of all attempts")
        return "; ".join(texts)

    def _against_first(self, place: int) -> str:
        """What is clear about a scenario, by the first measure in which it is better or worse."""
        if self.is_early:
            return self._so_far(place)
        if nothing := self._nothing_clear(place):
            return nothing
        findings, sides = self.findings, []
        name, base = findings.labels[place], findings.labels[0]
        for verdict in ("better", "worse"):
            if changes := self._changes(place, verdict):
                others = f", and {len(changes) - 1} more" if len(changes) > 1 else ""
                sides.append(f"{verdict}: {self._difference(*changes[0])}{others}")
        if not sides:
            is_different = any(True for _ in findings.changes(place))
            sides = ["clearly different, and neither better nor worse"]
            if not is_different:
                sides = ["different by too little to matter"]
        return f"{name}, compared with {base}, is {with_level('; '.join(sides))}."

    def _so_far(self, place: int) -> str:
        """How a scenario differs from the first one by now, without a verdict."""
        findings, texts = self.findings, []
        for measure in filter(lambda measure: measure.name in PROMISED, findings.measures):
            difference = findings.difference(place, measure.name)
            if difference.count:
                texts.append(self._difference(measure, difference))
        found = f"; so far: {with_level(', '.join(texts))}" if texts else ""
        return (
            f"{compared((findings.labels[0], findings.labels[place]))}: too few replications for "
            f"a verdict yet, {findings.replications} of {self.planned}{found}."
        )

    def _in_full(self, place: int) -> Iterator[str]:
        """All measures in which a scenario is better, worse, or different by too little."""
        if self.is_early or self._nothing_clear(place):
            return
        findings, name = self.findings, self.findings.labels[place]
        for verdict in ("better", "worse"):
            changes = self._changes(place, verdict)
            texts = [self._difference(*change, "matters from {} on") for change in changes]
            if texts:
                yield f"{name} is {verdict}: {'; '.join(texts)}."
        texts = [
            self._difference(*change, "less than {}") for change in findings.small_changes(place)
        ]
        if texts:
            yield f"{name} differs by too little to matter: {'; '.join(texts)}."
        if findings.conflicts(place):
            yield (
                "The measures disagree: which one counts depends on whether you promise a clock "
                "time, a duration or a result."
            )

    def _changes(self, place: int, verdict: str) -> list[tuple[Measure, Estimate]]:
        return [
            (measure, difference)
            for measure, difference in self.findings.changes(place)
            if self.findings.verdict(place, measure.name) == verdict
        ]

    def _difference(self, measure: Measure, difference: Estimate, limit: str = "") -> str:
        """A difference of a measure; with the smallest one that matters, if that is asked for."""
        deadline = self.findings.scenarios[0].deadline
        unit = self.findings.units(measure)[1]
        text = format_estimate(measure.kind, difference, deadline, signed=True, unit=unit)
        if limit and difference.rare is None:
            least = format_matters(measure.kind, self.findings.matters_from(measure.name))
            text += f" ({limit.format(least)})"
        return f"{self.findings.label(measure)} {text}"

    def _nothing_clear(self, place: int) -> str:
        """Why nothing is said of a scenario against the first one; empty if something is."""
        findings = self.findings
        name, base = findings.labels[place], findings.labels[0]
        if not any(findings.difference(place, measure.name).count for measure in MEASURES):
            return f"{name}: there are no measures to compare with {base}: is anybody called?"
        differences = [findings.difference(place, measure.name) for measure in findings.measures]
        if all(difference.is_zero for difference in differences if difference.count):
            alone = [
                findings.label(measure)
                for measure, difference in zip(findings.measures, differences, strict=True)
                if not difference.count
                and any(findings.mean(k, measure.name).count for k in (0, place))
            ]
            if alone:
                return (
                    f"{name}: what it has in common with {base} does not differ in any "
                    f"replication; only one of them has: {', '.join(alone)}."
                )
            return f"{name}: no measure differs from {base} in any replication."
        if not any(
            True for changes in (findings.changes, findings.small_changes) for _ in changes(place)
        ):
            return f"{name}: no clear difference from {base}; more replications may show one."
        return ""

    def _pairing(self, place: int) -> Iterator[str]:
        """What pairing saved for the measures that clearly differ."""
        findings = self.findings
        savings = [
            (findings.label(measure), findings.saved_by_pairing(place, measure.name))
            for measure, _ in findings.changes(place)
        ]
        if savings:
            yield f"{findings.labels[place]}, pairing: {in_words(savings)}."

    def _picture(self, measure: Measure) -> Picture:
        findings = self.findings
        begins, label = findings.scenarios[0].clock.begins, findings.label(measure)
        values = "; ".join(
            f"{name}: {format_estimate(measure.kind, findings.mean(place, measure.name), begins)}"
            for place, name in enumerate(findings.labels)
        )
        return Picture(
            "compare",
            self,
            alt=f"Marks with intervals, one for each scenario. {label}: {values}.",
            caption=label,
            options={"measure": measure.name},
            rows=max(3, len(findings.labels)),
        )

    def to_dict(self) -> dict[str, Any]:
        """The comparison for machines: names, counts, estimates, and why."""
        document = self.findings.to_dict() | {"why": list(self.why)}
        if self.gains is not None:
            document["everybody"] = plain(self.gains.to_dict())
        return document


_INTERVAL = re.compile(r"( ± [\d,.]*\d| \([-+][\d,.]+ to [-+][\d,.]+\))( min| m?s| points)?")


def with_level(text: str) -> str:
    """Say of the first interval what confidence it has."""
    return _INTERVAL.sub(rf"\g<0> ({percent(LEVEL)} interval)", text, count=1)


@asks(StudyOptions, usual=COMPARE)
def compare(
    *scenarios: Scenario,
    campaign: CampaignNames | None = None,
    campaigns: Sequence[str | Campaign] = (),
    all_tenants: bool = False,
    deadline: str | Sequence[str] | None = None,
    across_zones: bool = False,
    antithetic: bool = False,
    stratified: bool = False,
    controls: bool = False,
    verbose: bool = False,
    matters: Mapping[str, str | float] | None = None,
    **options: Unpack[StudyOptions],
) -> StudyQuestion[Comparison]:
    """Compare scenarios over paired replications.

    Parameters
    ----------
    *scenarios : Scenario
        Two or more; the first is the baseline.
    campaign : str, Campaign or sequence of them, optional
        Campaign that is asked about, ``name``, ``tenant/name`` or the object: one in all
        scenarios, or one for each, to compare different campaigns. Default: the one under study,
        the same in all.
    campaigns : sequence of str or Campaign
        Campaigns that all scenarios have, of which it is said who gains and who loses.
    all_tenants : bool
        Whether that is said of every tenant, and of background tenants as a class, with how
        fairly ports are shared.
    deadline : str or sequence of str, optional
        Clock time by which completed calls are counted: one in all scenarios, or one for each.
        Default: what the scenarios say, the same in all.
    across_zones : bool
        Whether scenarios of different time zones are compared, each by its local time.
    antithetic, stratified, controls : bool
        Ways of saving variance, as for `Study`.
    verbose : bool
        Whether the answer also says what measures are on one day, p5 to p95 of days, and what
        pairing the replications saved.
    matters : mapping of str to str or float, optional
        Least difference that is called better or worse, by measure: ``{"wait": "1min",
        "completed": "0.5points"}``; see `outsim.studies.matters`. Default: the measures' own.

    Raises
    ------
    StudyError
        If there are too few scenarios or replications, or a scenario has no
        campaign to compare, or their campaigns under study, deadlines or time zones differ and
        that was not asked for.

    Examples
    --------
    >>> answer = await outsim.compare(scenario, other)  # doctest: +SKIP
    >>> answer.findings.difference(1, "wait_p90_s")  # doctest: +SKIP
    """
    if len(scenarios) < 2:
        raise StudyError(f"{len(scenarios)} scenario given: a comparison needs two or more")
    check_replications(options.get("replications"))
    whose = Everybody.of(scenarios, campaigns, all_tenants=all_tenants)
    alike, unlike = asked_about(scenarios, campaign, deadline, across_zones=across_zones)
    run = run_of(
        alike,
        measures=(*COMPARED, *whose.measures),
        unlike=unlike,
        antithetic=antithetic,
        stratified=stratified,
        controls=controls,
        **options,
    )
    least = read_matters(matters, (*COMPARED, *whose.measures))
    return StudyQuestion(
        "compare",
        run,
        lambda findings: Comparison.of(
            replace(findings, matters=least), verbose=verbose, planned=run.planned, whose=whose
        ),
    )
