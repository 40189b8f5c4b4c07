"""Other customers' campaigns, drawn anew in each replication (rule 14)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from outsim.clock import HOUR, MINUTE, after, microseconds_between
from outsim.scenario.background import Background, StartMinutes
from outsim.scenario.model import Scenario
from outsim.tape import Purpose, Tape


@dataclass(frozen=True)
class BackgroundCampaign:
    """A campaign of another customer: whose, which, when and how large."""

    tenant: str
    name: str
    start_us: int
    size: int
    requests_us: NDArray[np.int64] | None = None
    """When each single call comes in; None for a list."""


def start_minute(weights: StartMinutes, kind: float, place: float) -> int:
    """Minute of the hour, from the uniforms for its kind and for its place in the kind."""
    others = [minute for minute in range(60) if minute % 15]
    kinds = (
        (weights.top, [0]),
        (weights.half, [30]),
        (weights.quarter, [15, 45]),
        (weights.other, others),
    )
    mark = kind * sum(weight for weight, _ in kinds)
    for weight, minutes in kinds:
        if mark < weight:
            return minutes[int(place * len(minutes))]
        mark -= weight
    return others[int(place * len(others))]


def _clock_hours(begins: datetime, until_us: int) -> Iterator[int]:
    """Microseconds from `begins` to each local clock hour that touches the run."""
    first = begins - timedelta(
        minutes=begins.minute, seconds=begins.second, microseconds=begins.microsecond
    )
    offset_us = microseconds_between(begins, first)
    yield from range(offset_us, until_us, HOUR)


def _hour_stream(
    tape: Tape, label: str, count: int, purpose: Purpose, attempt: int = 0
) -> list[float]:
    """What one stream holds for the campaigns of an hour."""
    uniforms = tape.uniforms("background", label, purpose, attempt=attempt, count=count)
    return [float(uniform) for uniform in uniforms]


def campaigns_an_hour(scenario: Scenario) -> int:
    """Campaigns that start in each hour, besides those of classes."""
    background = scenario.background
    return 0 if background is None else round(background.campaigns_per_hour * scenario.load)


def _sizes(background: Background, count: int, tape: Tape, label: str) -> list[float]:
    """Contacts of each campaign of an hour, before they are rounded."""
    within = _hour_stream(tape, label, count, Purpose.BACKGROUND_SIZE)
    order = _hour_stream(tape, label, count, Purpose.BACKGROUND_SIZE, 1)
    strata = sorted(range(count), key=order.__getitem__)
    return [
        background.median_size
        * math.exp(background.size_log_sd * float(ndtri((stratum + place) / count)))
        for stratum, place in zip(strata, within, strict=True)
    ]


def hour_brings(scenario: Scenario, tape: Tape, at_us: int) -> tuple[float, float] | None:
    """How much more the background brings in an hour than on average."""
    background = scenario.background
    hours_us = [*_clock_hours(scenario.clock.begins, at_us + 1)]
    count = campaigns_an_hour(scenario)
    if background is None or count == 0 or hours_us[-1] < 0:
        return None
    weights = background.start_minutes
    top = weights.top / (weights.top + weights.half + weights.quarter + weights.other)
    label = f"h{len(hours_us) - 1:02d}"
    kinds = np.array(_hour_stream(tape, label, count, Purpose.BACKGROUND_START))
    sizes = np.array(_sizes(background, count, tape, label))
    mean = background.median_size * math.exp(background.size_log_sd**2 / 2) * count
    return float(sizes[kinds < top].sum()) / mean - top, float(sizes.sum()) / mean - 1


def background_campaigns(
    scenario: Scenario, tape: Tape, until_us: int
) -> Iterator[BackgroundCampaign]:
    """Campaigns of the background tenants that start from the scenario's begin to `until_us`.

    Each place in each hour has its own stream, so a longer run only adds
    campaigns. Sizes are stratified within the hour: its k campaigns take one
    size from each k-th part of the distribution, in drawn order, so that the
    hours differ by who starts when, and not by whether there is one giant list.
    """
    background = scenario.background
    count = campaigns_an_hour(scenario)
    if background is None or count == 0:
        return
    width = len(str(background.tenants))
    for hour, hour_us in enumerate(_clock_hours(scenario.clock.begins, until_us)):
        label = f"h{hour:02d}"
        kinds = _hour_stream(tape, label, count, Purpose.BACKGROUND_START)
        places = _hour_stream(tape, label, count, Purpose.BACKGROUND_MINUTE)
        sizes = _sizes(background, count, tape, label)
        for slot in range(count):
            size = round(sizes[slot])
            minute = start_minute(background.start_minutes, kinds[slot], places[slot])
            start_us = hour_us + minute * MINUTE
            if 0 <= start_us < until_us and size > 0:
                tenant = (hour * count + slot) % background.tenants + 1
                local = after(scenario.clock.begins, start_us)
                yield BackgroundCampaign(
                    tenant=f"other-{tenant:0{width}d}",
                    name=f"{label}-{slot + 1:02d} {local:%H:%M}",
                    start_us=start_us,
                    size=size,
                )
