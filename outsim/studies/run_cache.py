"""Runs that were made already, for studies that need the same ones: the baseline of what-ifs."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable
from dataclasses import replace

from outsim.studies.identity import meaning_in_study
from outsim.studies.runs import RunMeasures, Runs
from outsim.studies.study_data import StudyData

MOST_RUNS = 2_000
"""Of a morning, minute by minute, that is 50 MB."""


class RunCache:
    """Runs that studies of this process have made, for others that need the same ones.

    A study that is given one makes no run again that is in it, and adds its own.

    Parameters
    ----------
    most : int
        Runs that it holds; those that were not needed for longest make room.
    """

    def __init__(self, most: int = MOST_RUNS) -> None:
        self.most = most
        self._runs: OrderedDict[Hashable, RunMeasures] = OrderedDict()

    def __len__(self) -> int:
        return len(self._runs)

    def __repr__(self) -> str:
        return f"RunCache({len(self):,} runs, {self.most:,} at most)"

    def find(
        self, owner: Hashable, position: int, replication: int, runs: Runs, *, series: bool
    ) -> list[RunMeasures]:
        """All `runs` of a replication, for the scenario at a position; none if one is missing.

        `owner` is its `owner_of`; `series` is whether it takes the platform minute by minute.
        """
        keys = [(owner, replication, run) for run in runs]
        found = [self._runs[key] for key in keys if key in self._runs]
        if len(found) < len(keys) or any(series and run.series is None for run in found):
            return []
        for key in keys:
            self._runs.move_to_end(key)
        return [replace(run, scenario=position) for run in found]

    def add(self, owners: tuple[Hashable, ...], measured: Iterable[RunMeasures]) -> None:
        """Take in what was measured; `owners` has the `owner_of` of each of its scenarios."""
        for run in measured:
            key = owners[run.scenario], run.replication, run.run
            self._runs[key] = run
            self._runs.move_to_end(key)
        while len(self) > self.most:
            self._runs.popitem(last=False)


def owner_of(study: StudyData, position: int) -> Hashable:
    """Everything but replication and run that the measures of a scenario in a study come from."""
    scenario, switches = study.scenarios[position], study.switches
    means = meaning_in_study(scenario, switches.names)
    snapshot = "" if scenario.snapshot is None else scenario.snapshot.model_dump_json()
    return (*means.items(), snapshot, study.seed, study.measures, switches.controls)
