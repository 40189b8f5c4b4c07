"""Sizes of contact lists: counts, or distributions of counts (rules 1 and 15)."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Discriminator, Field, Tag, model_validator
from typing_extensions import override

from outsim.clock import SECOND
from outsim.distributions import Distribution, Lognormal, Quantiles, Uniform, check_table
from outsim.scenario.parts import NO_DISTRIBUTION, Count, Part
from outsim.units import ContradictionError

LONGEST_LIST = 100_000_000
"""Contacts that a list can have at most."""

Size = Annotated[Count, Field(le=LONGEST_LIST)]
_SomeSize = Annotated[int, Field(ge=1, le=LONGEST_LIST, strict=True)]


class SizeDistribution(Part):
    """A distribution of sizes: that of durations, with a contact for a second."""

    @abstractmethod
    def in_seconds(self) -> Distribution:
        """The distribution of durations with as many seconds."""

    def sizes(self, uniforms: NDArray[np.float64]) -> list[int]:
        """Contacts at each of some uniforms."""
        contacts = self.in_seconds().quantile_s(uniforms)
        return [min(round(float(count)), LONGEST_LIST) for count in contacts]

    def mean(self) -> float:
        """Mean number of contacts."""
        return self.in_seconds().mean_s()


class LognormalSize(SizeDistribution):
    """Lognormal, given by its median and the standard deviation of its logarithm."""

    distribution: Literal["lognormal"]
    median: _SomeSize
    """Half of the lists are shorter."""
    log_sd: Annotated[float, Field(ge=0, le=3)]
    """Standard deviation of the natural logarithm."""

    @override
    def in_seconds(self) -> Distribution:
        median = self.median * SECOND
        return Lognormal(distribution="lognormal", median=median, log_sd=self.log_sd)


class UniformSize(SizeDistribution):
    """Equally likely anywhere in a range."""

    distribution: Literal["uniform"]
    least: _SomeSize
    """Fewest contacts."""
    most: _SomeSize
    """Most contacts."""

    @model_validator(mode="after")
    def _range_is_a_range(self) -> UniformSize:
        if self.least >= self.most:
            why = f"found {self.most}; must be more than least ({self.least})"
            raise ContradictionError([(("most",), why)])
        return self

    @override
    def in_seconds(self) -> Distribution:
        least, most = self.least * SECOND, self.most * SECOND
        return Uniform(distribution="uniform", least=least, most=most)


class QuantileSize(SizeDistribution):
    """A table of quantiles, as measured: each share of the lists has at most so many contacts."""

    distribution: Literal["quantiles"]
    shares: Annotated[
        tuple[Annotated[float, Field(gt=0, lt=1)], ...], Field(min_length=2, max_length=1000)
    ]
    """Shares of the lists, rising."""
    counts: Annotated[tuple[_SomeSize, ...], Field(min_length=2, max_length=1000)]
    """Contacts that each of these shares has at most; not falling."""

    @model_validator(mode="after")
    def _is_a_table(self) -> QuantileSize:
        check_table(self.shares, "counts", self.counts)
        return self

    @override
    def in_seconds(self) -> Distribution:
        durations = tuple(count * SECOND for count in self.counts)
        return Quantiles(distribution="quantiles", shares=self.shares, durations=durations)


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return str(value.get("distribution", "none is named"))
    return str(getattr(value, "distribution", NO_DISTRIBUTION))


Sizes = Annotated[
    Annotated[Size, Tag(NO_DISTRIBUTION)]
    | Annotated[LognormalSize, Tag("lognormal")]
    | Annotated[UniformSize, Tag("uniform")]
    | Annotated[QuantileSize, Tag("quantiles")],
    Discriminator(_kind),
]
"""A number of contacts, or a distribution of them."""


def mean_size(contacts: int | SizeDistribution | None) -> float:
    """Contacts on average; 0 where there are none."""
    return contacts.mean() if isinstance(contacts, BaseModel) else float(contacts or 0)
