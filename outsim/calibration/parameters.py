"""The numbers of a calibration, one by one, each with its interval."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from outsim.calibration.durations import LEVEL
from outsim.calibration.outcomes import DIALLED, jeffreys
from outsim.calibration.profile import factor_key
from outsim.distributions import Distribution
from outsim.scenario.callees import Callees
from outsim.scenario.defaults import DEFAULTS

if TYPE_CHECKING:
    from outsim.calibration.answer import Calibration

CALIBRATED, DEFAULT = "calibrated", "default"


@dataclass(frozen=True)
class Parameter:
    """One number of the profile."""

    key: str
    """Key of the scenario, or what of it: ``callees.agent_talk p90``."""
    value: float
    """Seconds for durations."""
    low: float | None
    """Lower end of the 95 % interval; None for a default that was kept."""
    high: float | None
    """Upper end."""
    calls: float
    """Calls that it rests on."""
    goodness: str
    """How well the fit describes them."""
    source: str
    """``calibrated``, or ``default`` where the data were too few."""


def parameters_of(found: Calibration) -> Iterator[Parameter]:
    """Give all numbers, with intervals; then those that were kept at their defaults."""
    yield from _duration_parameters(found)
    yield from _mix_parameters(found)
    yield from _kept(found)


def _duration_parameters(found: Calibration) -> Iterator[Parameter]:
    for each in found.durations:
        goodness = f"{each.form}, distance {each.distance:.3f}"
        for share in (0.5, 0.9, 0.99):
            value = float(each.distribution.quantile_s(np.array([share]))[0])
            low, high = each.quantile_interval_s(share)
            yield Parameter(
                f"{each.key} p{share * 100:.0f}",
                value,
                min(low, value),
                max(high, value),
                each.calls,
                goodness,
                CALIBRATED,
            )


def _mix_parameters(found: Calibration) -> Iterator[Parameter]:
    mix = found.outcomes
    if mix is None:
        return
    name = f"profiles.{found.profile_name}"
    in_use = 1 - found.weights["invalid"] / 100
    for word in DIALLED:
        low, high = (100 * in_use * end for end in mix.interval(word))
        value = found.weights[word]
        yield Parameter(
            f"{name}.{word}", value, min(low, value), max(high, value), mix.dials, "",
            CALIBRATED,
        )  # fmt: skip
    if mix.contacts:
        of = sum(mix.contacts.values())
        low, high = (100 * end for end in jeffreys(mix.contacts["invalid"], of))
        yield Parameter(f"{name}.invalid", found.weights["invalid"], low, high, of, "", CALIBRATED)
        of -= mix.contacts["invalid"]
        low, high = jeffreys(mix.contacts["fax"], of)
        yield Parameter(
            "callees.fax_share",
            mix.contacts["fax"] / max(of, 1),
            low,
            high,
            of,
            "",
            CALIBRATED,
        )
    z = float(stats.norm.ppf((1 + LEVEL) / 2))
    errors = np.sqrt(np.maximum(np.diag(mix.factors.covariance), 0))
    for named, log, error, dials in zip(
        mix.factors.names, mix.factors.logs, errors, mix.factors.dials, strict=True
    ):
        if named[0] != "base" and error > 0:
            value, low, high = np.exp([log, log - z * error, log + z * error]).tolist()
            key = f"callees.{factor_key(*named)}"
            yield Parameter(key, value, low, high, float(dials), "", CALIBRATED)


def _kept(found: Calibration) -> Iterator[Parameter]:
    """Defaults that a log could have told of, and this one did not."""
    for key in ("ring_human", "ring_voicemail", found.talk):
        if key not in found.callee_values:
            default: Distribution = getattr(Callees(), key)
            median = float(default.quantile_s(np.array([0.5]))[0])
            yield Parameter(f"callees.{key} p50", median, None, None, 0, "", DEFAULT)
    if found.outcomes is None:
        kept = DEFAULTS.get(f"profiles.{found.profile_name}")
        for word, value in (kept.value if kept else {}).items():
            yield Parameter(
                f"profiles.{found.profile_name}.{word}", value, None, None, 0, "", DEFAULT
            )
    fitted = set(found.uncertainty_values.get("factors", ()))
    for part, value in DEFAULTS["callees.hour_factors"].value.items():
        if f"hour_factors.{part}" not in fitted:
            yield Parameter(f"callees.hour_factors.{part}", value, None, None, 0, "", DEFAULT)
    for key in ("weekday_factors", "redial_factors"):
        values = found.callee_values.get(key, DEFAULTS[f"callees.{key}"].value)
        for i, value in enumerate(values):
            is_base = key == "redial_factors" and i == 0
            if f"{key}[{i}]" not in fitted and not is_base:
                yield Parameter(f"callees.{key}[{i}]", value, None, None, 0, "", DEFAULT)
