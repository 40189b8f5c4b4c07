"""A directory in which a study keeps each replication, whole or not at all.

    study.json                            what was run: scenarios, seed, version of the model
    contacts/                             contact lists of the scenarios
    replications/000012/figures.parquet   one row a scenario
    replications/000012/series.parquet    one row a scenario and minute
    replications/000012/tables/0/         tables of the first scenario's run, if they are kept

A replication is written in a room beside its place, flushed to the disk and then renamed:
where it stands, all of it does, whatever was killed when. Two studies may write to one
directory at once: what both have made is the same, and that is checked.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outsim.disk import disk_errors_told, flush, flush_all, room_in, sweep
from outsim.errors import StudyError
from outsim.scenario.kept import lists_of
from outsim.scenario.model import Scenario
from outsim.study.identity import REPLICATIONS, identity_of, read_identity, settle
from outsim.study.members import NOTHING, Member, Switches
from outsim.study.replications import Figures
from outsim.tables.measures import Measure

if TYPE_CHECKING:
    import pandas as pd

_FIGURES, _SERIES, _TABLES = "figures.parquet", "series.parquet", "tables"
_WRITTEN_LAST = "run.json"
_OWN = ("place", "replication", "stratum", "mirrored", "swapped", "attempts", "background_share")
"""Columns of the figures that are no measures."""
_LATER = "swapped"
"""The one of them that older directories do not have."""
_CONTROL = "control: "
"""What the column of a control begins with; they are the last ones."""

Kept = dict[int, tuple[Figures, ...]]
"""Figures of each scenario, by replication."""


class Store:
    """The replications of one study in their directory; see `Store.of` to open or make one.

    Parameters
    ----------
    directory : Path
        One that holds a study.
    scenarios : int
        How many scenarios each replication has.
    measures : sequence of str
        Names of the figures.
    keep_tables : bool
        Whether tables of every run are kept, too.
    """

    def __init__(
        self,
        directory: Path,
        scenarios: int,
        measures: Sequence[str],
        keep_tables: bool = False,
    ) -> None:
        self.directory = directory.absolute()
        self._scenarios = scenarios
        self._measures = list(measures)
        self._keep_tables = keep_tables

    @classmethod
    def of(
        cls,
        directory: Path,
        scenarios: Sequence[Scenario],
        seed: int,
        measures: Sequence[Measure],
        keep_tables: bool = False,
        switches: Switches = NOTHING,
        unlike: Sequence[str] = (),
    ) -> Store:
        """Directory of a study; made if it is not there.

        Raises
        ------
        StudyError
            If it can't be used, or holds another study: the message says what differs.
        """
        identity = identity_of(scenarios, seed, measures, switches, unlike)
        settle(directory, identity, lists_of(scenarios))
        sweep(directory)
        return cls(directory, len(scenarios), [each.name for each in measures], keep_tables)

    @classmethod
    def at(cls, directory: str | Path) -> Store:
        """Directory that holds a study, whichever.

        Raises
        ------
        StudyError
            If it holds none.
        """
        identity = read_identity(Path(directory))
        return cls(Path(directory), len(identity["names"]), identity["measures"])

    # Reading

    def indexes(self) -> list[int]:
        """Replications that are there, in order."""
        places = (self.directory / REPLICATIONS).glob("[0-9]*")
        return sorted(int(place.name) for place in places if place.name.isdecimal())

    def read(self) -> Kept:
        """Replications that are there; where tables are kept, those that have them.

        Raises
        ------
        StudyError
            If one of them can't be read; the message says what to remove.
        """
        return {
            index: self.figures(index)
            for index in self.indexes()
            if not self._keep_tables or (self.place(index) / _TABLES).exists()
        }

    def figures(self, replication: int) -> tuple[Figures, ...]:
        """Figures of a replication, by scenario.

        Raises
        ------
        StudyError
            If it can't be read; the message says what to remove.
        """
        import pandas as pd

        place = self.place(replication)
        try:
            rows = pd.read_parquet(place / _FIGURES)
            controls = [name for name in rows.columns if name.startswith(_CONTROL)]
            own = [name for name in _OWN if name != _LATER or name in rows.columns]
            columns = [*own, *self._measures, *controls]
            if list(rows.columns) != columns:
                raise ValueError(f"its columns are {', '.join(map(str, rows.columns))}")
            if sorted(set(rows["place"])) != [*range(self._scenarios)]:
                raise ValueError(
                    f"it has {len(set(rows['place']))} scenarios, and not {self._scenarios}"
                )
            if rows.groupby("place").size().nunique() != 1:
                raise ValueError("its scenarios have not equally many runs")
            if set(rows["replication"]) != {replication}:
                raise ValueError(f"it is of replication {rows['replication'].iloc[0]}")
            return tuple(
                Figures(
                    place=int(row["place"]),
                    replication=int(row["replication"]),
                    measures={name: float(row[name]) for name in self._measures},
                    attempts=int(row["attempts"]),
                    background_share=float(row["background_share"]),
                    member=Member(
                        int(row["stratum"]), bool(row["mirrored"]), bool(row.get(_LATER, False))
                    ),
                    controls={
                        name.removeprefix(_CONTROL): float(row[name])
                        for name in controls
                        if not pd.isna(row[name])
                    },
                )
                for row in rows.to_dict("records")
            )
        except (OSError, ValueError, TypeError) as error:
            raise StudyError(_unreadable(place / _FIGURES, place, error)) from None

    def series(self, replication: int) -> pd.DataFrame:
        """The platform minute by minute: columns ``place``, ``at`` and those of the timeline.

        Raises
        ------
        StudyError
            If they can't be read; the message says what to remove.
        """
        import pandas as pd

        place = self.place(replication)
        try:
            return pd.read_parquet(place / _SERIES)
        except (OSError, ValueError) as error:
            raise StudyError(_unreadable(place / _SERIES, place, error)) from None

    def tables(self, replication: int, place: int) -> dict[str, pd.DataFrame]:
        """Tables of one run by name, as `Result.tables` has them.

        Raises
        ------
        StudyError
            If they were not kept, or can't be read.
        """
        import pandas as pd

        there = self.place(replication)
        if not (there / _TABLES).exists():
            raise StudyError(
                f"{there}: has no tables; ask the study for them with --keep-tables, or run this "
                "replication by itself"
            )
        paths = sorted((there / _TABLES / str(place)).glob("*.parquet"))
        try:
            return {path.stem: pd.read_parquet(path) for path in paths}
        except (OSError, ValueError) as error:
            raise StudyError(_unreadable(there / _TABLES / str(place), there, error)) from None

    def place(self, replication: int) -> Path:
        """Directory of a replication."""
        return self.directory / REPLICATIONS / f"{replication:06d}"

    # Writing

    @contextmanager
    def at_work(self) -> Iterator[Writer]:
        """Somebody who writes replications; what is not whole by the end goes with them.

        Raises
        ------
        StudyError
            If the directory can't be written to.
        """
        with ExitStack() as stack:
            with disk_errors_told(self.directory):
                (self.directory / REPLICATIONS).mkdir(exist_ok=True)
                room = stack.enter_context(room_in(self.directory))
            yield Writer(self, room, self._keep_tables)


@dataclass(frozen=True)
class Writer:
    """Writes replications to their store, each from one instant to the next."""

    store: Store
    room: Path
    """Where it writes them before they are whole."""
    keep_tables: bool

    def tables_of(self, replication: int) -> Path | None:
        """Directory that the tables of a replication's runs are written to; None if they go."""
        return self._beside(replication) / _TABLES if self.keep_tables else None

    def write(self, replication: int, figures: Sequence[Figures]) -> None:
        """Keep a replication: figures, series, and the tables that are in `tables_of`.

        Raises
        ------
        StudyError
            If the disk is full; if tables that are to be kept are not there; or if the directory
            holds this replication already, with other figures.
        """
        import pandas as pd

        beside = self._beside(replication)
        with disk_errors_told(self.store.directory):
            beside.mkdir(exist_ok=True)
            rows = pd.DataFrame([_plain(each) for each in figures])
            rows.to_parquet(beside / _FIGURES, index=False)
            series = [
                each.series.reset_index().assign(place=each.place)
                for each in figures
                if each.series is not None
            ]
            if series:
                pd.concat(series).to_parquet(beside / _SERIES, index=False)
            if self.keep_tables:
                _check_tables(beside / _TABLES, sorted({each.place for each in figures}))
            self._put(beside, replication, figures)

    def adopt(self, other: Store, replication: int) -> bool:
        """Copy a replication of another store of the same study; False if it is here already.

        Raises
        ------
        StudyError
            If it can't be read or written, or is here with other figures.
        """
        figures = other.figures(replication)
        here, there = self.store.place(replication), other.place(replication)
        tables_wanted = (there / _TABLES).exists() and not (here / _TABLES).exists()
        if here.exists() and not tables_wanted:
            check_equal(self.store, replication, figures)
            return False
        with disk_errors_told(self.store.directory):
            beside = self._beside(replication)
            shutil.copytree(there, beside)
            return self._put(beside, replication, figures)

    def _beside(self, replication: int) -> Path:
        return self.room / f"{replication:06d}"

    def _put(self, beside: Path, replication: int, figures: Sequence[Figures]) -> bool:
        """Put a replication in its place; False if it is there, and has the same figures."""
        place = self.store.place(replication)
        flush_all(beside)
        try:
            beside.rename(place)
            flush(place.parent)
            return True
        except OSError:
            if not place.exists():
                raise
        # Another study was quicker; or it was kept without tables, which are wanted now.
        check_equal(self.store, replication, figures)
        if (beside / _TABLES).exists() and not (place / _TABLES).exists():
            (beside / _TABLES).rename(place / _TABLES)
            flush(place)
        shutil.rmtree(beside)
        return False


def _check_tables(tables: Path, places: Sequence[int]) -> None:
    for place in places:
        if not (tables / str(place) / _WRITTEN_LAST).exists():
            raise StudyError(
                f"{tables.parent}: whoever made the runs did not write their tables there; the "
                "directory of a study that keeps tables must be one that all its workers share"
            )


def check_equal(store: Store, replication: int, figures: Sequence[Figures]) -> None:
    """Refuse figures of a replication that differ from those that a store has of it.

    Raises
    ------
    StudyError
        If they do; the message names the first of them.
    """
    kept_runs = {(each.place, each.member): each for each in store.figures(replication)}
    for here in figures:
        # Either may have runs that the other could do without.
        there = kept_runs.get((here.place, here.member))
        if there is None:
            continue
        kept, made = _plain(there), _plain(here)
        for name, value in made.items():
            # As they are written: so two that are missing (NaN) are the same.
            if repr(kept[name]) != repr(value):
                raise StudyError(
                    f"{store.place(replication)}: {name} of scenario {there.place} is "
                    f"{kept[name]} there, and {value} in another run of this replication: one of "
                    "them was changed, or made by a changed outsim; keep them apart"
                )


def _plain(figures: Figures) -> dict[str, Any]:
    return (
        {"place": figures.place, "replication": figures.replication}
        | figures.member._asdict()
        | {"attempts": figures.attempts, "background_share": figures.background_share}
        | {name: float(value) for name, value in figures.measures.items()}
        | {f"{_CONTROL}{name}": value for name, value in figures.controls.items()}
    )


def without_series(figures: Sequence[Figures]) -> tuple[Figures, ...]:
    """Figures alone, for memory: a study may have thousands."""
    return tuple(replace(each, series=None) for each in figures)


def _unreadable(path: Path, place: Path, error: Exception) -> str:
    return (
        f"{path}: can't be read ({error}); remove {place}, and the study runs this replication "
        "again"
    )
