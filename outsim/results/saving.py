"""A result on the disk: its tables, where they come from, and the way back.

    run.json              scenario, seed, versions, rows of each table, checksums; written last
    calls.parquet ...     one file a table, as `outsim.results.tables.schema` describes it
    contacts/             contact lists of the scenario
    recorded.parquet      recorded attempts, where the tape had any

Reading makes records of the tables again and the plan of the scenario: nothing is run. Every
file must be the one that was written, and the calls that the plan tells of those of the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from outsim.clock import MISSING
from outsim.directories import (
    FILES,
    RUN,
    STUDY,
    checksums_of,
    read_document,
    read_file,
    read_table,
    refuse_other_kind,
    verify_checksum,
    with_checksum,
)
from outsim.disk import exclusive_lock, replace_file, resolve_links, temporary_directory
from outsim.engine.records import (
    ATTEMPT_TYPES,
    CALL_TYPES,
    DELIVERY_TYPES,
    MODEL_VERSION,
    REQUEST_TYPES,
    UPDATE_TYPES,
    Columns,
    Records,
    Types,
    shift,
)
from outsim.errors import ResultError, ScenarioError, TapeError
from outsim.plan import Plan, build_plan, build_submitted, of_own_discipline
from outsim.results.measures import DEFINITIONS
from outsim.results.run_arrays import RunArrays, origin_us_of
from outsim.results.tables.run_tables import RunTables
from outsim.results.tables.schema import TABLES, Array, Column
from outsim.scenario.contacts import ContactList
from outsim.scenario.difference import meaning
from outsim.scenario.loading import CONTACTS, lists_of, made_again, places_written, written
from outsim.scenario.model import Scenario
from outsim.scenario.provenance import assumptions
from outsim.tape import Tape
from outsim.vocabulary import OWN_DISCIPLINE

_Read = TypeVar("_Read")

RECORDED = "recorded.parquet"
SUBMITTED = "submitted"
"""In ``run.json``: campaigns that came while the run was under way, with their wedged calls."""
DISCIPLINE = "discipline"
"""In ``run.json``: the class of the user's that said who goes next."""
_SHAPE: dict[str, type] = {
    "scenario": dict,
    "means": dict,
    "written_in": list,
    "seed": int,
    "replication": int,
    "stratum": int,
    "mirrored": bool,
    "recorded": bool,
    "engine": str,
    "version": str,
    "ended": str,
    "rows": dict,
    FILES: dict,
}


@dataclass(frozen=True, eq=False)
class SavedRun:
    """What a directory holds of one run."""

    frames: RunTables
    tape: Tape
    engine: str
    version: str


def provenance(run: SavedRun) -> dict[str, Any]:
    """What is needed to make a run again, or to read it: what ``run.json`` holds."""
    arrays, tape = run.frames.run, run.tape
    scenario = arrays.scenario
    return (
        {
            "scenario": written(scenario),
            "means": meaning(scenario),
            "written_in": places_written(scenario),
            "seed": tape.seed,
            "replication": tape.replication,
            "stratum": tape.stratum,
            "mirrored": tape.is_mirrored,
            "recorded": bool(tape.recorded_campaigns),
            "engine": run.engine,
            "version": run.version,
            "assumptions": assumptions(scenario).to_dict(),
            "model_version": MODEL_VERSION,
            "definitions": DEFINITIONS,
            "ended": arrays.end.isoformat(),
            "rows": {name: len(run.frames[name]) for name in TABLES},
        }
        | _submitted(arrays.plan)
        | _own_discipline(arrays.plan)
    )


def _submitted(plan: Plan) -> dict[str, Any]:
    """Campaigns that were submitted while the run was under way, in order; nothing if none was."""
    late = [campaign for campaign in plan.campaigns if campaign.handed_in_us is not None]
    wedged = [np.flatnonzero(campaign.contacts.wedged).tolist() for campaign in late]
    said = [[*c.key, calls] for c, calls in zip(late, wedged, strict=True)]
    return {SUBMITTED: said} if said else {}


def _own_discipline(plan: Plan) -> dict[str, Any]:
    """The discipline of the user's by which the queue went; nothing if it was the scenario's."""
    is_own = plan.platform.discipline is OWN_DISCIPLINE
    return {DISCIPLINE: plan.platform.queue.partition(" ")[2]} if is_own else {}


def save(run: SavedRun, directory: Path) -> Path:
    """Write a run into a directory; see `Result.save`."""
    check_directory(directory)
    with temporary_directory(resolve_links(directory)) as room:
        places = lists_of([run.frames.run.scenario])
        for place, contacts in places.items():
            (room / place).parent.mkdir(exist_ok=True)
            _copy(contacts, room / place)
        tables = {f"{name}.parquet": run.frames[name] for name in TABLES}
        recorded = run.tape.recorded_table
        if recorded is not None:
            tables[RECORDED] = recorded
        for name, table in tables.items():
            table.to_parquet(room / name, index=False)
        names = [*map(Path.as_posix, places), *tables]
        about = provenance(run) | {FILES: checksums_of(room, names)}
        (room / RUN).write_text(with_checksum(about), encoding="utf-8")
        # There is room for all of it. What stands there from now on is no whole result until
        # the last file is in its place.
        with exclusive_lock(directory, patience_s=_PATIENCE_S):
            (directory / RUN).unlink(missing_ok=True)
            if recorded is None:
                (directory / RECORDED).unlink(missing_ok=True)
            for name in [*names, RUN]:
                (directory / name).parent.mkdir(exist_ok=True)
                replace_file(room / name, directory / name)
    return directory


_PATIENCE_S = 30.0
"""Time after which a process no longer waits for another one that saves to the same place."""


def check_directory(directory: Path) -> None:
    """Find out whether a result can be saved in a directory, which is made if it is not there."""
    place = resolve_links(directory)
    refuse_other_kind(RUN, place, ResultError)
    place.mkdir(parents=True, exist_ok=True)
    with TemporaryFile(dir=place):
        pass


def _copy(contacts: ContactList, beside: Path) -> None:
    try:
        contacts.copy_to(beside)
    except FileNotFoundError:
        raise ResultError(
            f"{contacts.path}: is gone, and a result keeps a copy of it; put the contact list back"
        ) from None


def read(directory: str | Path) -> SavedRun:
    """Read what `save` wrote; see `load_result`."""
    place = Path(directory)
    about = _about(place)
    for name in about[FILES]:
        if name.startswith(f"{CONTACTS}/"):
            _file(place, name, about, read_file)
    try:
        scenario = made_again(
            *(about["scenario"], about["means"], place, about["version"], about["written_in"])
        )
        ended_us = scenario.instant_us(datetime.fromisoformat(about["ended"]))
        tape = _tape(place, about)
        plan = _plan(scenario, tape, about)
    except (ScenarioError, TapeError, ValueError, KeyError, TypeError) as error:
        raise ResultError(f"{place / RUN}: {error}") from None
    tables = {name: _table(place, name, scenario, about) for name in TABLES}
    try:
        records = records_of(tables, plan, scenario.clock.begins, ended_us)
    except ValueError as error:
        raise ResultError(_damaged(place, error)) from None
    frames = RunTables(RunArrays(scenario, plan, records))
    _check_calls(place, tables["calls"], frames["calls"])
    return SavedRun(frames, tape, about["engine"], about["version"])


def _damaged(path: Path, why: object) -> str:
    return f"{path}: can't be read ({why}); restore it, or run the scenario again"


def _about(directory: Path) -> dict[str, Any]:
    """What ``run.json`` of a directory holds, once it is known to be usable."""
    if not directory.exists():
        raise ResultError(f"{directory}: no such directory; name one that outsim run --out wrote")
    if not directory.is_dir():
        raise ResultError(f"{directory}: is a file; name the directory that it stands in")
    if (directory / STUDY).exists():
        raise ResultError(
            f"{directory}: holds a study ({STUDY}), and not the result of one run; "
            "outsim.load_study reads it, and outsim report tells of it"
        )
    path = directory / RUN
    try:
        about = read_document(path)
    except FileNotFoundError:
        if any((directory / f"{name}.parquet").exists() for name in TABLES):
            raise ResultError(
                f"{directory}: has tables and no {RUN}, which is written last: whoever wrote it "
                "did not come to the end; run the scenario again"
            ) from None
        raise ResultError(
            f"{directory}: holds no result (there is no {RUN} in it); name a directory that "
            "outsim run --out wrote"
        ) from None
    except (OSError, ValueError) as error:
        raise ResultError(_damaged(path, error)) from None
    try:
        verify_checksum(about)
    except ValueError as error:
        raise ResultError(_damaged(path, error)) from None
    for key, ours, of in (
        ("model_version", MODEL_VERSION, "the model"),
        ("definitions", DEFINITIONS, "what its figures mean"),
    ):
        if about.get(key) != ours:
            raise ResultError(
                f"{path}: was written by outsim {about.get('version')} with version "
                f"{about.get(key)} of {of}, and this is {ours}: figures would differ. Run the "
                "scenario again, or read it with the outsim that wrote it; pandas.read_parquet "
                "reads the tables"
            )
    for key, kind in _SHAPE.items():
        if not isinstance(about.get(key), kind):
            raise ResultError(_damaged(path, f"it has no {key}"))
    return about


def _plan(scenario: Scenario, tape: Tape, about: dict[str, Any]) -> Plan:
    """What was run: the scenario, or a session in which some of its campaigns came later."""
    said = about.get(SUBMITTED)
    if said is None:
        plan = build_plan(scenario, tape)
        return of_own_discipline(plan, about[DISCIPLINE]) if DISCIPLINE in about else plan
    submitted = {(tenant, name): wedged for tenant, name, wedged in said}
    return build_submitted(scenario, tape, submitted)


def _tape(directory: Path, about: dict[str, Any]) -> Tape:
    """Random inputs that the result was made from."""
    seed, replication = about["seed"], about["replication"]
    if about["recorded"]:
        table = _file(directory, RECORDED, about, read_table)
        tape = Tape.from_table(table, seed=seed, replication=replication)
    else:
        tape = Tape(seed, replication)
    tape = tape.in_stratum(about["stratum"])
    return tape.mirrored() if about["mirrored"] else tape


def _file(
    directory: Path, name: str, about: dict[str, Any], read: Callable[[Path, str, object], _Read]
) -> _Read:
    """A file of the directory, as it was written."""
    path = directory / name
    try:
        return read(directory, name, about[FILES])
    except FileNotFoundError:
        raise ResultError(f"{path}: is gone; restore it, or run the scenario again") from None
    except (OSError, ValueError) as error:
        raise ResultError(_damaged(path, error)) from None


def _table(directory: Path, name: str, scenario: Scenario, about: dict[str, Any]) -> pd.DataFrame:
    """One table, once it is known to have the columns of its kind and all its rows."""
    path = directory / f"{name}.parquet"
    table = _file(directory, path.name, about, read_table)
    zone = scenario.clock.zone
    wanted = {
        column.name: f"datetime64[us, {zone}]" if column.kind == "instant" else column.dtype
        for column in TABLES[name]
    }
    types = {str(column): str(dtype) for column, dtype in table.dtypes.items()}
    for column in [*wanted, *types]:
        if wanted.get(column) != types.get(column):
            raise ResultError(
                _damaged(path, f"{column} is {types.get(column)}, and not {wanted.get(column)}")
            )
    if len(table) != about["rows"].get(name):
        raise ResultError(
            _damaged(path, f"it has {len(table)} rows, and not {about['rows'].get(name)}")
        )
    return table


def _check_calls(directory: Path, saved: pd.DataFrame, rebuilt: pd.DataFrame) -> None:
    """Refuse a table of calls that is not that of the scenario and the other tables."""
    for name in rebuilt.columns:
        ours, theirs = rebuilt[name].reset_index(drop=True), saved[name]
        if ours.dtype == "category":
            ours, theirs = ours.astype(object), theirs.astype(object)
        if not ours.equals(theirs):
            raise ResultError(
                f"{directory / 'calls.parquet'}: its {name} is not what the scenario in {RUN} and "
                "the other tables give; restore the directory, or run the scenario again"
            )


def records_of(
    tables: Mapping[str, pd.DataFrame], plan: Plan, begins: datetime, ended_us: int
) -> Records:
    """Records whose result tables, with their types, are these; ValueError where none can be."""
    origin_us = origin_us_of(begins)
    calls, updates = tables["calls"], tables["updates"]
    count = sum(campaign.size for campaign in plan.in_run(ended_us))
    for name, table in tables.items():
        if len(table) and not 0 <= table["call_id"].min() <= table["call_id"].max() < count:
            raise ValueError(f"{name} tells of calls that the scenario does not have")
    # The submissions come first, and are no records.
    changes = updates.iloc[len(calls) :]
    return Records(
        attempts=_columns("attempts", tables["attempts"], ATTEMPT_TYPES, origin_us),
        updates=_columns("updates", changes, UPDATE_TYPES, origin_us),
        deliveries=_columns("deliveries", tables["deliveries"], DELIVERY_TYPES, origin_us),
        calls=_calls(calls, plan, origin_us, ended_us),
        ended_us=ended_us,
        requests=_columns("requests", tables["requests"], REQUEST_TYPES, origin_us),
    )


def _columns(name: str, table: pd.DataFrame, types: Types, origin_us: int) -> Columns:
    shown = {column.record: column for column in TABLES[name]}
    return Columns(types, {key: _recorded(shown[key], table, origin_us) for key in types})


def _recorded(column: Column, table: pd.DataFrame, origin_us: int) -> Array:
    """Column of a table as it was recorded, in memory of its own."""
    values = table[column.name]
    if column.kind == "instant":
        instants = values.to_numpy(dtype="datetime64[us]", copy=True).view(np.int64)
        shift(instants, -origin_us)
        return instants
    if column.kind == "word":
        return _codes(values, column.words)
    return values.to_numpy(copy=True)


def _codes(values: pd.Series[str], words: Sequence[str]) -> Array:
    unknown = sorted(set(values.cat.categories) - set(words))
    if unknown:
        raise ValueError(f"{values.name} {unknown[0]!r} is none of: {', '.join(words)}")
    code_of = [*(words.index(word) for word in values.cat.categories), -1]
    return np.array(code_of, dtype=np.int8)[values.cat.codes]


def _calls(calls: pd.DataFrame, plan: Plan, origin_us: int, ended_us: int) -> Columns:
    """Records of all calls that the run tells of, those not handed in by its end included."""
    before = [*_before(plan, ended_us)]
    shown = {column.record: column for column in TABLES["calls"]}
    arrays = {
        "status": np.concatenate([np.empty(0, np.int8), *(status for status, _ in before)]),
        "attempts": np.concatenate([np.empty(0, np.int8), *(attempts for _, attempts in before)]),
    }
    arrays["final"] = np.full(len(arrays["status"]), MISSING)
    for key, array in arrays.items():
        array[calls["call_id"].to_numpy()] = _recorded(shown[key], calls, origin_us)
    return Columns(CALL_TYPES, arrays)


def _before(plan: Plan, ended_us: int) -> Iterator[tuple[Array, Array]]:
    """Status and attempts of each campaign's calls while nothing has happened to them."""
    for campaign in plan.in_run(ended_us):
        opening = campaign.opening
        none = np.zeros(campaign.size, np.int8)
        yield campaign.first_statuses, none if opening is None else opening.attempts
