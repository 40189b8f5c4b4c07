"""What only the author of a scenario can say: what it is for, and where its numbers come from.

None of it changes how a scenario runs, or what it means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field, model_validator

from outsim.scenario.parts import Name, Part
from outsim.text import visible, visible_lines
from outsim.units import ContradictionError
from outsim.vocabulary import DRAWN_EACH_ATTEMPT, OUTCOME_TABLE

Grade = Literal["measured", "vendor", "standard", "assumption", "calibrated"]
Text = Annotated[str, Field(min_length=1), AfterValidator(visible_lines)]
"""Text of an author's; what does not show itself in it becomes an escape."""


class About(Part):
    """What the author says of a scenario: it stands in its description and in reports."""

    purpose: Text | None = None
    """Why it was made, and what is decided by it."""
    aims: Text | None = None
    """What is tried out with it, and why these scenarios."""
    data: Text | None = None
    """Where its own data come from: who gathered them, when, and how many."""
    preprocessing: Text | None = None
    """What was done to these data before they came into the scenario."""
    sharing: Text | None = None
    """How others can get the scenario and its data."""
    author: Text | None = None
    """Who made it, and whom to ask."""


class SourceOf(Part):
    """Where values of a scenario come from.

    An entry holds for its key and for all that is below it, as far as they are written in the
    same file as the entry.
    """

    grade: Grade
    """How good the source is."""
    source: Text
    """Where the values come from, in one line."""
    range: Annotated[str, Field(pattern=r"^[^:=]+:[^=]+$"), AfterValidator(visible)] | None = None
    """Values that are plausible too, ``LOW:HIGH`` with units, such as ``"6 s:12 s"``."""
    details: dict[str, str | int | float] = {}
    """What else is known of the source, such as a digest of the file."""


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
