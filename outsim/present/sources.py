"""From what is given to what is known of it: a run, a scenario file or a kept study."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from outsim.directories import REQUEST, RUN, STUDY
from outsim.engine import Engine
from outsim.errors import StudyError
from outsim.present.context import ReportContext
from outsim.progress import bar
from outsim.questions.eta import Forecast
from outsim.questions.eta_measures import FORECAST_MEASURES
from outsim.questions.means import Means
from outsim.questions.one_run import one_run
from outsim.questions.schedule import SCHEDULE_MEASURES, Schedule, schedule
from outsim.questions.stop import StopRace, stop
from outsim.questions.sweep import sweep
from outsim.results.measures import MEASURES, STOP_MEASURES, Measure
from outsim.results.result import Result, load_result
from outsim.results.tables.failures import FAILURE_MEASURES
from outsim.results.tables.load import LOAD_MEASURES
from outsim.results.tables.waiting import WAITING_MEASURES
from outsim.scenario.campaigns import Campaign
from outsim.scenario.difference import differences
from outsim.scenario.loading import load
from outsim.scenario.model import Scenario
from outsim.studies.comparable import campaign_of
from outsim.studies.default_replications import REPORT, check_replications
from outsim.studies.identity import read_identity, read_request
from outsim.studies.study import Study, load_study, run_of
from outsim.studies.study_result import StudyResult
from outsim.studies.synchronous import run_sync
from outsim.studies.variants import over_the_day

Answer = TypeVar("Answer")


def read_context(
    what: str | Path | Scenario | Result,
    campaign: str | Campaign | None = None,
    *,
    replications: int = REPORT,
    seed: int | None = None,
    engine: Engine = "auto",
) -> ReportContext:
    """What is known of a run, a scenario or a study; what a run can't tell is run for it."""
    check_replications(replications)
    if isinstance(what, Scenario):
        name = f"the scenario {what.name}"
        return _of_scenario(what, campaign, replications, seed, engine, name)
    if isinstance(what, Result):
        _refuse(what.scenario.name, "run", seed=seed)
        return _of_run(what, campaign, replications, engine, "a run")
    path, place = str(what), Path(what)
    if (place / STUDY).exists():
        _refuse(path, "study", campaign=campaign, seed=seed)
        return _of_study(place)
    if (place / REQUEST).exists():
        _refuse(path, "study", campaign=campaign, seed=seed)
        return _of_sweep(place, engine)
    if (place / RUN).exists() or (place / "calls.parquet").exists():
        _refuse(path, "run", seed=seed)
        return _of_run(load_result(place), campaign, replications, engine, path)
    if place.is_dir():
        raise StudyError(_unknown(place))
    name = f"the scenario {place.name}"
    return _of_scenario(load(place), campaign, replications, seed, engine, name)


def _refuse(path: str, what: str, **given: object) -> None:
    for name, value in given.items():
        if value is not None:
            raise StudyError(f"{path}: is a {what}, and has its {name}; leave out --{name}")


def _unknown(place: Path) -> str:
    inside = sorted(str(file.parent.relative_to(place)) for file in place.rglob(STUDY))
    if inside:
        shown = ", ".join(inside[:5]) + (" ..." if len(inside) > 5 else "")
        return (
            f"{place}: holds {len(inside)} studies ({shown}) and not what was asked of them; "
            "name one of them"
        )
    return (
        f"{place}: holds neither a run ({RUN}) nor a study ({STUDY}); give what outsim run "
        "--out kept, or outsim compare, schedule, eta or stop with --directory, or a scenario file"
    )


# Scenarios and runs


def _of_scenario(
    scenario: Scenario,
    campaign: str | Campaign | None,
    replications: int,
    seed: int | None,
    engine: Engine,
    source: str,
) -> ReportContext:
    campaign_of(scenario, campaign)
    result = one_run(scenario, seed, engine=engine)
    return _of_run(result, campaign, replications, engine, source)


def _of_run(
    result: Result, campaign: str | Campaign | None, replications: int, engine: Engine, source: str
) -> ReportContext:
    chosen = campaign_of(result.scenario, campaign)
    scenario = result.scenario.asked_about(chosen)
    options: dict[str, Any] = {"replications": replications, "seed": result.seed, "engine": engine}
    reasons: dict[str, str] = {}

    def tried(name: str, answer: Callable[[], Answer]) -> Answer | None:
        try:
            return answer()
        except StudyError as error:
            reasons[name] = f"It can't be answered: {error}."
            return None

    findings = run_of(scenario, measures=_BOTH + FAILURE_MEASURES, **options).run()
    every, between = over_the_day(scenario, chosen)
    return ReportContext(
        scenario=scenario,
        seed=result.seed,
        result=result,
        means=Means(findings),
        forecast=Forecast(chosen, replace(findings, measures=FORECAST_MEASURES)),
        schedule=tried(
            "schedule", lambda: schedule(scenario, every=every, between=between, **options).run()
        ),
        race=tried("stop", lambda: stop(scenario, **options).run()),
        reasons=tuple(reasons.items()),
        made_of=(
            f"{source}: one run (seed {result.seed}, replication {result.replication}); means and "
            f"intervals from {replications} replications of each question"
        ),
    )


_BOTH = (
    *(measure for measure in MEASURES if measure.name != "finish_time_s"),
    *FORECAST_MEASURES,
)
"""Measures of a campaign, and when its calls go out."""


# Studies


def _of_study(place: Path) -> ReportContext:
    identity = read_identity(place)
    study = load_study(place, _measures_of(identity["measures"]))
    whole, there = study.without_gap, study.replications
    findings = study.result_of(whole)
    notices = []
    if len(whole) < len(there):
        notices.append(
            f"The study is not finished: replication {whole.stop} is missing, and of the "
            f"{len(there)} that are there only the {len(whole)} before it count. Run its command "
            "again to finish it; what is there is not run again."
        )
    with bar("run", counts=False) as advance:
        result = study.simulate(whole.start, progress=advance)
    context = partial(
        ReportContext,
        scenario=findings.scenarios[0],
        seed=study.seed,
        result=result,
        means=Means(findings),
        made_of=(
            f"a study kept in {place.name}: {len(whole)} replications (from {whole.start}), seed "
            f"{study.seed}; tables of single calls from replication {whole.start}, run again"
        ),
        notices=tuple(notices),
    )
    return context(**_answers(findings, study))


def _of_sweep(place: Path, engine: Engine) -> ReportContext:
    request = read_request(place)
    answer = run_sync(
        sweep(
            *request.scenarios,
            **request.options,
            seed=request.seed,
            directory=place,
            engine=engine,
        )
    )
    scenario = request.scenarios[0]
    result = one_run(scenario, request.seed, engine=engine)
    return ReportContext(
        scenario=scenario,
        seed=request.seed,
        result=result,
        means=Means(answer.base),
        comparison=answer.base,
        sweep=answer,
        made_of=(
            f"a sweep kept in {place.name}: {answer.replications} replications at each point, "
            f"seed {request.seed}; tables of single calls from replication 0, run again"
        ),
    )


def _measures_of(names: list[str]) -> tuple[Measure, ...]:
    """Measures of a study: some names are those of two, in studies of different kinds."""
    for kind in (FORECAST_MEASURES, STOP_MEASURES):
        if names == [measure.name for measure in kind]:
            return kind
    return MEASURES + LOAD_MEASURES + WAITING_MEASURES


def _answers(findings: StudyResult, study: Study) -> dict[str, Any]:
    """What the findings of a kept study are made into."""
    names = [measure.name for measure in study.measures]
    scenario = findings.scenarios[0]
    if study.measures == STOP_MEASURES:
        return {"race": StopRace(findings)}
    if study.measures == FORECAST_MEASURES:
        return {"forecast": Forecast(campaign_of(scenario), findings)}
    if names == [measure.name for measure in SCHEDULE_MEASURES]:
        return {"schedule": Schedule(findings)}
    starts = {measure.name for measure in SCHEDULE_MEASURES} <= set(names) and _differ_in_starts(
        findings.scenarios
    )
    shown = tuple(measure for measure in study.measures if measure not in WAITING_MEASURES)
    answers: dict[str, Any] = (
        {"schedule": Schedule(replace(findings, measures=shown))} if starts else {}
    )
    if len(findings.scenarios) > 1:
        answers["comparison"] = findings
    return answers


def _differ_in_starts(scenarios: tuple[Scenario, ...]) -> bool:
    """Whether scenarios differ in the start of the campaign under study, and in nothing else."""
    first, *others = scenarios
    campaign = campaign_of(first)
    part = f"campaign[{campaign.full_name}]"
    allowed = {f"{part}.start", f"{part}.submitted_at"}
    changed = [{change.key for change in differences(first, other)} for other in others]
    return bool(changed) and all(f"{part}.start" in keys <= allowed for keys in changed)
