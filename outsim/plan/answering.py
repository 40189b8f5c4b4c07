"""How likely each outcome is, as tables that an engine only looks up (rule 7)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, product
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from outsim.clock import local_segments
from outsim.scenario.callees import GAP_BOUNDS_US, Callees, Profile
from outsim.scenario.model import Scenario
from outsim.text import brief

GAPS_US = GAP_BOUNDS_US


@dataclass(frozen=True)
class Answering:
    """Thresholds of the outcomes, and where in them an attempt finds its row."""

    __repr__ = brief

    thresholds: NDArray[np.float64]
    """Shape (profiles, factors, failures, gaps, bounds): the upper bounds of all outcomes on the
    unit interval but the last, which takes the rest."""
    segment_starts_us: tuple[NDArray[np.int64], ...]
    """For each zone, where the local hour changes."""
    segment_factors: tuple[NDArray[np.int16], ...]
    """For each zone and segment, the index of its factor."""


def _bounds(profile: Profile, factor: float) -> tuple[float, ...]:
    first, second, *others = accumulate(profile.shares[:-1])
    return min(first * factor, second), second, *others


def _factor(callees: Callees, weekday: int, hour: int) -> float:
    return callees.hour_factors.at(hour) * callees.weekday_factors[weekday]


def answering(
    scenario: Scenario, profiles: tuple[str, ...], zones: tuple[str, ...], until_us: int
) -> Answering:
    """Tables for these profiles and callee zones, for a run until `until_us`."""
    callees = scenario.callees
    factors = sorted({_factor(callees, day, hour) for day, hour in product(range(7), range(24))})
    starts, indexes = [], []
    for zone in zones:
        segment_starts, hours = local_segments(scenario.clock.begins, until_us, ZoneInfo(zone))
        starts.append(segment_starts)
        indexes.append(
            np.array([factors.index(_factor(callees, *hour)) for hour in hours], dtype=np.int16)
        )
    thresholds = np.array(
        [
            [
                [
                    [
                        _bounds(scenario.all_profiles[profile], factor * redial * gap)
                        for gap in callees.factors_by_gap
                    ]
                    for redial in callees.redial_factors
                ]
                for factor in factors
            ]
            for profile in profiles
        ],
        dtype=np.float64,
    )
    return Answering(thresholds, tuple(starts), tuple(indexes))
