"""Sweeps: a scenario, or two held against each other, over the ranges of some assumptions.

sweep = await outsim.sweep(scenario, vary=["platform.ports=100:400:4"])
sweep = await outsim.sweep(top_of_hour, quarter_past, assumptions=True)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from outsim.engine import Engine
from outsim.errors import StudyError
from outsim.progress import Progress, reporting
from outsim.questions.everybody import Everybody
from outsim.questions.question import Question, asks
from outsim.questions.sweep_answers import Sweep
from outsim.results.everybody import EVERYBODY
from outsim.results.measures import MEASURES, PORT_MEASURES, Measure
from outsim.scenario.campaigns import Campaign, CampaignNames
from outsim.scenario.factors import Assumed, Factor, assumed, check, read_factor
from outsim.scenario.model import Scenario
from outsim.studies.comparable import UNLIKE, asked_about, check_alike
from outsim.studies.crossover import DEFAULT_PROBES, Crossover, find_crossover
from outsim.studies.default_replications import SWEEP, check_replications
from outsim.studies.identity import check_collection, write_request
from outsim.studies.matters import matters_from, read_matters
from outsim.studies.promises import read_measure
from outsim.studies.sensitivity import make_design, usual_kind
from outsim.studies.study import Study
from outsim.studies.study_result import StudyResult
from outsim.studies.variants import Variants

Array = NDArray[np.float64]

USUAL_MEASURE = "completed_by_deadline"
"""Measure that a recommendation is about, if nothing is said."""


@dataclass
class _Work:
    """How the studies of a sweep are made."""

    scenarios: tuple[Scenario, ...]
    seed: int
    measure: Measure
    measures: tuple[Measure, ...]
    directory: Path | None
    report: Progress
    options: dict[str, Any] = field(default_factory=dict)
    done: int = 0
    total: int = 0

    async def run(self, scenarios: Sequence[Scenario], *where: str, **count: Any) -> StudyResult:
        """Run a study; what its directory holds already is not run again."""
        before = self.done

        def progress(done: int, total: int) -> None:
            self.done = before + done
            self.total = max(self.total, before + total)
            self.report(self.done, self.total)

        # The two scenarios were looked at, and what is varied is asked for.
        study = Study(scenarios, measures=self.measures, seed=self.seed, unlike=UNLIKE)
        directory = None if self.directory is None else self.directory.joinpath(*where)
        return await study.stream(**count, directory=directory, progress=progress, **self.options)

    async def differences(self, factor: Factor, position: float, replications: range) -> Array:
        """Paired differences of the two scenarios with one assumption changed."""
        changes = factor.changes(position)
        pair = [scenario.with_(changes, name=scenario.name) for scenario in self.scenarios]
        place = _directory(f"{factor.name}={factor.text(position)}")
        findings = await self.run(pair, "flips", place, replications=replications)
        name = self.measure.name
        return findings.values(1, name) - findings.values(0, name)


def _written(campaign: str | Campaign) -> str:
    """A campaign as it is written down."""
    return campaign.full_name if isinstance(campaign, Campaign) else campaign


def _directory(text: str) -> str:
    """Name of a directory for a value: readable, and no other value's."""
    plain = "".join(sign if sign.isalnum() or sign in "=._-" else "_" for sign in text)
    return plain if plain == text else f"{plain}-{sha256(text.encode()).hexdigest()[:8]}"


@asks(usual=SWEEP)
def sweep(
    scenario: Scenario,
    other: Scenario | None = None,
    *,
    vary: Sequence[str] = (),
    assumptions: bool = False,
    design: str | None = None,
    points: int | None = None,
    measure: str = USUAL_MEASURE,
    measures: bool = False,
    campaign: CampaignNames | None = None,
    campaigns: Sequence[str | Campaign] = (),
    all_tenants: bool = False,
    deadline: str | Sequence[str] | None = None,
    across_zones: bool = False,
    matters: Mapping[str, str | float] | None = None,
    replications: int | None = None,
    precision: Mapping[str, str | float] | None = None,
    timeout: str | None = None,
    seed: int | None = None,
    engine: Engine = "auto",
    executor: Executor | str | None = None,
    directory: str | Path | None = None,
    progress: Progress | Literal["bar"] | None = "bar",
) -> Question[Sweep]:
    """Run a scenario over ranges of assumptions, or ask which of them flips a recommendation.

    All points have the same replications, on the same tapes.

    Parameters
    ----------
    scenario, other : Scenario
        What is run; with `other`, it is held against `scenario`, and the assumptions are searched
        for values at which the difference changes its sign.
    vary : sequence of str
        Ranges, ``KEY=LOW:HIGH`` or ``KEY=LOW:HIGH:COUNT``, such as ``platform.ports=100:400:4``;
        or the values of one, numbers or words, ``KEY=A,B,C``.
    assumptions : bool
        Vary every default graded A that the scenarios rest on, too, within the range that comes
        with it.
    design : "grid", "lhs", "sobol" or "morris", optional
        See `outsim.studies.sensitivity.KINDS`. Default: for one scenario, a grid of one or two
        ranges, else "morris"; for two, none, so that only flips are looked for.
    points : int, optional
        Size of a design other than a grid.
    measure : str
        Measure that the recommendation, and the picture, is about; as in a promise it can say
        whose, such as ``p95 wait of deals``.
    measures : bool
        Whether all measures are shown at each point, those of all calls on the platform's ports
        and queue among them.
    campaign, campaigns, all_tenants, deadline, across_zones
        As for `outsim.compare`: what is asked about, and what may differ in two scenarios.
    matters : mapping of str to str or float, optional
        Least difference that counts, by measure, as for `outsim.compare`.
    replications : int, optional
        How many at each point; default: 8. A search for a flip takes more where it must.
    precision, timeout
        As for `Study`, instead of `replications`; of two scenarios as they stand, whose count the
        rest then has.

    Raises
    ------
    ScenarioError
        If a range can't be used.
    StudyError
        If the sweep can't be made as asked.
    """
    scenarios, unlike = asked_about(
        (scenario,) if other is None else (scenario, other),
        campaign,
        deadline,
        across_zones=across_zones,
    )
    check_alike(scenarios, MEASURES, unlike)
    about = read_measure(measure, "measure", scenarios[0])
    whose = Everybody.of(scenarios, campaigns, all_tenants=all_tenants)
    more = (*PORT_MEASURES, *(item.about(EVERYBODY) for item in PORT_MEASURES[:-1]))
    taken = tuple(dict.fromkeys((*MEASURES, about, *(more if measures else ()), *whose.measures)))
    least = read_matters(matters, taken)
    chosen = assumed(*scenarios) if assumptions else Assumed((), ())
    asked = tuple(read_factor(text, *scenarios) for text in vary)
    names = {factor.name for factor in asked}
    factors = asked + tuple(factor for factor in chosen.factors if factor.name not in names)
    check(factors, scenarios)
    seed = scenario.seed if seed is None else seed
    if not factors:
        raise StudyError("nothing to vary: give a range KEY=LOW:HIGH, or ask for assumptions")
    given_design = design
    if design is None and other is None:
        design = usual_kind(len(factors))
    if other is None and any(name.startswith("difference:") for name in precision or ()):
        raise StudyError("precision of a difference: it takes two scenarios to differ")
    if design is None and points is not None:
        raise StudyError("points: they are a design's; give a design too, such as morris")
    made = None
    if design is not None:
        made = make_design(
            design,
            [factor.name for factor in factors],
            levels=[factor.levels for factor in factors],
            size=points,
            seed=seed,
        )
        if design == "grid":
            factors = tuple(
                replace(factor, range=replace(factor.range, count=levels))
                for factor, levels in zip(factors, made.levels, strict=True)
            )
    count = {"replications": replications, "precision": precision, "timeout": timeout}
    check_replications(replications)
    kept: dict[str, Any] = {"vary": [*vary], "assumptions": assumptions, "measure": measure}
    kept |= {"design": given_design, "points": points, "measures": measures}
    kept |= {"campaigns": [_written(one) for one in campaigns], "all_tenants": all_tenants}
    # The scenarios are kept as they are asked about: only what may differ is to be said again.
    kept |= {"across_zones": across_zones}
    if least:
        kept["matters"] = least
    for kind, value in (("campaign", campaign), ("deadline", deadline)):
        kept[kind] = value if isinstance(value, str | None) else [*value]
    if campaign is None or isinstance(campaign, str | Campaign):
        kept["campaign"] = campaign and _written(campaign)
    else:
        kept["campaign"] = [_written(one) for one in campaign]
    kept["deadline"] = deadline if isinstance(deadline, str | None) else [*deadline]

    async def work_on(_: Any) -> Sweep:
        counted = count
        if directory is not None:
            check_collection(Path(directory))
            write_request(Path(directory), "sweep", scenarios, seed, kept, is_finished=False)
        answer = Sweep(scenarios, factors, chosen.left_out, about, seed, 0, made, matters=least)
        answer = Sweep(
            *(scenarios, factors, chosen.left_out, about, seed, 0, made),
            whose=whose,
            shows_all=measures,
        )
        with reporting(progress) as report:
            place = None if directory is None else Path(directory)
            options = {"engine": engine, "executor": executor}
            work = _Work(scenarios, seed, about, taken, place, report, options)
            if other is not None:
                base = await work.run(scenarios, "base", **counted)
                counted = {"replications": base.replications}
                base = replace(base, matters=least)
                answer = replace(answer, base=base, replications=base.replications)
            if made is not None:
                answer = await _run_design(answer, work, counted)
            if other is not None:
                answer = replace(answer, flips=await _find_crossovers(answer, work))
        if directory is not None:
            # As many again come to the same, also where a precision or a time decided.
            kept["replications"] = answer.replications
            write_request(Path(directory), "sweep", scenarios, seed, kept, is_finished=True)
        return answer

    return Question("sweep", work_on)


async def _run_design(answer: Sweep, work: _Work, count: Mapping[str, Any]) -> Sweep:
    """Run each point once; points whose values are equal are the same run."""
    assert answer.design is not None
    points: dict[str, Mapping[str, str]] = {}
    names = []
    for index, row in enumerate(answer.design.positions):
        names.append("; ".join(answer.point(index).values()))
        if names[-1] not in points:
            changes: dict[str, str] = {}
            for factor, at in zip(answer.factors, row, strict=True):
                changes |= factor.changes(factor.level(float(at)))
            points[names[-1]] = changes
    altered = [Variants(base, points, are_named=False).scenarios for base in answer.scenarios]
    scenarios = [scenario for at_point in zip(*altered, strict=True) for scenario in at_point]
    findings = await work.run(scenarios, "design", **count)
    places = tuple([*points].index(name) for name in names)
    return replace(answer, findings=findings, places=places, replications=findings.replications)


async def _find_crossovers(answer: Sweep, work: _Work) -> tuple[Crossover, ...]:
    factors = answer.factors
    probes = sum(factor.levels or DEFAULT_PROBES for factor in factors)
    work.total = work.done + 2 * probes * answer.replications
    flips = [
        await find_crossover(
            factor,
            work.differences,
            replications=answer.replications,
            comparisons=len(factors),
            support=replace(
                answer.measure.support.of_difference,
                negligible=matters_from(answer.measure, answer.matters),
            ),
        )
        for factor in factors
    ]
    order = ("flips", "not confirmed", "undecided", "none in range", "no effect")
    return tuple(sorted(flips, key=lambda flip: (order.index(flip.verdict), -flip.swing)))
