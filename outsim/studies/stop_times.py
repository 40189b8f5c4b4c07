"""Which stops of a campaign are tried, as microseconds after its start."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from outsim.clock import SECOND, format_duration, parse_duration_us
from outsim.errors import StudyError
from outsim.results.checkpoint import simulate
from outsim.scenario.model import Scenario

MOST_STOPS = 100

_STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
"""Steps between stops that read well."""

_FINE, _COARSE = 10, 5
"""Stops while first dials are still saved, and later ones until everything is dialled, about."""


def written(after_us: int) -> str:
    """Time from the start to a stop, for people."""
    return format_duration(after_us) if after_us else "0 s"


def read_stops(texts: Sequence[str]) -> list[int]:
    """Microseconds of some durations, each once, shortest first."""
    if not texts:
        raise StudyError("after: give one time or more, such as 0s")
    try:
        found = sorted({parse_duration_us(text) for text in texts})
    except ValueError as error:
        raise StudyError(f"after: {error}") from None
    if len(found) > MOST_STOPS:
        raise StudyError(f"after: {len(found)} stops; at most {MOST_STOPS} are allowed")
    return found


def usual_stops(never: Scenario, seed: int | None) -> list[int]:
    """Stops from the start on until none saves a dial any more, in steps that read well."""
    result = simulate(never, seed=seed)
    campaign = never.campaign_under_study
    assert campaign is not None
    run, key = result.arrays, (campaign.tenant, campaign.name)
    rows = run.rows_of(lambda plan: plan.key == key)(run.attempts["call_id"])
    attempts = result.frames.attempts(("attempt", "queued_at", "dispatched_at"), rows)
    first = attempts[attempts["attempt"] == 1]
    if first.empty:
        raise StudyError(f"{campaign.tenant}/{campaign.name}: none of its calls is ever dialled")
    dialled_s = (first["dispatched_at"].max() - campaign.start).total_seconds()
    reached = "dispatched_at" if campaign.stop_reaches == "queue" else "queued_at"
    saved_s = (first[reached].max() - campaign.start).total_seconds()
    stops_s = _steps(0.0, saved_s, _FINE)
    stops_s += _steps(max(stops_s, default=0.0), dialled_s, _COARSE)
    if campaign.stop_cancels_retries:
        # Such a stop saves some of them until the last one is made.
        last_s = (attempts["dispatched_at"].max() - campaign.start).total_seconds()
        stops_s += _steps(max(stops_s, default=0.0), last_s, _COARSE)
    latest_us = never.instant_us(never.clock.latest_end) - never.instant_us(campaign.start)
    return [0, *(at for each in stops_s if (at := round(each * SECOND)) < latest_us)]


def _steps(begin_s: float, end_s: float, count: int) -> list[float]:
    """Multiples of a step that reads well, later than `begin_s`, until one is past `end_s`."""
    if end_s <= begin_s:
        return []
    step = next((s for s in _STEPS_S if s * count >= end_s - begin_s), _STEPS_S[-1])
    first, last = int(begin_s // step) + 1, int(np.ceil(end_s / step))
    return [k * step for k in range(first, last + 1)]
