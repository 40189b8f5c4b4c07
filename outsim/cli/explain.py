"""`outsim explain`: where the wait went, by cause and by whom, and why a call failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from outsim.cli.options import CampaignName, EngineName, Json, Picture, Seed
from outsim.cli.studies import ExecutorName, Replications, Within, study_options

if TYPE_CHECKING:
    from outsim.questions.explain import Explanation
    from outsim.questions.marginal_value import Worth
    from outsim.results.result import Result
    from outsim.results.tables.call_history import Account
    from outsim.scenario import Campaign


def explain(
    asked: Annotated[
        str,
        typer.Argument(
            metavar="SCENARIO|RESULT",
            help="Scenario file (TOML), or a directory that outsim run --out wrote.",
        ),
    ],
    campaign: CampaignName = None,
    call: Annotated[
        int | None,
        typer.Option("--call", metavar="ID", min=0, help="One call.", show_default=False),
    ] = None,
    number: Annotated[
        str | None,
        typer.Option(
            "--number", metavar="N", help="One call, by its ten-digit number.", show_default=False
        ),
    ] = None,
    worth: Annotated[
        bool,
        typer.Option(help="Also what one more port, worker, call/s would have been worth."),
    ] = True,
    replications: Replications = None,
    within: Within = None,
    executor: ExecutorName = None,
    seed: Seed = None,
    replication: Annotated[int, typer.Option(min=0, help="Which replication of the seed.")] = 0,
    engine: EngineName = "auto",
    plot: Picture = None,
    json: Json = False,
) -> None:
    """Where did the wait go? By cause and by whom; with --call, why a call failed."""
    from outsim.cli.eta import ten_digits
    from outsim.cli.output import picture_file, print_json, write_picture
    from outsim.plots import explain as draw
    from outsim.questions.explain import USUAL, Explanation
    from outsim.questions.explain import explain as explain_result
    from outsim.studies.variants import campaign_of

    if call is not None and number is not None:
        raise typer.BadParameter("--call and --number: give one or the other")
    picture = picture_file(plot)
    digits = ten_digits(number)
    options = study_options(replications, None, within, executor=executor, usual=USUAL)
    if worth and isinstance(options.get("replications"), int | range):
        runs = options["replications"]
        if (runs if isinstance(runs, int) else len(runs)) < 2:
            raise typer.BadParameter("--replications: 2 or more, or there is no interval")
    result, chosen = _run(asked, campaign, call, digits, seed, replication, engine)
    if call is not None or digits is not None:
        found = Explanation(result, chosen)
        one = found.call(call if call is not None else found.call_of_number(digits or ""))
        if json:
            print_json(_document(one))
        else:
            _print_call(one)
        return
    if worth:
        name = f"{chosen.tenant}/{chosen.name}"
        found = explain_result(result, name, engine=engine, **options).run()
    else:
        found = Explanation(result, campaign_of(result.scenario, campaign))
    write_picture(lambda: draw(found), picture)
    if json:
        print_json(found.to_json())
        return
    _print(found)


def _run(
    asked: str,
    campaign: str | None,
    call: int | None,
    digits: str | None,
    seed: int | None,
    replication: int,
    engine: Any,
) -> tuple[Result, Campaign]:
    """The result that is asked about, kept or run now, and the campaign."""
    from pathlib import Path

    from outsim.cli.output import load_with_advice, simulate_with_bar
    from outsim.results.result import load_result
    from outsim.studies.variants import campaign_of

    if Path(asked).is_dir():
        if seed is not None or replication:
            raise typer.BadParameter("--seed and --replication: the result has its own")
        result = load_result(asked)
    else:
        scenario = load_with_advice(asked)
        campaign_of(scenario, campaign)
        result = simulate_with_bar(scenario, seed, replication, engine)
    chosen = campaign_of(result.scenario, campaign)
    if campaign is None and (call is not None or digits is not None):
        calls = result.calls
        meant = (
            calls["call_id"] == call if call is not None else calls["number"] == int(digits or 0)
        )
        whose = calls.loc[meant, ["tenant", "campaign"]].drop_duplicates()
        for tenant, name in whose.itertuples(index=False):
            chosen = result.scenario.campaign_or_none(f"{tenant}/{name}") or chosen
    return result, chosen


def _print(found: Explanation) -> None:
    from outsim.cli.output import say, show, table
    from outsim.questions.explain import NAMED

    campaign, result = found.campaign, found.result
    say(
        f"{campaign.name} ({campaign.tenant}), one run, seed {result.seed}, replication "
        f"{result.replication}: where the time of its {len(found.time_by_cause):,} calls went, "
        "from submission to the end"
    )
    say(found.cause_sentence)
    show(table(["cause", "mean of a call", "share"], found.rows()))
    say(found.sentence)
    whom = found.by_whom()
    if len(whom):
        rows = [
            [f"{row.tenant}: {row.campaign}", f"{row.start:%H:%M}", f"{row.share:.1%}"]
            for row in whom.head(NAMED).itertuples()
        ]
        if len(whom) > NAMED:
            rest = whom.iloc[NAMED:]
            rows.append([f"{len(rest)} others", "", f"{rest['share'].sum():.1%}"])
        show(table(["time in the queue went to calls of", "start", "share"], rows))
    _print_reasons(found)
    if found.worth is not None:
        _print_worth(found.worth)


def _print_reasons(found: Explanation) -> None:
    from outsim.cli.output import say, show, table

    reasons = found.reasons()
    if reasons.empty:
        return
    say("Calls that were not completed, by what their last attempt came to:")
    rows = []
    for row in reasons.to_dict(orient="records"):
        named = f": {row['reason'].replace('_', ' ')}" if row["reason"] else ""
        rows.append(
            [f"{row['status']}{named}", f"{row['calls']:,}", ", ".join(map(str, row["examples"]))]
        )
    first = reasons["examples"].iloc[0][0]
    show(table(["", "calls", "such as"], rows))
    say(f"--call {first} tells why, attempt by attempt.")


def _print_worth(worth: Worth) -> None:
    from outsim.cli.output import say, show, table

    say("What more would have been worth:")
    show(table(worth.columns, worth.rows()))
    say(
        f"mean paired difference ± half of its interval over {worth.findings.replications} "
        f"replications, seed {worth.findings.seed}; the {len(worth.steps)} differences of one "
        "figure hold together with 95 % (Bonferroni)."
    )


def _print_call(one: Account) -> None:
    from outsim.cli.output import say, show, table

    call = one.call
    number = f", {call['number']:010d}" if call["number"] else ""
    say(f"call {call['call_id']} of {call['campaign']} ({call['tenant']}){number}")
    say(f"{one.ending[:1].upper()}{one.ending[1:]}.")
    for row in one.attempts.itertuples():
        say(f"Attempt {row.attempt}, dispatched at {row.dispatched_at:%H:%M:%S}: {row.why}.")
    if one.attempts.empty:
        return
    say("The platform just before each attempt came to the carrier:")
    rows = [
        [
            f"{row.attempt}",
            f"{row.at:%H:%M:%S}",
            f"{row.queue:,}",
            f"{row.busy_ports:,} of {row.ports:,}",
            f"{row.busy_channels:,} of {row.channels:,}",
            f"{row.refused_last_minute:,}",
            f"{row.status_backlog:,}",
        ]
        for row in one.attempts.itertuples()
    ]
    headers = ["attempt", "at", "in the queue", "busy ports", "channels in use"]
    headers += ["refused in the last minute", "status backlog"]
    show(table(headers, rows))


def _document(one: Account) -> dict[str, Any]:
    call = one.call
    rows = one.attempts.astype(object).where(one.attempts.notna(), None)
    return {
        "call_id": int(call["call_id"]),
        "tenant": str(call["tenant"]),
        "campaign": str(call["campaign"]),
        "number": f"{call['number']:010d}" if call["number"] else None,
        "status": str(call["status"]),
        "ending": one.ending,
        "attempts": rows.to_dict(orient="records"),
    }
