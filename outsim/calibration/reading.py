"""Read call logs of any format into one table."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pyarrow as pa

from outsim.calibration import records
from outsim.calibration.joining import joined
from outsim.calibration.layout import Format, Layout, layout_of
from outsim.calibration.lines import BLOCK, blocks, parse
from outsim.calibration.log import Batch, CallLog, LogFile, ReadFile
from outsim.calibration.mapping import WORDS, Mapping
from outsim.calibration.rows import attempts_of
from outsim.calibration.sources import Frame, columns_of, frame_of, is_result
from outsim.calibration.times import MISSING, NoZoneError, seconds_between
from outsim.calibration.values import Evidence, Micros, Style, notes_of, style_of
from outsim.directories import inside
from outsim.scenario.files import refusal
from outsim.units import is_zone, near_zone
from outsim.vocabulary import ANSWERED, OUTCOMES

_THREADS = 2
_WAITING = 4
"""Blocks that are read before the first of them is done."""


def read_call_log(
    logs: str | Path | pd.DataFrame | Sequence[str | Path | pd.DataFrame],
    *,
    format: Format | None = None,
    mapping: Mapping | None = None,
    zone: str | None = None,
    callee_zone: str | None = None,
) -> CallLog:
    """Read call logs, files or DataFrames, into one table of attempts."""
    for option, value in (("--zone", zone), ("--callee-zone", callee_zone)):
        if value is not None and not is_zone(value):
            near = near_zone(value)
            hint = f"did you mean {near!r}?" if near else "write one such as 'America/New_York'"
            raise refusal(option, f"found {value!r}, which is not a time zone; {hint}")
    if format is not None and format not in get_args(Format):
        raise refusal("--format", f"found {format!r}; write one of {', '.join(get_args(Format))}")
    sources = [*_sources([logs] if isinstance(logs, str | Path | pd.DataFrame) else logs)]
    read_files = [_read(source, format, mapping or Mapping(), zone) for source in sources]
    if len({read.mapping.last_only for read in read_files}) > 1:
        raise refusal(
            sources[0],
            "its rows are single attempts, those of another file last attempts; "
            "calibrate to one kind at a time",
        )
    zones = {_zone_of_result(Path(str(source))) for source in sources if is_result(source)}
    return joined(read_files, zone or (zones.pop() if len(zones) == 1 else None), callee_zone)


def _sources(logs: Sequence[str | Path | pd.DataFrame]) -> Iterator[Path | Frame]:
    if not logs:
        raise refusal("calibrate", "no file given")
    files = [Path(log) for log in logs if not isinstance(log, pd.DataFrame)]
    for file, times in Counter(path.resolve() for path in files).items():
        if times > 1:
            raise refusal(file, "is given twice; name each file once")
    for k, log in enumerate(logs, 1):
        name = "DataFrame" if len(logs) == 1 else f"DataFrame {k}"
        yield frame_of(log, name) if isinstance(log, pd.DataFrame) else Path(log)


def _read(
    source: Path | Frame, format: Format | None, mapping: Mapping, zone: str | None
) -> ReadFile:
    layout = layout_of(source, format, mapping)
    notes: list[str] = []
    try:
        if layout.format == "outsim" and isinstance(source, Path):
            batches, digest = [_batch_of_result(source)], _digest(source / "attempts.parquet")
        else:
            with ThreadPoolExecutor(1) as hashing:
                made = hashing.submit(_digest, source)
                batches, notes = _whole(source, layout, zone)
                digest = made.result()
    except NoZoneError:
        raise refusal(
            source,
            "its times say no time zone; give the zone of the machine that wrote them, such as "
            "--zone America/New_York",
        ) from None
    rows = sum(batch.rows for batch in batches)
    if not rows:
        raise refusal(source, "holds no rows; give a log with at least one")
    file = LogFile(str(source), layout.format, rows, digest)
    return ReadFile(file, layout.mapping, batches, tuple(notes))


def _whole(
    source: Path | Frame, layout: Layout, zone: str | None
) -> tuple[list[Batch], list[str]]:
    """All batches of a file, read again if later values tell of another style; and notes."""
    style = Style()
    evidence: dict[str, Evidence] = {}
    while True:
        batches: list[Batch] = []
        for batch in _batches(source, layout, zone, style):
            batches.append(batch)
            for target, more in batch.evidence.items():
                evidence.setdefault(target, Evidence()).add(more)
            if len(batches) == 1 and style_of(evidence, zone) != style:
                break
        else:
            if style_of(evidence, zone) == style:
                break
        style = style_of(evidence, zone)
    columns = {target: "+".join(names) for target, names in layout.mapping.columns.items()}
    return batches, [*notes_of(evidence, style, columns), *_notes_of_missed(batches)]


def _notes_of_missed(batches: Sequence[Batch]) -> Iterator[str]:
    """What values can't be read, by column; their rows are used all the same."""
    missed: dict[str, list[tuple[int, int, str]]] = {}
    for column, size, line, text in (miss for batch in batches for miss in batch.missed):
        missed.setdefault(column, []).append((size, line, text))
    for column, parts in missed.items():
        count, (_, line, text) = sum(size for size, *_ in parts), parts[0]
        yield (
            f"{count:,} value{'s' if count != 1 else ''} of {column} can't be read and "
            f"{'are' if count != 1 else 'is'} taken as missing; the first, line {line}: "
            f"found {text}"
        )


def _digest(source: Path | Frame) -> str:
    if isinstance(source, Frame):
        return source.sha256
    with source.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _batches(
    source: Path | Frame, layout: Layout, zone: str | None, style: Style
) -> Iterator[Batch]:
    """Batches of a file in its order, made in two threads."""
    mapping = layout.mapping
    if layout.kind == "tables" or isinstance(source, Frame):
        parsed = columns_of(source, mapping.wanted)
        yield from (attempts_of(rows, mapping, zone, style) for rows in parsed)
        return
    if layout.kind == "records":
        kind = layout.format if layout.format in ("calls", "results") else "other"
        parsed = records.columns(source, mapping.wanted, kind)
        yield from (attempts_of(rows, mapping, zone, style) for rows in parsed)
        return

    def made(block: bytes, line: int) -> Batch:
        rows = parse(block, line, layout.shape, mapping.wanted)
        return attempts_of(rows, mapping, zone, style)

    with ThreadPoolExecutor(_THREADS) as pool:
        waiting: deque[Future[Batch]] = deque()
        for line, block in blocks(source, BLOCK):
            while line <= layout.skipped and block:
                _, _, block = block.partition(b"\n")
                line += 1
            if block:
                waiting.append(pool.submit(partial(made, block, line)))
            if len(waiting) > _WAITING:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


# Saved results, of known truth

_NO_ANSWER = OUTCOMES.index("no_answer")
_NEEDED = (
    *("campaign", "tenant", "number", "attempt", "outcome"),
    *("dialed_at", "ringing_at", "answered_at", "ended_at"),
)


def _zone_of_result(path: Path) -> str:
    """Time zone of a saved result's scenario."""
    try:
        zone = json.loads(inside(path, "run.json").read_text())["scenario"]["clock"]["zone"]
    except (ValueError, KeyError, TypeError, OSError):
        raise refusal(path / "run.json", "is no provenance of a saved result") from None
    return str(zone)


def _batch_of_result(path: Path) -> Batch:
    """Attempts of a saved result that are over; their rings begin with the first ring."""
    try:
        table = pd.read_parquet(inside(path, "attempts.parquet"), columns=list(_NEEDED))
    except (OSError, ValueError, KeyError) as error:
        raise refusal(path / "attempts.parquet", f"can't be read: {error}") from None
    batch = Batch(len(table))
    is_dialed, is_over = table["dialed_at"].notna(), table["ended_at"].notna()
    batch.left_out["not dialed"] = int((~is_dialed).sum())
    batch.left_out["not over"] = int((is_dialed & ~is_over).sum())
    batch.left_out += Counter()
    table = table[is_dialed & is_over]
    codes = pd.Categorical(table["outcome"], categories=list(WORDS)).codes.astype(np.int8)
    answered, gave_up = np.isin(codes, ANSWERED), codes == _NO_ANSWER
    dialed, ringing, answer, end = (
        _micros(table[f"{name}_at"]) for name in ("dialed", "ringing", "answered", "ended")
    )
    rung = np.where(answered, seconds_between(ringing, answer), seconds_between(ringing, end))
    batch.columns = {
        "started": dialed,
        "outcome": codes,
        "ring_s": np.where(answered | gave_up, rung, np.nan),
        "talk_s": np.where(answered, seconds_between(answer, end), np.nan),
        "attempt": table["attempt"].to_numpy(dtype=np.float64),
        "numbers": pa.array(table["number"].astype(str)),
        "campaigns": pa.array(table["tenant"].astype(str) + "/" + table["campaign"].astype(str)),
        "tenants": pa.array(table["tenant"].astype(str)),
    }
    return batch


def _micros(column: pd.Series[Any]) -> Micros:
    times = column.dt.tz_convert("UTC").astype("datetime64[us, UTC]")
    micros = np.where(times.isna(), MISSING, times.astype("int64"))
    return np.asarray(micros, dtype=np.int64)
