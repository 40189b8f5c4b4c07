"""The runs that make up one replication: one, an antithetic pair, or a stratified set.

Each of them by itself has the law of a plain run, and the plain run is always among them. They
are not independent of each other: so the replication is the unit, with the mean of its runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from outsim.tape import STRATA, Tape


class Member(NamedTuple):
    """One run of a replication."""

    stratum: int = 0
    """Which of the stratified runs; 0 where there is no other."""
    mirrored: bool = False
    """Whether it is the second of an antithetic pair."""

    def tape_of(self, plain: Tape) -> Tape:
        """Tape of this run, from the one of the plain run."""
        tape = plain.in_stratum(self.stratum) if self.stratum else plain
        return tape.mirrored() if self.mirrored else tape


PLAIN = Member()

Members = tuple[Member, ...]


def members(*, antithetic: bool = False, stratified: bool = False) -> Members:
    """Runs of a replication, the plain one first."""
    return tuple(
        Member(stratum, mirrored)
        for stratum in (range(STRATA) if stratified else (0,))
        for mirrored in ((False, True) if antithetic else (False,))
    )


@dataclass(frozen=True)
class Switches:
    """Ways of getting narrower intervals that a study may use where they help."""

    antithetic: bool = False
    stratified: bool = False
    controls: bool = False

    @property
    def members(self) -> Members:
        """Runs of a replication if all of them are used."""
        return members(antithetic=self.antithetic, stratified=self.stratified)

    @property
    def named(self) -> list[str]:
        """Names of those that are on."""
        return [name for name, is_on in vars(self).items() if is_on]


NOTHING = Switches()
"""All of them off."""
