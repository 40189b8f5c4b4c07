"""`outsim run`: one run of a scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from outsim.cli.options import EngineName, Json, Picture, ScenarioFile, Seed, named

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from outsim.results.result import Result


def run(
    scenario: ScenarioFile,
    seed: Seed = None,
    replication: Annotated[int, typer.Option(min=0, help="Which replication of the seed.")] = 0,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="DIR", help="Directory to write the tables to (Parquet).", callback=named
        ),
    ] = None,
    verify: Annotated[bool, typer.Option(help="Check every invariant of the result.")] = False,
    engine: EngineName = "auto",
    plot: Picture = None,
    json: Json = False,
) -> None:
    """Run a scenario once and say what happened to its campaigns.

    The picture that --plot writes shows queue and busy ports over time, by tenant.
    """
    from outsim.cli.output import (
        load_with_advice,
        note,
        picture_file,
        print_json,
        simulate_with_bar,
        write_picture,
    )

    picture = picture_file(plot)
    loaded = load_with_advice(scenario)
    if out is not None:
        _make_directory(out)
    result = simulate_with_bar(loaded, seed, replication, engine)
    if verify:
        _verify(result)
    if out is not None:
        note(f"tables written to {_save(result, out)}")
    write_picture(lambda: _draw(result), picture)
    if json:
        summary = result.summary()
        print_json(
            {
                "scenario": result.scenario.name,
                "seed": result.seed,
                "replication": result.replication,
                "engine": result.engine,
                "version": result.version,
                "ended": result.ended.isoformat(),
                "attempts": len(result.attempts),
                "background_share": result.background_share,
                "campaigns": summary.to_dict(orient="index"),
                "assumptions": [
                    {"key": a.key, "value": a.value, "grade": a.grade, "source": a.source}
                    for a in result.assumptions
                ],
            }
        )
        return
    _print(result)


def _draw(result: Result) -> list[Axes]:
    from outsim.plots import ports, queue
    from outsim.plots.style import panels

    upper, lower = panels(2, columns=1, height=3.4)
    return [queue(result, upper), ports(result, lower)]


def _verify(result: Result) -> None:
    from outsim.cli.output import note
    from outsim.errors import InvariantError
    from outsim.results.invariants import check_invariants

    try:
        check_invariants(result)
    except InvariantError as error:
        note(f"outsim: {error}")
        raise typer.Exit(1) from None
    note("every invariant holds")


def _unwritable(out: str, error: OSError) -> Exception:
    from outsim.disk import reason
    from outsim.errors import OutsimError

    return OutsimError(f"--out {out}: {reason(error)}; name a directory that can be written")


def _make_directory(out: str) -> None:
    """Find out before the run whether its tables can be written."""
    from pathlib import Path

    from outsim.results.saving import check_directory

    try:
        check_directory(Path(out))
    except OSError as error:
        raise _unwritable(out, error) from None


def _save(result: Result, out: str) -> str:
    try:
        return str(result.save(out))
    except OSError as error:
        raise _unwritable(out, error) from None


def _print(result: Result) -> None:
    from outsim.cli.output import say, show, table
    from outsim.display import format_figure
    from outsim.results.measures import MEASURES

    begins = result.begins
    say(
        f"{result.scenario.name}: one run, seed {result.seed}, replication {result.replication}, "
        f"{result.span} ({result.scenario.clock.zone})"
    )
    share = (
        f"; background tenants make {result.background_share:.0%}"
        if result.scenario.background
        else ""
    )
    say(f"{len(result.attempts):,} attempts{share}")
    summary = result.summary()
    counted = [c for c in summary.columns if c not in {m.name for m in MEASURES}]
    rows = [
        [name.replace("_", " "), *(f"{value:,.0f}" for value in summary[name])] for name in counted
    ]
    rows += [
        [
            each.label_at(result.scenario.deadline),
            *(format_figure(each.kind, value, begins) for value in summary[each.name]),
        ]
        for each in MEASURES
        if not (each.optional and summary[each.name].isna().all())
    ]
    # Campaigns beyond four no longer fit beside each other in 80 columns.
    for first in range(0, len(summary), 4):
        names = list(summary.index[first : first + 4])
        show(table(["", *names], [[row[0], *row[1 + first : 5 + first]] for row in rows]))
    say("One run is one day that could be; `outsim compare` gives means with intervals.")
    assumptions = [a for a in result.assumptions if a.grade == "A"]
    say(
        f"It rests on {len(result.assumptions)} defaults, {len(assumptions)} of them assumptions: "
        "`outsim run --json` lists each with its source."
    )
