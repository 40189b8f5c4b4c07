"""How many replications each question makes if nobody says, and why so many."""

from __future__ import annotations

from outsim.errors import StudyError

STUDY = 20
"""Also those before the first decision of a study that asks for a precision: an interval from
fewer is too unsure of its own width."""

MOST = 1_000
"""At which a study that asks for a precision ends anyway: beyond, more scenarios tell more."""

COMPARE = 40
"""The half-width of a difference is then a third of its standard deviation."""

START_MAP = CHECK = STUDY
"""Each makes a run of many scenarios a replication."""

ETA = 39
"""Of 39, the second and the last but one bound the band that holds the next one with a
probability of exactly 90 %."""

EXPLAIN = 10
"""The answer is about one run; what one more would have been worth stands beside it."""

REPORT = 10
"""A page asks several questions; each of them by itself makes more."""

SWEEP = 8
"""At each of many points: which assumption matters is read off all of them together."""

CAPACITY = 100
"""That the answer and its lower neighbor rest on: a promise about 95 % of runs takes 61, if all
of them keep it."""

CAPACITY_RUNS = 20_000
"""Runs at which a search for a capacity ends without an answer."""

CLAIM, MOST_CLAIM = 40, 160
"""Of a test's claim: at its first look, and at its last."""


def check_replications(replications: int | range | None) -> None:
    """Refuse fewer than two, from which there is no interval; None leaves the count open."""
    count = replications if isinstance(replications, int | None) else len(replications)
    if count is not None and count < 2:
        raise StudyError(
            f"replications = {replications}: must be 2 or more, or there is no interval"
        )
