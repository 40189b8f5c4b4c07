"""Two scenarios whose order flips at a value that a formula gives."""

from __future__ import annotations

from typing import Any

from outsim.scenario.model import Scenario
from tests.engine import scenarios

CONTACTS = 200
EXPIRES_S = 20
"""The first campaign is loaded as fast as the loader goes, and expires after this."""
PACED = 100
"""Calls that the second one gets out: it has all the time, but a pace."""
FLIP_PER_MIN = 60 * PACED / EXPIRES_S
"""Loader rate at which the first one gets out as many: 300 a minute."""


def hasty(**parts: Any) -> Scenario:
    """What the loader admits in 20 s goes out, so rate x 20 s calls of 200; half are answered."""
    return _scenario("hasty", {"expires_at": EXPIRES_S}, **parts)


def paced(**parts: Any) -> Scenario:
    """One call a second for 100 s, whatever the loader does: 100 calls; half are answered."""
    return _scenario("paced", {"expires_at": PACED, "pacing": "1/s"}, **parts)


def _scenario(name: str, keys: dict[str, Any], **parts: Any) -> Scenario:
    halves = {"human": 50, "voicemail": 0, "no_answer": 50, "busy": 0}
    return scenarios.scenario(
        scenarios.campaign(contacts=CONTACTS, profile="halves", **keys),
        name=name,
        profiles={"halves": halves},
        **parts,
    )
