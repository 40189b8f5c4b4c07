"""Attempts of a saved result of outsim's own: a log whose truth is known."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from outsim.calibration.batches import Batch
from outsim.calibration.convert import MISSING, Micros, seconds_between
from outsim.calibration.log import WORDS
from outsim.inside import inside
from outsim.scenario.files import refusal
from outsim.vocabulary import ANSWERED, OUTCOMES

_NO_ANSWER = OUTCOMES.index("no_answer")
_NEEDED = (
    *("campaign", "tenant", "number", "attempt", "outcome"),
    *("dialed_at", "ringing_at", "answered_at", "ended_at"),
)


def is_result(path: Path) -> bool:
    """Whether a directory holds a saved result."""
    return (path / "run.json").is_file() and (path / "attempts.parquet").is_file()


def zone_of_result(path: Path) -> str:
    """Time zone of a saved result's scenario."""
    try:
        found = json.loads(inside(path, "run.json").read_text())["scenario"]["clock"]["zone"]
    except (ValueError, KeyError, TypeError, OSError):
        raise refusal(path / "run.json", "is no provenance of a saved result") from None
    return str(found)


def batch_of_result(path: Path) -> Batch:
    """Attempts of a saved result that were dialled and are over; rings begin with the first ring.

    Raises
    ------
    ScenarioError
        If its table can't be read.
    """
    try:
        table = pd.read_parquet(inside(path, "attempts.parquet"), columns=list(_NEEDED))
    except (OSError, ValueError, KeyError) as error:
        raise refusal(path / "attempts.parquet", f"can't be read: {error}") from None
    batch = Batch(rows=len(table))
    is_dialled, is_over = table["dialed_at"].notna(), table["ended_at"].notna()
    batch.left_out["not dialled"] = int((~is_dialled).sum())
    batch.left_out["not over"] = int((is_dialled & ~is_over).sum())
    batch.left_out += Counter()
    table = table[is_dialled & is_over]
    codes = pd.Categorical(table["outcome"], categories=list(WORDS)).codes.astype(np.int8)
    answered, gave_up = np.isin(codes, ANSWERED), codes == _NO_ANSWER
    ringing, answer, end = (
        _micros(table[f"{name}_at"]) for name in ("ringing", "answered", "ended")
    )
    batch.started = _micros(table["dialed_at"])
    batch.outcome = codes
    rung = np.where(answered, seconds_between(ringing, answer), seconds_between(ringing, end))
    batch.ring_s = np.where(answered | gave_up, rung, np.nan)
    batch.talk_s = np.where(answered, seconds_between(answer, end), np.nan)
    batch.attempt = table["attempt"].to_numpy(dtype=np.float64)
    batch.numbers = pa.array(table["number"].astype(str))
    batch.campaigns = pa.array(table["tenant"].astype(str) + "/" + table["campaign"].astype(str))
    return batch


def _micros(column: pd.Series[Any]) -> Micros:
    times = column.dt.tz_convert("UTC").astype("datetime64[us, UTC]")
    found = np.where(times.isna(), MISSING, times.astype("int64"))
    return np.asarray(found, dtype=np.int64)
