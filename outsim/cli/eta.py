"""`outsim eta`: when a campaign's calls go out, or one call, from the queue as it stands."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

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
    study_options,
)

if TYPE_CHECKING:
    from outsim.questions.eta_measures import Asked
    from outsim.results.measures import Measure
    from outsim.scenario import Campaign, Scenario
    from outsim.studies.study_result import StudyResult


def eta(
    scenario: ScenarioFile,
    campaign: CampaignName = None,
    call: Annotated[
        int | None,
        typer.Option(
            "--call", metavar="ID", min=0, help="One call, by its id.", show_default=False
        ),
    ] = None,
    number: Annotated[
        str | None,
        typer.Option(
            "--number", metavar="N", help="One call, by its ten-digit number.", show_default=False
        ),
    ] = None,
    snapshot: Annotated[
        str | None,
        typer.Option(
            "--snapshot",
            metavar="FILE",
            help="The queue as it stands (JSON; see `outsim schema --snapshot`).",
            show_default=False,
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="TIME",
            help="Forecast from the queue as one run of the scenario has it then.",
            show_default=False,
        ),
    ] = None,
    plot: Picture = None,
    replications: Replications = None,
    precision: Precision = None,
    within: Within = None,
    out: Out = None,
    keep_tables: KeepTables = False,
    input_uncertainty: InputUncertainty = False,
    executor: ExecutorName = None,
    seed: Seed = None,
    engine: EngineName = "auto",
    json: Json = False,
) -> None:
    """Say when a campaign's calls go out and when it is finished, or when one call goes out."""
    from outsim.cli.output import load_with_advice, picture_file, print_json, write_picture
    from outsim.plots import eta as draw
    from outsim.questions.eta import Forecast
    from outsim.questions.eta_measures import FORECAST_MEASURES, find_call, studying
    from outsim.studies.comparable import campaign_of
    from outsim.studies.default_replications import ETA
    from outsim.studies.study import run_of

    _one_of("--call", call, "--number", number)
    _one_of("--snapshot", snapshot, "--at", at)
    options = study_options(replications, precision, within, out, keep_tables, executor, usual=ETA)
    file = picture_file(plot)
    loaded = load_with_advice(scenario)
    chosen = campaign_of(loaded, campaign)
    loaded, seed = _from_now(loaded, snapshot, at, seed)
    measures: tuple[Measure, ...] = FORECAST_MEASURES
    asked = None
    if call is not None or number is not None:
        asked = find_call(loaded, call_id=call, number=ten_digits(number))
        known = loaded.campaign_or_none("/".join(asked.campaign))
        if known is None or (campaign is not None and known is not chosen):
            raise typer.BadParameter(f"the call is one of {'/'.join(asked.campaign)}; ask there")
        chosen, measures = known, asked.measures
    if file is not None and asked is not None:
        raise typer.BadParameter("--plot draws a campaign; leave out --call and --number")
    findings = run_of(
        studying(loaded, chosen),
        measures=measures,
        seed=seed,
        engine=engine,
        input_uncertainty="drawn" if input_uncertainty else False,
        **options,
    ).run()
    write_picture(lambda: draw(Forecast(chosen, findings)), file)
    if json:
        print_json(_document(findings, chosen, asked))
    else:
        _print(findings, chosen, asked, snapshot or at)


def _one_of(one: str, first: object, other: str, second: object) -> None:
    if first is not None and second is not None:
        raise typer.BadParameter(f"{one} and {other}: give one or the other")


def ten_digits(number: str | None) -> str | None:
    """National number of ten digits, without what people write between them.

    Raises
    ------
    typer.BadParameter
        If there are not ten.
    """
    if number is None:
        return None
    digits = "".join(each for each in number if each.isdigit())
    if len(digits) == 11 and digits.startswith("1"):
        digits = digits[1:]
    if len(digits) != 10:
        raise typer.BadParameter(f"--number {number}: write a number of ten digits")
    return digits


def _from_now(
    scenario: Scenario, snapshot: str | None, at: str | None, seed: int | None
) -> tuple[Scenario, int]:
    """The scenario as it is to be forecast, and the seed of the forecast."""
    from outsim.cli.output import note, simulate_with_bar
    from outsim.scenario.loading import with_snapshot
    from outsim.scenario.snapshot_advice import standing as unlikely

    chosen = scenario.seed if seed is None else seed
    if snapshot is not None:
        standing = with_snapshot(scenario, snapshot)
        for key, message in unlikely(standing):
            note(f"warning: {snapshot}: {key.removeprefix('snapshot.')}: {message}")
        return standing, chosen
    if at is None:
        return scenario, chosen
    run = simulate_with_bar(scenario, chosen, 0, "auto")
    # What is to come is drawn anew: a forecast knows nothing of the run's own future.
    return with_snapshot(scenario, run.snapshot(at)), (chosen + 1) % 2**63


def _instant(findings: StudyResult, seconds: float) -> str | None:
    from outsim.clock import SECOND, after

    if not math.isfinite(seconds):
        return None
    return after(findings.scenarios[0].clock.begins, round(seconds * SECOND)).isoformat()


def _document(findings: StudyResult, campaign: Campaign, asked: Asked | None) -> dict[str, Any]:
    from outsim.questions.eta_measures import BAND, of_findings
    from outsim.questions.eta_texts import never_out
    from outsim.scenario.snapshot_advice import estimates

    scenario = findings.scenarios[0]
    figures = {}
    for measure in (each for each in findings.measures if each.kind == "clock"):
        found = of_findings(findings, measure)
        figures[measure.name] = {
            name: _instant(findings, getattr(found, name))
            for name in ("median", "low", "high", "median_low", "median_high")
        } | {"never": found.never}
    document: dict[str, Any] = {
        "campaign": campaign.name,
        "tenant": campaign.tenant,
        "at": scenario.snapshot.at.isoformat() if scenario.snapshot else None,
        "replications": findings.replications,
        "seed": findings.seed,
        "band": BAND,
        "figures": figures,
        "estimated": estimates(scenario),
    }
    if asked is None:
        document["canceled_before_out"] = findings.mean(0, "canceled_before_out").to_json()
    else:
        never = never_out(findings)
        document["call"] = {
            "state": asked.state,
            "ahead": asked.ahead,
            "never_goes_out": {
                why: {"probability": each.mean, "low": each.low, "high": each.high}
                for why, each in never.items()
            },
        }
    return document


def _print(
    findings: StudyResult, campaign: Campaign, asked: Asked | None, source: str | None
) -> None:
    from outsim.cli.output import say, show, table
    from outsim.questions.eta_texts import COLUMNS, canceled_text, never_out_texts, row
    from outsim.scenario.snapshot_advice import estimates
    from outsim.studies.default_replications import ETA

    scenario = findings.scenarios[0]
    say(f"{campaign.name} ({campaign.tenant}), scenario {scenario.name}")
    if scenario.snapshot is not None:
        say(f"from the queue at {scenario.snapshot.at:%Y-%m-%d %H:%M:%S} ({source})")
        _say_where(scenario, campaign)
    say(f"{findings.replications} replications, seed {findings.seed}")
    if asked is not None:
        _say_call(asked)
    if not (asked and asked.state in ("dialing", "connected")):
        told = [each for each in findings.measures if each.kind == "clock"]
        if asked is not None:
            texts = never_out_texts(findings, campaign)
        else:
            texts = [canceled_text(findings, campaign)]
            if not findings.mean(0, "first_out_s").count:
                texts.append("In none of these runs does a call go out.")
        for text in filter(None, texts):
            say(text)
        show(table(list(COLUMNS), [row(findings, measure) for measure in told]))
        say("Median and 90 % band over replications: nine runs in ten come to it in the band.")
        if findings.switches.draws_callees:
            say("Each has callees of its own, out of what the call log leaves open.")
        if findings.replications < ETA:
            say(
                f"{findings.replications} replications are too few for such a band: it takes "
                f"{ETA}."
            )
    say_precisions(findings)
    named = estimates(scenario)
    if named:
        say("Estimated, as the snapshot does not say it:")
        for each in named:
            say(f"  {each}")


def _say_where(scenario: Scenario, campaign: Campaign) -> None:
    from outsim.cli.output import say
    from outsim.scenario.snapshot import STATES
    from outsim.scenario.snapshot_advice import said

    assert scenario.snapshot is not None
    found = scenario.snapshot.find((campaign.tenant, campaign.name))
    if found is None:
        return
    words = [(said(state), found.count(state)) for state in STATES]
    words += [(state, getattr(found, state)) for state in ("completed", "failed", "canceled")]
    words += [("expired", found.expired)]
    say("; ".join(f"{count:,} {word}" for word, count in words if count))


def _say_call(asked: Asked) -> None:
    from outsim.cli.output import say

    if asked.state in ("dialing", "connected"):
        say(f"The call is {asked.state}: it is out now.")
    elif asked.ahead is not None:
        standing = {
            "queued": "in the queue",
            "waiting_retry": "waiting for its retry: it joins the queue at its tail",
            "scheduled": "not in the queue yet: others may come in before it",
        }
        say(f"The call is {standing[asked.state]}. Calls ahead of it now: {asked.ahead:,}.")
