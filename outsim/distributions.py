"""Named distributions of durations: parameters, mean, and quantile function.

A duration is never drawn by an engine. The tape turns one uniform per call into
a duration by the quantile function here, in float64, and rounds it to whole
milliseconds, so that processors with other vector units give the same tape.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)
from typing_extensions import override

from outsim.clock import SECOND, format_duration
from outsim.units import ContradictionError, Duration

Uniforms = NDArray[np.float64]
Seconds = NDArray[np.float64]


class _Special:
    """`scipy.special`, imported when something of it is first used: most commands draw nothing."""

    def __getattr__(self, name: str) -> Any:
        from scipy import special

        return getattr(special, name)


special = _Special()


class _Distribution(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    @abstractmethod
    def quantile_s(self, uniforms: Uniforms) -> Seconds:
        """Seconds at each of `uniforms`, float64 of the same shape."""

    @abstractmethod
    def mean_s(self) -> float:
        """Mean in seconds."""


LEAST_MASS = 1e-6
"""Least share of a normal distribution that a cut may leave: less is lost in rounding."""


def _check_range(least_us: int, most_us: int) -> None:
    if least_us >= most_us:
        least, most = format_duration(least_us), format_duration(most_us)
        raise ContradictionError([(("most",), f"found {most}; must be more than least ({least})")])


class Constant(_Distribution):
    """Always the same duration, kept to the microsecond."""

    distribution: Literal["constant"] = "constant"
    value: Duration
    """The duration."""

    @override
    def quantile_s(self, uniforms: Uniforms) -> Seconds:
        return np.full_like(uniforms, self.value / SECOND)

    @override
    def mean_s(self) -> float:
        return self.value / SECOND


class Lognormal(_Distribution):
    """Lognormal, given by its median and the standard deviation of its logarithm."""

    distribution: Literal["lognormal"]
    median: Duration
    """Half of the durations are shorter."""
    log_sd: Annotated[float, Field(ge=0, le=5)]
    """Standard deviation of the natural logarithm."""

    @override
    def quantile_s(self, uniforms: Uniforms) -> Seconds:
        seconds: Seconds = special.ndtri(uniforms)
        seconds *= self.log_sd
        seconds += math.log(self.median / SECOND)
        return np.exp(seconds, out=seconds)

    @override
    def mean_s(self) -> float:
        return self.median / SECOND * math.exp(self.log_sd**2 / 2)


class Normal(_Distribution):
    """Normal, cut to a range: what would fall outside it is not drawn."""

    distribution: Literal["normal"]
    mean: Duration
    """Mean before the cut."""
    sd: Duration
    """Standard deviation before the cut."""
    least: Duration
    """Shortest duration."""
    most: Duration
    """Longest duration."""

    @model_validator(mode="after")
    def _range_is_a_range(self) -> Normal:
        _check_range(self.least, self.most)
        deviations = ((bound - self.mean) / self.sd for bound in (self.least, self.most))
        low, high = (math.erf(deviation / math.sqrt(2)) / 2 for deviation in deviations)
        if high - low < LEAST_MASS:
            message = "least and most leave almost nothing of the distribution"
            raise ContradictionError([(("least",), message)])
        return self

    def _cut(self) -> tuple[float, float]:
        low = float(special.ndtr((self.least - self.mean) / self.sd))
        high = float(special.ndtr((self.most - self.mean) / self.sd))
        return low, high

    @override
    def quantile_s(self, uniforms: Uniforms) -> Seconds:
        low, high = self._cut()
        seconds: Seconds = special.ndtri(low + uniforms * (high - low))
        seconds *= self.sd
        seconds += self.mean
        seconds /= SECOND
        np.maximum(seconds, self.least / SECOND, out=seconds)
        return np.minimum(seconds, self.most / SECOND, out=seconds)

    @override
    def mean_s(self) -> float:
        low, high = self._cut()
        a, b = (self.least - self.mean) / self.sd, (self.most - self.mean) / self.sd
        density = (math.exp(-a * a / 2) - math.exp(-b * b / 2)) / math.sqrt(2 * math.pi)
        return (self.mean + self.sd * density / (high - low)) / SECOND


class Exponential(_Distribution):
    """Exponential, given by its mean: the textbook queue's service time."""

    distribution: Literal["exponential"]
    mean: Duration
    """Mean."""

    @override
    def quantile_s(self, uniforms: Uniforms) -> Seconds:
        return -np.log1p(-uniforms) * (self.mean / SECOND)

    @override
    def mean_s(self) -> float:
        return self.mean / SECOND


class Uniform(_Distribution):
    """Equally likely anywhere in a range."""

    distribution: Literal["uniform"]
    least: Duration
    """Shortest duration."""
    most: Duration
    """Longest duration."""

    @model_validator(mode="after")
    def _range_is_a_range(self) -> Uniform:
        _check_range(self.least, self.most)
        return self

    @override
    def quantile_s(self, uniforms: Uniforms) -> Seconds:
        return (self.least + uniforms * (self.most - self.least)) / SECOND

    @override
    def mean_s(self) -> float:
        return (self.least + self.most) / 2 / SECOND


@dataclass(frozen=True, eq=False)
class _Points:
    """Points of a table of quantiles; not compared, as arrays have no single answer to that."""

    scores: Seconds
    """Shares of a table, or their normal scores."""
    logs: Seconds
    """Natural logarithms of the seconds."""


def check_table(shares: Sequence[float], key: str, values: Sequence[int]) -> None:
    """Refuse a table of quantiles that is none; `values` stand at `key`."""
    if len(shares) != len(values):
        why = f"found {len(values)}; must be as many as shares ({len(shares)})"
        raise ContradictionError([((key,), why)])
    for name, steps, rule in (
        ("shares", np.diff(shares) <= 0, "rise"),
        (key, np.diff(values) < 0, "not fall"),
    ):
        if steps.any():
            place = int(np.argmax(steps)) + 2
            raise ContradictionError([((name,), f"must {rule}; number {place} does not")])


class Quantiles(_Distribution):
    """A table of quantiles, as measured: each share of the durations is at most its duration.

    Between two points the logarithm of the duration is linear in the normal score of the
    share: each piece is a piece of a lognormal distribution. The first and the last piece go
    on beyond the table.
    """

    distribution: Literal["quantiles"]
    shares: Annotated[
        tuple[Annotated[float, Field(gt=0, lt=1)], ...], Field(min_length=2, max_length=1000)
    ]
    """Shares of the durations, rising."""
    durations: Annotated[tuple[Duration, ...], Field(min_length=2, max_length=1000)]
    """What each of these shares is at most; not falling."""
    scale: Annotated[float, Field(gt=0, le=1000)] = 1.0
    """Factor on all durations."""

    @model_validator(mode="after")
    def _is_a_table(self) -> Quantiles:
        check_table(self.shares, "durations", self.durations)
        return self

    @cached_property
    def _points(self) -> _Points:
        seconds = np.array(self.durations, dtype=np.float64) / SECOND * self.scale
        return _Points(special.ndtri(np.array(self.shares)), np.log(seconds))

    @override
    def quantile_s(self, uniforms: Uniforms) -> Seconds:
        scores, logs = self._points.scores, self._points.logs
        at: Seconds = special.ndtri(uniforms)
        piece = np.clip(np.searchsorted(scores, at, side="right") - 1, 0, len(scores) - 2)
        slopes = np.diff(logs) / np.diff(scores)
        return np.exp(logs[piece] + slopes[piece] * (at - scores[piece]))

    @override
    def mean_s(self) -> float:
        scores, logs = self._points.scores, self._points.logs
        slopes = np.diff(logs) / np.diff(scores)
        bounds = np.concatenate(([-np.inf], scores[1:-1], [np.inf]))
        masses = special.ndtr(bounds[1:] - slopes) - special.ndtr(bounds[:-1] - slopes)
        return float(np.sum(np.exp(logs[:-1] - slopes * scores[:-1] + slopes**2 / 2) * masses))


class Weibull(_Distribution):
    """Weibull: a hazard that rises, or falls, as a power of time."""

    distribution: Literal["weibull"]
    scale: Duration
    """63 % of the durations are shorter."""
    shape: Annotated[float, Field(ge=0.05, le=100)]
    """Above 1 the hazard rises, below 1 it falls."""

    @override
    def quantile_s(self, uniforms: Uniforms) -> Seconds:
        seconds: Seconds = (-np.log1p(-uniforms)) ** (1 / self.shape)
        return seconds * (self.scale / SECOND)

    @override
    def mean_s(self) -> float:
        return self.scale / SECOND * math.gamma(1 + 1 / self.shape)


class Gamma(_Distribution):
    """Gamma: with a whole shape, the sum of so many exponential stages."""

    distribution: Literal["gamma"]
    mean: Duration
    """Mean."""
    shape: Annotated[float, Field(ge=0.05, le=1e4)]
    """The squared coefficient of variation is its inverse."""

    @override
    def quantile_s(self, uniforms: Uniforms) -> Seconds:
        seconds = np.asarray(special.gammaincinv(self.shape, uniforms), dtype=np.float64)
        return seconds * (self.mean / SECOND / self.shape)

    @override
    def mean_s(self) -> float:
        return self.mean / SECOND


class LogLogistic(_Distribution):
    """Log-logistic, with a heavier tail than a lognormal distribution."""

    distribution: Literal["loglogistic"]
    median: Duration
    """Half of the durations are shorter."""
    shape: Annotated[float, Field(gt=1, le=100)]
    """The greater, the nearer they are to the median; above 1, or there is no mean."""

    @override
    def quantile_s(self, uniforms: Uniforms) -> Seconds:
        seconds: Seconds = (uniforms / (1 - uniforms)) ** (1 / self.shape)
        return seconds * (self.median / SECOND)

    @override
    def mean_s(self) -> float:
        angle = math.pi / self.shape
        return self.median / SECOND * angle / math.sin(angle)


class Burr(_Distribution):
    """Burr (type XII): log-logistic, with a tail that is bent by a second shape."""

    distribution: Literal["burr"]
    scale: Duration
    """Unit of the durations."""
    shape: Annotated[float, Field(gt=0, le=100)]
    """Power of the duration."""
    tail: Annotated[float, Field(gt=0, le=1e4)]
    """The greater, the lighter the tail; times `shape` above 1, or there is no mean."""

    @model_validator(mode="after")
    def _has_a_mean(self) -> Burr:
        if self.shape * self.tail <= 1:
            least = f"must be more than {1 / self.shape:g}, 1 / shape, or there is no mean"
            raise ContradictionError([(("tail",), f"found {self.tail:g}; {least}")])
        return self

    @override
    def quantile_s(self, uniforms: Uniforms) -> Seconds:
        seconds: Seconds = np.expm1(-np.log1p(-uniforms) / self.tail) ** (1 / self.shape)
        return seconds * (self.scale / SECOND)

    @override
    def mean_s(self) -> float:
        part = float(special.beta(self.tail - 1 / self.shape, 1 + 1 / self.shape))
        return self.scale / SECOND * self.tail * part


class Mixture(_Distribution):
    """Lognormal distributions, each of a share of the durations."""

    distribution: Literal["mixture"]
    weights: Annotated[
        tuple[Annotated[float, Field(gt=0, le=1e6)], ...], Field(min_length=1, max_length=20)
    ]
    """Weights of the parts; they need not add up to 1."""
    medians: Annotated[tuple[Duration, ...], Field(min_length=1, max_length=20)]
    """Median of each part."""
    log_sds: Annotated[
        tuple[Annotated[float, Field(gt=0, le=5)], ...], Field(min_length=1, max_length=20)
    ]
    """Standard deviation of the natural logarithm in each part."""

    @model_validator(mode="after")
    def _is_whole(self) -> Mixture:
        for key in ("medians", "log_sds"):
            count, wanted = len(getattr(self, key)), len(self.weights)
            if count != wanted:
                why = f"found {count}; must be as many as weights ({wanted})"
                raise ContradictionError([((key,), why)])
        return self

    @cached_property
    def _points(self) -> _Points:
        middles, widths = np.log(np.array(self.medians) / SECOND), np.array(self.log_sds)
        logs = np.linspace((middles - 9 * widths).min(), (middles + 9 * widths).max(), 40_001)
        weights = np.array(self.weights) / sum(self.weights)
        return _Points(special.ndtr((logs[:, None] - middles) / widths) @ weights, logs)

    @override
    def quantile_s(self, uniforms: Uniforms) -> Seconds:
        return np.exp(np.interp(uniforms, self._points.scores, self._points.logs))

    @override
    def mean_s(self) -> float:
        parts = zip(self.weights, self.medians, self.log_sds, strict=True)
        total = sum(weight * median * math.exp(sd**2 / 2) for weight, median, sd in parts)
        return total / sum(self.weights) / SECOND


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return str(value.get("distribution", "constant"))
    return str(getattr(value, "distribution", "plain"))


def _plain_is_constant(value: Any) -> Any:
    if isinstance(value, dict | BaseModel):
        return value
    return {"distribution": "constant", "value": value}


_AnyDistribution = Annotated[
    Annotated[Constant, Tag("constant")]
    | Annotated[Lognormal, Tag("lognormal")]
    | Annotated[Normal, Tag("normal")]
    | Annotated[Exponential, Tag("exponential")]
    | Annotated[Uniform, Tag("uniform")]
    | Annotated[Quantiles, Tag("quantiles")]
    | Annotated[Weibull, Tag("weibull")]
    | Annotated[Gamma, Tag("gamma")]
    | Annotated[LogLogistic, Tag("loglogistic")]
    | Annotated[Burr, Tag("burr")]
    | Annotated[Mixture, Tag("mixture")],
    Discriminator(_kind),
]

Distribution = Annotated[
    _AnyDistribution,
    BeforeValidator(_plain_is_constant, json_schema_input_type=_AnyDistribution | str),
]
"""A distribution by name and parameters, or a plain duration, which is constant."""
