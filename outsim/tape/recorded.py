"""Recorded attempts in the place of drawn ones: trace-driven simulation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from outsim.errors import TapeError
from outsim.tape.draws import AttemptDraws, whole_ms
from outsim.vocabulary import OUTCOME_TABLE, OUTCOMES

if TYPE_CHECKING:
    import pandas as pd

_RECORDABLE = tuple(outcome.name for outcome in OUTCOME_TABLE if outcome.is_drawn)

_KEYS = ("tenant", "campaign", "index", "attempt")
_DURATIONS = {
    "post_dial_s": ("post_dial_ms",),
    "ring_s": ("ring_human_ms", "ring_voicemail_ms"),
    "talk_s": ("talk_human_ms", "talk_voicemail_ms"),
}


@dataclass(frozen=True)
class RecordedAttempts:
    """Recorded attempts of one campaign, as parallel arrays of shape (rows,)."""

    index: NDArray[np.int64]
    attempt: NDArray[np.int64]
    outcome: NDArray[np.int8] | None
    durations_ms: dict[str, NDArray[np.int32]]
    """By column name; -1 where nothing was recorded."""

    def lay_over(self, draws: AttemptDraws, attempt: int) -> None:
        """Write what was recorded of these attempts in the place of what was drawn."""
        here = (self.attempt == attempt) & (self.index < len(draws.rows))
        places = self.index[here]
        if self.outcome is not None:
            draws.rows["recorded_outcome"][places] = self.outcome[here]
        for column, durations in self.durations_ms.items():
            recorded = durations[here]
            known = recorded >= 0
            for field in _DURATIONS[column]:
                draws.rows[field][places[known]] = recorded[known]


def _outcome_codes(column: pd.Series[Any]) -> NDArray[np.int8]:
    empty = column.isna()
    unknown = column[~empty & ~column.isin(_RECORDABLE)]
    if len(unknown):
        raise TapeError(
            f"recorded outcome {unknown.iloc[0]!r} in row {unknown.index[0]}; "
            f"allowed: {', '.join(_RECORDABLE)}, or empty where it is to be drawn"
        )
    codes = column.map({name: code for code, name in enumerate(OUTCOMES)})
    return np.asarray(codes.fillna(-1), dtype=np.int8)


def _duration_ms(column: pd.Series[Any]) -> NDArray[np.int32]:
    try:
        seconds = column.astype(float)
    except (TypeError, ValueError) as error:
        raise TapeError(f"recorded {column.name}: {error}; allowed: seconds, or empty") from None
    wrong = seconds[(seconds < 0) | np.isinf(seconds)]
    if len(wrong):
        raise TapeError(
            f"recorded {column.name} {wrong.iloc[0]} in row {wrong.index[0]}; "
            "allowed: seconds from 0, or empty"
        )
    milliseconds = whole_ms(np.asarray(seconds.fillna(0), dtype=np.float64))
    milliseconds[seconds.isna().to_numpy()] = -1
    return milliseconds


def read_recorded(table: Any) -> dict[tuple[str, str], RecordedAttempts]:
    """Recorded attempts by (tenant, campaign); the tenant is empty where none is given."""
    import pandas as pd

    frame = (
        table.reset_index(drop=True) if isinstance(table, pd.DataFrame) else pd.DataFrame(table)
    )
    allowed = {*_KEYS, "outcome", *_DURATIONS}
    missing = {"campaign", "index"} - set(frame.columns)
    unknown = set(frame.columns) - allowed
    if missing or unknown:
        columns = ", ".join(sorted(map(str, missing or unknown)))
        what = "lacks the columns" if missing else "has unknown columns"
        raise TapeError(
            f"the recorded table {what} {columns}; allowed: {', '.join(sorted(allowed))}"
        )
    frame = frame.assign(tenant=frame.get("tenant", ""), attempt=frame.get("attempt", 1))
    for column, least in (("index", 0), ("attempt", 1)):
        try:
            numbers = pd.to_numeric(frame[column], errors="coerce")
        except OverflowError:
            raise TapeError(
                f"recorded {column}: found a number of hundreds of digits; allowed: whole numbers "
                f"from {least}"
            ) from None
        wrong = frame[numbers.isna() | (numbers < least) | (numbers % 1 != 0)]
        if len(wrong):
            raise TapeError(
                f"recorded {column} {wrong[column].iloc[0]} in row {wrong.index[0]}; "
                f"allowed: whole numbers from {least}"
            )
    for column in ("tenant", "campaign"):
        nameless = frame[frame[column].isna()]
        if len(nameless):
            raise TapeError(
                f"recorded {column} is empty in row {nameless.index[0]}; give its name"
            )
    twice = frame[frame.duplicated(list(_KEYS))]
    if len(twice):
        row = twice.iloc[0]
        raise TapeError(
            f"attempt {row['attempt']} of call {row['index']} of {row['campaign']!r} is recorded "
            f"twice (row {twice.index[0]}); give each attempt once"
        )
    recorded = {}
    for (tenant, campaign), rows in frame.groupby(["tenant", "campaign"], sort=True):
        recorded[str(tenant), str(campaign)] = RecordedAttempts(
            index=rows["index"].to_numpy(np.int64),
            attempt=rows["attempt"].to_numpy(np.int64),
            outcome=_outcome_codes(rows["outcome"]) if "outcome" in rows else None,
            durations_ms={c: _duration_ms(rows[c]) for c in _DURATIONS if c in rows},
        )
    return recorded


def table_of(recorded: dict[tuple[str, str], RecordedAttempts]) -> pd.DataFrame:
    """The table that `read_recorded` makes these attempts of."""
    import pandas as pd

    parts = []
    for (tenant, campaign), rows in recorded.items():
        codes = rows.outcome if rows.outcome is not None else np.full(len(rows.index), -1)
        columns: dict[str, Any] = {
            "tenant": tenant,
            "campaign": campaign,
            "index": rows.index,
            "attempt": rows.attempt,
            # The last one stands for -1: to be drawn.
            "outcome": np.array([*OUTCOMES, None], dtype=object)[codes],
        }
        for name in _DURATIONS:
            durations_ms = rows.durations_ms.get(name, np.full(len(rows.index), -1))
            columns[name] = np.where(durations_ms < 0, np.nan, durations_ms / 1000)
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)
