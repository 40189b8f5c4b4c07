"""Other profiles than the fitted one that the data bear out as well, as functions of uniforms.

Counts of outcomes are drawn from their Dirichlet distribution with Jeffreys' prior; logarithms of
factors from the normal distribution with their covariance; a duration's shares from the Dirichlet
distribution that its calls give (the Bayesian bootstrap; Rubin, Annals of Statistics 9, 1981),
between knots that have a few calls each, with Jeffreys' prior for the first and the last piece.

Few calls say little about how much longer the longest ones may be, whichever form was chosen. So
the logarithms of how much longer they are than the knot where the tail begins are multiplied by a
drawn factor of mean 1. It has the distribution that the mean of as many exponential variables has
as calls lie in the tail, as that of logarithms beyond a threshold nearly has (Hill, Annals of
Statistics 3, 1975).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import sub
from textwrap import wrap
from typing import Any

import numpy as np
import tomlkit
from scipy import special

from outsim.calibration.families import SCORES, table_of
from outsim.calibration.outcomes import GAP, GAPS, HOUR, OTHERS, REDIAL, WEEKDAY, WEEKDAYS, Factors
from outsim.calibration.values import Floats
from outsim.clock import SECOND
from outsim.distributions import Distribution, Quantiles
from outsim.scenario.callees import Callees, HourFactors, Profile
from outsim.scenario.defaults import DEFAULTS
from outsim.scenario.model import Scenario
from outsim.scenario.sources import DRAWN, TRAITS, Uncertainty
from outsim.text import visible, visible_lines

KNOTS = (0.01, 0.02, 0.05, *(round(0.1 * k, 1) for k in range(1, 10)), 0.95, 0.98, 0.99, 0.995)
"""Shares of a duration that are drawn; those in between move with them."""
PLACES = len(KNOTS) + 2
"""Uniforms that a duration takes: one a knot, one for the calls beyond, one for the tail."""
CALLS_BETWEEN = 5
"""Calls that must lie between two knots."""
CALLS_IN_TAIL = 10
"""Calls that must lie beyond a knot, for their lengths to be drawn together."""
DURATIONS = ("ring_human", "ring_voicemail", "message", "agent_talk")

_PRIOR = 0.5
_MOST = 3.0
"""Largest factor that a scenario may have."""


def uniforms_needed(uncertainty: Uncertainty) -> int:
    """How many uniforms one profile takes; each part has places of its own."""
    places = len(DRAWN) + len(TRAITS) + len(DURATIONS) * PLACES
    return places + len(uncertainty.factors)


def draw_profile(scenario: Scenario, uniforms: Floats) -> Scenario:
    """Scenario with another callee profile that its calibration's data would bear out."""
    uncertainty = scenario.uncertainty
    if uncertainty is None:
        return scenario
    needed = uniforms_needed(uncertainty)
    if np.shape(uniforms) != (needed,):
        raise ValueError(f"uniforms: found shape {np.shape(uniforms)}; need ({needed},)")
    sizes = [len(DRAWN), len(TRAITS), *[PLACES] * len(DURATIONS)]
    outcomes, traits, *rest = np.split(np.asarray(uniforms), np.cumsum(sizes))
    *durations, normals = rest
    factors = _factors(uncertainty, special.ndtri(normals))
    changes: dict[str, Any] = _changed_factors(scenario.callees, factors)
    for key, part in zip(DURATIONS, durations, strict=True):
        calls = uncertainty.durations.get(key)  # type: ignore[call-overload]
        if calls is not None:
            changes[key] = warped(getattr(scenario.callees, key), float(calls), part)
    contacts = _dirichlet(uncertainty.contacts, TRAITS, traits)
    if contacts:
        in_use = contacts["fax"] + contacts["other"]
        changes["fax_share"] = contacts["fax"] / in_use
    update: dict[str, Any] = {"callees": scenario.callees.model_copy(update=changes)}
    name = uncertainty.profile
    if name is not None and name in scenario.profiles and uncertainty.outcomes:
        shares = _dirichlet(uncertainty.outcomes, DRAWN, outcomes)
        profile = _profile(scenario.profiles[name], shares, factors.get("human", 1.0), contacts)
        update["profiles"] = {**scenario.profiles, name: profile}
    changed = scenario.model_copy(update=update)
    changed.__dict__.pop("all_profiles", None)  # the copy took what was worked out before
    return changed


def _dirichlet(
    counts: Mapping[Any, float], names: tuple[str, ...], uniforms: Floats
) -> dict[str, float]:
    """Shares drawn for counts; empty if there are none."""
    if not counts:
        return {}
    sizes = np.array([counts.get(name, 0.0) + _PRIOR for name in names])
    parts = np.maximum(special.gammaincinv(sizes, uniforms), 1e-300)
    return dict(zip(names, (parts / parts.sum()).tolist(), strict=True))


def _factors(uncertainty: Uncertainty, normals: Floats) -> dict[str, float]:
    """What each fitted factor is to be multiplied by."""
    if not uncertainty.factors:
        return {}
    covariance = np.array(uncertainty.covariance)
    # Singular as it is, since factors of a group determine each other: a grain makes it regular.
    grain = 1e-6 * max(float(np.trace(covariance)), 1e-12) * np.eye(len(covariance))
    changes = np.exp(np.linalg.cholesky(covariance + grain) @ normals)
    return dict(zip(uncertainty.factors, changes.tolist(), strict=True))


def _changed_factors(callees: Callees, factors: Mapping[str, float]) -> dict[str, Any]:
    def times(value: float, key: str) -> float:
        return float(min(value * factors.get(key, 1.0), _MOST))

    hours = {
        part: times(value, f"hour_factors.{part}")
        for part, value in callees.hour_factors.model_dump().items()
    }
    changes: dict[str, Any] = {"hour_factors": HourFactors(**hours)}
    for key in ("weekday_factors", "redial_factors", "gap_factors"):
        values = getattr(callees, key)
        if not isinstance(values, bool):
            changed = [times(value, f"{key}[{i}]") for i, value in enumerate(values)]
            changes[key] = tuple(changed) if key == "gap_factors" else changed
    return changes


def _profile(
    fitted: Profile, shares: Mapping[str, float], human: float, contacts: Mapping[str, float]
) -> Profile:
    """Profile with drawn shares; what the others leave goes to no_answer."""
    others = {word: shares[word] if getattr(fitted, word) else 0.0 for word in OTHERS}
    left = reduce(sub, others.values(), 1.0)
    share = min(fitted.human / fitted.in_use * human, left)
    invalid = fitted.invalid_share
    if contacts:
        invalid = contacts["invalid"] / sum(contacts.values())
    rest = 100 * (1 - invalid)
    return Profile(
        human=rest * share,
        no_answer=rest * max(left - share, 0.0),
        invalid=100 * invalid,
        **{word: rest * other for word, other in others.items()},
    )


def warped(distribution: Distribution, calls: float, uniforms: Floats) -> Quantiles:
    """Distribution of the same durations, each at a share that is drawn, with a drawn tail."""
    if not isinstance(distribution, Quantiles):
        shares = special.ndtr(SCORES)
        distribution = table_of(shares, distribution.quantile_s(shares))
    knots, used = [0.0], []
    for place, knot in enumerate(KNOTS):
        wide = (knot - knots[-1]) * calls >= CALLS_BETWEEN
        if wide and (1 - knot) * calls >= CALLS_BETWEEN:
            knots.append(knot)
            used.append(place)
    tail = max(knot for knot in knots if knot == 0 or (1 - knot) * calls >= CALLS_IN_TAIL)
    knots.append(1.0)
    used.append(len(KNOTS))
    sizes = np.diff(knots) * calls
    sizes[[0, -1]] += _PRIOR
    parts = np.maximum(special.gammaincinv(sizes, uniforms[used]), 1e-9)
    ends = np.append(0.0, np.cumsum(parts / parts.sum()))
    ends[-1] = 1.0
    shares = np.interp(distribution.shares, knots, ends)
    return Quantiles(
        distribution="quantiles",
        shares=tuple(shares.tolist()),
        durations=_stretched(distribution, tail, calls * (1 - tail), float(uniforms[-1])),
        scale=distribution.scale,
    )


def _stretched(
    distribution: Quantiles, start: float, beyond: float, uniform: float
) -> tuple[int, ...]:
    """Durations of a table, with a drawn factor on logarithms of what lies beyond a share."""
    if start == 0.0:
        return distribution.durations
    factor = float(special.gammaincinv(beyond, uniform)) / beyond
    from_us = float(distribution.quantile_s(np.array([start]))[0]) * SECOND / distribution.scale
    durations_us = np.array(distribution.durations, dtype=np.float64)
    stretched_us = from_us * np.maximum(durations_us / from_us, 1.0) ** factor
    found_us = np.where(np.array(distribution.shares) > start, stretched_us, durations_us)
    milliseconds = np.maximum.accumulate(np.rint(found_us / 1000))
    return tuple(int(value_ms) * 1000 for value_ms in milliseconds)


def factor_values(factors: Factors, pooled: int) -> dict[str, Any]:
    """Values of a table of callees: factors of the groups that any was fitted of."""
    factors_by_level = {
        name: round(min(float(np.exp(log)), 3.0), 4)
        for name, log in zip(factors.names, factors.logs, strict=True)
    }
    hours = DEFAULTS["callees.hour_factors"].value.items()
    values = {
        HOUR: {part: factors_by_level.get((HOUR, part), value) for part, value in hours},
        WEEKDAY: [factors_by_level.get((WEEKDAY, day), 1.0) for day in WEEKDAYS],
        REDIAL: [factors_by_level.get((REDIAL, str(k)), 1.0) for k in range(pooled + 1)],
        GAP: [*(factors_by_level.get((GAP, name), 1.0) for name in GAPS), 1.0],
    }
    fitted = {group for group, _ in factors_by_level}
    return {_TABLES[group]: value for group, value in values.items() if group in fitted}


_TABLES = {
    HOUR: "hour_factors",
    WEEKDAY: "weekday_factors",
    REDIAL: "redial_factors",
    GAP: "gap_factors",
}
"""Keys of a table of callees that have the factors of a group."""


def factor_key(group: str, level: str) -> str:
    """Key of a factor, as `Uncertainty.factors` names it."""
    if group == "base":
        return "human"
    if group == HOUR:
        return f"{_TABLES[HOUR]}.{level}"
    places = {WEEKDAY: WEEKDAYS, GAP: (*GAPS, "later")}
    return f"{_TABLES[group]}[{places[group].index(level) if group in places else level}]"


_WIDTH = 90
"""Characters of a comment's line."""


def toml(values: Mapping[str, Any], head: Sequence[str] = ()) -> str:
    """Tables of a scenario file as TOML, with comments at its head."""
    document = tomlkit.document()
    for line in (line for text in head for line in wrap(visible(text), _WIDTH)):
        document.add(tomlkit.comment(line))
    for key, value in _shown(values).items():
        document.add(key, value)
    return tomlkit.dumps(document)


def _shown(value: Any) -> Any:
    """A value with texts in which nothing is hidden."""
    if isinstance(value, Mapping):
        return {visible(key): _shown(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(item) for item in value]
    return visible_lines(value) if isinstance(value, str) else value
