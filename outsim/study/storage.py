"""A directory in which a study keeps each replication, whole or not at all.

    study.json                        what was run: scenarios, seed, version of the model
    replications/000012/figures.parquet   one row a scenario
    replications/000012/series.parquet    one row a scenario and minute
    replications/000012/tables/0/         tables of the first scenario's run, if they are kept

A replication is written beside its place, flushed to the disk and then renamed: where
it stands, all of it does, whatever was killed when. Two studies may write to one
directory at once: what both have made is the same.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from outsim.engine.records import MODEL_VERSION
from outsim.errors import StudyError
from outsim.scenario.difference import meaning
from outsim.scenario.model import Scenario
from outsim.study.members import NOTHING, Member, Switches
from outsim.study.replications import Figures
from outsim.tables.measures import Measure

if TYPE_CHECKING:
    import pandas as pd

_STUDY, _REPLICATIONS = "study.json", "replications"
_FIGURES, _SERIES, _TABLES = "figures.parquet", "series.parquet", "tables"
_OWN = ("place", "replication", "stratum", "mirrored", "attempts", "background_share")
"""Columns of the figures that are no measures."""
_CONTROL = "control: "
"""What the column of a control begins with; they are the last ones."""

Kept = dict[int, tuple[Figures, ...]]
"""Figures of each scenario, by replication."""


class Store:
    """The directory of one study; made if it is not there.

    Raises
    ------
    StudyError
        If the directory can't be used, or holds another study: the message says what differs.
    """

    def __init__(
        self,
        directory: Path,
        scenarios: Sequence[Scenario],
        seed: int,
        measures: Sequence[Measure],
        keep_tables: bool = False,
        switches: Switches = NOTHING,
    ) -> None:
        self.directory = directory
        self._scenarios = len(scenarios)
        self._measures = [measure.name for measure in measures]
        self._keep_tables = keep_tables
        identity = {
            "model_version": MODEL_VERSION,
            "seed": seed,
            "measures": self._measures,
            "names": [scenario.name for scenario in scenarios],
            "scenarios": [meaning(scenario) for scenario in scenarios],
            "switches": switches.named,
        }
        with self._writing():
            (directory / _REPLICATIONS).mkdir(parents=True, exist_ok=True)
        if (directory / _STUDY).exists():
            self._compare(self._identity(), identity)
            return
        with self._writing():
            _write_whole(directory / _STUDY, json.dumps(identity, indent=2).encode() + b"\n")

    def _identity(self) -> dict[str, Any]:
        path = self.directory / _STUDY
        try:
            found = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise StudyError(
                f"{path}: can't be read ({error}); give another directory, or remove this one"
            ) from None
        if not isinstance(found, dict):
            raise StudyError(f"{path}: is no study; give another directory")
        return found

    def _compare(self, found: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
        """Refuse a directory that holds another study, and say what differs."""
        told = [*_differences(found, asked)]
        if told:
            shown = "\n".join(f"  {each}" for each in told[:_TOLD])
            more = f"\n  and {len(told) - _TOLD} more" if len(told) > _TOLD else ""
            raise StudyError(
                f"{self.directory}: holds another study:\n{shown}{more}\n"
                "give another directory, or ask for what is in this one"
            )

    # Replications

    def read(self) -> Kept:
        """Replications that are there.

        Raises
        ------
        StudyError
            If one of them can't be read; the message says what to remove.
        """
        places = sorted((self.directory / _REPLICATIONS).glob("[0-9]*"))
        return {int(place.name): self._read(place) for place in places}

    def _read(self, place: Path) -> tuple[Figures, ...]:
        import pandas as pd

        try:
            rows = pd.read_parquet(place / _FIGURES)
            controls = [name for name in rows.columns if name.startswith(_CONTROL)]
            columns = [*_OWN, *self._measures, *controls]
            if list(rows.columns) != columns:
                raise ValueError(f"its columns are {', '.join(map(str, rows.columns))}")
            if sorted(set(rows["place"])) != [*range(self._scenarios)]:
                raise ValueError(f"{len(set(rows['place']))} scenarios, and not {self._scenarios}")
            if rows.groupby("place").size().nunique() != 1:
                raise ValueError("its scenarios have not equally many runs")
            if set(rows["replication"]) != {int(place.name)}:
                raise ValueError(f"it is of replication {set(rows['replication'])}")
        except (OSError, ValueError) as error:
            raise StudyError(
                f"{place / _FIGURES}: can't be read ({error}); remove {place}, and the "
                "replication is run again"
            ) from None
        return tuple(
            Figures(
                place=int(row["place"]),
                replication=int(row["replication"]),
                measures={name: float(row[name]) for name in self._measures},
                attempts=int(row["attempts"]),
                background_share=float(row["background_share"]),
                member=Member(int(row["stratum"]), bool(row["mirrored"])),
                controls={
                    name.removeprefix(_CONTROL): float(row[name])
                    for name in controls
                    if not pd.isna(row[name])
                },
            )
            for row in rows.to_dict("records")
        )

    def series(self, replication: int) -> pd.DataFrame:
        """The platform minute by minute: columns ``place``, ``at`` and those of the timeline."""
        import pandas as pd

        return pd.read_parquet(self._place(replication) / _SERIES)

    def tables_of(self, replication: int) -> Path | None:
        """Directory that the tables of a replication's runs are written to; None if they go."""
        if not self._keep_tables:
            return None
        with self._writing():
            return Path(mkdtemp(prefix=f".tables-{replication:06d}-", dir=self.directory))

    def write(
        self, replication: int, figures: Sequence[Figures], tables: Path | None = None
    ) -> None:
        """Keep a replication: all of it is there from one instant to the next."""
        import pandas as pd

        rows = pd.DataFrame(
            [
                {"place": each.place, "replication": each.replication}
                | each.member._asdict()
                | {"attempts": each.attempts, "background_share": each.background_share}
                | each.measures
                | {f"{_CONTROL}{name}": value for name, value in each.controls.items()}
                for each in figures
            ]
        )
        with self._writing():
            beside = Path(mkdtemp(prefix=f".{replication:06d}-", dir=self.directory))
            try:
                rows.to_parquet(beside / _FIGURES, index=False)
                series = [
                    each.series.reset_index().assign(place=each.place)
                    for each in figures
                    if each.series is not None
                ]
                if series:
                    pd.concat(series).to_parquet(beside / _SERIES, index=False)
                if tables is not None:
                    tables.rename(beside / _TABLES)
                for path in beside.rglob("*"):
                    _flush(path)
                self._put(beside, self._place(replication))
            finally:
                shutil.rmtree(beside, ignore_errors=True)

    def _put(self, beside: Path, place: Path) -> None:
        try:
            beside.rename(place)
        except OSError:
            if not place.exists():
                raise
            return  # another study was quicker, and has made the same
        _flush(place.parent)

    def _place(self, replication: int) -> Path:
        return self.directory / _REPLICATIONS / f"{replication:06d}"

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Tell of a disk that is full, or that nothing can be written to."""
        try:
            yield
        except OSError as error:
            raise StudyError(
                f"{self.directory}: can't be written to ({error.strerror or error}); what is "
                "there already is whole: make room, or give another directory, and ask again"
            ) from None


_TOLD = 8
"""Differences that a message lists."""


def _differences(found: Mapping[str, Any], asked: Mapping[str, Any]) -> Iterator[str]:
    for key in ("model_version", "seed", "names", "measures", "switches"):
        if found.get(key) != asked[key]:
            yield f"{key}: {found.get(key)}, and not {asked[key]}"
    for name, left, right in zip(
        asked["names"], found.get("scenarios", []), asked["scenarios"], strict=False
    ):
        for key in dict.fromkeys((*left, *right)):
            there, here = left.get(key, "not there"), right.get(key, "not there")
            # A part that is not there is told once, and not key by key.
            inside = any(key.startswith(f"{part}.") for part in set(left) ^ set(right))
            if there != here and not inside:
                yield f"{name}: {key}: {there}, and not {here}"


def _write_whole(path: Path, text: bytes) -> None:
    """Write a file beside its place, and put it there whole."""
    beside = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        beside.write_bytes(text)
        _flush(beside)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    _flush(path.parent)


def _flush(path: Path) -> None:
    """Have a file, or what a directory lists, on the disk before anything else happens."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
