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
from typing import TYPE_CHECKING, Any, Protocol

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
from outsim.studies.identity import REPLICATIONS, fingerprint, identity_of, read_identity, settle
from outsim.studies.run_array import KEYS, RunArray
from outsim.studies.runs import NONE, RunMeasures, VarianceReduction

if TYPE_CHECKING:
    import pandas as pd

_MEASURES, _SERIES, _TABLES = "measures.parquet", "series.parquet", "tables"
_CHECKSUMS, _WRITTEN_LAST = "checksums.json", "run.json"


class Writer(Protocol):
    """Keeps replications, each once all of its runs are over."""

    @property
    def keeps_series(self) -> bool:
        """Whether the platform's state minute by minute is kept."""

    def tables_of(self, replication: int, /) -> Path | None:
        """Directory that the tables of a replication's runs are written to; None if they go."""

    def write(self, replication: int, measured: Sequence[RunMeasures]) -> RunArray:
        """Keep a replication; tables are those in `tables_of`."""


class Storage(Protocol):
    """Keeps the replications of one study."""

    def indexes(self) -> list[int]:
        """Replications that are there, in order."""

    def runs(self, replication: int) -> RunArray:
        """Measures of the runs of a replication that is there."""

    def series(self, replication: int) -> pd.DataFrame:
        """The platform minute by minute: columns ``scenario``, ``at`` and the timeline's."""

    def tables(self, replication: int, scenario: int) -> dict[str, pd.DataFrame]:
        """Tables of one run by name, as `Result.tables` has them."""

    def writing(self) -> AbstractContextManager[Writer]:
        """Somebody who keeps replications; what is not whole by the end goes."""


class MemoryStorage:
    """Replications in this process; `keeps_series` costs memory for each minute of each run."""

    def __init__(self, keeps_series: bool = False) -> None:
        self.keeps_series = keeps_series
        self._runs: dict[int, RunArray] = {}
        self._series: dict[int, pd.DataFrame] = {}

    def indexes(self) -> list[int]:
        """Replications that are there, in order."""
        if self.keeps_series:
            return sorted(self._series)
        return sorted(self._runs)

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

    def writing(self) -> AbstractContextManager[Writer]:
        """The storage itself: it keeps what it is given."""
        return nullcontext(self)

    def tables_of(self, _replication: int) -> Path | None:
        """None: tables go."""
        return None

    def write(self, replication: int, measured: Sequence[RunMeasures]) -> RunArray:
        """Keep a replication."""
        found = self._runs[replication] = RunArray.of(measured)
        if (series := _series_of(measured)) is not None:
            self._series[replication] = series
        return found


def _series_of(measured: Sequence[RunMeasures]) -> pd.DataFrame | None:
    """Series of all scenarios, one below the other; None where no run has any."""
    import pandas as pd

    found = [
        each.series.reset_index().assign(scenario=each.scenario)
        for each in sorted(measured, key=lambda each: each.scenario)
        if each.series is not None
    ]
    return pd.concat(found) if found else None


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
        names = [each.name for each in measures]
        return cls(directory, len(scenarios), names, fingerprint(identity), keep_tables)

    @classmethod
    def at(cls, directory: str | Path) -> DirectoryStorage:
        """Directory that holds a study, whichever; refused if it holds none."""
        identity = read_identity(Path(directory))
        return cls(
            *(Path(directory), len(identity["names"]), identity["measures"], fingerprint(identity))
        )

    # Reading

    def indexes(self) -> list[int]:
        """Replications that are there, in order; where tables are kept, those that have them."""
        names = [path.name for path in (self.directory / REPLICATIONS).glob("[0-9]*")]
        numbers = sorted(
            int(name) for name in names if name.isdecimal() and _name(int(name)) == name
        )
        if not self._keep_tables:
            return numbers
        return [number for number in numbers if (self.path(number) / _TABLES).exists()]

    def runs(self, replication: int) -> RunArray:
        """Measures of a replication; refused, with what to remove, if it can't be read."""
        if replication not in self._read:
            path = self.path(replication)
            try:
                table = read_table(path, _MEASURES, self._files(path, replication))
                found = RunArray.of_table(table, self._measures, self._scenarios)
                if set(table["replication"]) != {replication}:
                    raise ValueError(f"it is of replication {found.index}")
            except (OSError, ValueError, TypeError) as error:
                raise StudyError(_unreadable(path / _MEASURES, path, error)) from None
            self._read[replication] = found
        return self._read[replication]

    def series(self, replication: int) -> pd.DataFrame:
        """The platform minute by minute; refused, with what to remove, if it can't be read."""
        path = self.path(replication)
        try:
            return read_table(path, _SERIES, self._files(path, replication))
        except (OSError, ValueError) as error:
            raise StudyError(_unreadable(path / _SERIES, path, error)) from None

    def tables(self, replication: int, scenario: int) -> dict[str, pd.DataFrame]:
        """Tables of one run by name; refused if they were not kept, or can't be read."""
        of_replication = self.path(replication)
        if not (of_replication / _TABLES).exists():
            raise StudyError(
                f"{of_replication}: has no tables; ask the study for them with --keep-tables, or "
                "run this replication by itself"
            )
        path = of_replication / _TABLES / str(scenario) / _WRITTEN_LAST
        try:
            files = self._files_of_run(replication, scenario)
            found = {}
            for path in (path.with_name(f"{name}.parquet") for name in TABLES):
                found[path.stem] = read_table(path.parent, path.name, files)
            return found
        except (OSError, ValueError) as error:
            raise StudyError(_unreadable(path, of_replication, error)) from None

    def _files_of_run(self, replication: int, scenario: int) -> dict[str, Any]:
        """Checksums of the files that a run's tables are in."""
        tables, run = self.path(replication) / _TABLES, f"{scenario}/{_WRITTEN_LAST}"
        read_file(tables, run, self._files(tables, replication))
        files: dict[str, Any] = read_checked(tables / run)[FILES]
        return files

    def check(self, replication: int) -> None:
        """Refuse a replication any file of which is changed, or gone."""
        directory = self.path(replication)
        path = directory / _MEASURES
        try:
            for name in (files := self._files(directory, replication)):
                path = directory / name
                read_file(directory, name, files)
            tables = directory / _TABLES
            for run in self._files(tables, replication) if tables.exists() else ():
                path = tables / run
                files = self._files_of_run(replication, int(path.parent.name))
                for name in files:
                    path = Path(tables, Path(run).parent, name)
                    read_file(tables / Path(run).parent, name, files)
        except (OSError, ValueError) as error:
            raise StudyError(_unreadable(path, directory, error)) from None

    def _files(self, directory: Path, replication: int) -> dict[str, Any]:
        """Checksums of the files in a directory, if they are of this study and replication."""
        try:
            found = read_checked(directory / _CHECKSUMS)
        except (OSError, ValueError) as error:
            why = (isinstance(error, OSError) and error.strerror) or error
            raise DamageError(f"{_CHECKSUMS} beside it: {why}") from None
        for name, wanted in (("study", self.study), ("replication", replication)):
            if found.get(name) != wanted:
                raise DamageError(
                    f"{_CHECKSUMS} beside it is of {name} {found.get(name)}, and not {wanted}"
                )
        files: dict[str, Any] = found[FILES]
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
        kept, made = (
            {tuple(row[key] for key in KEYS): row for row in each.table().to_dict("records")}
            for each in (self.runs(array.index), array)
        )
        # Either may have runs that the other could do without.
        for which in (key for key in made if key in kept):
            for name, value in made[which].items():
                # As they are written: so two that are missing (NaN) are the same.
                if repr(kept[which].get(name)) != repr(value):
                    raise StudyError(
                        f"{self.path(array.index)}: {name} of scenario {which[0]} is "
                        f"{kept[which].get(name)} there, and {value} in another run of this "
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
        """Keep a replication.

        Refused if the disk is full, tables that are to be kept are not there, or the directory
        holds this replication already, with other numbers.
        """
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
        """Copy a replication of another storage of the same study; False if it is here already.

        Refused if it can't be read or written, or is here with other numbers.
        """
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


def _check_tables(tables: Path, runs: Sequence[str]) -> None:
    if not all((tables / run).exists() for run in runs):
        raise StudyError(
            f"{tables.parent}: whoever made the runs did not write their tables there; the "
            "directory of a study that keeps tables must be one that all its workers share"
        )


def _unreadable(path: Path, directory: Path, error: Exception) -> str:
    return (
        f"{path}: can't be read ({error}); remove {directory}, and the study runs this "
        "replication again"
    )
