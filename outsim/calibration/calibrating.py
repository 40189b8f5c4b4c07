"""Calibrate to call logs: read them, and fit the callee profile."""

from __future__ import annotations

from collections.abc import Mapping as Dictionary
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from outsim.calibration.answer import Calibration
from outsim.calibration.counts import Rounding
from outsim.calibration.fitting import Talk, fit
from outsim.calibration.layout import Format
from outsim.calibration.mapping import Mapping, mapping_of
from outsim.calibration.reading import read_call_log


def calibrate(
    files: str | Path | Sequence[str | Path],
    *,
    format: Format | None = None,
    columns: Dictionary[str, str] | None = None,
    outcomes: Dictionary[str, str] | None = None,
    where: Dictionary[str, str] | None = None,
    time_format: str | None = None,
    last_only: bool = False,
    mapping: Mapping | None = None,
    zone: str | None = None,
    callee_zone: str | None = None,
    holdout: float | str = 0.25,
    talk: Talk = "message",
    profile: str = "known_list",
    rounding: Rounding = "nearest",
    fitted_on: date | None = None,
) -> Calibration:
    """Fit a callee profile to call logs.

    Parameters
    ----------
    files : path, or sequence of paths
        Call logs of one kind: the platform's own, its result_url records, Asterisk's
        ``Master.csv``, Twilio's export, a saved result, or any delimited file.
    format : optional
        Format of the files; default: found by how each begins.
    columns : mapping, optional
        For fields of `outsim.calibration.mapping.FIELDS` the column of the file, as in
        ``{"started": "Start", "outcome": "Result"}``.
    outcomes : mapping, optional
        What words of the log stand for, as in ``{"ANSW": "human"}``; ``"*"`` is every other
        word, and ``"-"`` leaves rows with it out.
    where : mapping, optional
        Columns with their allowed values, parted by ``|``; other rows are left out.
    time_format : str, optional
        How times are written, for `strptime`.
    last_only : bool
        Whether a row is the last attempt of its call.
    mapping : Mapping, optional
        The above in one, as `outsim.calibration.mapping.read_mapping` gives it.
    zone : str, optional
        Time zone of times that say none.
    callee_zone : str, optional
        Time zone of the callees, that hours and weekdays are taken in; default: `zone`.
    holdout, talk, profile, rounding, fitted_on
        See `outsim.calibration.fit`.

    Returns
    -------
    Calibration
        The profile, with intervals, notes and what was read; `Calibration.save` writes it.

    Raises
    ------
    ScenarioError
        If the logs can't be read, or nothing can be made of them.
    """
    given = mapping_of(columns, outcomes, time_format, where, last_only=last_only)
    log = read_call_log(
        [files] if isinstance(files, str | Path) else files,
        format=format,
        mapping=given if mapping is None else given.over(mapping),
        zone=zone,
        callee_zone=callee_zone,
    )
    return fit(log, holdout, talk=talk, profile=profile, rounding=rounding, fitted_on=fitted_on)
