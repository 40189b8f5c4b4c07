"""Token buckets, gone through again from the instants at which their tokens were taken."""

from __future__ import annotations

from collections.abc import Iterable

from outsim.clock import TOKEN


def replay(instants: Iterable[int], rate: int, burst: int) -> tuple[list[int], list[int]]:
    """Go through a bucket that gains tokens at a rate and starts full.

    Parameters
    ----------
    instants : iterable of int
        When tokens were taken, in order; microseconds since the run begins.
    rate : int
        Tokens per million seconds.
    burst : int
        Tokens that it holds.

    Returns
    -------
    overdrawn : list of int
        Places at which a token is taken that is not there.
    ready : list of int
        Since when each token was there, and from when the one after the last is.
    """
    level, at, ready_at = burst * TOKEN, 0, 0
    capacity = level
    overdrawn, ready = [], [ready_at]
    for place, now in enumerate(instants):
        level = min(capacity, level + (now - at) * rate) - TOKEN
        if level < 0:
            overdrawn.append(place)
        at = now
        ready_at = now if level >= TOKEN else now - (level - TOKEN) // rate
        ready.append(ready_at)
    return overdrawn, ready
