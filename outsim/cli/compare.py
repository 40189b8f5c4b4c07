"""`outsim compare`: two or more scenarios, paired."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from outsim.cli.options import EngineName, Json, Seed

if TYPE_CHECKING:
    from outsim.estimates import Estimate
    from outsim.study.comparison import Comparison
    from outsim.tables.measures import Measure


def compare(
    scenarios: Annotated[list[str], typer.Argument(metavar="A B ...", help="Scenario files.")],
    replications: Annotated[int, typer.Option(help="Paired runs of each scenario.")] = 8,
    seed: Seed = None,
    engine: EngineName = "auto",
    json: Json = False,
) -> None:
    """Compare scenarios over paired replications, with confidence intervals."""
    from outsim.cli.output import load_with_advice, print_json, progress
    from outsim.study.comparison import compare as compare_scenarios
    from outsim.study.synchronous import run_sync

    loaded = [load_with_advice(path) for path in scenarios]
    with progress("runs") as advance:
        comparison = run_sync(
            compare_scenarios(
                *loaded, replications=replications, seed=seed, engine=engine, progress=advance
            )
        )
    if json:
        print_json(comparison.to_json())
        return
    _print(comparison)


def _print(comparison: Comparison) -> None:
    from outsim.cli.output import say, show, table
    from outsim.display import format_estimate

    count, (fewest, most) = comparison.replications, comparison.attempts
    study = comparison.scenarios[0].campaign_under_study
    assert study is not None
    say(" against ".join(comparison.labels))
    say(
        f"{count} paired replications, seed {comparison.seed}; {fewest:,} to {most:,} attempts "
        f"a run; campaign under study: {study.name}"
    )
    if any(scenario.background for scenario in comparison.scenarios):
        share = format_estimate("share", comparison.background_share, study.start)
        say(f"background tenants make {share} of all attempts")
    text = comparison.text_table()
    show(table(list(text.columns), text.to_numpy().tolist()))
    say("mean ± half of the 95 % interval over replications; differences are paired.")
    for place in range(1, len(comparison.scenarios)):
        _tell(comparison, place)


def _tell(comparison: Comparison, place: int) -> None:
    """Say in words what is clear about a scenario, and where its figures disagree."""
    from outsim.cli.output import say
    from outsim.display import format_estimate
    from outsim.tables.measures import MEASURES

    deadline = comparison.scenarios[0].deadline
    name, base = comparison.labels[place], comparison.labels[0]
    clear = list(comparison.changes(place))
    say()
    if not any(comparison.difference(place, each.name).count for each in MEASURES):
        say(f"{name}: there are no figures to hold against {base}: is there anybody to call?")
        return
    if not clear:
        say(f"{name}: no clear difference from {base}; more replications may show one.")
        return
    say(f"{name}, held against {base}:")
    for heading, sign in (("better", 1), ("worse", -1)):
        named = [
            f"{comparison.label(each)} {format_estimate(each.kind, value, deadline, signed=True)}"
            for each, value in clear
            if _sign(each, value) == sign
        ]
        if named:
            say(f"  {heading}: {'; '.join(named)}")
    if comparison.conflicts(place):
        say(
            "  The figures disagree: which one counts depends on whether you promise a clock "
            "time, a duration or a result."
        )


def _sign(each: Measure, value: Estimate) -> int:
    return each.better * (1 if value.mean > 0 else -1)
