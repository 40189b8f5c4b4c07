"""What do my own call logs say? A callee profile fitted to them, with intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from math import floor, log10
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outsim.calibration import CalleeFit, CallLog, fit, mapping_of, read_call_log, read_mapping
from outsim.calibration.families import Rounding
from outsim.calibration.fitting import Talk
from outsim.calibration.layout import Format
from outsim.calibration.load import LoadFit
from outsim.calibration.load_values import KEY as LOAD_KEY
from outsim.calibration.rates import Estimate
from outsim.disk import check_writable, reason
from outsim.display import percent
from outsim.document import Answer, Document, Table
from outsim.errors import ScenarioError
from outsim.questions.question import Question, asks
from outsim.scenario.parts import WEEKDAYS
from outsim.text import plain

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 5
"""Rows that can't be read that are shown."""

_HEADS = ["fitted", "value", "95 % interval", "calls"]
_UNITS = "Durations are in seconds, profiles in percent of first dials, factors times."


@dataclass(frozen=True, eq=False, repr=False)
class Calibration(Answer, CalleeFit):
    """A callee profile fitted to call logs."""

    log: CallLog = field(kw_only=True)
    """What was read."""
    path: Path | None = field(kw_only=True, default=None)
    """File that the profile is for; it is not written if nothing could be fitted."""

    @property
    def is_no(self) -> bool:  # type: ignore[override]
        """Whether nothing could be fitted."""
        return not self.durations and self.outcomes is None and self.load is None

    def document(self) -> Document:
        """What was fitted, what was read for it, and what was not."""
        log, parameters = self.log, self.parameters
        fitted = [known.key for known in self.durations]
        fitted += [] if self.outcomes is None else [f"profiles.{self.profile_name}"]
        fitted += [] if self.load is None else [LOAD_KEY]
        rows = [
            [
                known.key,
                *_with_interval(known.value, known.low, known.high),
                f"{known.calls:,.0f}",
            ]
            for known in parameters
            if known.low is not None
            and known.high is not None
            and not known.key.startswith(LOAD_KEY)
        ]
        defaults = [known.key for known in parameters if known.low is None]
        return Document(
            id="calibrate",
            title="What do my own call logs say?",
            asked=_counts(log),
            answer=f"Fitted to {self.source}: {', '.join(fitted)}."
            if fitted
            else f"Nothing could be fitted to {self.source}: every value stays at its default.",
            more=[
                *(f"Left out: {count:,} {why}." for why, count in sorted(log.left_out.items())),
                *(f"Can't be read: {row}" for row in log.unreadable[:_SHOWN]),
                *_more_rows(len(log.unreadable) - _SHOWN),
            ],
            tables=[
                *(
                    [Table("", ["fitted", "value", "95 % interval", "calls"], rows)]
                    if rows
                    else []
                ),
                *([] if self.load is None else _load_tables(self.load)),
            ],
            notes=[
                *(
                    ["Durations are in seconds, profiles in percent of first dials."]
                    if rows
                    else []
                ),
                *(
                    f"{known.key}: {known.form}, chosen by the latest {percent(self.holdout)} of "
                    f"rows; largest distance to the shares recorded {known.distance:.3f}."
                    for known in self.durations
                ),
                *([] if self.load is None else _members(self.load)),
                *(f"{note}." for note in self.notes),
                *([f"At their defaults: {', '.join(defaults)}."] if defaults else []),
                *self._written(),
            ],
        )

    def _written(self) -> list[str]:
        if self.path is None:
            return []
        if self.is_no:
            return [f"{self.path} is not written."]
        listed = _unreadable_beside(self.path)
        lists = f"; rows that can't be read are listed in {listed}" if listed.exists() else ""
        return [f"Profile written to {self.path}; scenarios take it with extends{lists}."]

    def to_dict(self) -> dict[str, Any]:
        """What was read and what was fitted, for machines."""
        return plain(
            {
                "log": self.log.to_dict(),
                "source": {"label": self.source, **self.details},
                "attempts": self.attempts,
                "holdout": self.holdout,
                "parameters": [vars(parameter) for parameter in self.parameters],
                "durations": [
                    {
                        "key": known.key,
                        "form": known.form,
                        "calls": known.calls,
                        "distance": known.distance,
                        "drift": {**vars(known.drift), "is_there": known.drift.is_there},
                        "candidates": [vars(score) for score in known.scores],
                    }
                    for known in self.durations
                ],
                "load": None
                if self.load is None
                else [
                    {
                        "class": part.kind,
                        "tenants": part.tenants,
                        "names": part.named,
                        "calls": part.calls,
                        "starts": part.rates.starts,
                        "dispersion": part.rates.dispersion,
                        "pace_a_minute": None if part.pace is None else part.pace._asdict(),
                    }
                    for part in self.load.classes
                ],
                "notes": self.notes,
                "scenario": self.to_mapping(),
            }
        )


@asks()
def calibrate(
    logs: str | Path | pd.DataFrame | Sequence[str | Path | pd.DataFrame],
    *,
    out: str | Path | None = None,
    holdout: float | str = 0.25,
    zone: str | None = None,
    callee_zone: str | None = None,
    format: Format | None = None,
    columns: Mapping[str, str] | str | Path | None = None,
    outcomes: Mapping[str, str] | None = None,
    where: Mapping[str, str] | None = None,
    time_format: str | None = None,
    last_only: bool = False,
    talk: Talk = "message",
    rounding: Rounding = "nearest",
    profile: str = "known_list",
    fitted_on: date | None = None,
    load: bool = False,
) -> Question[Calibration]:
    """Fit a callee profile to call logs.

    Parameters
    ----------
    logs : path or DataFrame, or sequence of these
        Call logs of one kind: the platform's own, its result_url records, Asterisk's
        ``Master.csv``, Twilio's export, a saved result, any delimited file or Parquet table;
        or a DataFrame with the columns of one, such as `Result.call_log` gives.
    out : path, optional
        File to write the profile to, for scenarios to extend; rows that can't be read are listed
        in another one beside it. Nothing is written if nothing could be fitted.
    holdout : float or str
        Share of the rows, the latest ones, by which forms are chosen: 0.05 to 0.5, or
        ``"25 %"``. In the end everything is fitted to all rows.
    zone : str, optional
        Time zone of times that say none.
    callee_zone : str, optional
        Time zone of the callees, that hours and weekdays are taken in; default: `zone`.
    format : optional
        Format of the files; default: found by how each begins.
    columns : mapping or path, optional
        For fields of `outsim.calibration.mapping.FIELDS` the column of the file, as in
        ``{"started": "Start", "outcome": "Result"}``; or a TOML file with this and the next four,
        which go before what it says.
    outcomes : mapping, optional
        What words of the log stand for, as in ``{"ANSW": "human"}``; ``"*"`` is every other
        word, and ``"-"`` leaves rows with it out.
    where : mapping, optional
        Columns with their allowed values, parted by ``|``; other rows are left out.
    time_format : str, optional
        How times are written, for `strptime`.
    last_only : bool
        Whether a row is the last attempt of its call.
    talk : {"message", "agent_talk"}
        What the recorded talk times of people are times of: a message, in which case the fit
        has their early hang-ups in it, or a talk with an agent.
    rounding : {"nearest", "down", "up"}
        How the log turned durations into whole seconds.
    profile : str
        Name of the profile that gets the outcome mix; the default takes the place of the
        built-in profile that campaigns have unless they say otherwise.
    fitted_on : date, optional
        Date of the fit, to be written into the sources.
    load : bool
        Whether the load of the log is fitted too, as classes of background tenants: sizes of
        lists, when they start, their pace, by local hour and weekday. Customers are told apart by
        the column `tenant`, lists by the column `campaign` or by pauses. Not for a scenario that
        has these lists already as campaigns of its own.

    Raises
    ------
    ScenarioError
        When it is run: if the logs can't be read, nothing can be made of them, or the profile
        can't be written.
    """

    def work(_: Any) -> Calibration:
        path = None if out is None else _writable(Path(out), logs)
        file = Path(columns) if isinstance(columns, str | Path) else None
        named = None if isinstance(columns, str | Path) else columns
        mapping = mapping_of(named, outcomes, time_format, where, last_only=last_only)
        if file is not None:
            mapping = mapping.over(read_mapping(file))
        log = read_call_log(
            logs, format=format, mapping=mapping, zone=zone, callee_zone=callee_zone
        )
        fitted = fit(
            log,
            holdout,
            talk=talk,
            profile=profile,
            rounding=rounding,
            fitted_on=fitted_on,
            load=load,
        )
        answer = Calibration(**vars(fitted), log=log, path=path)
        if path is not None and not answer.is_no:
            _write(answer, path)
        return answer

    return Question("calibrate", work)


def _writable(file: Path, logs: Any) -> Path:
    given = logs if isinstance(logs, (list, tuple)) else [logs]
    paths = [Path(log) for log in given if isinstance(log, (str, Path))]
    if file.exists() and any(log.exists() and file.samefile(log) for log in paths):
        raise ScenarioError(f"out {file}: is the log itself; name another file")
    if file.is_dir():
        raise ScenarioError(f"out {file}: Is a directory; name a file such as callees.toml")
    if not file.parent.is_dir():
        raise ScenarioError(f"out {file}: there is no directory {file.parent}")
    try:
        check_writable(file)
    except OSError as error:
        raise ScenarioError(f"out {file}: {reason(error)}; name another file") from None
    return file


def _unreadable_beside(file: Path) -> Path:
    """File with the rows that can't be read."""
    return file.with_suffix(".unreadable.csv")


def _write(calibration: Calibration, file: Path) -> None:
    """Write the profile, and the rows that can't be read; a pipe gets the profile alone."""
    place = beside = _unreadable_beside(file)
    is_file = file.is_file() or not file.exists()
    try:
        if calibration.log.unreadable and is_file:
            calibration.log.write_unreadable(beside)
        elif is_file:
            beside.unlink(missing_ok=True)
        place = file
        calibration.save(file)
    except OSError as error:
        raise ScenarioError(f"out {place}: {reason(error)}; name another file") from None


def _counts(log: CallLog) -> str:
    files = f"{len(log.files)} files" if len(log.files) > 1 else "1 file"
    formats = ", ".join(sorted({file.format for file in log.files}))
    return (
        f"{log.rows:,} rows of {files} ({formats}): {len(log):,} attempts used, "
        f"{sum(log.left_out.values()):,} left out, {len(log.unreadable):,} can't be read."
    )


_SHOWN_NAMES = 3


def _load_tables(load: LoadFit) -> Iterator[Table]:
    """Classes of the load, one a row; then their rates by hour and factors by weekday."""
    parts, kinds = load.classes, [part.kind for part in load.classes]
    rows = [
        [
            part.kind,
            f"{part.tenants:,}",
            f"{part.rates.starts:,}",
            "" if part.sizes is None else _brief(part.sizes.median),
            "" if part.sizes is None else f"{part.sizes.p90.value:,.0f}",
            "" if part.pace is None else f"{part.pace.value:,.0f}/min",
        ]
        for part in parts
    ]
    heads = ["class", "tenants", "starts", "contacts p50", "p90", "pace"]
    yield Table("The load, by class", heads, rows)
    hours = sorted({hour for part in parts for hour in part.rates.by_hour})
    by_hour = [
        [f"{hour:02d}:00", *(_brief(part.rates.by_hour.get(hour)) for part in parts)]
        for hour in hours
    ]
    yield Table("Starts an hour, by local hour", ["hour", *kinds], by_hour)
    days = [day for day in WEEKDAYS if any(day in part.rates.by_weekday for part in parts)]
    by_day = [[day, *(_brief(part.rates.by_weekday.get(day)) for part in parts)] for day in days]
    if by_day:
        yield Table("Factor on them, by weekday", ["weekday", *kinds], by_day)


def _members(load: LoadFit) -> Iterator[str]:
    """Whose load each class is."""
    for part in load.classes:
        names = ", ".join(part.named[:_SHOWN_NAMES])
        more = len(part.named) - _SHOWN_NAMES
        if names:
            yield f"{part.kind}: {names}{f' and {more:,} more' if more > 0 else ''}."


def _brief(estimate: Estimate | None) -> str:
    if estimate is None:
        return "none"
    decimals = 0 if estimate.value >= 100 else 1 if estimate.value >= 10 else 2
    return "{:,.{d}f} ({:,.{d}f}-{:,.{d}f})".format(*estimate, d=decimals)


def _more_rows(count: int) -> list[str]:
    return [f"And {count:,} more; a profile's file has all of them beside it (out)."] * (count > 0)


def _with_interval(value: float, low: float, high: float) -> tuple[str, str]:
    """As many decimals as the interval deserves: two digits of its width."""
    decimals = min(5, max(0, 1 - floor(log10(high - low))) if high > low else 1)
    value_text, low_text, high_text = (f"{x:,.{decimals}f}" for x in (value, low, high))
    return value_text, f"{low_text} to {high_text}"
