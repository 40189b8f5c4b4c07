"""Golden traces: what was recorded of a run, as a small text that can be read in a review.

One row a line, values parted by commas. An instant is written as the microseconds since the one
before it in its row (the first since the run begins), empty where it is the same one, and ``-``
where it did not come. So what shifts by a constant changes one number in a row and not all.

Behind the records stands which rule acted, on what and how: instants as above, and a subject that
is the one before is left out.

The last line is a checksum of the others. Their ends don't count: version control may change them.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np

from outsim.clock import MISSING, NEVER
from outsim.directories import DamageError, checksum
from outsim.disk import atomic_write
from outsim.engine.readable.run import Run
from outsim.engine.records import (
    ATTEMPT_TYPES,
    CALL_TYPES,
    DELIVERY_TYPES,
    MODEL_VERSION,
    REQUEST_TYPES,
    UPDATE_TYPES,
    Columns,
    Note,
    Records,
    Types,
)
from outsim.errors import ScenarioError
from outsim.plan import CampaignPlan, Plan
from outsim.results.result import Result
from outsim.scenario.contacts import ContactList
from outsim.scenario.files import read_table_lines
from outsim.scenario.model import Scenario

KINDS: dict[str, Types] = {
    "attempts": ATTEMPT_TYPES,
    "updates": UPDATE_TYPES,
    "deliveries": DELIVERY_TYPES,
    "calls": CALL_TYPES,
    "requests": REQUEST_TYPES,
}

PLAIN_BYTES = 30_000
"""A trace that is larger is kept compressed."""


class CampaignRow(NamedTuple):
    """What a campaign is as the run begins; instants in µs since then."""

    tenant: str
    name: str
    background: bool
    size: int
    submitted: int
    start: int
    loading: int
    stop_requested: int | None
    stop_effect: int | None
    expires: int | None
    """None for never, as for stops."""
    windows: str
    """When its calling window opens and closes, for each of its lanes."""


class TraceError(ValueError):
    """A file that holds no trace."""


@dataclass(frozen=True, eq=False)
class Trace:
    """What is kept of a run."""

    records: Records
    campaigns: tuple[CampaignRow, ...]
    """In the order of their calls."""
    notes: tuple[Note, ...] = ()
    """Which rules acted, on what and how, in order; empty where nobody has asked."""
    run: dict[str, int | str] = field(default_factory=dict)
    """Which run it is: digests of what the scenario says and of all that it then has, seed,
    replication, model version."""


def trace_of(result: Result, *, notes: bool = False) -> Trace:
    """What is kept of a result; its run is made again on the readable engine for the notes."""
    scenario = _wherever_it_is(result.scenario)
    records = result.arrays.records
    return Trace(
        records,
        tuple(_campaign(plan) for plan in result.arrays.plan.in_run(records.ended_us)),
        notes_of(result.arrays.plan) if notes else (),
        {
            "scenario": _digest(scenario.model_dump_json(exclude_unset=True)),
            "with_defaults": _digest(scenario.model_dump_json()),
            "seed": result.seed,
            "replication": result.replication,
            "model": MODEL_VERSION,
        },
    )


def notes_of(plan: Plan) -> tuple[Note, ...]:
    """Which rules act in a run of a plan."""
    run = Run(plan, notes=True)
    run.finish()
    return tuple(run.notes)


def _wherever_it_is(scenario: Scenario) -> Scenario:
    """A scenario whose contact lists are named by what stands in them, not by their paths."""
    campaigns = [
        campaign
        if campaign.contact_list is None
        else campaign.model_copy(update={"contact_list": _by_content(campaign.contact_list)})
        for campaign in scenario.campaign
    ]
    return scenario.model_copy(update={"campaign": campaigns}) if campaigns else scenario


def _by_content(contacts: ContactList) -> ContactList:
    # By its text: if the model reads the same text otherwise now, a rule has moved.
    hashed = sha256()
    try:
        for line in read_table_lines(contacts.path):
            hashed.update(line.rstrip("\r\n").encode() + b"\n")
    except ScenarioError:
        # The file is gone, or there never was one.
        return replace(contacts, path=Path(contacts.digest))
    return replace(contacts, path=Path(hashed.hexdigest()))


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]


def _campaign(plan: CampaignPlan) -> CampaignRow:
    rules = plan.rules
    windows = (" ".join(f"{opens}..{closes}" for opens, closes in spans) for spans in rules.window)
    return CampaignRow(
        plan.tenant,
        plan.name,
        plan.background,
        plan.size,
        plan.submitted_us,
        plan.start_us,
        plan.loading_us,
        _unless_never(rules.stop_requested_us),
        _unless_never(rules.stop_effect_us),
        _unless_never(rules.expires_us),
        "; ".join(windows),
    )


def _unless_never(at: int) -> int | None:
    return None if at == NEVER else at


def write(trace: Trace, path: Path) -> Path:
    """Keep a trace; a larger one goes, compressed, into ``path`` with ``.xz`` behind it.

    Raises
    ------
    OSError
        If it can't be written: then what was kept is still there.
    """
    text = sealed("\n".join(_lines(trace)))
    packed = path.with_name(path.name + ".xz")
    path.parent.mkdir(parents=True, exist_ok=True)
    place, other = (path, packed) if len(text) <= PLAIN_BYTES else (packed, path)
    data = text.encode() if place is path else lzma.compress(text.encode(), preset=9)
    with atomic_write(place) as beside:
        beside.write_bytes(data)
    other.unlink(missing_ok=True)
    return place


_CHECKSUM = "\nchecksum "


def sealed(text: str) -> str:
    """A trace with its checksum behind it."""
    return f"{text}{_CHECKSUM}{checksum(text.encode())}\n"


def _unsealed(text: str) -> str:
    """A trace without its checksum, once that is known to be its own."""
    body, mark, stated = text.replace("\r\n", "\n").rstrip("\n").rpartition(_CHECKSUM)
    if not mark:
        raise DamageError("it has no checksum: it is cut, or was written by an earlier outsim")
    actual = checksum(body.encode())
    if actual != stated:
        raise DamageError(
            f"its checksum is {actual}, and it says {stated[:40]}: it was changed after it was "
            "written"
        )
    return body


def kept_at(path: Path) -> Path | None:
    """The file that a trace is in, as `write` chose it; None if there is none."""
    packed = path.with_name(path.name + ".xz")
    return next((file for file in (path, packed) if file.exists()), None)


def read(path: Path) -> Trace:
    """Read a trace.

    Raises
    ------
    TraceError
        If the file holds none.
    """
    try:
        raw = path.read_bytes()
        text = lzma.decompress(raw) if path.suffix == ".xz" else raw
        return _trace(_unsealed(text.decode()).split("\n"))
    except (ValueError, OSError, lzma.LZMAError, KeyError, IndexError, TypeError) as error:
        raise TraceError(
            f"{path}: holds no trace that can be read ({error}); write it anew with "
            "--update-golden, or take it from version control again"
        ) from None


def _lines(trace: Trace) -> Iterator[str]:
    yield "run " + json.dumps(trace.run | {"ended": trace.records.ended_us})
    for campaign in trace.campaigns:
        yield "campaign " + json.dumps(campaign, ensure_ascii=False)
    for kind, types in KINDS.items():
        columns: Columns = getattr(trace.records, kind)
        if kind == "requests" and not columns.rows:
            continue  # nothing limits intake
        yield f"{kind} {columns.rows} {','.join(types)}"
        rows = zip(*(columns[name].tolist() for name in types), strict=True)
        yield from (_line(types, row) for row in rows)
    yield f"notes {len(trace.notes)} at,rule,subject,what"
    yield from _note_lines(trace.notes)


def _line(types: Types, row: Iterable[int]) -> str:
    before, words = 0, []
    for dtype, value in zip(types.values(), row, strict=True):
        if dtype is not np.int64:
            words.append(str(value))
        elif value == MISSING:
            words.append("-")
        else:
            words.append(str(value - before) if value != before else "")
            before = value
    return ",".join(words)


def _note_lines(notes: Iterable[Note]) -> Iterator[str]:
    """A subject that is the one before is left out, as is an instant."""
    at, subject = 0, ""
    for note in notes:
        words = [note.subject if note.subject != subject else "", note.what]
        yield "\t".join([str(note.at - at) if note.at != at else "", str(note.rule), *words])
        at, subject = note.at, note.subject


def _notes(lines: Iterable[str]) -> Iterator[Note]:
    at, subject = 0, ""
    for line in lines:
        since, rule, whom, what = line.split("\t")
        at, subject = at + int(since or 0), whom or subject
        yield Note(at, int(rule), subject, what)


def _row(types: Types, line: str) -> list[int]:
    before, row = 0, []
    for dtype, word in zip(types.values(), line.split(","), strict=True):
        if dtype is not np.int64:
            row.append(int(word))
        elif word == "-":
            row.append(MISSING)
        else:
            before += int(word or 0)
            row.append(before)
    return row


def _trace(lines: list[str]) -> Trace:
    coming = iter(lines)
    word, _, rest = next(coming, "").partition(" ")
    if word != "run":
        raise ValueError("the first line does not name a run")
    run = dict(json.loads(rest))
    ended_us = int(run.pop("ended"))
    campaigns: list[CampaignRow] = []
    tables: dict[str, Columns] = {}
    notes: tuple[Note, ...] | None = None
    for line in coming:
        word, _, rest = line.partition(" ")
        if word == "campaign":
            campaigns.append(CampaignRow(*json.loads(rest)))
            continue
        count = int(rest.split(" ")[0])
        if word == "notes":
            notes = tuple(_notes(next(coming, "") for _ in range(count)))
            continue
        types = KINDS[word]
        rows = [_row(types, next(coming, "")) for _ in range(count)]
        values = np.array(rows, dtype=np.int64).reshape(count, len(types))
        tables[word] = Columns(types, {name: values[:, k] for k, name in enumerate(types)})
    records = Records(**tables, ended_us=ended_us)
    if notes is None:
        raise ValueError("it does not say which rules acted: an earlier outsim wrote it")
    return Trace(records, tuple(campaigns), notes, run)
