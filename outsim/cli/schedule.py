"""`outsim schedule`: start times of a campaign, compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from outsim.cli.options import CampaignName, EngineName, Json, Picture, ScenarioFile, Seed
from outsim.cli.studies import (
    ExecutorName,
    InputUncertainty,
    KeepTables,
    Out,
    Precision,
    Replications,
    Within,
    say_precisions,
    say_uncertainty,
    study_options,
)

if TYPE_CHECKING:
    from outsim.questions.schedule import Schedule

USUAL = 20
"""Replications if nothing is said."""


def schedule(
    scenario: ScenarioFile,
    campaign: CampaignName = None,
    every: Annotated[
        str, typer.Option(metavar="TIME", help="Time between two starts, such as 5min.")
    ] = "15min",
    between: Annotated[
        tuple[str, str] | None,
        typer.Option(
            metavar="FIRST LAST",
            help="First and latest start, such as 09:00 10:00; default: the full hour that the "
            "scenario's start is in, to the next.",
            show_default=False,
        ),
    ] = None,
    replications: Replications = None,
    precision: Precision = None,
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
    """When should I schedule my calls? Compare start times of a campaign."""
    from outsim.cli.output import load_with_advice, picture_file, print_json, write_picture
    from outsim.plots import schedule as draw
    from outsim.questions.schedule import schedule as schedule_study

    options = study_options(
        replications, precision, within, out, keep_tables, executor, usual=USUAL
    )
    picture = picture_file(plot)
    loaded = load_with_advice(scenario)
    answer = schedule_study(
        loaded,
        campaign,
        every=every,
        between=between,
        seed=seed,
        engine=engine,
        input_uncertainty=input_uncertainty,
        **options,
    ).run()
    write_picture(lambda: draw(answer), picture)
    if json:
        print_json(answer.to_json())
        return
    _print(answer)


def _print(answer: Schedule) -> None:
    from outsim.cli.output import say, show, table
    from outsim.display import INTERVALS, format_estimate, format_matters
    from outsim.questions.timing_texts import best_start, kept_clock_times

    findings, campaign = answer.findings, answer.campaign
    fewest, most = findings.attempts
    first, last, base = map(answer.label, (answer.starts[0], answer.starts[-1], answer.base))
    say(f"{campaign.name} ({campaign.tenant}): {len(answer.starts)} starts, {first} to {last}")
    say(
        f"{findings.replications} paired replications, seed {findings.seed}; {fewest:,} to "
        f"{most:,} attempts a run, each until the campaign is over"
    )
    if any(scenario.background for scenario in findings.scenarios):
        share = format_estimate("share", findings.background_share, campaign.start)
        say(f"background tenants make {share} of all attempts")
    kept = kept_clock_times(answer)
    if kept:
        say(f"at every start: {kept}")
    show(table(answer.columns, answer.rows()))
    say(f"{INTERVALS}.")
    if answer.missing_intervals:
        say(answer.missing_intervals)
    say()
    say(
        f"Paired differences from {base}; those with a star are clear, all of a column at once, "
        "and not too small to matter:"
    )
    show(table(answer.columns, answer.difference_rows()))
    say_precisions(findings)
    for each in answer.rankings():
        say(f"{findings.label(each.measure)}: {best_start(answer, each)}")
    least = [
        f"{findings.label(each.measure)} "
        + format_matters(each.measure.kind, findings.matters_from(each.measure.name))
        for each in answer.rankings()
    ]
    say(f"A difference matters from so much on: {'; '.join(least)}.")
    _tell_conflicts(answer)
    say_uncertainty(findings)


def _tell_conflicts(answer: Schedule) -> None:
    """Say where the figures order the starts differently."""
    from outsim.cli.output import say
    from outsim.questions.timing_texts import WHICH_COUNTS, conflicts

    if not answer.conflicts:
        say("No two figures clearly order any starts differently.")
        return
    say("The figures order the starts differently:")
    for text in conflicts(answer):
        say(f"  {text}")
    say(WHICH_COUNTS)
