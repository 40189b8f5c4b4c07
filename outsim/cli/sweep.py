"""`outsim sweep`: which assumption matters, and which one flips a recommendation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from outsim.cli.options import EngineName, Json, ScenarioFile, Seed
from outsim.cli.studies import (
    AcrossZones,
    ComparedCampaigns,
    ComparedDeadlines,
    ExecutorName,
    Out,
    Precision,
    Replications,
    Within,
    study_options,
)

if TYPE_CHECKING:
    from outsim.questions.sweep_answers import Sweep

MOST_POINTS = 30
"""Points of a design that are told one by one; all of them are in the JSON document."""


def sweep(
    scenario: ScenarioFile,
    other: Annotated[
        str | None,
        typer.Argument(
            metavar="[OTHER]",
            help="Scenario to hold against it: which assumption flips the order of the two?",
            show_default=False,
        ),
    ] = None,
    vary: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=A:B[:N]",
            help="Range of one key, such as platform.ports=100:400 or carrier.rate=5/s:40/s:8, "
            "where N is how many values, evenly spaced; may be given several times.",
            show_default=False,
        ),
    ] = None,
    assumptions: Annotated[
        bool,
        typer.Option(
            "--assumptions",
            help="Vary every default graded A (assumption) that the scenario rests on.",
        ),
    ] = False,
    design: Annotated[
        Literal["grid", "lhs", "sobol", "morris"] | None,
        typer.Option(
            help="Points to run; default: grid for one or two ranges, else morris; with OTHER, "
            "none unless it is asked for.",
            show_default=False,
        ),
    ] = None,
    points: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Points of lhs, base points of sobol, trajectories of morris.",
            show_default=False,
        ),
    ] = None,
    figure: Annotated[
        str, typer.Option(metavar="FIGURE", help="Figure that the answer is about.")
    ] = "completed_by_deadline",
    campaign: ComparedCampaigns = None,
    deadline: ComparedDeadlines = None,
    across_zones: AcrossZones = False,
    replications: Replications = None,
    precision: Precision = None,
    within: Within = None,
    out: Out = None,
    executor: ExecutorName = None,
    seed: Seed = None,
    engine: EngineName = "auto",
    json: Json = False,
) -> None:
    """Vary assumptions: which one matters, and which one flips what is better."""
    from outsim.cli.output import load_with_advice, print_json
    from outsim.errors import StudyError
    from outsim.questions.sweep import sweep as run_sweep
    from outsim.studies.default_replications import SWEEP
    from outsim.studies.synchronous import run_sync

    options = study_options(replications, precision, within, out, executor=executor, usual=SWEEP)
    del options["keep_tables"]
    if isinstance(options["replications"], range):
        raise StudyError(f"--replications {replications}: a sweep takes a count, such as 20")
    loaded = [load_with_advice(path) for path in (scenario, other) if path is not None]
    found = run_sync(
        run_sweep(
            *loaded,
            vary=vary or (),
            assumptions=assumptions,
            design=design,
            points=points,
            figure=figure,
            campaign=campaign,
            deadline=deadline,
            across_zones=across_zones,
            seed=seed,
            engine=engine,
            **options,
        )
    )
    if json:
        print_json(found.to_json())
        return
    _print(found)


def _print(found: Sweep) -> None:
    from outsim.cli.output import say
    from outsim.questions.sweep_texts import label

    say(" against ".join(scenario.name for scenario in found.scenarios))
    say(
        f"varied: {len(found.factors)}; {found.replications} paired replications at each point, "
        f"seed {found.seed}; figure: {label(found, found.measure)}"
    )
    for text in found.unlike_texts:
        say(text)
    _print_ranges(found)
    if found.design is not None:
        _print_points(found)
        _print_sensitivity(found)
    if found.base is not None:
        _print_flips(found)


def _print_ranges(found: Sweep) -> None:
    from outsim.cli.output import say, show, table

    rows = [
        [
            factor.name,
            factor.ends,
            "factors" if factor.is_log else "steps",
            factor.source,
        ]
        for factor in found.factors
    ]
    say()
    show(table(["varied", "range", "by equal", "where it comes from"], rows))
    for key, why in found.left_out:
        say(f"not varied: {key}: {why}")


def _print_points(found: Sweep) -> None:
    from outsim.cli.output import say, show, table
    from outsim.display import INTERVALS, unit_of
    from outsim.questions.sweep_texts import written

    design = found.design
    assert design is not None
    say()
    say(f"design: {design.kind}, {design.points} points, {len(set(found.places))} of them differ")
    if design.points > MOST_POINTS:
        say("Points are not listed one by one: --json has each, with every figure.")
        return
    places = range(len(found.scenarios))
    columns = [found.scenarios[place].name for place in places]
    estimates = [found.estimates(found.measure.name, place) for place in places]
    if found.is_paired:
        columns.append("difference")
        estimates.append(found.estimates(found.measure.name))
    every = [value for column in estimates for value in column]
    units = [unit_of(found.measure.kind, every, signed=place == 2) for place in range(3)]
    rows = [
        [
            ", ".join(found.point(index).values()),
            *(
                written(found, each[index], found.measure, signed=place == 2, unit=units[place])
                for place, each in enumerate(estimates)
            ),
        ]
        for index in range(design.points)
    ]
    show(table([", ".join(factor.name for factor in found.factors), *columns], rows))
    say(f"{INTERVALS}.")


def _print_sensitivity(found: Sweep) -> None:
    from outsim.cli.output import say, show, table
    from outsim.questions.sweep_texts import (
        index_columns,
        index_rows,
        label,
        matters_columns,
        matters_rows,
    )

    say()
    if len(found.factors) == 1:
        say("All that differs between the points is due to the one number that is varied.")
        return
    difference = "the difference in " if found.is_paired else ""
    show(table(matters_columns(found), matters_rows(found)))
    chosen = found.sensitivities.get(found.measure.name)
    if chosen is None or not chosen.indices:
        return
    say(f"{difference}{label(found, found.measure)}, by assumption:")
    show(table(index_columns(chosen), index_rows(found, chosen)))
    say(
        "index ± half of its 95 % interval, over designs of this size and over replications."
        if chosen.kind != "grid"
        else "index ± half of its 95 % interval over replications; the grid is as given."
    )
    if chosen.n_missing:
        say(f"{chosen.n_missing} replications are left out: somewhere a run was too short.")


def _print_flips(found: Sweep) -> None:
    from outsim.cli.output import say, show, table
    from outsim.questions.sweep_texts import FLIP_COLUMNS, base_texts, crossing_text, flip_rows

    say()
    for text in base_texts(found):
        say(text)
    show(table(list(FLIP_COLUMNS), flip_rows(found)))
    say(
        "Each assumption by itself, the others as they stand; the intervals hold together with "
        "95 %. Undecided: somewhere the interval holds 0, or the difference is too small to "
        "matter, and nowhere has it changed sides."
    )
    for flip in found.flips:
        for crossing in flip.crossings:
            say()
            say(crossing_text(found, flip, crossing))
    verdicts = [flip.verdict for flip in found.flips]
    if "flips" in verdicts:
        return
    say("No assumption was found to turn the recommendation round within its range.")
    uncertain = verdicts.count("undecided") + verdicts.count("not confirmed")
    if uncertain:
        say(f"For {uncertain} of {len(verdicts)} that is not certain: more replications may tell.")
