"""A directory in which a study keeps each replication, whole or not at all.

    study.json                            what was run: scenarios, seed, version of the model
    contacts/                             contact lists of the scenarios
    replications/000012/figures.parquet   one row a scenario
    replications/000012/series.parquet    one row a scenario and minute
    replications/000012/checksums.json    of these two, and the study that they belong to
    replications/000012/tables/0/         tables of the first scenario's run, if they are kept
    replications/000012/tables/checksums.json

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

from outsim.directories import FILES, read_checked, read_file, read_table
from outsim.disk import (
    remove_stale_temp,
    sync,
    sync_tree,
    temporary_directory,
    translate_disk_errors,
)
from outsim.errors import StudyError
from outsim.results.measures import Measure
from outsim.results.tables.schema import TABLES
from outsim.scenario.loading import lists_of
from outsim.scenario.model import Scenario
from outsim.studies.identity import REPLICATIONS, fingerprint, identity_of, read_identity, settle
from outsim.studies.members import NOTHING, Member, Switches
from outsim.studies.replications import Figures
from outsim.studies.seals import files_of, seal

if TYPE_CHECKING:
    import pandas as pd

_FIGURES, _SERIES, _TABLES = "figures.parquet", "series.parquet", "tables"
_WRITTEN_LAST = "run.json"
_OWN = ("place", "replication", "stratum", "mirrored", "swapped", "attempts", "background_share")
"""Columns of the figures that are no measures."""
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
    study : str
        Fingerprint of the study, which each of its replications has too.
    keep_tables : bool
        Whether tables of every run are kept, too.
    """

    def __init__(
        self,
        directory: Path,
        scenarios: int,
        measures: Sequence[str],
        study: str,
        keep_tables: bool = False,
    ) -> None:
        self.directory = directory.absolute()
        self.study = study
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
        remove_stale_temp(directory)
        names = [each.name for each in measures]
        return cls(directory, len(scenarios), names, fingerprint(identity), keep_tables)

    @classmethod
    def at(cls, directory: str | Path) -> Store:
        """Directory that holds a study, whichever.

        Raises
        ------
        StudyError
            If it holds none.
        """
        identity = read_identity(Path(directory))
        return cls(
            *(Path(directory), len(identity["names"]), identity["measures"], fingerprint(identity))
        )

    # Reading

    def indexes(self) -> list[int]:
        """Replications that are there, in order."""
        names = [place.name for place in (self.directory / REPLICATIONS).glob("[0-9]*")]
        return sorted(
            int(name) for name in names if name.isdecimal() and _named(int(name)) == name
        )

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
            rows = read_table(place, _FIGURES, self._files(place, replication))
            controls = [name for name in rows.columns if name.startswith(_CONTROL)]
            columns = [*_OWN, *self._measures, *controls]
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
                        int(row["stratum"]), bool(row["mirrored"]), bool(row["swapped"])
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
        place = self.place(replication)
        try:
            return read_table(place, _SERIES, self._files(place, replication))
        except (OSError, ValueError) as error:
            raise StudyError(_unreadable(place / _SERIES, place, error)) from None

    def tables(self, replication: int, place: int) -> dict[str, pd.DataFrame]:
        """Tables of one run by name, as `Result.tables` has them.

        Raises
        ------
        StudyError
            If they were not kept, or can't be read.
        """
        there = self.place(replication)
        if not (there / _TABLES).exists():
            raise StudyError(
                f"{there}: has no tables; ask the study for them with --keep-tables, or run this "
                "replication by itself"
            )
        path = there / _TABLES / str(place) / _WRITTEN_LAST
        try:
            files = self._files_of_run(replication, place)
            found = {}
            for path in (path.with_name(f"{name}.parquet") for name in TABLES):
                found[path.stem] = read_table(path.parent, path.name, files)
            return found
        except (OSError, ValueError) as error:
            raise StudyError(_unreadable(path, there, error)) from None

    def _files_of_run(self, replication: int, place: int) -> dict[str, Any]:
        """Checksums of the files that a run's tables are in."""
        tables, run = self.place(replication) / _TABLES, f"{place}/{_WRITTEN_LAST}"
        read_file(tables, run, self._files(tables, replication))
        files: dict[str, Any] = read_checked(tables / run)[FILES]
        return files

    def check(self, replication: int) -> None:
        """Refuse a replication any file of which is not the one that was written.

        Raises
        ------
        StudyError
            If one is changed, or gone.
        """
        place = self.place(replication)
        path = place / _FIGURES
        try:
            for name in (files := self._files(place, replication)):
                path = place / name
                read_file(place, name, files)
            tables = place / _TABLES
            for run in self._files(tables, replication) if tables.exists() else ():
                path = tables / run
                files = self._files_of_run(replication, int(path.parent.name))
                for name in files:
                    path = Path(tables, Path(run).parent, name)
                    read_file(tables / Path(run).parent, name, files)
        except (OSError, ValueError) as error:
            raise StudyError(_unreadable(path, place, error)) from None

    def _files(self, directory: Path, replication: int) -> dict[str, Any]:
        return files_of(directory, self.study, replication)

    def place(self, replication: int) -> Path:
        """Directory of a replication."""
        return self.directory / REPLICATIONS / _named(replication)

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
            with translate_disk_errors(self.directory):
                (self.directory / REPLICATIONS).mkdir(exist_ok=True)
                room = stack.enter_context(temporary_directory(self.directory))
            yield Writer(self, room, self._keep_tables)


def _named(replication: int) -> str:
    return f"{replication:06d}"


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
        with translate_disk_errors(self.store.directory):
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
            names = [_FIGURES, _SERIES] if series else [_FIGURES]
            seal(beside, self.store.study, replication, names)
            if self.keep_tables:
                places = sorted({each.place for each in figures})
                _check_tables(beside / _TABLES, places)
                runs = [f"{place}/{_WRITTEN_LAST}" for place in places]
                seal(beside / _TABLES, self.store.study, replication, runs)
            self._put(beside, replication, figures)

    def adopt(self, other: Store, replication: int) -> bool:
        """Copy a replication of another store of the same study; False if it is here already.

        Raises
        ------
        StudyError
            If it can't be read or written, or is here with other figures.
        """
        figures = other.figures(replication)
        other.check(replication)
        here, there = self.store.place(replication), other.place(replication)
        tables_wanted = (there / _TABLES).exists() and not (here / _TABLES).exists()
        if here.exists() and not tables_wanted:
            check_equal(self.store, replication, figures)
            return False
        with translate_disk_errors(self.store.directory):
            beside = self._beside(replication)
            shutil.copytree(there, beside, symlinks=True)
            return self._put(beside, replication, figures)

    def _beside(self, replication: int) -> Path:
        return self.room / _named(replication)

    def _put(self, beside: Path, replication: int, figures: Sequence[Figures]) -> bool:
        """Put a replication in its place; False if it is there, and has the same figures."""
        place = self.store.place(replication)
        sync_tree(beside)
        try:
            beside.rename(place)
            sync(place.parent)
            return True
        except OSError:
            if not place.exists():
                raise
        # Another study was quicker; or it was kept without tables, which are wanted now.
        check_equal(self.store, replication, figures)
        if (beside / _TABLES).exists() and not (place / _TABLES).exists():
            (beside / _TABLES).rename(place / _TABLES)
            sync(place)
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
