"""The replications that a study has, and how many runs each of them is to have."""

from __future__ import annotations

from dataclasses import dataclass

from outsim.studies.members import PLAIN, SWAPPED, Members, Switches
from outsim.studies.replications import Figures
from outsim.studies.variance_reduction import PILOT, Reduction, decide, unit
from outsim.text import brief


@dataclass(frozen=True)
class Replication:
    """What a study keeps of one replication."""

    __repr__ = brief

    index: int
    runs: tuple[Figures, ...]
    """Of each scenario, in their order; several of each with antithetic or stratified runs."""

    @property
    def figures(self) -> tuple[Figures, ...]:
        """Figures of each scenario, in their order: the means over its runs.

        Runs with the callees of the replication's partner are not in them.
        """
        return unit(self.runs, tuple(each for each in self.members if not each.swapped))

    @property
    def members(self) -> Members:
        """Which runs there are of each scenario."""
        return tuple(each.member for each in self.runs if each.place == 0)


class ReplicationSet:
    """Replications by number, and what is decided on the first of them."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self._asked = switches.members
        self._have: dict[int, Replication] = {}
        self._decided: Members | None = None

    def __getitem__(self, index: int) -> Replication:
        return self._have[index]

    def add(self, replication: Replication) -> None:
        """Keep a replication that is over."""
        self._have[replication.index] = replication

    def parts(self, batch: range) -> tuple[range, ...]:
        """A batch, parted where it is decided how many runs a replication has from there on."""
        if not self._switches.reduces_runs or not batch.start < PILOT < batch.stop:
            return (batch,)
        return range(batch.start, PILOT), range(PILOT, batch.stop)

    def _pilot(self, end: int = PILOT) -> list[tuple[Figures, ...]] | None:
        """Runs of the replications that it is decided on, of those before `end`.

        None where the study is a part of a larger one and does not have them.
        """
        first = range(min(end, PILOT))
        return [self._have[k].runs for k in first] if self._has_all(first) else None

    def _has_all(self, indexes: range) -> bool:
        """Whether replications are there with every run that was asked for."""
        return all(k in self._have and self._have[k].members == self._asked for k in indexes)

    def members(self, index: int) -> Members:
        """Runs that a replication has to have of each scenario."""
        if not self._switches.reduces_runs or index < PILOT:
            return self._asked
        if self._decided is None and (pilot := self._pilot()) is not None:
            self._decided, _ = decide(self._switches, pilot, [])
        return self._decided or self._asked

    def is_there(self, index: int) -> bool:
        """Whether a replication is there with the runs that it has to have."""
        return index in self._have and {*self.members(index)} <= {*self._have[index].members}

    def counted(self, indexes: range) -> tuple[list[tuple[Figures, ...]], tuple[Reduction, ...]]:
        """Figures of replications, and what antithetic and stratified runs did for them."""
        runs = [self._have[index].runs for index in indexes]
        if not self._switches.reduces_runs:
            return [unit(each, (PLAIN,)) for each in runs], ()
        members, reductions = decide(self._switches, self._pilot(indexes.stop), runs)
        return [unit(each, members) for each in runs], reductions

    def swapped(self, indexes: range) -> tuple[Figures, ...]:
        """Figures of replications with the callees of their partners, by scenario, if any."""
        if not self._switches.input_uncertainty:
            return ()
        runs = [unit(self._have[index].runs, (SWAPPED,)) for index in indexes]
        return tuple(each for column in zip(*runs, strict=True) for each in column)
