"""Named distributions of durations: parameters, mean, and quantile function.

A duration is never drawn by an engine. The tape turns one uniform per call into
a duration by the quantile function here, in float64, and rounds it to whole
milliseconds, so that processors with other vector units give the same tape.
"""

from __future__ import annotations

import math
from abc import abstractmethod
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
from outsim.quantities import ContradictionError, Duration

Uniforms = NDArray[np.float64]
Seconds = NDArray[np.float64]


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
        from scipy.special import ndtri

        seconds = ndtri(uniforms)
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
        from scipy.special import ndtr

        low = float(ndtr((self.least - self.mean) / self.sd))
        high = float(ndtr((self.most - self.mean) / self.sd))
        return low, high

    @override
    def quantile_s(self, uniforms: Uniforms) -> Seconds:
        from scipy.special import ndtri

        low, high = self._cut()
        seconds = ndtri(low + uniforms * (high - low))
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
    | Annotated[Uniform, Tag("uniform")],
    Discriminator(_kind),
]

Distribution = Annotated[
    _AnyDistribution,
    BeforeValidator(_plain_is_constant, json_schema_input_type=_AnyDistribution | str),
]
"""A distribution by name and parameters, or a plain duration, which is constant."""
