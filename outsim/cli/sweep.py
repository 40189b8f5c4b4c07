"""`outsim sweep`: which assumption matters, and which one flips a recommendation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from outsim.cli.options import EngineName, Json, ScenarioFile, Seed
from outsim.cli.studies import ExecutorName, Out, Precision, Replications, Within, study_options

if TYPE_CHECKING:
    from outsim.estimates import Estimate
    from outsim.study.flips import Crossing, Flip
    from outsim.study.sensitivity import Sensitivity
    from outsim.study.sweep_findings import Sweep
    from outsim.tables.measures import Measure

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
    from outsim.study.sweep import USUAL_REPLICATIONS
    from outsim.study.sweep import sweep as run_sweep
    from outsim.study.synchronous import run_sync

    options = study_options(
        replications, precision, within, out, executor=executor, usual=USUAL_REPLICATIONS
    )
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

    say(" against ".join(scenario.name for scenario in found.scenarios))
    say(
        f"varied: {len(found.factors)}; {found.replications} paired replications at each point, "
        f"seed {found.seed}; figure: {_label(found, found.measure)}"
    )
    _print_ranges(found)
    if found.design is not None:
        _print_points(found)
        _print_sensitivity(found)
    if found.base is not None:
        _print_flips(found)


def _label(found: Sweep, measure: Measure) -> str:
    return measure.label_at(*(scenario.deadline for scenario in found.scenarios))


def _format(found: Sweep, value: Estimate, measure: Measure, *, signed: bool) -> str:
    from outsim.display import format_estimate

    return format_estimate(measure.kind, value, found.scenarios[0].clock.begins, signed=signed)


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
    rows = [
        [
            ", ".join(found.point(index).values()),
            *(
                _format(found, each[index], found.measure, signed=place == 2)
                for place, each in enumerate(estimates)
            ),
        ]
        for index in range(design.points)
    ]
    show(table([", ".join(factor.name for factor in found.factors), *columns], rows))
    say("mean ± half of the 95 % interval over replications.")


def _print_sensitivity(found: Sweep) -> None:
    from outsim.cli.output import say, show, table
    from outsim.study.sensitivity import LABELS, MAIN
    from outsim.tables.measures import MEASURES

    say()
    difference = "the difference in " if found.is_paired else ""
    main = MAIN[next(iter(found.sensitivities.values())).kind]
    rows = []
    for measure in MEASURES:
        sensitivity = found.sensitivities.get(measure.name)
        if sensitivity is None:
            continue
        if not sensitivity.ranked:
            rows.append([_label(found, measure), sensitivity.nothing, "-"])
            continue
        first = sensitivity.ranked[0]
        index = _index(found, sensitivity, main, first, measure)
        clear = "" if sensitivity.is_clear else " (not clearly)"
        rows.append([_label(found, measure), first + clear, index])
    show(table(["figure", "matters most", LABELS[main]], rows))
    chosen = found.sensitivities.get(found.measure.name)
    if chosen is None or not chosen.indices:
        return
    say(f"{difference}{_label(found, found.measure)}, by assumption:")
    show(
        table(
            ["assumption", *(LABELS[index] for index in chosen.indices)],
            [
                [
                    name,
                    *(_index(found, chosen, each, name, found.measure) for each in chosen.indices),
                ]
                for name in chosen.ranked
            ],
        )
    )
    say(
        "index ± half of its 95 % interval, over designs of this size and over replications."
        if chosen.kind != "grid"
        else "index ± half of its 95 % interval over replications; the grid is as given."
    )
    if chosen.missing:
        say(f"{chosen.missing} replications are left out: somewhere a run was too short.")


def _index(found: Sweep, sensitivity: Sensitivity, index: str, name: str, measure: Measure) -> str:
    from outsim.display import format_estimate

    value = sensitivity.of(index, name)
    if index in ("mu_star", "sigma"):
        return _format(found, value, measure, signed=True).lstrip("+")
    return format_estimate("share", value, found.scenarios[0].clock.begins)


def _print_flips(found: Sweep) -> None:
    from outsim.cli.output import say, show, table

    base = found.base_difference
    assert base is not None
    say()
    told = _format(found, base, found.measure, signed=True)
    first, second = (scenario.name for scenario in found.scenarios)
    say(f"As the scenarios stand, {second} less {first}: {told}.")
    if base.is_clear:
        better = "better" if found.measure.better else "higher"
        say(f"So {found.preferred(1 if base.mean > 0 else -1)} is {better}.")
    else:
        say("That may be luck: neither is clearly better; more replications may tell.")
    rows = [
        [
            flip.name,
            _verdict(flip),
            _format(found, flip.rungs[0].difference, found.measure, signed=True),
            _format(found, flip.rungs[-1].difference, found.measure, signed=True),
        ]
        for flip in found.flips
    ]
    show(table(["assumption", "flips", "difference, low end", "difference, high end"], rows))
    say(
        "Each assumption by itself, the others as they stand; the intervals hold together with "
        "95 %. Undecided: somewhere the interval holds 0, and nowhere has it changed sides."
    )
    for flip in found.flips:
        for crossing in flip.crossings:
            _tell(found, flip, crossing)
    verdicts = [flip.verdict for flip in found.flips]
    if "flips" in verdicts:
        return
    say("No assumption was found to turn the recommendation round within its range.")
    uncertain = verdicts.count("undecided") + verdicts.count("not confirmed")
    if uncertain:
        say(f"For {uncertain} of {len(verdicts)} that is not certain: more replications may tell.")


def _verdict(flip: Flip) -> str:
    if not flip.crossings:
        return flip.verdict
    shown = flip.factor.shown
    return "; ".join(
        f"at {shown(each.position)} ({shown(each.low.position)} to {shown(each.high.position)})"
        + ("" if each.is_confirmed else ", not confirmed")
        for each in flip.crossings
    )


def _tell(found: Sweep, flip: Flip, crossing: Crossing) -> None:
    from outsim.cli.output import say

    shown, better = flip.factor.shown, "better" if found.measure.better else "higher"
    low, high = crossing.low, crossing.high
    fresh = [_format(found, each, found.measure, signed=True) for each in crossing.fresh]
    again = "Confirmed" if crossing.is_confirmed else "NOT confirmed"
    say()
    say(
        f"{flip.name}: {found.preferred(low.sign)} is {better} up to {shown(low.position)}, "
        f"{found.preferred(high.sign)} from {shown(high.position)} on. {again} by "
        f"{crossing.fresh[0].count} fresh replications on both sides: {fresh[0]} and {fresh[1]}."
    )
