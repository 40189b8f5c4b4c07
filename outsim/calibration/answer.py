"""What a fit found: a callee profile with intervals, and what it rests on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from outsim.calibration.durations import SCORED, DurationFit, Z
from outsim.calibration.load import LoadFit
from outsim.calibration.load_values import load_numbers, load_sources, load_values
from outsim.calibration.outcomes import MixDrift, OutcomeFit, jeffreys
from outsim.calibration.profile import factor_key, factor_values, toml
from outsim.clock import SECOND
from outsim.display import percent
from outsim.distributions import Constant, Distribution, Quantiles
from outsim.errors import ScenarioError, unknown_name
from outsim.scenario.callees import Callees, Profile
from outsim.scenario.defaults import DEFAULTS
from outsim.scenario.sources import DRAWN, Uncertainty
from outsim.text import brief

if TYPE_CHECKING:
    import pandas as pd

CALIBRATED, DEFAULT = "calibrated", "default"
NO_DELAY = "1 ms"
"""Post-dial delay beside ring times that have it in them, as those of call logs have."""


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
    goodness: str = ""
    """How well the fit describes them."""
    source: str = CALIBRATED
    """``calibrated``, or ``default`` where the data were too few."""


def _of_durations(fits: Iterable[DurationFit]) -> Iterator[Parameter]:
    for fit in fits:
        goodness = f"{fit.form}, distance {fit.distance:.3f}"
        for share in (0.5, 0.9, 0.99):
            value = _quantile_s(fit.distribution, share)
            low, high = fit.quantile_interval_s(share)
            ends = min(low, value), max(high, value)
            yield Parameter(f"{fit.key} p{share * 100:.0f}", value, *ends, fit.calls, goodness)


def _quantile_s(distribution: Distribution, share: float) -> float:
    return float(distribution.quantile_s(np.array([share]))[0])


def _of_mix(mix: OutcomeFit, weights: dict[str, float], profile: str) -> Iterator[Parameter]:
    name = f"profiles.{profile}"
    in_use = 1 - weights["invalid"] / 100
    for word in DRAWN:
        low, high = (100 * in_use * end for end in mix.interval(word))
        value = weights[word]
        yield Parameter(f"{name}.{word}", value, min(low, value), max(high, value), mix.dials)
    if mix.contacts:
        of = sum(mix.contacts.values())
        low, high = (100 * end for end in jeffreys(mix.contacts["invalid"], of))
        yield Parameter(f"{name}.invalid", weights["invalid"], low, high, of)
        of -= mix.contacts["invalid"]
        ends = jeffreys(mix.contacts["fax"], of)
        yield Parameter("callees.fax_share", mix.contacts["fax"] / max(of, 1), *ends, of)
    factors = mix.factors
    errors = np.sqrt(np.maximum(np.diag(factors.covariance), 0))
    for (group, level), log, error, dials in zip(
        factors.names, factors.logs, errors, factors.dials, strict=True
    ):
        if group != "base" and error > 0:
            value, low, high = np.exp([log, log - Z * error, log + Z * error]).tolist()
            key = f"callees.{factor_key(group, level)}"
            yield Parameter(key, value, low, high, float(dials))


def _of_load(load: LoadFit) -> Iterator[Parameter]:
    for key, (value, low, high), starts, _ in load_numbers(load):
        yield Parameter(key, value, min(low, value), max(high, value), starts)


def _defaults(fit: CalleeFit) -> Iterator[Parameter]:
    """Defaults that a log could have told of, and this one did not."""

    def default(key: str, value: float) -> Parameter:
        return Parameter(key, value, None, None, 0, source=DEFAULT)

    for key in ("ring_human", "ring_voicemail", fit.talk):
        if key not in fit.callee_values:
            yield default(f"callees.{key} p50", _quantile_s(getattr(Callees(), key), 0.5))
    if fit.outcomes is None:
        name = f"profiles.{fit.profile_name}"
        for word, value in (DEFAULTS[name].value if name in DEFAULTS else {}).items():
            yield default(f"{name}.{word}", value)
    fitted = set(fit.uncertainty_values.get("factors", ()))
    for part, value in DEFAULTS["callees.hour_factors"].value.items():
        if f"hour_factors.{part}" not in fitted:
            yield default(f"callees.hour_factors.{part}", value)
    for key in ("weekday_factors", "redial_factors"):
        values = fit.callee_values.get(key, DEFAULTS[f"callees.{key}"].value)
        for i, value in enumerate(values):
            is_base = key == "redial_factors" and i == 0
            if f"{key}[{i}]" not in fitted and not is_base:
                yield default(f"callees.{key}[{i}]", value)


@dataclass(frozen=True)
class CalleeFit:
    """A callee profile fitted to a call log."""

    source: str
    """The log, in one line."""
    details: Mapping[str, str | int | float]
    """What else is known of it."""
    attempts: int
    """Rows that were looked at."""
    holdout: float
    """Share of them, the latest, by which forms were chosen."""
    talk: Literal["message", "agent_talk"]
    """What talk times were taken for."""
    profile_name: str
    """Profile that has the outcome mix."""
    durations: tuple[DurationFit, ...]
    """Durations that were fitted."""
    outcomes: OutcomeFit | None
    """The outcome mix; None where the default was kept."""
    mix_drift: tuple[MixDrift, ...]
    """Outcomes whose share moved."""
    own_notes: tuple[str, ...]
    """What was kept at its default, and why."""
    rings_have_delay: bool = True
    """Whether the log's ring times have the post-dial delay in them."""
    load: LoadFit | None = None
    """Lists and single calls of the log; None where nobody asked."""

    @cached_property
    def callees(self) -> Callees:
        """Callees of a scenario with what was fitted; the rest has its defaults."""
        return Callees.model_validate(self.callee_values, context={})

    @cached_property
    def profile(self) -> Profile | None:
        """The outcome mix; None where the default was kept."""
        return None if self.outcomes is None else Profile(**self.weights)

    @cached_property
    def uncertainty(self) -> Uncertainty:
        """What the fitted values rest on, for `outsim.calibration.draw_profile`."""
        return Uncertainty.model_validate(self.uncertainty_values)

    def duration(self, key: str) -> DurationFit:
        """Fit of one duration.

        Parameters
        ----------
        key : str
            Such as ``callees.agent_talk``.

        Returns
        -------
        DurationFit
            Form, quantiles, drift and how the other forms did.

        Raises
        ------
        ScenarioError
            If it was not fitted.
        """
        fits = {fit.key: fit for fit in self.durations}
        if key not in fits:
            raise ScenarioError(unknown_name("fitted duration", key, fits))
        return fits[key]

    @cached_property
    def callee_values(self) -> dict[str, Any]:
        """Values of the table ``callees``, as a scenario file has it; what was fitted alone."""
        values: dict[str, Any] = {
            fit.key.removeprefix("callees."): _in_a_file(fit.distribution)
            for fit in self.durations
        }
        if "ring_human" in values and self.rings_have_delay:
            values["post_dial_delay"] = NO_DELAY
        if "ring_voicemail" in values:
            values["phone_off"] = 0.0  # the fit has early answers in it
        if "message" in values:
            values["early_hang_up"] = 0.0  # likewise
        if self.outcomes is not None:
            traits = self.outcomes.contacts
            if traits and traits["fax"] + traits["other"]:
                values["fax_share"] = short(traits["fax"] / (traits["fax"] + traits["other"]))
            values |= factor_values(self.outcomes.factors, self.outcomes.pooled)
        return values

    @cached_property
    def weights(self) -> dict[str, float]:
        """Percent of first dials by outcome; empty where the default was kept."""
        if self.outcomes is None:
            return {}
        traits = self.outcomes.contacts
        invalid = traits["invalid"] / sum(traits.values()) if traits else 0.0
        shares = self.outcomes.shares.items()
        weights = {word: short(100 * (1 - invalid) * share) for word, share in shares}
        return {**weights, "invalid": short(100 * invalid)}

    @cached_property
    def uncertainty_values(self) -> dict[str, Any]:
        """Values of the table ``uncertainty``, as a scenario file has it."""
        calls = {fit.key.removeprefix("callees."): short(fit.calls) for fit in self.durations}
        if self.outcomes is None:
            return {"durations": calls}
        mix, factors = self.outcomes, self.outcomes.factors
        free = np.flatnonzero(np.diag(factors.covariance) > 0)
        contacts = {trait: short(count) for trait, count in mix.contacts.items()}
        return {
            "profile": self.profile_name,
            "outcomes": {word: short(count) for word, count in mix.counts.items()},
            **({"contacts": contacts} if contacts else {}),
            "durations": calls,
            "factors": [factor_key(*factors.names[i]) for i in free],
            "covariance": [
                [float(f"{value:.9g}") for value in row]
                for row in factors.covariance[np.ix_(free, free)]
            ],
        }

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What a reader has to know: too little data, drift, what was assumed."""
        notes = list(self.own_notes)
        if "post_dial_delay" in self.callee_values:
            notes.append(
                "callees.post_dial_delay: set to 1 ms; the log's ring times have it in them"
            )
        for fit in self.durations:
            drift = fit.drift
            if drift.is_there:
                notes.append(
                    f"{fit.key}: the later {percent(self.holdout)} of the log differ; durations "
                    f"are {drift.factor:.2f} times as long "
                    f"(95 %: {drift.low:.2f} to {drift.high:.2f}; distance {drift.distance:.3f})"
                )
            if fit.is_cut:
                notes.append(
                    f"{fit.key}: answers still came when calls were given up; don't use the fit "
                    "with a longer ring timeout"
                )
        notes += [
            f"{moved.outcome}: its share of attempts moved from {percent(moved.early, 1)} to "
            f"{percent(moved.late, 1)} "
            f"(95 % of the change: {100 * moved.low:+.1f} to {100 * moved.high:+.1f} points)"
            for moved in self.mix_drift
        ]
        if self.outcomes is not None and self.outcomes.divided is not None:
            notes.append(_unnamed_note(self.outcomes.divided, self.outcomes.named))
        if self.load is not None:
            notes += [f"load: {note}" for note in self.load.notes]
        return tuple(notes)

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """All numbers, with intervals; then those that were kept at their defaults."""
        return (
            *_of_durations(self.durations),
            *(_of_mix(self.outcomes, self.weights, self.profile_name) if self.outcomes else ()),
            *(_of_load(self.load) if self.load else ()),
            *_defaults(self),
        )

    def table(self) -> pd.DataFrame:
        """One row a number, indexed by ``parameter``.

        Columns: ``value`` (seconds for durations), ``low`` and ``high`` (its 95 % interval),
        ``calls``, ``goodness``, ``source``.
        """
        import pandas as pd

        names = {name: name for name in Parameter.__dataclass_fields__} | {"key": "parameter"}
        rows = [vars(parameter) for parameter in self.parameters]
        return pd.DataFrame(rows, columns=[*names]).rename(columns=names).set_index("parameter")

    def forms(self) -> pd.DataFrame:
        """How every candidate did: one row a duration and form, the best first.

        Columns: ``loss`` (mean negative log-likelihood of a later call), ``deviation``
        (largest relative distance to a recorded quantile), ``chosen``.
        """
        import pandas as pd

        return pd.DataFrame(
            [
                (fit.key, score.form, score.loss, score.deviation, score.form == fit.form)
                for fit in self.durations
                for score in fit.scores
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
        for fit in self.durations:
            fitted, recorded = fit.errors_on_later()
            errors = pd.DataFrame({"quantile": SCORED, "fit": fitted, "recorded": recorded})
            parts.append(errors.assign(parameter=fit.key).set_index(["parameter", "quantile"]))
        return pd.concat(parts) if parts else pd.DataFrame(columns=["fit", "recorded"])

    def to_mapping(self) -> dict[str, Any]:
        """Tables of a scenario file: ``callees``, ``profiles``, ``sources``, ``uncertainty``.

        With a load also ``clock`` (its zone) and ``background``.
        """
        values: dict[str, Any] = {"callees": self.callee_values}
        if self.load is not None:
            profile = self.profile_name if self.outcomes is not None else None
            values = load_values(self.load, profile) | values
        if self.outcomes is not None:
            values["profiles"] = {self.profile_name: self.weights}
        values["sources"] = dict(self._sources())
        values["uncertainty"] = self.uncertainty_values
        return values

    def _sources(self) -> Iterator[tuple[str, dict[str, Any]]]:
        entry = {"grade": CALIBRATED, "source": self.source}
        # Of a table of quantiles how long its durations are as a whole is in doubt.
        ranges: list[tuple[str, float, float]] = [
            (f"{fit.key}.scale", round(fit.scale_interval[0], 4), round(fit.scale_interval[1], 4))
            for fit in self.durations
            if isinstance(fit.distribution, Quantiles)
        ]
        ranges += [
            (known.key, known.low, known.high)
            for known in self.parameters
            if known.low is not None and known.high is not None
        ]
        keys = [f"callees.{key}" for key in self.callee_values]
        keys += [f"profiles.{self.profile_name}"] if self.weights else []
        for key in keys:
            yield key, {**entry, "details": dict(self.details)}
            for name, low, high in ranges:
                ends = short(low), short(high)
                if re.fullmatch(rf"{re.escape(key)}([.\[].*)?", name) and ends[0] < ends[1]:
                    yield name, {**entry, "range": f"{ends[0]!r}:{ends[1]!r}"}
        if self.load is not None:
            yield from load_sources(self.load, self.source, dict(self.details))

    def to_toml(self) -> str:
        """A scenario file with the profile, to be extended by another one.

        Its last line is a checksum: the file may be changed, and then says so.
        """
        from outsim.scenario.source import with_checksum

        what = "Callees" if self.load is None else "Callees and the load"
        head = [f"{what} fitted to {self.source}."]
        head += [f"Note: {note}." for note in self.notes]
        return with_checksum(toml(self.to_mapping(), head))

    def save(self, path: str | Path) -> None:
        """Write `to_toml` to a file, whole or not at all.

        Parameters
        ----------
        path : path
            Where; what stands there is written over.

        Raises
        ------
        OSError
            If it can't be written.
        """
        from outsim.disk import atomic_write

        with atomic_write(Path(path)) as beside:
            beside.write_text(self.to_toml(), encoding="utf-8")

    __repr__ = brief


def _unnamed_note(divided: float, named: tuple[str, ...]) -> str:
    """What answered calls whose callee the log doesn't name were taken for."""
    if named == ("voicemail",):
        why = "since the log names machines alone; people's ring and talk times are of them"
    elif named:
        why = "as of those it names, an assumption"
    else:
        why = "an assumption; ring and talk times are of all of them"
    return (
        f"answered calls whose callee the log doesn't name: {percent(divided)} "
        f"taken to be people, {why}"
    )


def _in_a_file(distribution: Distribution) -> Any:
    """A distribution as a scenario file has it."""
    if isinstance(distribution, Constant):
        return f"{distribution.value / SECOND:g} s"
    return distribution.model_dump(mode="json", exclude_defaults=True)


def short(value: float) -> float:
    """A number with as many digits as anybody needs."""
    rounded = float(f"{value:.6g}")
    return int(rounded) if rounded == int(rounded) and abs(rounded) < 1e15 else rounded
