"""Call logs whose truth is known, in a line."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from outsim.calibration import CallLog
from outsim.calibration.log import LogFile

FIRST = pd.Timestamp("2026-01-05", tz="UTC")
"""A Monday."""


def call_log(table: pd.DataFrame, zone: str | None = "UTC", **more: object) -> CallLog:
    """A log of these attempts."""
    file = LogFile("made.csv", "csv", len(table), "ab" * 32)
    return CallLog(table, zone, (file,), **more)  # type: ignore[arg-type]


def dials(
    seed: int,
    count: int,
    *,
    human: float = 0.34,
    voicemail: float = 0.29,
    busy: float = 0.05,
    morning: float = 1.0,
    redial: tuple[float, ...] = (1.0,),
) -> pd.DataFrame:
    """Attempts with known shares, spread evenly over four weeks."""
    generator = np.random.default_rng(seed)
    seconds = np.sort(generator.uniform(0, 28 * 86_400, count))
    started = FIRST + pd.to_timedelta(seconds.round(), unit="s")
    attempt = generator.integers(1, len(redial) + 1, count)
    hours: NDArray[np.int64] = started.hour.to_numpy()
    factor = np.where((hours >= 9) & (hours < 12), morning, 1.0) * np.array(redial)[attempt - 1]
    uniforms = generator.uniform(size=count)
    outcome = np.select(
        [
            uniforms < human * factor,
            uniforms < 1 - voicemail - busy,
            uniforms < 1 - busy,
        ],
        ["human", "no_answer", "voicemail"],
        "busy",
    )
    return pd.DataFrame({"started": started, "outcome": outcome, "attempt": attempt})
