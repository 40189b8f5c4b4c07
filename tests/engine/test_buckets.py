"""Token buckets and loaders in integers, against the same arithmetic in fractions."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

from hypothesis import example, given
from hypothesis import strategies as st

from outsim.clock import MINUTE, RATE_SECONDS, SECOND, TOKEN
from outsim.engine.readable.bucket import TokenBucket, VaryingBucket
from outsim.plan.campaigns import loading_delays

RATES = st.integers(1, 10**12) | st.sampled_from([1, 16_667, 300_000, RATE_SECONDS, 10**12])
BURSTS = st.integers(1, 10**6) | st.integers(1, 3)
GAPS = st.integers(0, 3 * SECOND) | st.integers(0, 10**12) | st.just(0)


class Reference:
    """A bucket as one would define it: tokens as fractions, and nothing rounded."""

    def __init__(self, burst, at=0):
        self.burst = burst
        self.tokens = Fraction(burst)
        self.at = at

    def fill(self, now, rate):
        """Gain tokens up to `now` at so many parts of a token a microsecond."""
        self.tokens = min(
            Fraction(self.burst), self.tokens + Fraction((now - self.at) * rate, TOKEN)
        )
        self.at = now

    def take(self):
        assert self.tokens >= 1
        self.tokens -= 1

    def ready_at(self, rate):
        """First microsecond at which there is a whole token."""
        return self.at + max(0, ceil((1 - self.tokens) * TOKEN / rate))


@given(RATES, BURSTS, st.lists(GAPS, min_size=1, max_size=30))
@example(rate=300_000, burst=1, gaps=[0] * 10)
@example(rate=1, burst=1, gaps=[0, 0])
def test_a_bucket_knows_to_the_microsecond_when_its_next_token_is_there(rate, burst, gaps):
    bucket, reference = TokenBucket(rate, burst), Reference(burst)
    now = 0
    for gap in gaps:
        now = max(now + gap, bucket.ready_at)
        reference.fill(now, rate)
        bucket.take(now)
        reference.take()
        assert Fraction(bucket.level, TOKEN) == reference.tokens
        assert bucket.ready_at == reference.ready_at(rate)


@given(RATES, BURSTS, st.integers(0, 10**12))
def test_a_bucket_starts_full(rate, burst, now):
    bucket = TokenBucket(rate, burst, now)
    for _ in range(min(burst, 50)):
        assert bucket.ready_at <= now
        bucket.take(now)
    if burst <= 50:
        assert bucket.ready_at == now + ceil(Fraction(TOKEN, rate))


@given(RATES, st.integers(1, 5), st.integers(1, 40))
@example(rate=3 * RATE_SECONDS, burst=1, takes=40)
@example(rate=3 * RATE_SECONDS, burst=2, takes=40)
def test_who_takes_every_token_gets_the_burst_and_the_rate(rate, burst, takes):
    """Never more; and never less, where there is room for the rest of a microsecond.

    A bucket of one token is full when the next one is there, so what comes in the rest of
    that microsecond runs over.
    """
    bucket = TokenBucket(rate, burst)
    now = 0
    for taken in range(1, takes + 1):
        now = max(now, bucket.ready_at)
        bucket.take(now)
        if now > 0:
            assert taken <= burst + Fraction(now * rate, TOKEN)
            lost = (taken - 1) * rate if burst == 1 else 0
            assert taken > burst + Fraction((now - 1) * rate - lost, TOKEN)


def test_three_a_second_do_not_drift():
    """After an hour the next token comes at the same third of a second as at the beginning."""
    bucket = TokenBucket(3 * RATE_SECONDS, 2)
    bucket.take(0)
    for k in range(3 * 3600):
        assert bucket.ready_at == -(-max(0, k) * SECOND // 3)
        bucket.take(bucket.ready_at)


MINUTES = st.lists(
    st.integers(0, 30 * RATE_SECONDS) | st.just(0) | st.just(RATE_SECONDS),
    min_size=60,
    max_size=60,
)
OFFSETS = st.integers(0, 60 * MINUTE - 1)


@given(
    MINUTES,
    st.integers(1, 50),
    OFFSETS,
    st.lists(st.integers(0, 3 * SECOND) | st.integers(0, 90 * MINUTE), max_size=12),
)
def test_a_varying_bucket_gains_what_each_minute_gives(rates, burst, offset, gaps):
    bucket, reference = VaryingBucket(rates, burst, offset), Reference(burst, offset)
    now = 0
    for gap in gaps:
        now += gap
        while reference.at < now + offset:
            minute = reference.at // MINUTE
            edge = min((minute + 1) * MINUTE, now + offset)
            reference.fill(edge, rates[minute % 60])
        assert bucket.minute(now) == (offset + now) // MINUTE % 60
        assert bucket.has_token(now) == (reference.tokens >= 1)
        assert Fraction(bucket.level, TOKEN) == reference.tokens
        if reference.tokens >= 1:
            bucket.take()
            reference.take()


@given(st.integers(1, 100 * RATE_SECONDS), st.integers(1, 5), OFFSETS, st.lists(GAPS, max_size=20))
def test_a_bucket_of_sixty_equal_minutes_is_a_plain_bucket(rate, burst, offset, gaps):
    plain, varying = TokenBucket(rate, burst), VaryingBucket([rate] * 60, burst, offset)
    now = 0
    for gap in gaps:
        now += min(gap, 5 * MINUTE)
        has_token = varying.has_token(now)
        assert has_token == (plain.ready_at <= now)
        if has_token:
            varying.take()
            plain.take(now)


@given(RATES, st.integers(1, 300))
@example(rate=3 * RATE_SECONDS, count=10)
@example(rate=999_999_999_989, count=300)
@example(rate=7, count=300)
def test_a_loader_moves_the_kth_contact_after_k_over_the_rate(rate, count):
    expected = [ceil(Fraction(k * TOKEN, rate)) for k in range(count)]
    assert loading_delays(count, rate).tolist() == expected


def test_a_loader_of_a_long_list_does_not_overflow():
    """The last of five million contacts at 500 a second comes at 9,999.998 s."""
    delays = loading_delays(5_000_000, 500 * RATE_SECONDS)
    assert delays[-1] == 9_999_998_000
    awkward = loading_delays(5_000_000, 999_999_937)
    assert awkward[-1] == ceil(Fraction(4_999_999 * TOKEN, 999_999_937))
