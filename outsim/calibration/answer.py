"""What a calibration found: a callee profile with intervals, and all that is to be said of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import stats

from outsim.calibration.durations import LEVEL, DurationFit
from outsim.calibration.outcomes import (
    DIALLED,
    GAP,
    GAPS,
    HOUR,
    REDIAL,
    WEEKDAY,
    WEEKDAYS,
    MixDrift,
    OutcomeFit,
    jeffreys,
)
from outsim.calibration.quantile_table import SCORED
from outsim.clock import SECOND
from outsim.distributions import Constant, Distribution, Quantiles
from outsim.scenario.callees import Callees, Profile
from outsim.scenario.defaults import DEFAULTS
from outsim.scenario.uncertainty import Uncertainty

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

NO_DELAY = "1 ms"
"""Post-dial delay beside ring times that have it in them, as those of call logs have."""

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


@dataclass(frozen=True)
class Calibration:
    """A callee profile fitted to a call log.

    Attributes
    ----------
    source : str
        The log, in one line.
    details : mapping
        What else is known of it.
    attempts : int
        Rows that were looked at.
    holdout : float
        Share of them, the latest, by which forms were chosen.
    talk : {"message", "agent_talk"}
        What talk times were taken for.
    profile_name : str
        Profile that has the outcome mix.
    durations : tuple of DurationFit
        Durations that were fitted.
    outcomes : OutcomeFit or None
        The outcome mix; None where the default was kept.
    mix_drift : tuple of MixDrift
        Outcomes whose share moved.
    own_notes : tuple of str
        What was kept at its default, and why.
    rings_have_delay : bool
        Whether the log's ring times have the post-dial delay in them.
    """

    source: str
    details: Mapping[str, str | int | float]
    attempts: int
    holdout: float
    talk: Literal["message", "agent_talk"]
    profile_name: str
    durations: tuple[DurationFit, ...]
    outcomes: OutcomeFit | None
    mix_drift: tuple[MixDrift, ...]
    own_notes: tuple[str, ...]
    rings_have_delay: bool = True

    # The profile

    @cached_property
    def callees(self) -> Callees:
        """Callees of a scenario with what was fitted; the rest has its defaults."""
        return Callees.model_validate(self._callees, context={})

    @cached_property
    def profile(self) -> Profile | None:
        """The outcome mix; None where the default was kept."""
        return None if self.outcomes is None else Profile(**self._weights)

    @cached_property
    def uncertainty(self) -> Uncertainty:
        """What the fitted values rest on, for `outsim.calibration.draw_profile`."""
        return Uncertainty.model_validate(self._uncertainty)

    def duration(self, key: str) -> DurationFit:
        """Fit of one duration, such as ``callees.agent_talk``.

        Raises
        ------
        KeyError
            If it was not fitted.
        """
        return {each.key: each for each in self.durations}[key]

    @cached_property
    def _callees(self) -> dict[str, Any]:
        values: dict[str, Any] = {
            each.key.removeprefix("callees."): _plain(each.distribution) for each in self.durations
        }
        if "ring_human" in values and self.rings_have_delay:
            values["post_dial_delay"] = NO_DELAY
        if "ring_voicemail" in values:
            values["phone_off"] = 0.0  # the fit has early answers in it
        if "message" in values:
            values["early_hang_up"] = 0.0  # likewise
        if self.outcomes is not None:
            if self.outcomes.contacts:
                traits = self.outcomes.contacts
                values["fax_share"] = _short(traits["fax"] / (traits["fax"] + traits["other"]))
            values |= self._factor_values(self.outcomes)
        return values

    @staticmethod
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

    @cached_property
    def _weights(self) -> dict[str, float]:
        """Percent of first dials, numbers that are not in use among them."""
        assert self.outcomes is not None
        traits = self.outcomes.contacts
        invalid = traits["invalid"] / sum(traits.values()) if traits else 0.0
        weights = {
            word: _short(100 * (1 - invalid) * share)
            for word, share in self.outcomes.shares.items()
        }
        return {**weights, "invalid": _short(100 * invalid)}

    @cached_property
    def _uncertainty(self) -> dict[str, Any]:
        values: dict[str, Any] = {}
        if self.outcomes is not None:
            values["profile"] = self.profile_name
            values["outcomes"] = {k: _short(v) for k, v in self.outcomes.counts.items()}
            if self.outcomes.contacts:
                values["contacts"] = {k: _short(v) for k, v in self.outcomes.contacts.items()}
        values["durations"] = {
            each.key.removeprefix("callees."): _short(each.calls) for each in self.durations
        }
        if self.outcomes is not None:
            factors = self.outcomes.factors
            free = np.flatnonzero(np.diag(factors.covariance) > 0)
            values["factors"] = [_factor_key(*factors.names[i]) for i in free]
            values["covariance"] = [
                [float(f"{each:.9g}") for each in row]
                for row in factors.covariance[np.ix_(free, free)]
            ]
        return values

    # What is said of it

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What a reader has to know: too little data, drift, what was assumed."""
        notes = list(self.own_notes)
        if "post_dial_delay" in self._callees:
            notes.append(
                "callees.post_dial_delay: set to 1 ms; the log's ring times have it in them"
            )
        for each in self.durations:
            drift = each.drift
            if drift.is_there:
                notes.append(
                    f"{each.key}: the later {self.holdout:.0%} of the log differ; durations are "
                    f"{drift.factor:.2f} times as long "
                    f"(95 %: {drift.low:.2f} to {drift.high:.2f}; distance {drift.distance:.3f})"
                )
            if each.is_cut:
                notes.append(
                    f"{each.key}: answers still came when calls were given up; don't use the fit "
                    "with a longer ring timeout"
                )
        notes += [
            f"{each.outcome}: its share of attempts moved from {each.early:.1%} to "
            f"{each.late:.1%} "
            f"(95 % of the change: {100 * each.low:+.1f} to {100 * each.high:+.1f} points)"
            for each in self.mix_drift
        ]
        if self.outcomes is not None and self.outcomes.divided is not None:
            notes.append(
                f"answered calls whose callee the log doesn't name: {self.outcomes.divided:.0%} "
                "taken to be people, an assumption; ring and talk times are of all of them"
            )
        return tuple(notes)

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """All numbers, with intervals; then those that were kept at their defaults."""
        return (*self._duration_parameters(), *self._mix_parameters(), *self._kept())

    def table(self) -> pd.DataFrame:
        """One row a number, indexed by ``parameter``.

        Columns: ``value`` (seconds for durations), ``low`` and ``high`` (its 95 % interval),
        ``calls``, ``goodness``, ``source``.
        """
        import pandas as pd

        rows = [vars(each) for each in self.parameters]
        found = pd.DataFrame(rows, columns=[*Parameter.__dataclass_fields__])
        return found.rename(columns={"key": "parameter"}).set_index("parameter")

    def forms(self) -> pd.DataFrame:
        """How every candidate did: one row a duration and form, the best first.

        Columns: ``loss`` (mean negative log-likelihood of a later call), ``deviation``
        (largest relative distance to a recorded quantile), ``chosen``.
        """
        import pandas as pd

        return pd.DataFrame(
            [
                (each.key, score.form, score.loss, score.deviation, score.form == each.form)
                for each in self.durations
                for score in each.scores
            ],
            columns=["parameter", "form", "loss", "deviation", "chosen"],
        ).set_index(["parameter", "form"])

    def later_errors(self) -> pd.DataFrame:
        """Errors on the later part, by duration and quantile, of a fit to the earlier part.

        Columns: ``fit`` and ``recorded``, relative, each under the one factor that brings its
        quantiles nearest to the later ones.
        """
        import pandas as pd

        parts = []
        for each in self.durations:
            fitted, recorded = each.errors_on_later()
            index = pd.MultiIndex.from_product(
                [[each.key], SCORED], names=["parameter", "quantile"]
            )
            parts.append(pd.DataFrame({"fit": fitted, "recorded": recorded}, index=index))
        return pd.concat(parts) if parts else pd.DataFrame(columns=["fit", "recorded"])

    def _duration_parameters(self) -> Iterator[Parameter]:
        for each in self.durations:
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

    def _mix_parameters(self) -> Iterator[Parameter]:
        mix = self.outcomes
        if mix is None:
            return
        name = f"profiles.{self.profile_name}"
        in_use = 1 - self._weights["invalid"] / 100
        for word in DIALLED:
            low, high = (100 * in_use * end for end in mix.interval(word))
            value = self._weights[word]
            yield Parameter(
                f"{name}.{word}", value, min(low, value), max(high, value), mix.dials, "",
                CALIBRATED,
            )  # fmt: skip
        if mix.contacts:
            of = sum(mix.contacts.values())
            low, high = (100 * end for end in jeffreys(mix.contacts["invalid"], of))
            yield Parameter(
                f"{name}.invalid", self._weights["invalid"], low, high, of, "", CALIBRATED
            )
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
                key = f"callees.{_factor_key(*named)}"
                yield Parameter(key, value, low, high, float(dials), "", CALIBRATED)

    def _kept(self) -> Iterator[Parameter]:
        """Defaults that a log could have told of, and this one did not."""
        for key in ("ring_human", "ring_voicemail", self.talk):
            if key not in self._callees:
                default: Distribution = getattr(Callees(), key)
                median = float(default.quantile_s(np.array([0.5]))[0])
                yield Parameter(f"callees.{key} p50", median, None, None, 0, "", DEFAULT)
        if self.outcomes is None:
            kept = DEFAULTS.get(f"profiles.{self.profile_name}")
            for word, value in (kept.value if kept else {}).items():
                yield Parameter(
                    f"profiles.{self.profile_name}.{word}", value, None, None, 0, "", DEFAULT
                )
        fitted = set(self._uncertainty.get("factors", ()))
        for part, value in DEFAULTS["callees.hour_factors"].value.items():
            if f"hour_factors.{part}" not in fitted:
                yield Parameter(f"callees.hour_factors.{part}", value, None, None, 0, "", DEFAULT)
        for key in ("weekday_factors", "redial_factors"):
            values = self._callees.get(key, DEFAULTS[f"callees.{key}"].value)
            for i, value in enumerate(values):
                is_base = key == "redial_factors" and i == 0
                if f"{key}[{i}]" not in fitted and not is_base:
                    yield Parameter(f"callees.{key}[{i}]", value, None, None, 0, "", DEFAULT)

    # Documents

    def to_mapping(self) -> dict[str, Any]:
        """Tables of a scenario file: ``callees``, ``profiles``, ``sources``, ``uncertainty``."""
        values: dict[str, Any] = {"callees": self._callees}
        if self.outcomes is not None:
            values["profiles"] = {self.profile_name: self._weights}
        values["sources"] = dict(self._sources())
        values["uncertainty"] = self._uncertainty
        return values

    def _sources(self) -> Iterator[tuple[str, dict[str, Any]]]:
        ranges = {each.key: each for each in self.parameters if each.source == CALIBRATED}
        keys = [f"callees.{key}" for key in self._callees]
        if self.outcomes is not None:
            keys.append(f"profiles.{self.profile_name}")
        entry = {"grade": CALIBRATED, "source": self.source}
        durations = {each.key: each for each in self.durations}
        for key in keys:
            yield key, {**entry, "details": dict(self.details)}
            if key in durations:
                yield from _scale_range(durations[key], entry)
            for name, each in ranges.items():
                if name.startswith((f"{key}.", f"{key}[")) or name == key:
                    ends = [_short(end) for end in (each.low, each.high) if end is not None]
                    if len(ends) == 2 and ends[0] < ends[1]:
                        yield name, {**entry, "range": f"{ends[0]!r}:{ends[1]!r}"}

    def to_toml(self) -> str:
        """A scenario file with the profile, to be extended by another one."""
        from outsim.calibration.toml import toml

        head = [f"Callees fitted to {self.source}."]
        head += [f"Note: {note}." for note in self.notes]
        return toml(self.to_mapping(), head)

    def to_json(self) -> dict[str, Any]:
        """Everything for machines."""
        return {
            "source": {"label": self.source, **self.details},
            "attempts": self.attempts,
            "holdout": self.holdout,
            "parameters": [dict(vars(each)) for each in self.parameters],
            "durations": [
                {
                    "key": each.key,
                    "form": each.form,
                    "calls": each.calls,
                    "distance": each.distance,
                    "drift": {**vars(each.drift), "is_there": each.drift.is_there},
                    "candidates": [dict(vars(score)) for score in each.scores],
                }
                for each in self.durations
            ],
            "notes": list(self.notes),
            "scenario": self.to_mapping(),
        }

    def save(self, path: str | Path) -> None:
        """Write `to_toml` to a file.

        Raises
        ------
        OSError
            If it can't be written.
        """
        from pathlib import Path

        Path(path).write_text(self.to_toml(), encoding="utf-8")

    def __repr__(self) -> str:
        fitted = [each.key for each in self.durations]
        fitted += [] if self.outcomes is None else [f"profiles.{self.profile_name}"]
        return f"Calibration({self.source}; fitted: {', '.join(fitted) or 'nothing'})"

    def _repr_html_(self) -> str:
        return self.table().to_html()


def _scale_range(fitted: DurationFit, entry: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Plausible range of how long the durations are as a whole."""
    ends = [_short(round(end, 4)) for end in fitted.scale_interval]
    if isinstance(fitted.distribution, Quantiles) and ends[0] < ends[1]:
        yield f"{fitted.key}.scale", {**entry, "range": f"{ends[0]!r}:{ends[1]!r}"}


def _factor_key(group: str, level: str) -> str:
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


def _short(value: float) -> float:
    """A number with as many digits as anybody needs."""
    rounded = float(f"{value:.6g}")
    return int(rounded) if rounded == int(rounded) and abs(rounded) < 1e15 else rounded


def _factor(value: float) -> float:
    """A factor as a scenario may have it."""
    return round(min(float(value), 3.0), 4)
