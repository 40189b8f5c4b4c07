"""Token buckets in integers, as in `outsim.engine.readable.bucket`."""

from __future__ import annotations

from outsim.clock import MINUTE, TOKEN
from outsim.engine.compiled.memory import Row, instant_at, kernel


@kernel
def filled(level: int, capacity: int, rate: int, elapsed_us: int) -> int:
    """Level after a while, without a product that is too long for 64 bits."""
    if rate > 0 and elapsed_us > (capacity - level) // rate:
        return capacity
    return level + elapsed_us * rate


@kernel
def take(bucket: Row, now: int) -> None:
    """Take one token; there must be one."""
    level = filled(bucket.level, bucket.capacity, bucket.rate, now - bucket.at) - TOKEN
    bucket.level = level
    bucket.at = now
    bucket.ready_at = now if level >= TOKEN else now - (level - TOKEN) // bucket.rate


@kernel
def minute_of_hour(p: Row, now: int) -> int:
    """Minute of the hour, by which the carrier's rate and channels vary."""
    return (now + p.carrier_offset_us) // MINUTE % 60


@kernel
def has_carrier_token(p: Row, now: int) -> bool:
    """Fill the carrier's bucket up to `now` and say whether it holds a whole token."""
    until = now + p.carrier_offset_us
    while p.carrier_at < until and p.carrier_level < p.carrier_capacity:
        minute = p.carrier_at // MINUTE
        edge = min(until, (minute + 1) * MINUTE)
        rate = instant_at(p.carrier_rates, minute % 60)
        p.carrier_level = filled(p.carrier_level, p.carrier_capacity, rate, edge - p.carrier_at)
        p.carrier_at = edge
    p.carrier_at = until
    return p.carrier_level >= TOKEN
