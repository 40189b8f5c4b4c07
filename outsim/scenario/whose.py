"""Whose calls something is about: a campaign's, or everybody's."""

from __future__ import annotations

from enum import Enum

from outsim.scenario.campaigns import Campaign


class Everybody(Enum):
    """Stands for all calls, where None may be a campaign that was looked for in vain."""

    CALLS = "all calls"

    def __repr__(self) -> str:
        return self.value


ALL_CALLS = Everybody.CALLS

Whose = Campaign | str | Everybody
"""A campaign of the scenario, its ``name`` or ``tenant/name``, or all calls."""
