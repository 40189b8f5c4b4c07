"""`outsim calibrate`: a callee profile fitted to call logs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from outsim.cli.options import Json

if TYPE_CHECKING:
    from outsim.calibration import Calibration, CallLog, Mapping, Parameter

_SHOWN = 5
"""Rows that can't be read that are shown."""

NOTHING = 1
"""Exit code where nothing could be fitted."""


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

    from outsim.calibration import fit, read_call_log
    from outsim.cli.output import note, print_json

    target = None if out is None else _writable(Path(out), logs)
    mapping = _mapping(columns, outcome, where, time_format, last_only=last_only)
    log = read_call_log(logs, format=format_, mapping=mapping, zone=zone, callee_zone=callee_zone)
    fitted = fit(log, holdout, talk=talk, rounding=rounding, fitted_on=date.today())
    if json:
        print_json({"log": log.to_json(), **fitted.to_json()})
    else:
        _print(log, fitted)
    if not fitted.durations and fitted.outcomes is None:
        what = "" if target is None else f"; {target} is not written"
        note(f"outsim: nothing could be fitted: every value is kept at its default{what}")
        raise typer.Exit(NOTHING)
    if target is not None:
        _write(log, fitted, target)


def _writable(file: Path, logs: list[str]) -> Path:
    from outsim.disk import check_writable, reason
    from outsim.errors import ScenarioError

    if file.exists() and any(Path(log).exists() and file.samefile(log) for log in logs):
        raise ScenarioError(f"--out {file}: is the log itself; name another file")
    if file.is_dir():
        raise ScenarioError(f"--out {file}: Is a directory; name a file such as callees.toml")
    if not file.parent.is_dir():
        raise ScenarioError(f"--out {file}: there is no directory {file.parent}")
    try:
        check_writable(file)
    except OSError as error:
        raise ScenarioError(f"--out {file}: {reason(error)}; name another file") from None
    return file


def _mapping(
    columns: str | None,
    outcome: str | None,
    where: str | None,
    time_format: str | None,
    *,
    last_only: bool,
) -> Mapping:
    from outsim.calibration import mapping_of, read_mapping
    from outsim.calibration.mapping import pairs

    is_file = columns is not None and columns.endswith(".toml")
    given = mapping_of(
        pairs(columns, "--columns") if columns is not None and not is_file else None,
        pairs(outcome, "--outcome") if outcome is not None else None,
        time_format,
        pairs(where, "--where") if where is not None else None,
        last_only=last_only,
    )
    return given.over(read_mapping(Path(columns))) if columns is not None and is_file else given


def _write(log: CallLog, fitted: Calibration, target: Path) -> None:
    from outsim.cli.output import note
    from outsim.disk import reason
    from outsim.errors import ScenarioError

    place = beside = target.with_suffix(".unreadable.csv")
    is_file = target.is_file() or not target.exists()
    try:
        if log.unreadable and is_file:
            log.write_unreadable(beside)
        elif is_file:
            beside.unlink(missing_ok=True)
        place = target
        fitted.save(target)
    except OSError as error:
        raise ScenarioError(f"--out {place}: {reason(error)}; name another file") from None
    note(f"profile written to {target}; scenarios take it with extends")
    if log.unreadable and is_file:
        note(f"rows that can't be read are listed in {beside}")


def _print(log: CallLog, fitted: Calibration) -> None:
    from outsim.cli.output import say, show, table

    say(log.source.label)
    _print_counts(log)
    calibrated = [each for each in fitted.parameters if each.low is not None]
    kept = [each for each in fitted.parameters if each.low is None]
    if calibrated:
        rows = [_row(each) for each in calibrated]
        show(table(["fitted", "value", "95 % interval", "calls"], rows))
        say("Durations are in seconds, profiles in percent of first dials, factors times.")
    for each in fitted.durations:
        say(
            f"{each.key}: {each.form}, chosen by the latest {fitted.holdout:.0%} of rows; largest "
            f"distance to the shares recorded {each.distance:.3f}"
        )
    for text in fitted.notes:
        say(f"note: {text}")
    if kept:
        say(f"Kept at their defaults: {', '.join(each.key for each in kept)}.")


def _row(each: Parameter) -> list[str]:
    assert each.low is not None
    assert each.high is not None
    value, low, high = (
        _figure(x, each.high - each.low) for x in (each.value, each.low, each.high)
    )
    return [each.key, value, f"{low} to {high}", f"{each.calls:,.0f}"]


def _figure(value: float, width: float) -> str:
    """As many decimals as the interval deserves: two digits of its width."""
    from math import floor, log10

    decimals = max(0, 1 - floor(log10(width))) if width > 0 else 1
    return f"{value:,.{min(decimals, 5)}f}"


def _print_counts(log: CallLog) -> None:
    from outsim.cli.output import say

    left_out = sum(log.left_out.values())
    files = f"{len(log.files)} files" if len(log.files) > 1 else "1 file"
    formats = ", ".join(sorted({file.format for file in log.files}))
    say(
        f"{log.rows:,} rows of {files} ({formats}): {len(log):,} attempts used, {left_out:,} left "
        f"out, {len(log.unreadable):,} can't be read"
    )
    for reason, count in sorted(log.left_out.items()):
        say(f"  left out: {count:,} {reason}")
    for each in log.unreadable[:_SHOWN]:
        say(f"  {each}")
    if len(log.unreadable) > _SHOWN:
        say(f"  and {len(log.unreadable) - _SHOWN:,} more; --out lists all of them in a file")
