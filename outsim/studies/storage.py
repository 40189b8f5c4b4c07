"""Where a study keeps its replications: in memory, or in a directory, whole or not at all.

    study.json                            what was run: scenarios, seed, version of the model
    contacts/                             contact lists of the scenarios
    replications/000012/measures.parquet  one row a run
    replications/000012/series.parquet    one row a scenario and minute
    replications/000012/checksums.json    of these two, and the study that they belong to
    replications/000012/tables/0/         tables of the first scenario's run, if they are kept
    replications/000012/tables/checksums.json

A replication is written in a temporary directory beside its place, flushed to the disk and then
renamed: where it stands, all of it does, whatever was killed when. Two studies may write to one
directory at once: what both have made is the same, and that is checked.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outsim.directories import (
    FILES,
    DamageError,
    checksums_of,
    read_checked,
    read_file,
    read_table,
    with_checksum,
)
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
from outsim.studies.identity import (
    REPLICATIONS,
    check_lists,
    check_same,
    copies_in,
    fingerprint,
    identity_of,
    read_identity,
    settle,
)
from outsim.studies.run_array import KEYS, RunArray
from outsim.studies.runs import NONE, RunMeasures, VarianceReduction

if TYPE_CHECKING:
    import pandas as pd

_MEASURES, _SERIES, _TABLES = "measures.parquet", "series.parquet", "tables"
_CHECKSUMS, _WRITTEN_LAST = "checksums.json", "run.json"


class MemoryStorage:
    """Replications in this process; `keeps_series` costs memory for each minute of each run."""

    def __init__(self, keeps_series: bool = False) -> None:
        self.keeps_series = keeps_series
        self._runs: dict[int, RunArray] = {}
        self._series: dict[int, pd.DataFrame] = {}

    def indexes(self) -> list[int]:
        """Replications that are there, in order."""
        return sorted(self._series if self.keeps_series else self._runs)

    def runs(self, replication: int) -> RunArray:
        """Measures of the runs of a replication that is there."""
        return self._runs[replication]

    def series(self, replication: int) -> pd.DataFrame:
        """The platform minute by minute."""
        if replication not in self._series:
            raise StudyError(
                f"replication {replication}: its series were not kept; run the study with "
                "keep_series=True, or in a directory"
            )
        return self._series[replication]

    def tables(self, replication: int, scenario: int) -> dict[str, pd.DataFrame]:
        """Refused: tables are kept in a directory only."""
        raise StudyError(
            "tables are not kept in memory; run the study in a directory with keep_tables=True, "
            f"or replication {replication} of scenario {scenario} by itself with simulate"
        )

    def writing(self) -> AbstractContextManager[MemoryStorage]:
        """The storage itself: it keeps what it is given."""
        return nullcontext(self)

    def tables_of(self, _replication: int) -> Path | None:
        """None: tables go."""
        return None

    def write(self, replication: int, measured: Sequence[RunMeasures]) -> RunArray:
        """Keep a replication."""
        array = self._runs[replication] = RunArray.of(measured)
        if (series := _series_of(measured)) is not None:
            self._series[replication] = series
        return array


def _series_of(measured: Sequence[RunMeasures]) -> pd.DataFrame | None:
    """Series of all scenarios, one below the other; None where no run has any."""
    import pandas as pd

    series = [
        run.series.reset_index().assign(scenario=run.scenario)
        for run in sorted(measured, key=lambda run: run.scenario)
        if run.series is not None
    ]
    return pd.concat(series) if series else None


class DirectoryStorage:
    """The replications of one study in their directory; see `of` to open or make one."""

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
        """Fingerprint of the study, which each of its replications has too."""
        self._scenarios = scenarios
        self._measures = list(measures)
        self._keep_tables = keep_tables
        self._read: dict[int, RunArray] = {}

    @classmethod
    def of(
        cls,
        directory: Path,
        scenarios: Sequence[Scenario],
        seed: int,
        measures: Sequence[Measure],
        keep_tables: bool = False,
        switches: VarianceReduction = NONE,
        unlike: Sequence[str] = (),
    ) -> DirectoryStorage:
        """Directory of a study, made if it is not there; refused if it holds another one."""
        identity = identity_of(scenarios, seed, measures, switches, unlike)
        settle(directory, identity, lists_of(scenarios))
        remove_stale_temp(directory)
        names = identity["measures"]
        return cls(directory, len(scenarios), names, fingerprint(identity), keep_tables)

    @classmethod
    def at(cls, directory: str | Path) -> DirectoryStorage:
        """Directory that holds a study, whichever; refused if it holds none."""
        identity = read_identity(Path(directory))
        scenarios, measures = len(identity["names"]), identity["measures"]
        return cls(Path(directory), scenarios, measures, fingerprint(identity))

    # Reading

    def indexes(self) -> list[int]:
        """Replications that are there, in order; where tables are kept, those that have them."""
        names = [path.name for path in (self.directory / REPLICATIONS).glob("[0-9]*")]
        decimal = [name for name in names if name.isdecimal()]
        numbers = sorted(int(name) for name in decimal if _name(int(name)) == name)
        if not self._keep_tables:
            return numbers
        return [number for number in numbers if (self.path(number) / _TABLES).exists()]

    def runs(self, replication: int) -> RunArray:
        """Measures of a replication; refused, with what to remove, if it can't be read."""
        if replication not in self._read:
            path = self.path(replication)
            with self._reading(path / _MEASURES, replication):
                table = read_table(path, _MEASURES, self._files(path, replication))
                array = RunArray.of_table(table, self._measures, self._scenarios)
                if set(table["replication"]) != {replication}:
                    raise ValueError(f"it is of replication {array.index}")
            self._read[replication] = array
        return self._read[replication]

    def series(self, replication: int) -> pd.DataFrame:
        """The platform minute by minute; refused, with what to remove, if it can't be read."""
        path = self.path(replication)
        with self._reading(path / _SERIES, replication):
            return read_table(path, _SERIES, self._files(path, replication))

    def tables(self, replication: int, scenario: int) -> dict[str, pd.DataFrame]:
        """Tables of one run by name; refused if they were not stored, or can't be read."""
        tables = self.path(replication) / _TABLES
        if not tables.exists():
            raise StudyError(
                f"{tables.parent}: has no tables; ask the study for them with --keep-tables, or "
                "run this replication by itself"
            )
        run = tables / str(scenario)
        files = self._files_of_run(replication, run.name)
        by_name = {}
        for name in TABLES:
            with self._reading(run / f"{name}.parquet", replication):
                by_name[name] = read_table(run, f"{name}.parquet", files)
        return by_name

    def _files_of_run(self, replication: int, scenario: str) -> dict[str, Any]:
        """Checksums of the files that a run's tables are in."""
        tables, run = self.path(replication) / _TABLES, f"{scenario}/{_WRITTEN_LAST}"
        with self._reading(tables / run, replication):
            read_file(tables, run, self._files(tables, replication))
            files: dict[str, Any] = read_checked(tables / run)[FILES]
            return files

    def check(self, replication: int) -> None:
        """Refuse a replication any file of which is changed, or gone."""
        directory = self.path(replication)
        tables = directory / _TABLES
        with self._reading(directory / _MEASURES, replication):
            files = self._files(directory, replication)
        self._check_files(replication, directory, files)
        if tables.exists():
            with self._reading(tables, replication):
                runs = self._files(tables, replication)
            for run in (tables / name for name in runs):
                files = self._files_of_run(replication, run.parent.name)
                self._check_files(replication, run.parent, files)

    def _check_files(self, replication: int, directory: Path, files: dict[str, Any]) -> None:
        for name in files:
            with self._reading(directory / name, replication):
                read_file(directory, name, files)

    @contextmanager
    def _reading(self, path: Path, replication: int) -> Iterator[None]:
        """Say of a file that can't be read what to remove, and what then happens."""
        try:
            yield
        except (OSError, ValueError, TypeError) as error:
            raise StudyError(
                f"{path}: can't be read ({error}); remove {self.path(replication)}, and the "
                "study runs this replication again"
            ) from None

    def _files(self, directory: Path, replication: int) -> dict[str, Any]:
        """Checksums of the files in a directory, if they are of this study and replication."""
        try:
            document = read_checked(directory / _CHECKSUMS)
        except (OSError, ValueError) as error:
            why = (isinstance(error, OSError) and error.strerror) or error
            raise DamageError(f"{_CHECKSUMS} beside it: {why}") from None
        for name, wanted in (("study", self.study), ("replication", replication)):
            if document.get(name) != wanted:
                raise DamageError(
                    f"{_CHECKSUMS} beside it is of {name} {document.get(name)}, and not {wanted}"
                )
        files: dict[str, Any] = document[FILES]
        return files

    def path(self, replication: int) -> Path:
        """Directory of a replication."""
        return self.directory / REPLICATIONS / _name(replication)

    # Writing

    @contextmanager
    def writing(self) -> Iterator[DirectoryWriter]:
        """Somebody who keeps replications; what is not whole by the end goes."""
        with ExitStack() as stack:
            with translate_disk_errors(self.directory):
                (self.directory / REPLICATIONS).mkdir(exist_ok=True)
                room = stack.enter_context(temporary_directory(self.directory))
            yield DirectoryWriter(self, room, self._keep_tables)

    def check_equal(self, array: RunArray) -> None:
        """Refuse a replication whose measures differ from those that are here; name the first."""
        stored, made = (
            {tuple(row[key] for key in KEYS): row for row in runs.table().to_dict("records")}
            for runs in (self.runs(array.index), array)
        )
        # Either may have runs that the other could do without.
        for which in (key for key in made if key in stored):
            for name, value in made[which].items():
                # As they are written: so two that are missing (NaN) are the same.
                if repr(stored[which].get(name)) != repr(value):
                    raise StudyError(
                        f"{self.path(array.index)}: {name} of scenario {which[0]} is "
                        f"{stored[which].get(name)} there, and {value} in another run of this "
                        "replication: one of them was changed, or made by a changed outsim; keep "
                        "them apart"
                    )


def _name(replication: int) -> str:
    return f"{replication:06d}"


@dataclass(frozen=True)
class DirectoryWriter:
    """Writes replications to their directory, each from one instant to the next."""

    storage: DirectoryStorage
    room: Path
    """Where it writes them before they are whole."""
    keep_tables: bool
    keeps_series = True

    def tables_of(self, replication: int) -> Path | None:
        """Directory that the tables of a replication's runs are written to; None if they go."""
        return self._beside(replication) / _TABLES if self.keep_tables else None

    def write(self, replication: int, measured: Sequence[RunMeasures]) -> RunArray:
        """Keep a replication; refused if it is there already, with other numbers."""
        array = RunArray.of(measured)
        beside = self._beside(replication)
        with translate_disk_errors(self.storage.directory):
            beside.mkdir(exist_ok=True)
            array.table().to_parquet(beside / _MEASURES, index=False)
            series = _series_of(measured)
            if series is not None:
                series.to_parquet(beside / _SERIES, index=False)
            names = [_MEASURES] if series is None else [_MEASURES, _SERIES]
            self._seal(beside, replication, names)
            if self.keep_tables:
                runs = [f"{scenario}/{_WRITTEN_LAST}" for scenario in range(array.scenarios)]
                _check_tables(beside / _TABLES, runs)
                self._seal(beside / _TABLES, replication, runs)
            self._put(beside, array)
        return array

    def adopt(self, other: DirectoryStorage, replication: int) -> bool:
        """Copy a replication of another storage of the same study; False if it is here already."""
        array = other.runs(replication)
        other.check(replication)
        here, there = self.storage.path(replication), other.path(replication)
        tables_wanted = (there / _TABLES).exists() and not (here / _TABLES).exists()
        if here.exists() and not tables_wanted:
            self.storage.check_equal(array)
            return False
        with translate_disk_errors(self.storage.directory):
            beside = self._beside(replication)
            shutil.copytree(there, beside, symlinks=True)
            return self._put(beside, array)

    def _seal(self, directory: Path, replication: int, names: Sequence[str]) -> None:
        """Write the checksums of files in a directory beside them."""
        files = checksums_of(directory, names)
        document = {"study": self.storage.study, "replication": replication, FILES: files}
        (directory / _CHECKSUMS).write_text(with_checksum(document), encoding="utf-8")

    def _beside(self, replication: int) -> Path:
        return self.room / _name(replication)

    def _put(self, beside: Path, array: RunArray) -> bool:
        """Put a replication in its place; False if it is there, and has the same numbers."""
        path = self.storage.path(array.index)
        sync_tree(beside)
        try:
            beside.rename(path)
            sync(path.parent)
            return True
        except OSError:
            if not path.exists():
                raise
        # Another study was quicker; or it was kept without tables, which are wanted now.
        self.storage.check_equal(array)
        if (beside / _TABLES).exists() and not (path / _TABLES).exists():
            (beside / _TABLES).rename(path / _TABLES)
            sync(path)
        shutil.rmtree(beside)
        return False


Storage = MemoryStorage | DirectoryStorage
"""Keeps the replications of one study: both have the same methods."""

Writer = MemoryStorage | DirectoryWriter
"""Keeps replications, each once all of its runs are over."""


def _check_tables(tables: Path, runs: Sequence[str]) -> None:
    if not all((tables / run).exists() for run in runs):
        raise StudyError(
            f"{tables.parent}: whoever made the runs did not write their tables there; the "
            "directory of a study that keeps tables must be one that all its workers share"
        )


@dataclass(frozen=True)
class Joined:
    """What one part brought."""

    directory: Path
    taken: tuple[int, ...]
    """Replications that were not there yet."""
    there: tuple[int, ...]
    """Those that were there already, with the same measures."""


def merge(out: str | Path, parts: Sequence[str | Path]) -> list[Joined]:
    """Join parts of one study into a directory: what each brought; parts stay as they are."""
    target, directories = Path(out), [Path(part) for part in parts]
    identities = [read_identity(directory) for directory in directories]
    for directory, identity in zip(directories, identities, strict=True):
        check_same(directory, identity, identities[0])
        check_lists(directory, identity)
    settle(target, identities[0], copies_in(directories[0]))
    with DirectoryStorage.at(target).writing() as writer:
        joined = []
        for directory in directories:
            part = DirectoryStorage.at(directory)
            is_new = {index: writer.adopt(part, index) for index in part.indexes()}
            taken = tuple(index for index, new in is_new.items() if new)
            there = tuple(index for index, new in is_new.items() if not new)
            joined.append(Joined(directory, taken, there))
    return joined
