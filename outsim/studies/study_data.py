"""What a study is of, and what the replications that are there say."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from outsim.errors import StudyError, unknown_name
from outsim.estimates import quantile_rank
from outsim.results.checkpoint import simulate
from outsim.results.measures import Measure
from outsim.results.result import Result
from outsim.scenario.model import Scenario
from outsim.studies.comparable import check_alike, label_scenarios, position_of
from outsim.studies.input_uncertainty import with_drawn_callees
from outsim.studies.run_array import RunArray
from outsim.studies.runs import PLAIN_RUN, SWAPPED_RUN, Runs, VarianceReduction, runs_of
from outsim.studies.stopping import Precision
from outsim.studies.storage import Storage
from outsim.studies.study_result import StudyResult
from outsim.studies.variance_reduction import PILOT, Reduction, decide, reductions_of
from outsim.text import bounded

if TYPE_CHECKING:
    import pandas as pd

NOTHING_THERE = "no replication is there yet; run the study, or give it more time"


class StudyData:
    """Scenarios, how they are run, and replications of them; see `outsim.studies.study.Study`."""

    scenarios: tuple[Scenario, ...]
    measures: tuple[Measure, ...]
    seed: int
    switches: VarianceReduction
    unlike: tuple[str, ...]
    storage: Storage
    _used: Runs | None = None
    """Runs of the replications after the pilot."""

    @property
    def labels(self) -> list[str]:
        """Names of the scenarios; where some share a name, with their numbers."""
        return label_scenarios([scenario.name for scenario in self.scenarios])

    @property
    def replications(self) -> list[int]:
        """Replications that are there, in order."""
        return self.storage.indexes()

    @property
    def without_gap(self) -> range:
        """Replications from the first one on, up to where one is missing."""
        there = self.replications
        if not there:
            raise StudyError(NOTHING_THERE)
        return range(there[0], next(k for k in count(there[0]) if k not in {*there}))

    @property
    def result(self) -> StudyResult:
        """Estimates from all replications that are there; refused if one is missing between."""
        there, whole = self.replications, self.without_gap
        if len(whole) < len(there):
            gaps = len(range(there[0], there[-1] + 1)) - len(there)
            raise StudyError(
                f"replication {whole.stop} is missing between others ({gaps} are); run or merge "
                "it first"
            )
        return self.result_of(whole)

    def result_of(self, indexes: range, precisions: tuple[Precision, ...] = ()) -> StudyResult:
        """Estimates from replications of these indexes; precisions are those asked for."""
        check_alike(self.scenarios, self.measures, self.unlike)
        arrays = [self.storage.runs(index) for index in indexes]
        used: Runs = (PLAIN_RUN,)
        reductions: tuple[Reduction, ...] = ()
        if self.switches.reduces_runs:
            pilot = self._pilot(indexes.stop)
            ways = decide(self.switches, pilot)
            used = runs_of(**ways)
            reductions = reductions_of(ways, pilot, RunArray.joined(arrays, used))
        swapped: RunArray | None = None
        if self.switches.input_uncertainty:
            swapped = RunArray.joined(arrays, (SWAPPED_RUN,)).mean((SWAPPED_RUN,))
        return StudyResult(
            scenarios=self.scenarios,
            seed=self.seed,
            data=RunArray.joined(arrays, used).mean(used),
            measures=self.measures,
            precisions=precisions,
            switches=self.switches,
            reductions=reductions,
            swapped=swapped,
        )

    def to_dataframe(self) -> pd.DataFrame:
        """Measures of every run: indexed by scenario, replication and run, a column a measure."""
        import pandas as pd

        tables = [self.storage.runs(index).table() for index in self.replications]
        if not tables:
            raise StudyError(NOTHING_THERE)
        table = pd.concat(tables)
        codes = table["scenario"].to_numpy(np.int64)
        table["scenario"] = pd.Categorical.from_codes(codes, pd.Index(self.labels))
        return table.set_index(["scenario", "replication", *PLAIN_RUN._fields]).sort_index()

    def series(self, replications: Iterable[int] | None = None) -> pd.DataFrame:
        """The platform minute by minute, of every run: one row a scenario, replication, minute.

        Columns ``scenario``, ``replication``, ``at`` and those of `Result.timeline`, of these
        replications, or all that are there; refused if they were not stored.
        """
        import pandas as pd

        parts = []
        for index in self.replications if replications is None else replications:
            table = self.storage.series(index).copy()
            scenarios = table.pop("scenario").to_numpy(np.int64)
            labels = pd.Categorical.from_codes(scenarios, pd.Index(self.labels))
            table.insert(0, "scenario", pd.Series(labels, index=table.index))
            table.insert(1, "replication", index)
            parts.append(table)
        if not parts:
            raise StudyError(NOTHING_THERE)
        return pd.concat(parts, ignore_index=True)

    def bands(
        self, column: str, share: float = 0.9, replications: Iterable[int] | None = None
    ) -> pd.DataFrame:
        """Where this share of the replications is, minute by minute, in one column of `series`.

        Indexed by scenario and ``at``: ``low``, ``median`` and ``high`` over these replications,
        or all that are there, pointwise, and how many ``replications`` there are.
        """
        series = self.series(replications)
        columns = list(series.columns[3:])
        if column not in columns:
            raise StudyError(unknown_name("column", column, columns))
        wide = series.pivot(index=["scenario", "at"], columns="replication", values=column)
        values = np.sort(wide.to_numpy(np.float64), axis=1)  # those that are missing come last
        counts = np.count_nonzero(~np.isnan(values), axis=1)
        levels = {"low": (1 - share) / 2, "median": 0.5, "high": (1 + share) / 2}
        for name, level in levels.items():
            places = [quantile_rank(level, count) for count in counts.tolist()]
            wide[name] = values[np.arange(len(values)), places]
        wide["replications"] = counts
        return wide[[*levels, "replications"]].rename_axis(columns=None)

    def tables(self, replication: int, scenario: int | str = 0) -> dict[str, pd.DataFrame]:
        """Tables of one run by name, if they were stored, of a scenario by position or name."""
        return self.storage.tables(replication, position_of(scenario, self.labels))

    def simulate(self, replication: int, scenario: int | str = 0, **options: Any) -> Result:
        """Run one replication of one scenario, by position or name; options as of `simulate`."""
        chosen = self.scenarios[position_of(scenario, self.labels)]
        if self.switches.draws_callees:
            chosen = with_drawn_callees(chosen, self.seed, replication)
        return simulate(chosen, seed=self.seed, replication=replication, until=None, **options)

    def __repr__(self) -> str:
        done = len(self.replications)
        there = f"{done} replications" if done else "not run yet"
        return bounded(f"Study({' against '.join(self.labels)}; {there}, seed {self.seed})", 1_900)

    # Which runs make a replication

    def runs_needed(self, index: int) -> Runs:
        """Runs that a replication has to have of each scenario."""
        if not self.switches.reduces_runs or index < PILOT:
            return self.switches.runs
        if self._used is None and (pilot := self._pilot(PILOT)) is not None:
            self._used = runs_of(**decide(self.switches, pilot))
        return self._used or self.switches.runs

    def _pilot(self, end: int) -> RunArray | None:
        """The replications before `end` that it is decided on; None where one is not there."""
        first, there = range(min(end, PILOT)), {*self.storage.indexes()}
        if not all(k in there and self.storage.runs(k).runs == self.switches.runs for k in first):
            return None
        return RunArray.joined([self.storage.runs(k) for k in first], self.switches.runs)
