"""Two scenarios whose order flips at a value that a formula gives."""

from __future__ import annotations

from typing import Any

from outsim.scenario.model import Scenario
from tests.engine import scenarios

CONTACTS = 60
EXPIRES_S = 20
"""The first campaign is loaded as fast as the loader goes, and expires after this."""
PACED = 30
"""Calls that the second one gets out: it has all the time, but a pace."""
FLIP_PER_MIN = 60 * PACED / EXPIRES_S
"""Loader rate at which the first one gets out as many: 90 a minute."""


def hasty(profile: str = "halves") -> Scenario:
    """What the loader admits in 20 s goes out, so rate x 20 s calls of 60; half are answered."""
    return _scenario("hasty", profile=profile, expires_at=EXPIRES_S)


def paced(profile: str = "halves") -> Scenario:
    """One call a second for 30 s, whatever the loader does: 30 calls; half are answered."""
    return _scenario("paced", profile=profile, expires_at=PACED, pacing="1/s")


def _scenario(name: str, **keys: Any) -> Scenario:
    """Everybody answers with the profile "people", so that nothing is left to luck."""
    halves = {"human": 50, "voicemail": 0, "no_answer": 50, "busy": 0}
    return scenarios.scenario(
        scenarios.campaign(contacts=CONTACTS, **keys), name=name, profiles={"halves": halves}
    )
