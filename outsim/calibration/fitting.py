"""From a call log to a calibration: what is fitted, what stays at its default, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, get_args

import numpy as np
import pandas as pd

from outsim.calibration import durations, outcomes
from outsim.calibration.answer import CalleeFit
from outsim.calibration.durations import DurationFit, fit_duration
from outsim.calibration.evidence import ALL_BUT, LUMP
from outsim.calibration.evidence import ENOUGH as ENOUGH_TO_JUDGE
from outsim.calibration.families import LONGEST_S, Rounding, count, is_duration
from outsim.calibration.load import fit_load
from outsim.calibration.log import CallLog
from outsim.calibration.mapping import WORDS
from outsim.calibration.outcomes import OutcomeFit, fit_outcomes, mix_drift
from outsim.calibration.values import Flags, Floats
from outsim.clock import parse_share
from outsim.display import percent
from outsim.errors import ScenarioError

Talk = Literal["message", "agent_talk"]
"""What people hear who answer."""

OWN = "outsim"
"""Format of saved results, whose ring times leave the post-dial delay out."""

LEAST_HOLDOUT, MOST_HOLDOUT = 0.05, 0.5
LEAST_PART = 20
"""Durations that either part needs, for a form to be chosen."""
BILLED_STEPS_S = (60.0, 30.0, 20.0, 15.0, 12.0, 10.0, 6.0, 5.0)
"""Steps that calls are billed or stored in, the coarsest first."""
LEAST_STEPS = 5
"""Different durations, in steps, from which a form is fitted to them."""
_ABOVE_NEIGHBOURS = 5.0
"""How many times as many as at values nearby make a lump."""
MOST_WITHOUT_RING = 0.9
"""Share of answers without any ring beyond which a log has no ring times."""


@dataclass(frozen=True)
class _Part:
    """Rows that tell of one duration."""

    key: str
    column: str
    ended: Flags
    censored: Flags | None = None


def fit(
    call_log: CallLog,
    holdout: float | str = 0.25,
    *,
    talk: Talk = "message",
    profile: str = "known_list",
    rounding: Rounding = "nearest",
    fitted_on: date | None = None,
    load: bool = False,
) -> CalleeFit:
    """Fit the callee profile, and the load if asked; what is not told stays at its default."""
    share = _holdout(holdout)
    if talk not in get_args(Talk):
        raise ScenarioError(f"talk: found {talk!r}; write message or agent_talk")
    table = _typed(call_log.table)
    if not len(table):
        raise ScenarioError("call log: found no attempts; need at least one")
    late = np.arange(len(table)) >= round(len(table) * (1 - share))
    notes: list[str] = []
    fitted = _durations(table, late, talk, rounding, notes)
    mix = _mix(table, call_log, notes)
    moved = []
    if mix is not None:
        moved = [drift for drift in mix_drift(table[~late], table[late]) if drift.is_there]
    return CalleeFit(
        source=call_log.source.label,
        details={
            **call_log.source.details,
            **({} if fitted_on is None else {"fitted": fitted_on.isoformat()}),
        },
        attempts=len(table),
        holdout=share,
        talk=talk,
        profile_name=profile,
        durations=tuple(fitted),
        outcomes=mix,
        mix_drift=tuple(moved),
        own_notes=(*call_log.notes, *notes),
        rings_have_delay=any(file.format != OWN for file in call_log.files),
        load=fit_load(call_log) if load else None,
    )


def _holdout(holdout: float | str) -> float:
    try:
        share = parse_share(holdout) if isinstance(holdout, str) else float(holdout)
    except ValueError:
        share = float("nan")
    if not LEAST_HOLDOUT <= share <= MOST_HOLDOUT:
        raise ScenarioError(f"holdout: found {holdout!r}; must be '5 %' to '50 %', or 0.05 to 0.5")
    return share


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    """The columns that are used, outcomes as categories."""
    used = [name for name in _COLUMNS if name in table]
    typed = table[used].reset_index(drop=True)
    if "outcome" in typed:
        typed["outcome"] = outcomes.as_words(typed["outcome"])
    return typed


_COLUMNS = ("started", "outcome", "ring_s", "talk_s", "attempt", "gap_s", "weight")


def _parts(table: pd.DataFrame, talk: Talk) -> Iterator[_Part]:
    """Which rows tell of which duration."""
    every = np.ones(len(table), dtype=np.bool_)
    if "outcome" not in table or table["outcome"].isna().all():
        yield _Part(f"callees.{talk}", "talk_s", every)
        return
    word = {name: (table["outcome"] == name).to_numpy() for name in WORDS}
    people = word["human"] if word["human"].any() else word["answered"]
    machines = word["voicemail"] if word["voicemail"].any() else word["answered"]
    yield _Part("callees.ring_human", "ring_s", people, word["no_answer"])
    yield _Part("callees.ring_voicemail", "ring_s", machines, word["no_answer"])
    yield _Part(f"callees.{talk}", "talk_s", people)


def _durations(
    table: pd.DataFrame, late: Flags, talk: Talk, rounding: Rounding, notes: list[str]
) -> Iterator[DurationFit]:
    weights = outcomes.weights_of(table)
    fitted: dict[tuple[str, bytes, bytes], DurationFit] = {}
    for part in _parts(table, talk):
        if part.column not in table:
            notes.append(f"{part.key}: kept at its default; the log has no {part.column}")
            continue
        seconds = table[part.column].to_numpy(dtype=np.float64, na_value=np.nan)
        known = is_duration(seconds) & (weights > 0)
        endless = part.ended & (seconds > LONGEST_S)
        if endless.any():
            notes.append(
                f"{part.key}: {endless.sum():,} rows with {part.column} over "
                f"{LONGEST_S / 86_400:.0f} days left out; no call lasts so long"
            )
        ended = part.ended & known
        step_s = billed_step_s(seconds[ended])
        unusable = _unusable(part, seconds[ended], step_s)
        if unusable:
            notes.append(f"{part.key}: kept at its default; {unusable}")
            continue
        how = rounding if step_s is None else "up"
        if step_s is not None:
            notes.append(
                f"{part.key}: {part.column} has whole steps of {step_s:g} s, as billed durations "
                "have; fitted as rounded up to them"
            )
        cut = np.zeros_like(ended) if part.censored is None else part.censored & known
        known = ended | cut
        whole, until_s = None, np.inf
        if known.any():
            whole = count(seconds[known], weights[known], cut[known], rounding=how, step_s=step_s)
            until_s = whole.reliable_until_s
        beyond = ended & (seconds > until_s)
        if beyond.any():
            notes.append(
                f"{part.key}: {weights[beyond].sum():,.0f} answers after "
                f"{seconds[ended & ~beyond].max():g} s left out; most calls had been given up by "
                "then, and these few would stand for all of them"
            )
        ended, cut = ended & ~beyond, cut | beyond
        sizes = [float(weights[ended & which].sum()) for which in (~late, late)]
        if whole is None or sum(sizes) < durations.ENOUGH or min(sizes) < LEAST_PART:
            few = f"{sum(sizes):,.0f} calls with {part.column}"
            if sum(sizes) >= durations.ENOUGH:
                few = f"{sizes[0]:,.0f} and {sizes[1]:,.0f} calls with {part.column} in the "
                few += "earlier and the latest rows"
            notes.append(
                f"{part.key}: kept at its default; {few} are too few "
                f"(need {durations.ENOUGH}, and {LEAST_PART} in either part)"
            )
            continue
        counts = [
            count(seconds[rows], weights[rows], cut[rows], rounding=how, step_s=whole.step_s)
            for rows in (known & ~late, known & late, known)
        ]
        for lump in lumps(seconds[ended], whole.step_s):
            if not any(note.endswith(lump) for note in notes):
                notes.append(f"{part.key}: {lump}")
        same = (part.column, ended.tobytes(), cut.tobytes())
        if same not in fitted:
            fitted[same] = fit_duration(part.key, *counts)
        yield replace(fitted[same], key=part.key)


def _unusable(part: _Part, seconds: Floats, step_s: float | None) -> str:
    """Why durations tell of nothing, however many they are; empty if they do."""
    if len(seconds) < durations.ENOUGH:
        return ""
    if part.column == "ring_s" and np.mean(seconds == 0) > MOST_WITHOUT_RING:
        return (
            f"{percent(np.mean(seconds == 0))} of answers have a ring_s of 0 s: the switch "
            "answers before the callee does, or the log has no ring times"
        )
    steps = len(np.unique(seconds[seconds > 0]))
    if step_s is not None and steps < LEAST_STEPS:
        values = "one value" if steps == 1 else f"{steps} values"
        return (
            f"{part.column} has whole steps of {step_s:g} s, as billed durations have, and only "
            f"{values}; name a column that has seconds"
        )
    return ""


def _mix(table: pd.DataFrame, call_log: CallLog, notes: list[str]) -> OutcomeFit | None:
    if "outcome" not in table or table["outcome"].isna().all():
        notes.append("outcome mix: kept at its default; the log does not tell outcomes")
        return None
    if call_log.last_only and "attempt" in table:
        table = outcomes.with_earlier_attempts(table)
    counts = outcomes.count_outcomes(table)
    dials = sum(counts.get(word, 0.0) for word in outcomes.IN_USE)
    hits = sum(counts.get(word, 0.0) for word in ("human", "answered"))
    if dials < outcomes.ENOUGH or not 0 < hits < dials:
        notes.append(
            f"outcome mix: kept at its default; {dials:,.0f} dials with {hits:,.0f} answered are "
            f"too few (need {outcomes.ENOUGH}, some answered and some not)"
        )
        return None
    if call_log.zone is None:
        notes.append("hour and weekday factors: kept at their defaults; give the log's time zone")
    refused = counts.get("congestion", 0.0)
    if refused:
        notes.append(
            f"congestion: {refused:,.0f} attempts left out of the mix; a run makes its own "
            "from the carrier's limits"
        )
    return fit_outcomes(table, call_log.zone)


def billed_step_s(seconds: Floats) -> float | None:
    """Step that nearly all durations are whole multiples of; None if they are finer."""
    known = seconds[seconds > 0]
    if len(known) < ENOUGH_TO_JUDGE:
        return None
    for step in BILLED_STEPS_S:
        is_whole = (known % step) == 0
        # A value or two are lumps, not steps, unless these are as coarse as billed ones may be.
        least = {60.0: 1, 30.0: 2}.get(step, 3)
        if is_whole.mean() >= ALL_BUT and len(np.unique(known[is_whole])) >= least:
            return step
    return None


def lumps(seconds: Floats, step_s: float) -> list[str]:
    """What is to be said of values that more durations have than those around them."""
    known = seconds[seconds > 0]
    if len(known) < 5 * ENOUGH_TO_JUDGE:
        return []
    values, counts = np.unique(np.rint(known / step_s), return_counts=True)
    if len(values) < 2:
        return [f"all {len(known):,} are {values[0] * step_s:g} s"]
    texts = []
    worth = counts >= max(LUMP * len(known), ENOUGH_TO_JUDGE / 2)
    for k in np.flatnonzero(worth):
        near = np.abs(values - values[k]) <= max(5.0, 0.2 * values[k])
        near[k] = False
        reach = np.minimum(values[k], max(5.0, 0.2 * values[k]))
        usual = counts[near].sum() / max(reach if k == len(values) - 1 else 2 * reach, 1.0)
        if counts[k] <= _ABOVE_NEIGHBOURS * max(usual, 1.0):
            continue
        text = f"{counts[k]:,} of {len(known):,} are {values[k] * step_s:g} s"
        if k == len(values) - 1:
            text += ", the longest: a limit cuts them off there, and the fit has it in it"
        elif k == 0:
            text += ", the shortest: a least time, and the fit has it in it"
        texts.append(text)
    return texts[:3]
