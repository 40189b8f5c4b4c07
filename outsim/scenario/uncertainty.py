"""How uncertain a calibrated callee profile is, as far as its data leave it open.

It stands beside the fitted values in the scenario file, and is enough to draw whole profiles
that the same data would bear out as well. It changes nothing about a run by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from outsim.scenario.parts import Name, Part
from outsim.units import ContradictionError
from outsim.vocabulary import DRAWN_EACH_ATTEMPT, OUTCOME_TABLE

_Count = Annotated[float, Field(ge=0)]

DRAWN = tuple(outcome.name for outcome in DRAWN_EACH_ATTEMPT)
"""Outcomes of dials to numbers in use."""
TRAITS = (*(outcome.name for outcome in OUTCOME_TABLE if outcome.is_trait), "other")
"""Traits of a contact."""

if TYPE_CHECKING:
    _Drawn: TypeAlias = str
    _Trait: TypeAlias = str
else:
    _Drawn, _Trait = Literal[DRAWN], Literal[TRAITS]

FittedDuration = Literal["ring_human", "ring_voicemail", "message", "agent_talk"]
"""Durations of `outsim.scenario.callees.Callees` that a call log tells of."""


class Uncertainty(Part):
    """What a calibrated profile rests on."""

    profile: Name | None = None
    """Profile whose weights were fitted; default: none was."""
    outcomes: dict[_Drawn, _Count] = {}
    """Dials by outcome."""
    contacts: dict[_Trait, _Count] = {}
    """First dials by trait of the contact."""
    durations: dict[FittedDuration, Annotated[float, Field(ge=1)]] = {}
    """Calls that each fitted duration rests on."""
    factors: tuple[str, ...] = ()
    """What `covariance` is about: ``human`` (the share) or a key of ``[callees]``, such as
    ``hour_factors.morning`` or ``redial_factors[1]``."""
    covariance: tuple[tuple[float, ...], ...] = ()
    """Covariance of the natural logarithms of `factors`."""

    @model_validator(mode="after")
    def _is_square(self) -> Uncertainty:
        size = len(self.factors)
        if [len(row) for row in self.covariance] != [size] * size:
            message = f"must have {size} rows of {size} numbers, one for each of factors"
            raise ContradictionError([(("covariance",), message)])
        if self.outcomes and self.profile is None:
            raise ContradictionError([(("profile",), "is missing; outcomes belong to one")])
        return self
