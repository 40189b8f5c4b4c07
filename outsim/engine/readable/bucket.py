"""Token buckets in integers: rates never add up floats."""

from __future__ import annotations

from collections.abc import Sequence

from outsim.clock import MINUTE, TOKEN


class TokenBucket:
    """A bucket that gains `rate` parts of a token every microsecond, and starts full."""

    def __init__(self, rate: int, burst: int, now: int = 0) -> None:
        self.rate = rate
        self.capacity = burst * TOKEN
        self.level = self.capacity
        self.at = now
        self.ready_at = now
        """Since when, or from when, there is a whole token, nothing being taken meanwhile."""

    def take(self, now: int) -> None:
        """Take one token; there must be one."""
        level = min(self.capacity, self.level + (now - self.at) * self.rate) - TOKEN
        self.level = level
        self.at = now
        self.ready_at = now if level >= TOKEN else now - (level - TOKEN) // self.rate


class VaryingBucket:
    """A bucket whose rate depends on the minute of the hour."""

    def __init__(self, rates: Sequence[int], burst: int, offset_us: int) -> None:
        self.rates = rates
        self.capacity = burst * TOKEN
        self.level = self.capacity
        self.at = offset_us
        self.offset_us = offset_us

    def minute(self, now: int) -> int:
        """Minute of the hour."""
        return (now + self.offset_us) // MINUTE % 60

    def has_token(self, now: int) -> bool:
        """Fill the bucket up to `now` and say whether it holds a whole token."""
        until = now + self.offset_us
        while self.at < until and self.level < self.capacity:
            minute = self.at // MINUTE
            edge = min(until, (minute + 1) * MINUTE)
            gained = (edge - self.at) * self.rates[minute % 60]
            self.level = min(self.capacity, self.level + gained)
            self.at = edge
        self.at = until
        return self.level >= TOKEN

    def take(self) -> None:
        """Take one token; `has_token` must just have said yes."""
        self.level -= TOKEN
