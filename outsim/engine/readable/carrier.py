"""The carrier (rule 6): admits an attempt, or refuses it."""

from __future__ import annotations

from outsim.engine.readable.bucket import VaryingBucket
from outsim.engine.readable.state import Attempt
from outsim.plan import PlatformPlan
from outsim.vocabulary import (
    CARRIER_CHANNELS,
    CARRIER_OUTAGE,
    CARRIER_RATE,
    MISSING_ANI,
    NO_CAUSE,
)


class Carrier:
    """Rate and channels of the trunk, less what other traffic takes in this minute."""

    def __init__(self, plan: PlatformPlan) -> None:
        self.tokens = VaryingBucket(
            plan.carrier_rates.tolist(), plan.carrier_burst, plan.carrier_minute_offset_us
        )
        self.channels: list[int] = plan.carrier_channels.tolist()
        self.channels_out = 0
        self.outages = 0
        self.calls: dict[int, Attempt] = {}
        """Attempts that it carries, by their key."""

    def channels_left(self, now: int) -> int:
        """Channels that the platform may use."""
        return max(0, self.channels[self.tokens.minute(now)] - self.channels_out)

    def admit(self, attempt: Attempt, now: int) -> int:
        """Carry an attempt, or say why not: a code of `outcomes.CAUSES`.

        A refusal takes neither a token nor a channel.
        """
        campaign = attempt.campaign
        if self.outages:
            return CARRIER_OUTAGE
        if (
            campaign.missing_ani[attempt.index]
            and campaign.attempt_draws(attempt.number).ani_refused[attempt.index]
        ):
            return MISSING_ANI
        if len(self.calls) >= self.channels_left(now):
            return CARRIER_CHANNELS
        if not self.tokens.has_token(now):
            return CARRIER_RATE
        self.tokens.take()
        self.calls[attempt.key] = attempt
        attempt.at_carrier = True
        return NO_CAUSE

    def hang_up(self, attempt: Attempt) -> None:
        """Give an attempt's channel back, if it has one."""
        if attempt.at_carrier:
            attempt.at_carrier = False
            del self.calls[attempt.key]
