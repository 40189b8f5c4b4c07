"""Control variates: what is known of the draws of a run narrows intervals.

The tape of a run says, before anything moves, how far it is from the mean: how many of the
first attempts are drawn as answered, how many numbers are invalid, how much of the background
comes at the hour. The means of all these are known exactly. A measure that goes with them is
regressed on them, and read off where they are at their means (Lavenberg, Welch 1981, Management
Science 27:322).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outsim.clock import HOUR
from outsim.estimates import ANYTHING, LEVEL, Estimate, Support, bounded, estimate
from outsim.plan import Plan
from outsim.plan.background import hour_brings
from outsim.scenario.model import Scenario
from outsim.tape import Purpose, Tape
from outsim.vocabulary import INTERVAL_ORDER, OUTCOMES

LEAST_FREEDOM = 10
"""Degrees of freedom that a regression must leave, or it is not made."""

DOUBT = 0.05
"""A regression is used where one on controls that explain nothing would seem to explain as much
with at most this probability (F test)."""

VARIES = 1e-9
"""Share of its size that a measure or a control has to vary by: less than that is rounding."""

Values = NDArray[np.float64]


def controls_of(plan: Plan, scenario: Scenario, tape: Tape) -> dict[str, float]:
    """What each control of a run is less its mean, which is known exactly, by name."""
    campaign = plan.campaigns[plan.under_study]
    controls: dict[str, float] = {}
    if campaign.size:
        outcome = tape.uniforms(*campaign.key, Purpose.OUTCOME, attempt=1, count=campaign.size)
        for name, threshold in _thresholds(plan):
            controls[name] = float((outcome < threshold).mean()) - threshold
        trait = tape.uniforms(*campaign.key, Purpose.TRAIT, count=campaign.size)
        invalid = campaign.model.invalid_share
        controls["invalid"] = float((trait < invalid).mean()) - invalid
    for later, name in ((0, "the hour"), (1, "the next hour")):
        brought = hour_brings(scenario, tape, campaign.start_us + later * HOUR)
        if brought is not None:
            controls[f"background at {name}"], controls[f"background in {name}"] = brought
    return controls


def _thresholds(plan: Plan) -> Iterator[tuple[str, float]]:
    """Thresholds of the outcomes of a first attempt at the start of the campaign under study."""
    campaign, answering = plan.campaigns[plan.under_study], plan.answering
    starts = answering.segment_starts_us[campaign.zone]
    segment = int(np.searchsorted(starts, campaign.start_us, side="right")) - 1
    factor = answering.segment_factors[campaign.zone][max(0, segment)]
    bounds = answering.thresholds[campaign.profile, factor, 0, -1]
    for code, threshold in zip(INTERVAL_ORDER, bounds, strict=False):
        yield f"up to {OUTCOMES[code]}", float(threshold)


@dataclass(frozen=True)
class Controlled:
    """An estimate, and what controls did for it."""

    estimate: Estimate
    is_used: bool
    saved: float
    """How many times the replications the plain mean would take for the same variance of its
    estimate; less than 1 where fewer. NaN where no regression was made."""


def controlled(
    values: Values, controls: Values, level: float = LEVEL, support: Support = ANYTHING
) -> Controlled:
    """Mean of one measure by replication, without what controls (less their means) explain."""
    # The plain mean stays where a replication lacks the measure, all but a few agree, or too few
    # degrees of freedom are left; where the F test lets the controls explain nothing; and where
    # the interval would not be narrower. Controls have the shape (replications, controls).
    plain = estimate(values, level, support)
    is_plain = plain.n_missing or plain.rare is not None
    design = controls[:, :0] if is_plain else _independent(controls)
    count, explaining = design.shape
    freedom = count - 1 - explaining
    if explaining == 0 or freedom < LEAST_FREEDOM:
        return Controlled(plain, False, float("nan"))
    from scipy.special import fdtrc, stdtrit

    design = np.column_stack([np.ones(count), design])
    if np.ptp(values) <= VARIES * np.abs(values).max():
        return Controlled(plain, False, float("nan"))
    orthogonal, triangle = np.linalg.qr(design)
    slopes = np.linalg.solve(triangle, orthogonal.T @ values)
    left = float(np.square(values - design @ slopes).sum())
    total = float(np.square(values - values.mean()).sum())
    left = max(left, total * VARIES**2)
    # Variance of the intercept, by least squares: that of the slopes counts as well.
    spread = float(np.square(np.linalg.solve(triangle.T, np.eye(1 + explaining)[0])).sum())
    error = np.sqrt(left / freedom * spread)
    half_width = float(stdtrit(freedom, 0.5 + level / 2)) * float(error)
    saved = total / (count - 1) / count / float(error) ** 2
    chance = float(fdtrc(explaining, freedom, (total - left) / explaining / (left / freedom)))
    if chance > DOUBT or half_width >= plain.half_width:
        return Controlled(plain, False, saved)
    narrowed = Estimate(float(slopes[0]), half_width, count)
    return Controlled(bounded(narrowed, support), True, saved)


def _independent(controls: Values) -> Values:
    """The controls that vary, each scaled, without those that the ones before them make up."""
    spread = controls.std(axis=0)
    varies = spread > VARIES
    scaled = controls[:, varies] / spread[varies]
    independent = np.ones((len(scaled), 1))
    for column in scaled.T:
        wider = np.column_stack([independent, column])
        if np.linalg.matrix_rank(wider) == wider.shape[1]:
            independent = wider
    return independent[:, 1:]
