"""What a client does whose request was refused."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from outsim.clock import format_duration
from outsim.scenario.defaults import DEFAULTS
from outsim.scenario.parts import Part
from outsim.units import ContradictionError, Duration, ShareOrDuration

WhenRefused = Literal["gives up", "asks again"]
"""What a client does whose request was refused."""

_USUAL: dict[str, Any] = DEFAULTS["campaign.asks_again"].value


class AsksAgain(Part):
    """How a client whose request was refused asks again."""

    interval: Duration = Field(default=_USUAL["interval"], validate_default=True)
    """From the first refusal to the second request."""
    back_off: Annotated[float, Field(ge=1, le=100)] = _USUAL["back_off"]
    """Factor by which its wait grows with each further refusal."""
    cap: Duration = Field(default=_USUAL["cap"], validate_default=True)
    """Longest wait that it grows to."""
    jitter: ShareOrDuration | None = None
    """Longest that chance adds to a wait, uniformly: a share of it, or a duration."""
    most: Annotated[int, Field(ge=2, le=100, strict=True)] = _USUAL["most"]
    """Requests in all, the first one included."""

    @model_validator(mode="after")
    def _cap_is_longer(self) -> AsksAgain:
        if self.cap < self.interval:
            message = (
                f"found {format_duration(self.cap)}; must not be shorter than the interval "
                f"({format_duration(self.interval)})"
            )
            raise ContradictionError([(("cap",), message)])
        return self

    @property
    def waits_us(self) -> tuple[int, ...]:
        """From each refusal but the last to the next request, without jitter."""
        factor = Fraction(repr(self.back_off))
        waits, wait = [], Fraction(self.interval)
        for _ in range(self.most - 1):
            waits.append(min(self.cap, int(wait)))
            wait = min(Fraction(self.cap), wait * factor)
        return tuple(waits)

    def jitter_us(self, wait_us: int) -> int:
        """Longest that chance adds to a wait."""
        if isinstance(self.jitter, float):
            return int(wait_us * Fraction(repr(self.jitter)))
        return self.jitter or 0
