"""The runs that make up one replication: one, an antithetic pair, or a stratified set.

Each of them by itself has the law of a plain run, and the plain run is always among them. They
are not independent of each other: so the replication is the unit, with the mean of its runs.

With input uncertainty there are two: the plain one, and one on the same tape with the callees of
the replication's partner, which tells what callees do from what the day does. The plain run is
then the replication's figure, and the other one is for that alone.
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
    swapped: bool = False
    """Whether it has the callees of the replication's partner."""

    def tape_of(self, plain: Tape) -> Tape:
        """Tape of this run, from the one of the plain run."""
        tape = plain.in_stratum(self.stratum) if self.stratum else plain
        return tape.mirrored() if self.mirrored else tape


PLAIN, SWAPPED = Member(), Member(swapped=True)

Members = tuple[Member, ...]


def members(
    *, antithetic: bool = False, stratified: bool = False, swapped: bool = False
) -> Members:
    """Runs of a replication, the plain one first."""
    return tuple(
        Member(stratum, mirrored, with_partners)
        for stratum in (range(STRATA) if stratified else (0,))
        for mirrored in ((False, True) if antithetic else (False,))
        for with_partners in ((False, True) if swapped else (False,))
    )


@dataclass(frozen=True)
class Switches:
    """Ways of getting narrower intervals that a study may use where they help, or honest ones."""

    antithetic: bool = False
    stratified: bool = False
    controls: bool = False
    input_uncertainty: bool = False
    """Whether callees are drawn anew for each replication, and partners swap them."""
    drawn_callees: bool = False
    """Whether callees are drawn, and nobody swaps them."""

    @property
    def members(self) -> Members:
        """Runs of a replication if all of them are used."""
        return members(
            antithetic=self.antithetic,
            stratified=self.stratified,
            swapped=self.input_uncertainty,
        )

    @property
    def reduces_runs(self) -> bool:
        """Whether a replication's figures are the means over several runs, where they help."""
        return self.antithetic or self.stratified

    @property
    def named(self) -> list[str]:
        """Names of those that are on."""
        return [name for name, is_on in vars(self).items() if is_on]

    @property
    def saving(self) -> list[str]:
        """Names of the ways of saving variance that are on."""
        return [name for name in self.named if name not in DRAWING]

    @property
    def draws_callees(self) -> bool:
        """Whether each replication has callees of its own."""
        return self.input_uncertainty or self.drawn_callees


DRAWING = ("input_uncertainty", "drawn_callees")
"""Switches by which callees are drawn."""

NOTHING = Switches()
"""All of them off."""
