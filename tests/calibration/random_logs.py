"""Call logs that nobody would make up: mixtures, lumps, extremes, constants, few rows.

`random_log` draws a table of attempts from a seed. Each of its columns is drawn by itself, so that
logs are met of which a column is constant, missing, huge or all alike.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from outsim.calibration.mapping import WORDS

Floats = NDArray[np.float64]

COMMON = ("human", "voicemail", "no_answer", "answered", "busy")
SIZES = (1, 20, 60, 99, 101, 120, 150, 200, 300, 500)
ROUNDINGS = ("nearest", "down", "up")


def _durations(generator: np.random.Generator, size: int) -> Floats:
    """Durations of one kind, in seconds."""
    kind = generator.integers(12)
    scale = float(np.exp(generator.uniform(np.log(0.05), np.log(4000))))
    sd = float(generator.uniform(0.01, 2.5))
    lognormal = scale * np.exp(sd * generator.standard_normal(size))
    match kind:
        case 0:
            return np.zeros(size)
        case 1:
            return np.full(size, np.rint(scale))
        case 2:
            return generator.choice([0.0, np.rint(scale)], size)
        case 3:
            return generator.choice([1e-9, 0.1, 1.0, 60.0, 86_400.0, 1e6, 1e9, 1e300], size)
        case 4:
            return np.rint(generator.exponential(scale, size))
        case 5:
            return np.ceil(lognormal / 60) * 60
        case 6:
            return np.minimum(np.rint(lognormal), np.rint(scale))
        case 7:
            return 1000 * np.rint(generator.uniform(1, 60, size))
        case 8:
            return scale * np.abs(generator.standard_cauchy(size))
        case 9:
            return np.rint(generator.uniform(0, 3, size))
        case 10:
            return lognormal
        case _:
            return np.rint(lognormal)


def durations(generator: np.random.Generator, size: int) -> Floats:
    """Durations of one kind or of two, some of them missing."""
    found = _durations(generator, size)
    if generator.uniform() < 0.5:
        found = np.where(generator.uniform(size=size) < 0.3, _durations(generator, size), found)
    if generator.uniform() < 0.2:
        found = np.where(generator.uniform(size=size) < generator.uniform(), np.nan, found)
    return found


def _outcomes(generator: np.random.Generator, size: int) -> NDArray[np.str_]:
    words = np.array(WORDS) if generator.uniform() < 0.2 else np.array(COMMON)
    few = generator.choice(words, int(generator.integers(1, len(words) + 1)), replace=False)
    return generator.choice(few, size, p=generator.dirichlet(np.full(len(few), 1.5)))


def _started(generator: np.random.Generator, size: int) -> Any:
    span_s = float(np.exp(generator.uniform(0, np.log(1e8))))
    seconds = generator.uniform(0, span_s, size)
    if generator.uniform() < 0.2:
        seconds = np.zeros(size)
    began = pd.Timestamp("2020-01-01", tz="UTC") + pd.Timedelta(days=int(generator.integers(3000)))
    return began + pd.to_timedelta(np.sort(seconds.round()), unit="s")


def random_log(seed: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A table of attempts, and options of a fit."""
    generator = np.random.default_rng(seed)
    size = int(generator.choice(SIZES))

    def has(share: float) -> bool:
        return bool(generator.uniform() < share)

    columns: dict[str, Any] = {}
    if has(0.85):
        columns["started"] = _started(generator, size)
    if has(0.9):
        columns["outcome"] = _outcomes(generator, size)
        if has(0.1):
            lost = generator.uniform(size=size) < 0.5
            columns["outcome"] = np.where(lost, None, columns["outcome"])
    if has(0.5):
        columns["ring_s"] = durations(generator, size)
    if has(0.5) or not columns:
        columns["talk_s"] = durations(generator, size)
    if has(0.6):
        most = int(generator.choice([1, 2, 3, 8, 40]))
        columns["attempt"] = generator.integers(has(0.8), most + 1, size)
        if has(0.7):
            gaps_s = np.abs(durations(generator, size))
            columns["gap_s"] = np.where(columns["attempt"] > 1, gaps_s, np.nan)
    if has(0.4):
        columns["number"] = generator.integers(0, int(generator.choice([1, 5, 200, 10**6])), size)
    if has(0.15):
        columns["weight"] = generator.choice([0.0, 0.5, 1.0, 3.0, 1e6], size)
    options = {
        "holdout": float(generator.uniform(0.05, 0.5)),
        "talk": str(generator.choice(["message", "agent_talk"])),
        "rounding": str(generator.choice(ROUNDINGS)),
        "zone": None if has(0.2) else str(generator.choice(["UTC", "America/New_York"])),
        "last_only": has(0.1) and "attempt" in columns,
    }
    return pd.DataFrame(columns), options
