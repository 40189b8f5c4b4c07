"""`outsim calibrate`: a callee profile fitted to call logs."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from outsim.cli.options import Json, Shown


def calibrate(
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
    zone: Annotated[
        str | None,
        typer.Option(
            metavar="ZONE",
            help="Time zone of times that say none, and of hours and weekdays unless "
            "--callee-zone is given.",
            show_default=False,
        ),
    ] = None,
    callee_zone: Annotated[
        str | None,
        typer.Option(
            metavar="ZONE",
            help="Time zone of the callees' hours and weekdays, if log times are of another.",
            show_default=False,
        ),
    ] = None,
    format_: Annotated[
        Literal["calls", "results", "asterisk", "freeswitch", "twilio", "connect", "csv", "outsim"]
        | None,
        typer.Option(
            "--format",
            help="Format of the logs; default: found by how they begin. calls and results are "
            "the platform's call log and its result_url records.",
            show_default=False,
        ),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            metavar="FIELD=NAME,... or FILE.toml",
            help="Which columns of a log are what, by name or by position, such as "
            "started=Start,outcome=Result,talk_s=4; or a TOML file that says so.",
            show_default=False,
        ),
    ] = None,
    outcome: Annotated[
        str | None,
        typer.Option(
            metavar="WORD=OUTCOME,...",
            help="What words of the log stand for, such as ANSW=human; *=... is every other "
            "word, and WORD=- leaves rows out.",
            show_default=False,
        ),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(
            metavar="NAME=VALUE|VALUE,...",
            help="Use only rows with one of these values in a column.",
            show_default=False,
        ),
    ] = None,
    time_format: Annotated[
        str | None,
        typer.Option(metavar="FORMAT", help="How times are written, such as '%m/%d/%Y %H:%M'."),
    ] = None,
    last_only: Annotated[
        bool, typer.Option("--last-only", help="Rows are the last attempts of their calls.")
    ] = False,
    talk: Annotated[
        Literal["message", "agent_talk"],
        typer.Option(help="What talk times are times of: the message, or talks with agents."),
    ] = "message",
    rounding: Annotated[
        Literal["nearest", "down", "up"], typer.Option(help="How the log rounds to seconds.")
    ] = "nearest",
    json: Json = False,
) -> None:
    """Fit the callee profile to call logs: outcomes, ring and talk times, redials."""
    from datetime import date

    from outsim.cli.output import present
    from outsim.questions.calibrate import calibrate as ask

    is_file = columns is not None and columns.endswith(".toml")
    question = ask(
        logs,
        out=out,
        holdout=holdout,
        zone=zone,
        callee_zone=callee_zone,
        format=format_,
        columns=columns if is_file else _pairs(columns, "--columns"),
        outcomes=_pairs(outcome, "--outcome"),
        where=_pairs(where, "--where"),
        time_format=time_format,
        last_only=last_only,
        talk=talk,
        rounding=rounding,
        fitted_on=date.today(),
    )
    present(question.run(), Shown(json=json))


def _pairs(text: str | None, place: str) -> dict[str, str] | None:
    from outsim.calibration.mapping import pairs

    return None if text is None else pairs(text, place)
