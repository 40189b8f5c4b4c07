"""The carrier (rule 6): admits an attempt, or refuses it."""

from __future__ import annotations

from outsim.engine.readable.bucket import VaryingBucket
from outsim.engine.readable.events import EventList
from outsim.engine.readable.recorder import Recorder
from outsim.engine.readable.state import Attempt
from outsim.plan import PlatformPlan
from outsim.tape.draws import REFUSED
from outsim.vocabulary import (
    CARRIER_CHANNELS,
    CARRIER_OUTAGE,
    CARRIER_RATE,
    MISSING_ANI,
    NO_CAUSE,
    NUMBER_REFUSED,
)


class Carrier:
    """Rate and channels of the trunk, less what other traffic takes in this minute."""

    def __init__(self, events: EventList, recorder: Recorder, plan: PlatformPlan) -> None:
        self.events = events
        self.recorder = recorder
        self.tokens = VaryingBucket(
            plan.carrier_rates.tolist(), plan.carrier_burst, plan.carrier_minute_offset_us
        )
        self.channels: list[int] = plan.carrier_channels.tolist()
        self.channels_out = 0
        self.outages = 0
        self.attempts: dict[int, Attempt] = {}
        """Attempts that it carries, by their key."""

    @property
    def channels_left(self) -> int:
        """Channels that the platform may use."""
        minute = self.tokens.minute(self.events.now)
        return max(0, self.channels[minute] - self.channels_out)

    def admit(self, attempt: Attempt) -> int:
        """Carry an attempt, or say why not (a code of `outcomes.CAUSES`) and take nothing."""
        index, campaign = attempt.call.index, attempt.call.campaign
        note = self.recorder.note
        note(13, attempt, "meets {} outages of the carrier", self.outages)
        if self.outages:
            return CARRIER_OUTAGE
        if attempt.draws.ani_refused[index] == REFUSED:
            note(6, attempt, "is to a number that the carrier refuses")
            return NUMBER_REFUSED
        has_ani = not campaign.missing_ani[index]
        note(1, attempt, "has a caller ID: {}", has_ani)
        if not has_ani and attempt.draws.ani_refused[index]:
            return MISSING_ANI
        rule = 13 if self.channels_out else 6
        note(
            rule, attempt, "finds {} of {} channels in use", len(self.attempts), self.channels_left
        )
        if len(self.attempts) >= self.channels_left:
            return CARRIER_CHANNELS
        if not self.tokens.has_token(self.events.now):
            note(6, attempt, "finds no token")
            return CARRIER_RATE
        self.tokens.take()
        note(6, attempt, "takes a token, {} are left", self.tokens.level)
        self.attempts[attempt.key] = attempt
        attempt.at_carrier = True
        return NO_CAUSE

    def hang_up(self, attempt: Attempt) -> None:
        """Give an attempt's channel back, if it has one."""
        if attempt.at_carrier:
            attempt.at_carrier = False
            del self.attempts[attempt.key]
            self.recorder.note(6, attempt, "gives its channel back, {} in use", len(self.attempts))
