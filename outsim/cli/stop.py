"""`outsim stop`: what a stop still saves, by when it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from outsim.cli.options import CampaignName, EngineName, Json, Picture, ScenarioFile, Seed
from outsim.cli.studies import (
    ExecutorName,
    KeepTables,
    Out,
    Precision,
    Replications,
    Within,
    say_precisions,
    study_options,
)

if TYPE_CHECKING:
    from outsim.scenario import Campaign, Scenario
    from outsim.study.stop_race import LastMoment, StopRace

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
    executor: ExecutorName = None,
    seed: Seed = None,
    engine: EngineName = "auto",
    plot: Picture = None,
    json: Json = False,
) -> None:
    """Why do calls still go out after I stopped? What a stop saves, by when it comes."""
    from outsim.cli.output import load_with_advice, picture_file, print_json, write_picture
    from outsim.study.stop_race import stop_race

    options = study_options(
        replications, precision, within, out, keep_tables, executor, usual=USUAL
    )
    picture = picture_file(plot)
    loaded = load_with_advice(scenario)
    times = [part.strip() for text in after or [] for part in text.split(",")] or None
    answer = stop_race(loaded, campaign, after=times, seed=seed, engine=engine, **options).run()
    write_picture(answer.plot, picture)
    if json:
        print_json(answer.to_json())
        return
    _print(loaded, answer)


def _print(scenario: Scenario, answer: StopRace) -> None:
    from outsim.cli.output import say, show, table

    findings, campaign = answer.findings, answer.campaign
    say(
        f"{campaign.name} ({campaign.tenant}), started at {campaign.start:%H:%M:%S} and stopped "
        f"at {len(answer.after_us)} different times"
    )
    say(
        f"{findings.replications} replications, seed {findings.seed}, each held against itself "
        "without a stop"
    )
    say(_settings(answer, campaign))
    own = scenario.find_campaign(f"{campaign.tenant}/{campaign.name}")
    if own is not None and own.stop_at is not None:
        say(f"The scenario's own stop at {own.stop_at:%H:%M:%S} is left out.")
    show(table(list(answer.COLUMNS), answer.rows()))
    say(
        "mean ± half of the 95 % interval over replications; dials count from the request to "
        "stop, retries included; saved calls are never dialled, and would be without the stop."
    )
    say_precisions(findings)
    for moment in answer.last_moments.values():
        say(_told(answer, moment))


def _settings(answer: StopRace, campaign: Campaign) -> str:
    """What a stop does in this scenario."""
    from outsim.clock import format_duration

    reach = {
        "loading": "what is not in the queue yet",
        "queue": "what is not dispatched yet",
    }[campaign.stop_reaches]
    retries = "cancels" if campaign.stop_cancels_retries else "spares"
    return (
        f"A stop takes effect after {format_duration(answer.effect_us)} (stop_latency), reaches "
        f'{reach} (stop_reaches = "{campaign.stop_reaches}") and {retries} calls that wait for a '
        f"retry (stop_cancels_retries = {str(campaign.stop_cancels_retries).lower()})."
    )


def _told(answer: StopRace, found: LastMoment) -> str:
    """Until when a stop saves a share of the calls."""
    from outsim.display import format_estimate
    from outsim.study.stops import written

    replications, share = answer.findings.replications, f"{found.share:.0%}"
    if found.never == replications:
        return f"None of these stops saves {share} of the calls."
    if found.always == replications:
        latest = written(answer.after_us[-1])
        return f"Even the latest of these stops, {latest} after the start, saves {share}."
    if found.is_known:
        last = format_estimate("seconds", found.after_s, answer.campaign.start)
        early, late = map(written, found.between_us)
        return (
            f"A stop saves {share} of the calls until {last} after the start (on a straight line "
            f"between the stops at {early} and {late})."
        )
    return (
        f"Until when a stop saves {share} of the calls these stops don't tell: in {found.never} "
        f"of {replications} replications not even the first one does, in {found.always} the "
        "latest one still does. Give others with --after."
    )
