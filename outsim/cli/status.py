"""`outsim status`: a campaign at a moment, the truth beside what its customer sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from outsim.cli.options import CampaignName, EngineName, Json, Picture, ScenarioFile, Seed

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from outsim.results.result import Result
    from outsim.scenario import Campaign, Scenario


_TABLE = ("number", "ani", "status", "attempt", "callee_type", "call_info")
"""Columns of the customer's call table."""


def status(
    scenario: ScenarioFile,
    at: Annotated[str, typer.Option(metavar="TIME", help="Local clock time, such as 09:30.")],
    campaign: CampaignName = None,
    calls: Annotated[
        bool, typer.Option("--calls", help="Show the customer's call table.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="Rows of the call table.")] = 20,
    seed: Seed = None,
    replication: Annotated[int, typer.Option(min=0, help="Which replication of the seed.")] = 0,
    engine: EngineName = "auto",
    plot: Picture = None,
    json: Json = False,
) -> None:
    """Show a campaign at a moment: the truth beside what the customer sees.

    The picture that --plot writes shows both over the whole run, with the moment marked.
    """
    from outsim.cli.output import (
        load_with_advice,
        picture_file,
        print_json,
        simulate_with_bar,
        write_picture,
    )
    from outsim.plots import truth_and_seen

    picture = picture_file(plot)
    loaded = load_with_advice(scenario)
    chosen = chosen_campaign(loaded, campaign)
    moment = _moment(loaded, at)
    result = simulate_with_bar(loaded, seed, replication, engine)
    if loaded.instant_us(moment) > loaded.instant_us(result.ended):
        raise typer.BadParameter(f"{at} is after the run's end ({result.ended:%Y-%m-%d %H:%M})")
    write_picture(lambda: [truth_and_seen(result, campaign=chosen, at=moment)], picture)
    page = result.status_page(moment)
    page = page[page["campaign"].eq(chosen.name) & page["tenant"].eq(chosen.tenant)]
    if json:
        print_json(_document(page, moment, chosen, limit if calls else 0))
    elif calls:
        _print_calls(page, limit)
    else:
        _print(result, page, moment, chosen)


def chosen_campaign(scenario: Scenario, name: str | None) -> Campaign:
    """Campaign that a command asks about: by name, or the one under study.

    Raises
    ------
    typer.BadParameter
        If there is no such campaign, more than one, or none at all.
    """
    from outsim.errors import StudyError
    from outsim.studies.variants import campaign_of

    try:
        return campaign_of(scenario, name)
    except StudyError as error:
        raise typer.BadParameter(str(error)) from None


def _moment(scenario: Scenario, at: str) -> datetime:
    try:
        moment = scenario.clock.at(at)
    except ValueError as error:
        raise typer.BadParameter(f"--at: {error}") from None
    if scenario.instant_us(moment) < 0:
        raise typer.BadParameter(f"--at {at} is before the run begins")
    return moment


def _document(page: pd.DataFrame, moment: datetime, campaign: Campaign, limit: int) -> Any:
    from outsim.results.tables.views import counts

    document: dict[str, Any] = {
        "campaign": campaign.name,
        "tenant": campaign.tenant,
        "at": moment.isoformat(),
        "calls": len(page),
        "seen": {word: seen for word, seen, _ in counts(page)},
        "true": {word: true for word, _, true in counts(page)},
        "differing": int((page["status"].astype(str) != page["true_status"].astype(str)).sum()),
    }
    if limit:
        shown = page.head(limit)[[*_TABLE, "true_status"]]
        document["table"] = shown.astype(object).to_dict(orient="records")
    return document


def _print(result: Result, page: pd.DataFrame, moment: datetime, campaign: Campaign) -> None:
    from outsim.cli.output import say, show, table
    from outsim.clock import SECOND, format_duration
    from outsim.results.measures import status_lags_s
    from outsim.results.tables.views import counts

    say(f"{campaign.name} ({campaign.tenant}) at {moment:%H:%M:%S}, one run, seed {result.seed}")
    rows = [[word, f"{seen:,}", f"{true:,}"] for word, seen, true in counts(page)]
    show(table(["status", "customer sees", "truth"], [*rows, ["calls", *[f"{len(page):,}"] * 2]]))
    differing = int((page["status"].astype(str) != page["true_status"].astype(str)).sum())
    say(f"{differing:,} calls are further than their page says.")
    updates = result.view(campaign).updates
    recent = updates[updates["visible_at"] <= moment].tail(100)
    lags = status_lags_s(recent).dropna()
    waiting = int(((updates["happened_at"] <= moment) & ~(updates["visible_at"] <= moment)).sum())
    if len(lags):
        mean = format_duration(lags.mean() * SECOND)
        say(f"Lag of the last {len(lags)} updates shown: {mean} on average.")
    say(f"{waiting:,} updates have happened and are not visible yet.")


def _print_calls(page: pd.DataFrame, limit: int) -> None:
    from outsim.cli.output import say, show, table

    shown = page.head(limit)
    columns = [shown["number"].map(_number), shown["ani"].map(_number)]
    columns += [shown[name].astype(str) for name in _TABLE[2:]]
    rows = [list(row) for row in zip(*columns, strict=True)]
    show(table(["number dialed", "ANI", "status", "attempt", "callee type", "call info"], rows))
    if len(page) > limit:
        say(f"{limit} of {len(page):,} calls; --limit shows more.")


def _number(number: int) -> str:
    text = f"{number:010d}"
    return f"{text[:3]}-{text[3:6]}-{text[6:]}" if number else ""
