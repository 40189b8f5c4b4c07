"""A study that is kept in a directory, for whoever looks into it: in Jupyter, a day later."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from outsim.errors import StudyError
from outsim.results.checkpoint import simulate
from outsim.results.measures import MEASURES, Measure
from outsim.results.result import Result
from outsim.scenario.model import Scenario
from outsim.studies.comparable import check_alike
from outsim.studies.estimating import label_scenarios, place_of
from outsim.studies.identity import check_version, read_identity, scenarios_of
from outsim.studies.input_models import with_drawn_callees
from outsim.studies.members import DRAWING, Switches
from outsim.studies.replication_set import Replication, ReplicationSet
from outsim.studies.storage import Store
from outsim.studies.study_result import StudyResult
from outsim.text import bounded

if TYPE_CHECKING:
    import pandas as pd


def load_study(directory: str | Path, measures: tuple[Measure, ...] = MEASURES) -> SavedStudy:
    """Open the directory of a study.

    Parameters
    ----------
    directory : path
        What ``out`` was, or ``--out``.
    measures : tuple of Measure
        Figures that it may have: give those of your own, if the study had any.

    Returns
    -------
    SavedStudy
        What the directory holds; nothing is run.

    Raises
    ------
    StudyError
        If it holds no study, one with other figures, or one of another version of the model or
        of what the figures mean.

    Examples
    --------
    >>> study = outsim.load_study("studies/quarter-past")  # doctest: +SKIP
    >>> study.findings  # doctest: +SKIP
    >>> study.series().groupby(["scenario", "at"])["queue"].mean()  # doctest: +SKIP
    """
    return SavedStudy(Path(directory), measures)


class SavedStudy:
    """What a study kept: findings, series, tables; see `load_study`."""

    def __init__(self, directory: Path, measures: tuple[Measure, ...] = MEASURES) -> None:
        self.directory = directory
        self._identity = read_identity(directory)
        check_version(directory, self._identity)
        self._store = Store.at(directory)
        self.measures = _known(self._identity["measures"], measures, directory)

    @property
    def seed(self) -> int:
        """Seed of all runs."""
        seed: int = self._identity["seed"]
        return seed

    @property
    def names(self) -> list[str]:
        """Names of the scenarios."""
        return list(self._identity["names"])

    @property
    def replications(self) -> list[int]:
        """Replications that are there, in order."""
        return self._store.indexes()

    @cached_property
    def scenarios(self) -> tuple[Scenario, ...]:
        """The scenarios, made again from what the directory keeps of them.

        Raises
        ------
        StudyError
            If that gives others than were run: files were changed, or outsim was.
        """
        return scenarios_of(self.directory, self._identity)

    @property
    def findings(self) -> StudyResult:
        """Estimates from all replications that are there.

        Raises
        ------
        StudyError
            If there are none, or one is missing between two others.
        """
        indexes = self.replications
        whole = self.without_gap
        if len(whole) < len(indexes):
            gaps = len(range(indexes[0], indexes[-1] + 1)) - len(indexes)
            raise StudyError(
                f"{self.directory}: replication {whole.stop} is missing between others "
                f"({gaps} are); run or merge it first"
            )
        return self.findings_of(whole)

    @property
    def without_gap(self) -> range:
        """Replications from the first one on, up to where one is missing.

        Raises
        ------
        StudyError
            If there are none.
        """
        indexes = self.replications
        if not indexes:
            raise StudyError(f"{self.directory}: no replication is there yet")
        there = set(indexes)
        end = next(k for k in count(indexes[0]) if k not in there)
        return range(indexes[0], end)

    def findings_of(self, replications: range) -> StudyResult:
        """Estimates from some of the replications that are there.

        Raises
        ------
        StudyError
            If one can't be read, or the scenarios' figures mean different things and nobody
            asked to compare them.
        """
        allowed = self._identity.get("unlike", ())
        check_alike(self.scenarios, self.measures, allowed)
        switches = Switches(**dict.fromkeys(self._identity["switches"], True))
        units = ReplicationSet(switches)
        for index in replications:
            units.add(Replication(index, self._store.figures(index)))
        figures, reductions = units.counted(replications)
        return StudyResult(
            scenarios=self.scenarios,
            seed=self.seed,
            indexes=replications,
            figures=tuple(each for column in zip(*figures, strict=True) for each in column),
            measures=self.measures,
            switches=switches,
            reductions=reductions,
            swapped=units.swapped(replications),
        )

    def series(self, replications: Iterable[int] | None = None) -> pd.DataFrame:
        """The platform minute by minute, of every run: one row a scenario, replication, minute.

        Columns ``scenario``, ``replication``, ``at`` and those of `Result.timeline`.

        Parameters
        ----------
        replications : iterable of int, optional
            Which; default: all that are there.

        Raises
        ------
        StudyError
            If one can't be read.
        """
        import pandas as pd

        parts = []
        for index in self.replications if replications is None else replications:
            table = self._store.series(index)
            places = table.pop("place").to_numpy(np.int64)
            labels = pd.Categorical.from_codes(places, pd.Index(self._labels))
            table.insert(0, "scenario", pd.Series(labels, index=table.index))
            table.insert(1, "replication", index)
            parts.append(table)
        if not parts:
            raise StudyError(f"{self.directory}: no replication is there yet")
        return pd.concat(parts, ignore_index=True)

    @property
    def _labels(self) -> list[str]:
        return label_scenarios(self.names)

    def tables(self, replication: int, scenario: int | str = 0) -> dict[str, pd.DataFrame]:
        """Tables of one run by name, if the study kept them; see `Result.tables`.

        Parameters
        ----------
        replication : int
            Which replication.
        scenario : int or str
            Place of the scenario, or its name.

        Raises
        ------
        StudyError
            If they were not kept, or there is no such scenario.
        """
        return self._store.tables(replication, self._place(scenario))

    def run(self, replication: int, scenario: int | str = 0, **options: Any) -> Result:
        """Run one replication of one scenario by itself: all of its tables and views.

        Parameters
        ----------
        replication : int
            Which replication; it need not be there.
        scenario : int or str
            Place of the scenario, or its name.
        **options
            As for `outsim.simulate`, such as ``engine``.

        Raises
        ------
        StudyError
            If there is no such scenario.
        """
        chosen = self.scenarios[self._place(scenario)]
        if {*DRAWING} & {*self._identity["switches"]}:
            chosen = with_drawn_callees(chosen, self.seed, replication)
        return simulate(chosen, seed=self.seed, replication=replication, until=None, **options)

    def _place(self, scenario: int | str) -> int:
        return place_of(scenario, self._labels)

    def __repr__(self) -> str:
        return bounded(
            f"SavedStudy({str(self.directory)!r}: {' against '.join(self._labels)}; "
            f"{len(self.replications)} replications, seed {self.seed})"
        )


def _known(
    names: list[str], measures: tuple[Measure, ...], directory: Path
) -> tuple[Measure, ...]:
    by_name = {each.name: each for each in measures}
    for name in names:
        if name not in by_name:
            raise StudyError(
                f"{directory}: has the figure {name}, which is none of outsim's; give it to "
                "load_study among its measures"
            )
    return tuple(by_name[name] for name in names)
