"""`outsim failed`: why calls fail, and what became of pending ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from outsim.cli.options import CampaignName, EngineName, Json, ScenarioFile, Seed

if TYPE_CHECKING:
    import pandas as pd

    from outsim.results.tables.failures import PendingMatch


def failed(
    scenario: ScenarioFile,
    campaign: CampaignName = None,
    seed: Seed = None,
    replication: Annotated[int, typer.Option(min=0, help="Which replication of the seed.")] = 0,
    engine: EngineName = "auto",
    json: Json = False,
) -> None:
    """Show failures by cause, attempt and hour, and match pending calls against the call log."""
    from outsim.cli.output import load_with_advice, print_json, simulate_with_bar
    from outsim.cli.status import chosen_campaign
    from outsim.results.tables.failures import (
        failed_calls_by_cause,
        match_pending,
        unanswered_by_attempt,
        unanswered_by_hour,
    )
    from outsim.scenario.whose import ALL_CALLS

    loaded = load_with_advice(scenario)
    chosen = chosen_campaign(loaded, campaign) if campaign or loaded.campaigns else None
    result = simulate_with_bar(loaded, seed, replication, engine)
    view = result.view(chosen or ALL_CALLS)
    tables = {
        "by_cause": failed_calls_by_cause(view.calls),
        "by_attempt": unanswered_by_attempt(view.attempts),
        "by_hour": unanswered_by_hour(view.attempts),
    }
    match = match_pending(
        result.calls,
        result.attempts,
        result.updates,
        result.ended,
        result.calls["call_id"].isin(view.calls["call_id"]),
    )
    name = chosen.name if chosen else "all campaigns"
    if json:
        print_json(
            {
                "campaign": name,
                "seed": result.seed,
                **{key: frame.to_dict(orient="index") for key, frame in tables.items()},
                "pending": {
                    "at": result.ended.isoformat(),
                    **match.counts,
                    "wrong": match.wrong,
                    "error_rate": match.error_rate,
                },
            }
        )
        return
    _print(name, tables, match, view.calls, result.ended.strftime("%H:%M"))


def _print(
    name: str, tables: dict[str, Any], match: PendingMatch, calls: pd.DataFrame, ended: str
) -> None:
    from outsim.cli.output import say, show, table
    from outsim.results.tables.failures import why_failed

    by_cause = tables["by_cause"]
    count = int((calls["status"] == "failed").sum())
    say(f"{name}: {count:,} of {len(calls):,} calls failed: dialled, and never answered (one run)")
    shares = {
        str(cause): (row["share"], f"{row['share']:.1%}") for cause, row in by_cause.iterrows()
    }
    if why := why_failed(shares):
        say(why)
    if tables["by_attempt"].empty:
        statuses = calls["status"].value_counts()
        told = ", ".join(f"{n:,} {word}" for word, n in statuses.items() if n)
        say(f"No attempt was made: {told}." if told else "There are no calls.")
    if count:
        causes = by_cause.iterrows()
        rows = [[c, f"{row['calls']:,.0f}", f"{row['share']:.1%}"] for c, row in causes]
        show(table(["last attempt", "calls", "share"], rows))
    for title, key in (("attempt", "by_attempt"), ("hour", "by_hour")):
        frame = tables[key]
        rows = [
            [
                str(index),
                *(f"{row[column]:,.0f}" for column in frame.columns[:-1]),
                f"{row['answered_share']:.1%}",
            ]
            for index, row in frame.iterrows()
        ]
        if rows:
            show(table([title, *(c.replace("_", " ") for c in frame.columns)], rows))
    pending = len(match.calls)
    say(f"{pending:,} calls are still shown as pending at {ended}.")
    if not pending:
        return
    say("Matched by number and time against the call log, which has no call_id:")
    show(
        table(["", "calls"], [[verdict, f"{found:,}"] for verdict, found in match.counts.items()])
    )
    given = pending - match.counts["ambiguous"]
    say(f"{match.wrong:,} of {given:,} verdicts differ from the truth.")
