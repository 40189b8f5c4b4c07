"""Measures of runs in one labelled array: scenario, replication and run, by column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from outsim.studies.runs import PLAIN_RUN, Run, RunMeasures, Runs

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

KEYS = ("scenario", "replication", *Run._fields)
"""Columns of a table that say which run a row is of."""

ABOUT = ("attempts", "background_share")
"""Columns that are no measures, before those of the controls."""

CONTROL = "control: "
"""What the column of a control begins with; they are the last ones."""


@dataclass(frozen=True, eq=False, repr=False)
class RunArray:
    """Measures, `ABOUT` and controls of the same runs of each scenario; NaN where missing."""

    replications: tuple[int, ...]
    runs: Runs
    columns: tuple[str, ...]
    array: Array
    """Shape (scenarios, replications, runs, columns)."""

    @classmethod
    def of(cls, measured: Sequence[RunMeasures]) -> RunArray:
        """What was measured, in any order: of each scenario the same runs of each replication."""
        rows = {
            (run.scenario, run.replication, run.run): (
                run.measures
                | {"attempts": run.attempts, "background_share": run.background_share}
                | {f"{CONTROL}{name}": value for name, value in run.controls.items()}
            )
            for run in measured
        }
        scenarios, replications, runs = (sorted({*of}) for of in zip(*rows, strict=True))
        ordered = [rows[s, r, m] for s in scenarios for r in replications for m in runs]
        columns = dict.fromkeys(name for row in ordered for name in row)
        values = [[row.get(name, np.nan) for name in columns] for row in ordered]
        shape = (len(scenarios), len(replications), len(runs), len(columns))
        array = np.array(values, dtype=np.float64).reshape(shape)
        return cls(tuple(replications), tuple(runs), tuple(columns), array)

    @classmethod
    def joined(cls, arrays: Sequence[RunArray], runs: Runs) -> RunArray:
        """Those runs of several replications, in the order of the arrays."""
        columns = tuple(dict.fromkeys(name for array in arrays for name in array.columns))
        parts = [array.only(runs).array[..., array._places(columns)] for array in arrays]
        replications = tuple(number for array in arrays for number in array.replications)
        return cls(replications, runs, columns, np.concatenate(parts, axis=1))

    def _places(self, columns: Sequence[str]) -> Any:
        return slice(None) if columns == self.columns else [*map(self.columns.index, columns)]

    def only(self, runs: Runs) -> RunArray:
        """The same with some of its runs."""
        if runs == self.runs:
            return self
        chosen = [self.runs.index(run) for run in runs]
        return RunArray(self.replications, runs, self.columns, self.array[:, :, chosen])

    def mean(self, runs: Runs = (PLAIN_RUN,)) -> RunArray:
        """The means over some of its runs; what one of them is too short to have is missing."""
        values = self.only(runs).array
        if len(runs) > 1:
            by_run = np.ascontiguousarray(np.moveaxis(values, 2, -1))
            values = by_run.mean(axis=-1)[:, :, None]
            attempts = self.columns.index("attempts")
            values[..., attempts] = np.round(values[..., attempts])
        return RunArray(self.replications, (PLAIN_RUN,), self.columns, values)

    @property
    def index(self) -> int:
        """Number of the replication, or of the first one."""
        return self.replications[0]

    @property
    def scenarios(self) -> int:
        """How many scenarios there are."""
        return len(self.array)

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of the measures."""
        return self.columns[: self.columns.index(ABOUT[0])]

    def values(self, scenario: int, name: str) -> Array:
        """A column of a scenario, by replication; the plain run's where there are several."""
        return self.array[scenario, :, self.runs.index(PLAIN_RUN), self.columns.index(name)]

    def controls_of(self, scenario: int) -> Array:
        """The controls that a scenario has, shape (replications, controls)."""
        first = self.columns.index(ABOUT[-1]) + 1
        controls = self.array[scenario, :, self.runs.index(PLAIN_RUN), first:]
        return controls[:, ~np.isnan(controls).all(axis=0)]

    def table(self) -> pd.DataFrame:
        """One row a scenario, replication and run, with `KEYS` and the columns."""
        import pandas as pd

        keys = [
            (scenario, number, *run)
            for scenario in range(self.scenarios)
            for number in self.replications
            for run in self.runs
        ]
        rows = pd.DataFrame(keys, columns=list(KEYS))
        numbers = pd.DataFrame(
            self.array.reshape(len(keys), len(self.columns)), columns=list(self.columns)
        )
        numbers["attempts"] = numbers["attempts"].astype(np.int64)
        return pd.concat([rows, numbers], axis=1)

    @classmethod
    def of_table(cls, table: pd.DataFrame, measures: Sequence[str], scenarios: int) -> RunArray:
        """The array that a table of one replication was made of; else ValueError."""
        controls = [name for name in table.columns if str(name).startswith(CONTROL)]
        if list(table.columns) != [*KEYS, *measures, *ABOUT, *controls]:
            raise ValueError(f"its columns are {', '.join(map(str, table.columns))}")
        there = sorted(set(table["scenario"]))
        if there != [*range(scenarios)]:
            raise ValueError(f"it has {len(there)} scenarios, and not {scenarios}")
        if table.groupby("scenario").size().nunique() != 1:
            raise ValueError("its scenarios have not equally many runs")
        columns = (*measures, *ABOUT, *controls)
        rows = table.sort_values(["scenario", *Run._fields], kind="stable")
        first = rows[rows["scenario"] == 0]
        runs = tuple(
            Run(int(stratum), bool(mirrored), bool(swapped))
            for stratum, mirrored, swapped in first[[*Run._fields]].itertuples(index=False)
        )
        values = rows[list(columns)].to_numpy(np.float64, copy=True)
        number = int(table["replication"].iloc[0])
        return cls((number,), runs, columns, values.reshape(scenarios, 1, len(runs), -1))

    def __repr__(self) -> str:
        numbers = ", ".join(map(str, self.replications[:3])) + ", ..." * (
            len(self.replications) > 3
        )
        return (
            f"RunArray(replications {numbers}; {self.scenarios} scenarios, {len(self.runs)} runs "
            f"each, {len(self.measures)} measures)"
        )
