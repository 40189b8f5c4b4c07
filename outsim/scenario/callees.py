"""Those who are called: what becomes of dials to them, and how long it takes."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from outsim.clock import HOUR, MINUTE
from outsim.distributions import Distribution
from outsim.scenario.defaults import default
from outsim.scenario.parts import Part
from outsim.units import Share, shown
from outsim.vocabulary import DRAWN_EACH_ATTEMPT, INTERVAL_ORDER, OUTCOMES

DAY_PARTS = ("morning", "afternoon", "evening", "night")
"""Parts of the local day that have a factor each."""

GAP_BOUNDS_US = (5 * MINUTE, HOUR)
"""Bounds of the redial gaps that have a factor each."""
GAP_FACTORS = (0.75, 0.85, 1.0)
"""cns_mobile_calls_wk1_2: 46 %, 53 % and about 62 % talk; grade M, weak."""

REDIAL_LEVELS = 11
"""Numbers of failed attempts that may have a factor each: 0 to 10 retries."""


def day_part(hour: int) -> str:
    """Part of the day that a local hour, 0 to 23, belongs to."""
    if 9 <= hour < 12:
        return "morning"
    if 12 <= hour < 17:
        return "afternoon"
    return "evening" if 17 <= hour < 21 else "night"


class HourFactors(Part):
    """Factors on the human share by part of the local day."""

    morning: Annotated[float, Field(ge=0, le=3)]
    """9 to 12."""
    afternoon: Annotated[float, Field(ge=0, le=3)]
    """12 to 17."""
    evening: Annotated[float, Field(ge=0, le=3)]
    """17 to 21."""
    night: Annotated[float, Field(ge=0, le=3)]
    """The rest."""

    def at(self, hour: int) -> float:
        """Factor at a local hour, 0 to 23."""
        return float(getattr(self, day_part(hour)))


_Factor = Annotated[float, Field(ge=0, le=3)]
GapFactors = tuple[_Factor, _Factor, _Factor]


def _three(value: Any) -> Any:
    if not isinstance(value, bool | list | tuple):
        text = shown(value)
    elif isinstance(value, list | tuple) and len(value) != len(GAP_FACTORS):
        text = f"a list of {len(value)}"
    else:
        return value
    raise ValueError(
        f"found {text}; write true, false or three factors: for gaps under 5 minutes, up to an "
        "hour, and longer"
    )


class Callees(Part):
    """How the people and machines behave that are called."""

    post_dial_delay: Distribution = default("callees.post_dial_delay")
    """From the carrier's acceptance to the first ring."""
    ring_human: Distribution = default("callees.ring_human")
    """Ringing until a person answers."""
    ring_voicemail: Distribution = default("callees.ring_voicemail")
    """Ringing until voicemail answers, with the phone on."""
    phone_off: Share = default("callees.phone_off")
    """Voicemail that answers early, the phone being off."""
    phone_off_ring: Distribution = default("callees.phone_off_ring")
    """Ringing until voicemail answers, with the phone off."""
    message: Distribution = default("callees.message")
    """Length of the spoken message, heard to its end."""
    early_hang_up: Share = default("callees.early_hang_up")
    """People who leave before the message ends, equally likely anywhere in it."""
    key_press: Distribution = default("callees.key_press")
    """Time to press a key after the message, where a campaign asks for one."""
    greeting: Distribution = default("callees.greeting")
    """Voicemail's greeting; the message follows it."""
    agent_talk: Distribution = default("callees.agent_talk")
    """Talk with an agent, where a campaign transfers to one."""
    fax_share: Share = default("callees.fax_share")
    """Contacts that are fax machines."""
    hour_factors: HourFactors = default("callees.hour_factors")
    """Factors on the human share by part of the callee's day."""
    weekday_factors: Annotated[
        list[Annotated[float, Field(ge=0, le=3)]], Field(min_length=7, max_length=7)
    ] = default("callees.weekday_factors")
    """Factors on the human share from Monday to Sunday."""
    redial_factors: Annotated[
        list[Annotated[float, Field(ge=0, le=3)]], Field(min_length=1, max_length=REDIAL_LEVELS)
    ] = default("callees.redial_factors")
    """Factors on the human share after 0, 1, 2 ... failed attempts; the last one lasts."""
    gap_factors: Annotated[bool | GapFactors, BeforeValidator(_three)] = default(
        "callees.gap_factors"
    )
    """Whether a short gap since the last failure lowers the human share; or factors for gaps
    under 5 minutes, up to an hour, and longer."""

    @property
    def factors_by_gap(self) -> tuple[float, float, float]:
        """Factors on the human share for gaps under 5 minutes, up to an hour, and longer."""
        if isinstance(self.gap_factors, bool):
            return GAP_FACTORS if self.gap_factors else (1.0, 1.0, 1.0)
        return self.gap_factors


_Weight = Annotated[float, Field(ge=0, le=1e12)]
LEAST_WEIGHT = 1e-12
"""Least sum of the weights of a profile: below it they lose their digits."""


class Profile(Part):
    """What becomes of dials to a list, as weights; they need not add up to 100."""

    human: _Weight
    """A person answers."""
    voicemail: _Weight
    """Voicemail answers."""
    no_answer: _Weight
    """Nobody answers."""
    busy: _Weight
    """The line is busy."""
    invalid: _Weight = 0
    """The number is not in use: a trait of the contact."""

    @model_validator(mode="after")
    def _some_weight(self) -> Profile:
        total = self.in_use
        if 0 < total < LEAST_WEIGHT:
            raise ValueError(
                f"found weights that add up to {total:g}; write {LEAST_WEIGHT:g} or more"
            )
        if total <= 0:
            *names, last = (outcome.name for outcome in DRAWN_EACH_ATTEMPT)
            raise ValueError(f"{', '.join(names)} and {last} can't all be 0")
        return self

    @property
    def in_use(self) -> float:
        """Weight of the numbers in use: of the outcomes that each attempt draws anew."""
        # Not sum(), which rounds otherwise from Python 3.12 on.
        weights: list[float] = [getattr(self, outcome.name) for outcome in DRAWN_EACH_ATTEMPT]
        return reduce(add, weights)

    @property
    def shares(self) -> tuple[float, ...]:
        """Shares of the outcomes of dials to numbers in use, as on the unit interval."""
        in_use = self.in_use
        return tuple(getattr(self, OUTCOMES[code]) / in_use for code in INTERVAL_ORDER)

    @property
    def ever_answers(self) -> bool:
        """Whether a number in use may answer."""
        return any(getattr(self, row.name) for row in DRAWN_EACH_ATTEMPT if row.is_answered)

    @property
    def invalid_share(self) -> float:
        """Share of contacts whose number is not in use."""
        return self.invalid / (self.in_use + self.invalid)
