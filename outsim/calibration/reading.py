"""Read call logs of any format into one table."""

from __future__ import annotations

import csv
import hashlib
import re
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from outsim.calibration import records
from outsim.calibration.batches import NOT_TOLD, Batch, attempts_of
from outsim.calibration.convert import MISSING, NoZoneError
from outsim.calibration.lines import BLOCK, blocks, opened, parse, read, shown
from outsim.calibration.log import WORDS, CallLog, LogFile, Unreadable
from outsim.calibration.mapping import (
    ASTERISK,
    ASTERISK_COLUMNS,
    ASTERISK_MORE,
    FIELDS,
    Mapping,
    twilio,
)
from outsim.calibration.ordering import WINDOW_S, dials, repeats
from outsim.calibration.results import batch_of_result, is_result, zone_of_result
from outsim.quantities import is_zone
from outsim.scenario.files import refusal

Format = Literal["calls", "results", "asterisk", "twilio", "csv", "outsim"]
"""The platform's call log; its result_url records; Asterisk's cdr-csv; Twilio's export; any
delimited file with a mapping; a saved result of outsim's."""

SAMPLE = 64 * 1024
"""Bytes at the beginning of a file that its format is found by."""
_THREADS = 2
_WAITING = 4
"""Blocks that are read before the first of them is done."""


@dataclass(frozen=True)
class _Layout:
    """How a file is laid out: its format, its columns in order, and what they stand for."""

    format: Format
    mapping: Mapping
    names: tuple[str, ...] = ()
    delimiter: str = ","
    header: int = 0
    """Lines before the first row."""


def read_call_log(
    files: Sequence[str | Path],
    *,
    format: Format | None = None,  # noqa: A002 - the word that people know
    mapping: Mapping | None = None,
    zone: str | None = None,
) -> CallLog:
    """Read call logs into one table of attempts.

    Parameters
    ----------
    files : sequence of paths
        Logs, also several of one kind such as rotated ones, in any order; gzip is read as it is.
    format : optional
        Format of the files; default: found by how each begins.
    mapping : Mapping, optional
        What columns and words stand for, where the format does not say or says otherwise.
    zone : str, optional
        Time zone of times that say none, and of hours and weekdays.

    Raises
    ------
    ScenarioError
        If a file can't be read, its format is not known, the zone is missing or none, or no row
        can be used.
    """
    if zone is not None and not is_zone(zone):
        near = get_close_matches(zone, _zones(), n=1, cutoff=0.6)
        hint = f"did you mean {near[0]!r}?" if near else "write one such as 'America/New_York'"
        raise refusal("--zone", f"found {zone!r}, which is no time zone; {hint}")
    if format is not None and format not in get_args(Format):
        raise refusal("--format", f"found {format!r}; write one of {', '.join(get_args(Format))}")
    if not files:
        raise refusal("calibrate", "no file given")
    _check_twice(files)
    read_files = [_read_file(Path(name), format, mapping or Mapping(), zone) for name in files]
    if len({layout.mapping.last_only for layout, _, _ in read_files}) > 1:
        raise refusal(
            str(files[0]),
            "its rows are single attempts, those of another file last attempts; "
            "calibrate to one kind at a time",
        )
    zones = {zone_of_result(Path(name)) for name in files if is_result(Path(name))}
    return _joined(read_files, zone or (zones.pop() if len(zones) == 1 else None))


def _zones() -> list[str]:
    from zoneinfo import available_timezones

    return sorted(available_timezones())


def _check_twice(files: Sequence[str | Path]) -> None:
    for name, times in Counter(Path(name).resolve() for name in files).items():
        if times > 1:
            raise refusal(name, "is given twice; name each file once")


def _read_file(
    path: Path, format: Format | None, mapping: Mapping, zone: str | None
) -> tuple[_Layout, LogFile, list[Batch]]:
    layout = _layout(path, format, mapping)
    if layout.format == "outsim":
        batches = [batch_of_result(path)]
        digest = _digest(path / "attempts.parquet")
    else:
        try:
            with ThreadPoolExecutor(1) as hashing:
                made = hashing.submit(_digest, path)
                batches = list(_batches(path, layout, zone))
                digest = made.result()
        except NoZoneError:
            raise refusal(
                path,
                "its times say no time zone; give the zone of the machine that wrote them, "
                "such as --zone America/New_York",
            ) from None
    rows = sum(batch.rows for batch in batches)
    if not rows:
        raise refusal(path, "holds no rows; give a log with at least one")
    return layout, LogFile(str(path), layout.format, rows, digest), batches


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _layout(path: Path, format: Format | None, given: Mapping) -> _Layout:
    if format == "outsim" or (format is None and is_result(path)):
        if not is_result(path):
            raise refusal(path, "is no saved result; write one with outsim run --out DIRECTORY")
        return _Layout("outsim", Mapping())
    with opened(path) as stream:
        sample = read(stream, SAMPLE, path)
    if sample[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise refusal(path, "is UTF-16; save it as UTF-8")
    lines = [line for line in sample.decode("utf-8-sig", "replace").splitlines() if line.strip()]
    if not lines:
        raise refusal(path, "is empty; give a log with at least one row")
    if format is None and given.columns.keys() - {"answered_by"}:
        format = "asterisk" if _asterisk_fields(lines) else "csv"
    if format in (None, "calls", "results"):
        found = _platform_format(lines) or format
        if found in ("calls", "results"):
            is_log = found == "calls"
            if format not in (None, found):
                raise refusal(path, f"holds {_NAMES[found]}; leave out --format, or say {found}")
            basis = records.CALL_LOG if is_log else records.RESULTS
            return _checked(path, _Layout(found, given.over(basis), tuple(basis.wanted)))
    if format in (None, "asterisk") and (fields := _asterisk_fields(lines)):
        names = (*ASTERISK_COLUMNS, *ASTERISK_MORE)[:fields]
        basis = ASTERISK
        if "uniqueid" not in names:
            columns = {name: each for name, each in ASTERISK.columns.items() if name != "id"}
            basis = replace(ASTERISK, columns=columns)
        return _checked(path, _Layout("asterisk", given.over(basis), names))
    if format == "asterisk":
        raise refusal(
            path,
            "has no line of Asterisk's cdr-csv: 16 to 21 fields, a time in the tenth; "
            "the first line is " + shown(lines[0]),
        )
    return _with_header(path, format, given, lines[0])


_NAMES = {"calls": "the platform's call log", "results": "result_url records"}


def _platform_format(lines: list[str]) -> Format | None:
    for line in lines:
        text = line.strip()
        if text[:1] in ("{", "[") or re.match(r"\w+=[^&]*(&|$)", text):
            head = "".join(lines)
            if re.search(r'"log_id"|"dest"', head):
                return "calls"
            if re.search(r'"(attempts|result|status)"|\battempts=|\bcall_id=', head):
                return "results"
    return None


def _asterisk_fields(lines: list[str]) -> int:
    """Fields of a line of Asterisk's, as most lines have them; 0 if these are others."""
    counts = Counter(
        len(fields)
        for fields in csv.reader(lines[:200])
        if len(ASTERISK_COLUMNS) - 2 <= len(fields) <= len(ASTERISK_COLUMNS) + len(ASTERISK_MORE)
        and re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", fields[9])
    )
    return counts.most_common(1)[0][0] if counts else 0


def _with_header(path: Path, format: Format | None, given: Mapping, line: str) -> _Layout:
    delimiter = max(",;\t|", key=line.count)
    names = tuple(name.strip() for name in next(csv.reader([line], delimiter=delimiter)))
    basis = twilio(names) if format in (None, "twilio") else None
    if basis is not None:
        return _checked(path, _Layout("twilio", given.over(basis), names, delimiter, 1))
    if format == "twilio":
        raise refusal(
            path,
            "has no column of Twilio's export for one of: call SID, status, start time; "
            f"found {', '.join(names[:12])}",
        )
    if not given.columns:
        raise refusal(
            path,
            "is in no format that is known by its first lines. Say what its columns are: "
            "--columns started=NAME,outcome=NAME,talk_s=NAME (fields: "
            f"{', '.join(FIELDS)}). Columns found: {', '.join(names[:20])}",
        )
    return _checked(path, _Layout("csv", given, names, delimiter, 1))


def _checked(path: Path, layout: _Layout) -> _Layout:
    for name in layout.mapping.wanted:
        if name not in layout.names:
            near = get_close_matches(name, layout.names, n=1, cutoff=0.6)
            hint = f"did you mean {near[0]!r}?" if near else f"found {', '.join(layout.names)}"
            raise refusal(path, f"has no column {name!r}; {hint}")
    twice = [name for name, times in Counter(layout.names).items() if times > 1 and name]
    if set(twice) & set(layout.mapping.wanted):
        raise refusal(path, f"has two columns {twice[0]!r}; give each a name of its own")
    return layout


def _batches(path: Path, layout: _Layout, zone: str | None) -> Iterator[Batch]:
    """Batches of a file in its order, made in two threads."""
    if layout.format in ("calls", "results"):
        parsed = records.columns(path, layout.names, is_log=layout.format == "calls")
        yield from (attempts_of(each, layout.mapping, zone) for each in parsed)
        return
    # Unnamed and repeated columns need names too; nobody asks for them.
    names = [
        name if name and name not in layout.names[:k] else f"{name}\n{k}"
        for k, name in enumerate(layout.names)
    ]
    names_and_wanted = (names, layout.mapping.wanted, layout.delimiter)

    def made(block: bytes, line: int) -> Batch:
        return attempts_of(parse(block, line, *names_and_wanted), layout.mapping, zone)

    with ThreadPoolExecutor(_THREADS) as pool:
        waiting: deque[Future[Batch]] = deque()
        left = layout.header
        for line, block in blocks(path, BLOCK):
            while left and block:
                text, _, block = block.partition(b"\n")
                line += 1
                left -= bool(text.strip())
            if block:
                waiting.append(pool.submit(partial(made, block, line)))
            if len(waiting) > _WAITING:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _column(batches: list[Batch], name: str, missing: Any) -> np.ndarray[Any, Any] | None:
    """A field of all batches; None if no batch has it."""
    arrays = [getattr(batch, name) for batch in batches]
    known = next((array for array in arrays if array is not None), None)
    if known is None:
        return None
    sizes = [_size(batch) for batch in batches]
    filled = [
        np.full(size, missing, dtype=known.dtype) if array is None else array
        for size, array in zip(sizes, arrays, strict=True)
    ]
    return np.concatenate(filled)


def _size(batch: Batch) -> int:
    return next((len(each) for name in Batch.ARRAYS if (each := getattr(batch, name)) is not None), 0)


def _codes(batches: list[Batch], name: str) -> np.ndarray[Any, np.dtype[np.int32]] | None:
    """Codes of a text of all batches, in the order in which texts appear; -1 where there is none."""
    arrays = [getattr(batch, name) for batch in batches]
    if all(array is None for array in arrays):
        return None
    texts = [
        pa.nulls(_size(batch), pa.string()) if array is None else array
        for batch, array in zip(batches, arrays, strict=True)
    ]
    encoded = pa.chunked_array(texts, pa.string()).combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0) if encoded.num_chunks else pa.array([], pa.string())
    coded = pc.dictionary_encode(encoded)
    codes = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False)
    if name != "numbers":
        return np.asarray(codes, dtype=np.int32)
    plain = _national(coded.dictionary)
    again = pc.dictionary_encode(plain)
    of_number = pc.fill_null(again.indices, -1).to_numpy(zero_copy_only=False)
    return np.append(of_number, -1).astype(np.int32)[codes]


def _national(numbers: pa.Array) -> pa.Array:
    """Numbers however they are written, as one text each; missing where there is no digit."""
    single = pc.match_substring_regex(numbers, r"^(tel:)?\+?[0-9 ().-]+(;.*)?$")
    digits = pc.replace_substring_regex(numbers, r"^tel:|;.*$|[^0-9]", "")
    digits = pc.replace_substring_regex(digits, r"^1([0-9]{10})$", r"\1")
    plain = pc.if_else(single, digits, numbers)
    return pc.if_else(pc.match_substring_regex(plain, "[0-9]"), plain, None)


def _joined(
    read_files: list[tuple[_Layout, LogFile, list[Batch]]], zone: str | None
) -> CallLog:
    batches = [batch for _, _, each in read_files for batch in each]
    started = _column(batches, "started", MISSING)
    outcome = _column(batches, "outcome", NOT_TOLD)
    seconds = {
        name: _column(batches, name, np.nan)
        for name in ("ring_s", "talk_s", "attempt", "gap_s", "weight")
    }
    codes = {name: _codes(batches, name) for name in ("numbers", "campaigns", "keys")}
    left_out: Counter[str] = Counter()
    for batch in batches:
        left_out.update(batch.left_out)
    unreadable = tuple(
        Unreadable(file.name, *each)
        for _, file, of_file in read_files
        for batch in of_file
        for each in batch.unreadable
    )
    count = sum(map(_size, batches))
    if codes["keys"] is not None:
        twice = repeats(codes["keys"], started, outcome, codes["numbers"], *seconds.values())
        if twice.any():
            left_out["duplicate"] += int(twice.sum())
            kept = ~twice
            started, outcome = (None if a is None else a[kept] for a in (started, outcome))
            seconds = {name: None if a is None else a[kept] for name, a in seconds.items()}
            codes = {name: None if a is None else a[kept] for name, a in codes.items()}
            count = int(kept.sum())
    if not count:
        raise _nothing(read_files, unreadable, left_out)
    log = CallLog(
        pd.DataFrame(),
        zone,
        tuple(file for _, file, _ in read_files),
        unreadable,
        dict(left_out),
        last_only=read_files[0][0].mapping.last_only,
        notes=_notes({layout.format for layout, _, _ in read_files}, zone, outcome),
    )
    return _ordered(log, started, outcome, seconds, codes)


def _nothing(
    read_files: list[tuple[_Layout, LogFile, list[Batch]]],
    unreadable: tuple[Unreadable, ...],
    left_out: Counter[str],
) -> Exception:
    layout, file, _ = read_files[0]
    why = [f"{count:,} left out: {reason}" for reason, count in left_out.items()]
    if unreadable:
        first = unreadable[0]
        why.insert(
            0,
            f"{len(unreadable):,} can't be read; the first, line {first.line}: "
            f"found {first.found}; {first.allowed}",
        )
    return refusal(
        file.name, f"no row can be used, read as {layout.format}. " + "; ".join(why)
    )


def _ordered(
    log: CallLog,
    started: np.ndarray[Any, Any] | None,
    outcome: np.ndarray[Any, Any] | None,
    seconds: dict[str, np.ndarray[Any, Any] | None],
    codes: dict[str, np.ndarray[Any, Any] | None],
) -> CallLog:
    columns: dict[str, Any] = {}
    if started is not None:
        order = np.argsort(started, kind="stable")
        started = started[order]
        outcome = None if outcome is None else outcome[order]
        seconds = {name: None if a is None else a[order] for name, a in seconds.items()}
        codes = {name: None if a is None else a[order] for name, a in codes.items()}
        times = pd.Series(started.view("datetime64[us]")).where(started != MISSING)
        columns["started"] = times.dt.tz_localize("UTC")
    if outcome is not None:
        columns["outcome"] = pd.Categorical.from_codes(outcome, categories=list(WORDS))
    columns |= {name: seconds[name] for name in ("ring_s", "talk_s") if seconds[name] is not None}
    numbers = codes["numbers"]
    if numbers is not None:
        columns["number"] = numbers
    attempt, gap_s, derived = seconds["attempt"], seconds["gap_s"], False
    if attempt is None and numbers is not None and started is not None:
        campaigns = codes["campaigns"]
        found = dials(
            numbers,
            np.zeros(len(numbers), dtype=np.int32) if campaigns is None else campaigns,
            started,
            outcome,
        )
        derived = bool((found.attempt > 0).any())
        if derived:
            columns["attempt"] = found.attempt
            columns["gap_s"] = found.gap_s if gap_s is None else gap_s
    else:
        if attempt is not None:
            columns["attempt"] = np.nan_to_num(attempt).astype(np.int32)
        if gap_s is not None:
            columns["gap_s"] = gap_s
    if seconds["weight"] is not None:
        columns["weight"] = np.nan_to_num(seconds["weight"], nan=1.0)
    notes = log.notes
    if derived:
        notes += (
            "attempts are counted by number: the next one of a call comes within "
            f"{WINDOW_S // 86_400} days of one that was not answered",
        )
    frame = pd.DataFrame(columns, copy=False)
    return replace(log, table=frame, attempts_derived=derived, notes=notes)


def _notes(
    formats: set[Format], zone: str | None, outcome: np.ndarray[Any, Any] | None
) -> tuple[str, ...]:
    notes = []
    if "asterisk" in formats:
        notes.append(
            "Asterisk's FAILED is read as invalid; unless cdr.conf says congestion = yes it is "
            "written for congestion too (--outcome FAILED=congestion reads it so)"
        )
    if "twilio" in formats:
        notes.append("Twilio's failed is read as invalid: most likely the number does not exist")
    if outcome is None:
        notes.append("the log does not say what became of calls: no outcome can be fitted")
    elif WORDS.index("answered") in outcome:
        notes.append("the log does not always tell persons from machines")
    if zone is None:
        notes.append("no time zone is given: hours and weekdays can't be fitted")
    return tuple(notes)
