"""`outsim calibrate`: a callee profile fitted to call logs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import typer

from outsim.cli.options import Json, Shown, with_options


@dataclass(frozen=True)
class LogFlags:
    """How call logs are read."""

    zone: Annotated[
        str | None,
        typer.Option(
            metavar="ZONE",
            help="Time zone of times that say none, and of hours and weekdays unless "
            "--callee-zone is given.",
        ),
    ] = None
    callee_zone: Annotated[
        str | None,
        typer.Option(
            metavar="ZONE",
            help="Time zone of the callees' hours and weekdays, if log times are of another.",
        ),
    ] = None
    format: Annotated[
        Literal["calls", "results", "asterisk", "freeswitch", "twilio", "connect", "csv", "outsim"]
        | None,
        typer.Option(
            help="Format of the logs; default: found by how they begin. calls and results are "
            "the platform's call log and its result_url records."
        ),
    ] = None
    columns: Annotated[
        str | None,
        typer.Option(
            metavar="FIELD=NAME,... or FILE.toml",
            help="Which columns of a log are what, by name or by position, such as "
            "started=Start,outcome=Result,talk_s=4; or a TOML file that says so.",
        ),
    ] = None
    outcomes: Annotated[
        str | None,
        typer.Option(
            metavar="WORD=OUTCOME,...",
            help="What words of the log stand for, such as ANSW=human; *=... is every other "
            "word, and WORD=- leaves rows out.",
        ),
    ] = None
    where: Annotated[
        str | None,
        typer.Option(
            metavar="NAME=VALUE|VALUE,...",
            help="Use only rows with one of these values in a column.",
        ),
    ] = None
    time_format: Annotated[
        str | None,
        typer.Option(metavar="FORMAT", help="How times are written, such as '%m/%d/%Y %H:%M'."),
    ] = None
    last_only: Annotated[
        bool, typer.Option("--last-only", help="Rows are the last attempts of their calls.")
    ] = False
    talk: Annotated[
        Literal["message", "agent_talk"],
        typer.Option(help="What talk times are times of: the message, or talks with agents."),
    ] = "message"
    rounding: Annotated[
        Literal["nearest", "down", "up"], typer.Option(help="How the log rounds to seconds.")
    ] = "nearest"

    def given(self) -> dict[str, Any]:
        """Keyword parameters of the question."""
        from outsim.calibration.mapping import pairs

        options = dict(vars(self))
        for name in ("columns", "outcomes", "where"):
            text = options[name]
            if text is not None and not (name == "columns" and text.endswith(".toml")):
                options[name] = pairs(text, f"--{name}")
        return options


@with_options
def calibrate(
    *,
    logs: Annotated[
        list[str], typer.Argument(metavar="LOG...", help="Call logs of one kind, packed or not.")
    ],
    out: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write the profile, as a file that scenarios extend."),
    ] = None,
    holdout: Annotated[
        str, typer.Option(metavar="SHARE", help="Latest share of rows, by which forms are chosen.")
    ] = "25%",
    profile: Annotated[
        str, typer.Option(metavar="NAME", help="Profile that gets the outcome mix.")
    ] = "known_list",
    load: Annotated[
        bool,
        typer.Option(
            "--load",
            help="Fit the load too, as [[background.tenant_class]]: sizes and starts of lists, "
            "paces, by hour and weekday. --columns tenant=...,campaign=... tell them apart.",
        ),
    ] = False,
    log: LogFlags,
    json: Json = False,
) -> None:
    """Fit the callee profile, and with --load the load of others, to call logs."""
    from datetime import date

    from outsim.cli.output import present
    from outsim.questions.calibrate import calibrate as ask

    question = ask(
        logs,
        out=out,
        holdout=holdout,
        profile=profile,
        fitted_on=date.today(),
        load=load,
        **log.given(),
    )
    present(question.run(), Shown(json=json))
