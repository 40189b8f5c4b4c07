"""`outsim plan`: the smallest capacity that keeps a promise."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outsim.cli.options import EngineName, Json, Picture, ScenarioFile, Seed
from outsim.cli.studies import (
    ExecutorName,
    InputUncertainty,
    KeepTables,
    Out,
    Within,
    say_precisions,
)

if TYPE_CHECKING:
    from pathlib import Path

    from outsim.questions.capacity_answers import Capacity, Frontier

NOT_FOUND = 1
"""Exit code where no value is shown to keep the promises."""


def plan(
    scenario: ScenarioFile,
    vary: Annotated[
        list[str],
        typer.Option(
            metavar="KEY=LOW:HIGH",
            help="What to find the smallest value of, such as platform.ports=100:2000. Given "
            "twice, the second (KEY=LOW:HIGH:COUNT) takes a few values and the first is found "
            "for each.",
        ),
    ],
    target: Annotated[
        list[str],
        typer.Option(
            metavar="PROMISE",
            help='What must be kept, such as "p95 wait <= 10 min", "finished by 17:30" or '
            '"P(95% of calls done by 18:00) >= 0.9"; may be given several times.',
        ),
    ],
    confidence: Annotated[
        str, typer.Option(metavar="SHARE", help="How sure the answer must be.")
    ] = "95%",
    replications: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=2,
            help="Runs that the answer and the value below it rest on; default: 100.",
            show_default=False,
        ),
    ] = None,
    precision: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIGURE=WIDTH",
            help="As many runs as the scenario as it stands takes for intervals of this "
            "half-width, such as wait_p90_s=30s, instead of --replications.",
            show_default=False,
        ),
    ] = None,
    most: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Runs in all at most; default: 20000.",
            show_default=False,
        ),
    ] = None,
    within: Within = None,
    out: Out = None,
    keep_tables: KeepTables = False,
    input_uncertainty: InputUncertainty = False,
    executor: ExecutorName = None,
    seed: Seed = None,
    engine: EngineName = "auto",
    plot: Picture = None,
    json: Json = False,
) -> None:
    """Find the smallest capacity that keeps a promise."""
    from outsim.cli.output import load_with_advice, picture_file, say
    from outsim.errors import StudyError
    from outsim.questions.capacity import MOST, REPLICATIONS, plan_capacity, plan_frontier
    from outsim.studies.stopping import split_precisions
    from outsim.studies.study import Study
    from outsim.studies.synchronous import run_sync

    if len(vary) > 2:
        raise StudyError(f"{len(vary)} keys to vary: give one, or two for a frontier")
    if keep_tables and out is None:
        raise StudyError("--keep-tables: say where, with --out DIR")
    if precision and replications is not None:
        raise StudyError("--replications and --precision: give one or the other")
    file = picture_file(plot)
    loaded = load_with_advice(scenario)
    if precision:
        asked = split_precisions(precision)
        study = Study(
            loaded,
            precision=asked,
            within=within,
            seed=seed,
            engine=engine,
            executor=executor,
            input_uncertainty=input_uncertainty,
        )
        base = study.run()
        replications = base.replications
        if not json:
            say(f"{replications} runs at each value that is tested: as the scenario takes them")
            say_precisions(base)
    options: dict[str, Any] = {
        "confidence": confidence,
        "replications": replications or REPLICATIONS,
        "most": most or MOST,
        "within": within,
        "seed": seed,
        "engine": engine,
        "executor": executor,
        "out": out,
        "keep_tables": keep_tables,
        "input_uncertainty": input_uncertainty,
    }
    if len(vary) == 2:
        frontier = run_sync(plan_frontier(loaded, vary[0], vary[1], target, **options))
        found = any(each.value is not None for each in frontier.capacities)
        _tell(frontier, file, json, partial(_print_frontier, frontier))
    else:
        capacity = run_sync(plan_capacity(loaded, vary[0], target, **options))
        found = capacity.value is not None
        _tell(capacity, file, json, partial(_print, capacity))
    if not found:
        raise typer.Exit(NOT_FOUND)


def _tell(
    answer: Capacity | Frontier, file: Path | None, json: bool, say_it: Callable[[], None]
) -> None:
    from outsim.cli.output import print_json, write_picture
    from outsim.plots import capacity, frontier
    from outsim.questions.capacity_answers import Frontier

    write_picture(
        lambda: frontier(answer) if isinstance(answer, Frontier) else capacity(answer), file
    )
    if json:
        print_json(answer.to_json())
    else:
        say_it()


def _heading(capacity: Capacity) -> None:
    from outsim.cli.output import say

    study = capacity.scenario.campaign_under_study
    assert study is not None
    say(
        f"{capacity.scenario.name}; campaign under study: {study.name}; seed {capacity.seed}; "
        f"promises, with {_percent(capacity.confidence)} confidence:"
    )
    for promise in capacity.promises:
        say(f"  {promise.text}")
    if capacity.input_uncertainty:
        say("Each run has callees of its own, out of what the call log leaves open.")


def _print(capacity: Capacity) -> None:
    from outsim.cli.output import say, show, table
    from outsim.questions.capacity_texts import BOUNDS, answer, columns, notes, rows

    _heading(capacity)
    say()
    say(answer(capacity))
    for note in notes(capacity):
        say(note)
    _warn(capacity)
    if capacity.tested():
        show(table(columns(capacity), rows(capacity)))
        say(BOUNDS)
    say(
        f"{capacity.runs:,} runs; testing all {len(capacity.values):,} values with "
        f"{capacity.replications} each would have taken {capacity.grid_runs:,}."
    )


def _warn(capacity: Capacity, where: str = "") -> None:
    from outsim.cli.output import note
    from outsim.scenario.utilisation import shortages

    already = {f"{key}: {message}" for key, message in shortages(capacity.scenario)}
    for warning in capacity.warnings:
        if warning in already:
            continue
        note(f"warning: with {where}{capacity.vary.key} = {capacity.best}: {warning}")


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"


def _print_frontier(frontier: Frontier) -> None:
    from outsim.cli.output import say, show, table
    from outsim.questions.capacity_texts import break_text

    first = frontier.capacities[0]
    _heading(first)
    words = {"nothing": "none in range", "undecided": "undecided"}
    rows = [
        [
            frontier.other.text(other),
            each.value or words[each.outcome],
            each.broken_below or "-",
            (each.kept_to or "-") if each.breaks else "-",
            f"{each.runs:,}",
        ]
        for other, each in zip(frontier.others, frontier.capacities, strict=True)
    ]
    columns = [frontier.other.key, first.vary.key, "broken below", "kept up to", "runs"]
    show(table(columns, rows))
    say(
        f"smallest {first.vary.key} that is shown to keep the promises, and the largest below it "
        f"that is shown to break one, from {first.text(0)} to {first.text(-1)}; kept up to: where "
        "larger values are shown to break one again."
    )
    for other, each in zip(frontier.others, frontier.capacities, strict=True):
        _warn(each, f"{frontier.other.key} = {frontier.other.text(other)}, ")
        for pair in each.breaks:
            say(f"{frontier.other.key} = {frontier.other.text(other)}: {break_text(each, *pair)}")
