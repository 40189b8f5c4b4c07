"""Runs that were made already, for studies that need the same ones: the baseline of what-ifs."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable
from dataclasses import replace

from outsim.studies.identity import meaning_in_study
from outsim.studies.runs import RunMeasures, Runs
from outsim.studies.study_data import StudyData

MOST_BYTES = 100_000_000
"""Minute by minute, 3,000 runs of a morning, or 100 of a week."""
RUN_BYTES = 4_000
"""Of a run without its minutes, about."""


class RunCache:
    """Runs that studies of this process have made, for others that need the same ones.

    A study that is given one makes no run again that is in it, and adds its own.

    Parameters
    ----------
    most_bytes : int
        What its runs may take, about; those that were not needed for longest make room.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.most_bytes = most_bytes
        self._bytes = 0
        self._runs: OrderedDict[Hashable, RunMeasures] = OrderedDict()

    def __len__(self) -> int:
        return len(self._runs)

    def __repr__(self) -> str:
        return f"RunCache({len(self):,} runs, {self._bytes:,} of {self.most_bytes:,} bytes)"

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
            if key in self._runs:
                self._bytes -= _size(self._runs.pop(key))
            self._runs[key] = run
            self._bytes += _size(run)
        while self._bytes > self.most_bytes:
            self._bytes -= _size(self._runs.popitem(last=False)[1])


def _size(run: RunMeasures) -> int:
    series = 0 if run.series is None else int(run.series.memory_usage().sum())
    return RUN_BYTES + series


def owner_of(study: StudyData, position: int) -> Hashable:
    """Everything but replication and run that the measures of a scenario in a study come from."""
    scenario, switches = study.scenarios[position], study.switches
    means = meaning_in_study(scenario, switches.names)
    snapshot = "" if scenario.snapshot is None else scenario.snapshot.model_dump_json()
    return (*means.items(), snapshot, study.seed, study.measures, switches.controls)
