"""What was fitted, as the tables of a scenario file have it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from outsim.calibration.durations import DurationFit
from outsim.calibration.outcomes import GAP, GAPS, HOUR, REDIAL, WEEKDAY, WEEKDAYS, OutcomeFit
from outsim.clock import SECOND
from outsim.distributions import Constant, Distribution
from outsim.scenario.defaults import DEFAULTS

NO_DELAY = "1 ms"
"""Post-dial delay beside ring times that have it in them, as those of call logs have."""


def callee_values(
    durations: Iterable[DurationFit], outcomes: OutcomeFit | None, *, rings_have_delay: bool
) -> dict[str, Any]:
    """Values of the table ``callees``; what was not fitted is left out."""
    values: dict[str, Any] = {
        each.key.removeprefix("callees."): _plain(each.distribution) for each in durations
    }
    if "ring_human" in values and rings_have_delay:
        values["post_dial_delay"] = NO_DELAY
    if "ring_voicemail" in values:
        values["phone_off"] = 0.0  # the fit has early answers in it
    if "message" in values:
        values["early_hang_up"] = 0.0  # likewise
    if outcomes is not None:
        traits = outcomes.contacts
        if traits and traits["fax"] + traits["other"]:
            values["fax_share"] = short(traits["fax"] / (traits["fax"] + traits["other"]))
        values |= _factor_values(outcomes)
    return values


def _factor_values(mix: OutcomeFit) -> dict[str, Any]:
    found = dict(zip(mix.factors.names, np.exp(mix.factors.logs), strict=True))
    groups = {group for group, _ in found}
    values: dict[str, Any] = {}
    if HOUR in groups:
        kept = DEFAULTS["callees.hour_factors"].value
        values["hour_factors"] = {
            part: _factor(found.get((HOUR, part), value)) for part, value in kept.items()
        }
    if WEEKDAY in groups:
        values["weekday_factors"] = [_factor(found.get((WEEKDAY, day), 1)) for day in WEEKDAYS]
    if REDIAL in groups:
        values["redial_factors"] = [
            _factor(found[(REDIAL, str(k))]) for k in range(mix.pooled + 1)
        ]
    if GAP in groups:
        kept_gaps = [found.get((GAP, name), 1.0) for name in GAPS]
        values["gap_factors"] = [*(_factor(each) for each in kept_gaps), 1.0]
    return values


def profile_weights(outcomes: OutcomeFit) -> dict[str, float]:
    """Percent of first dials, numbers that are not in use among them."""
    traits = outcomes.contacts
    invalid = traits["invalid"] / sum(traits.values()) if traits else 0.0
    weights = {word: short(100 * (1 - invalid) * share) for word, share in outcomes.shares.items()}
    return {**weights, "invalid": short(100 * invalid)}


def uncertainty_values(
    durations: Iterable[DurationFit], outcomes: OutcomeFit | None, profile_name: str
) -> dict[str, Any]:
    """Values of the table ``uncertainty``: what the fitted values rest on."""
    values: dict[str, Any] = {}
    if outcomes is not None:
        values["profile"] = profile_name
        values["outcomes"] = {k: short(v) for k, v in outcomes.counts.items()}
        if outcomes.contacts:
            values["contacts"] = {k: short(v) for k, v in outcomes.contacts.items()}
    values["durations"] = {
        each.key.removeprefix("callees."): short(each.calls) for each in durations
    }
    if outcomes is not None:
        factors = outcomes.factors
        free = np.flatnonzero(np.diag(factors.covariance) > 0)
        values["factors"] = [factor_key(*factors.names[i]) for i in free]
        values["covariance"] = [
            [float(f"{each:.9g}") for each in row]
            for row in factors.covariance[np.ix_(free, free)]
        ]
    return values


def factor_key(group: str, level: str) -> str:
    """Key of a factor, as `Uncertainty.factors` names it."""
    if group == HOUR:
        return f"hour_factors.{level}"
    if group == WEEKDAY:
        return f"weekday_factors[{WEEKDAYS.index(level)}]"
    if group == REDIAL:
        return f"redial_factors[{level}]"
    if group == GAP:
        places = (*GAPS, "later")
        return f"gap_factors[{places.index(level)}]"
    return "human"


def _plain(distribution: Distribution) -> Any:
    """A distribution as a scenario file has it."""
    if isinstance(distribution, Constant):
        return f"{distribution.value / SECOND:g} s"
    return distribution.model_dump(mode="json", exclude_defaults=True)


def short(value: float) -> float:
    """A number with as many digits as anybody needs."""
    rounded = float(f"{value:.6g}")
    return int(rounded) if rounded == int(rounded) and abs(rounded) < 1e15 else rounded


def _factor(value: float) -> float:
    """A factor as a scenario may have it."""
    return round(min(float(value), 3.0), 4)
