"""`outsim stop`: what a stop still saves, by when it comes."""

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
    from outsim.questions.stop import StopRace
    from outsim.scenario import Scenario

USUAL = 20
"""Replications if nothing is said."""


def stop(
    scenario: ScenarioFile,
    campaign: CampaignName = None,
    after: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TIMES",
            help="From the start to the stop, with commas between, such as 0s,30s,5min, or given "
            "several times; default: until everything is dialled.",
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
    """Why do calls still go out after I stopped? What a stop saves, by when it comes."""
    from outsim.cli.output import load_with_advice, picture_file, print_json, write_picture
    from outsim.plots import stop as draw
    from outsim.questions.stop import stop_race

    options = study_options(
        replications, precision, within, out, keep_tables, executor, usual=USUAL
    )
    picture = picture_file(plot)
    loaded = load_with_advice(scenario)
    times = [part.strip() for text in after or [] for part in text.split(",")] or None
    answer = stop_race(
        loaded,
        campaign,
        after=times,
        seed=seed,
        engine=engine,
        input_uncertainty=input_uncertainty,
        **options,
    ).run()
    write_picture(lambda: draw(answer), picture)
    if json:
        print_json(answer.to_json())
        return
    _print(loaded, answer)


def _print(scenario: Scenario, answer: StopRace) -> None:
    from outsim.cli.output import say, show, table
    from outsim.display import INTERVALS
    from outsim.questions.timing_texts import SAVED, last_moment, stop_settings, why_after

    findings, campaign = answer.findings, answer.campaign
    say(
        f"{campaign.name} ({campaign.tenant}), started at {campaign.start:%H:%M:%S} and stopped "
        f"at {len(answer.after_us)} different times"
    )
    say(
        f"{findings.replications} replications, seed {findings.seed}, each held against itself "
        "without a stop"
    )
    say(why_after(answer))
    say(stop_settings(answer))
    own = scenario.campaign_or_none(f"{campaign.tenant}/{campaign.name}")
    if own is not None and own.stop_at is not None:
        say(f"The scenario's own stop at {own.stop_at:%H:%M:%S} is left out.")
    show(table(list(answer.COLUMNS), answer.rows()))
    say(f"{INTERVALS}. {SAVED}")
    if answer.missing_intervals:
        say(answer.missing_intervals)
    say_precisions(findings)
    for moment in answer.last_moments.values():
        say(last_moment(answer, moment))
    say_uncertainty(findings)
