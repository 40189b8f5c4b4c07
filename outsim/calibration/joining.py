"""Batches of attempts of several files put together, in the order of time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from outsim.calibration import calls, log, times
from outsim.calibration.evidence import notes_of, units_s
from outsim.calibration.log import Batch, CallLog, Columns, ReadFile, Unreadable
from outsim.calibration.mapping import ANSWERED_CODES, WORDS
from outsim.calibration.times import MISSING
from outsim.calibration.values import Array, Flags, Floats, Integers
from outsim.errors import ScenarioError
from outsim.scenario.files import refusal
from outsim.text import visible


def joined(
    read_files: Sequence[ReadFile], zone: str | None, callee_zone: str | None = None
) -> CallLog:
    """Call log of the batches of some files: each dial once, attempts counted."""
    left_out: Counter[str] = Counter()
    unreadable: list[Unreadable] = []
    for read in read_files:
        for batch in read.batches:
            left_out.update(batch.left_out)
            unreadable += [Unreadable(read.file.name, *row) for row in batch.unreadable]
    attempts = _Joined(read_files, left_out, zone)
    if attempts.size:
        attempts.join()
    if not attempts.size:
        raise _nothing(read_files[0], unreadable, left_out)
    columns = attempts.columns
    last_only = read_files[0].mapping.last_only
    if not last_only and _has_only_talks(read_files, columns):
        del columns["outcome"]
    notes = list(dict.fromkeys(text for read in read_files for text in read.notes))
    notes += notes_of(read_files, columns, zone, callee_zone)
    notes += attempts.notes
    if "started" in columns:
        order = np.argsort(columns["started"], kind="stable")
        columns = {name: array[order] for name, array in columns.items()}
    owner = "campaigns" if "campaigns" in columns else attempts.owner
    derived = "attempt" not in columns and _count_dials(columns, notes, owner)
    if derived:
        notes.append(
            "attempts are counted by number: the next one of a call comes within "
            f"{calls.WINDOW_S // 86_400} days of one that was not answered"
        )
    return CallLog(
        _table(columns),
        callee_zone or zone,
        tuple(read.file for read in read_files),
        tuple(unreadable),
        {reason: count for reason, count in left_out.items() if count},
        attempts_derived=derived,
        last_only=last_only,
        notes=tuple(notes),
        tenants=attempts.tenants,
    )


class _Joined:
    """Columns of all files, in their order, and what became of rows that are no dials."""

    def __init__(
        self, read_files: Sequence[ReadFile], left_out: Counter[str], zone: str | None
    ) -> None:
        self.left_out = left_out
        self.zone = zone
        self.notes: list[str] = []
        self.columns: Columns = {}
        self.tenants: tuple[str, ...] = ()
        self.owner: str | None = None
        """Column that attempts of one call agree in besides their number."""
        self._formats = {read.file.format for read in read_files}
        self._batches: list[Batch] = []
        seen: dict[str, str] = {}
        sizes = np.zeros(len(read_files), dtype=np.int64)
        for k, read in enumerate(read_files):
            rows = sum(batch.size for batch in read.batches)
            if read.file.sha256 in seen:
                left_out["duplicate"] += rows
                self.notes.append(
                    f"{read.file.name} is a copy of {seen[read.file.sha256]}: it counts once"
                )
                continue
            seen[read.file.sha256] = read.file.name
            self._batches += read.batches
            sizes[k] = rows
        self._file = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
        self._row = np.arange(len(self._file))
        own = np.array([read.file.format == "outsim" for read in read_files])
        self._is_own = own[self._file]

    @property
    def size(self) -> int:
        return len(self._file)

    def join(self) -> None:
        """Put the batches together, and leave out what is no dial of its own."""
        self.columns = log.columns_of(self._batches)
        self._tenants()
        self._resolve_repeated_hours()
        self._callees()
        self._without_repeats()
        self._legs()
        for name in ("keys", "calls", "others", "is_local"):
            self.columns.pop(name, None)
        self._units()

    def _keep(self, rows: Flags | Integers) -> None:
        self.columns = {name: array[rows] for name, array in self.columns.items()}
        self._file, self._row = self._file[rows], self._row[rows]
        self._is_own = self._is_own[rows]

    def _leave_out(self, at: Flags, reason: str) -> None:
        if at.any():
            self.left_out[reason] += int(at.sum())
            self._keep(~at)

    def _tenants(self) -> None:
        """Say whose each call is: by the log's customers, or the numbers that they call from."""
        callers = self.columns.pop("callers", None)
        known = self.columns.pop("tenants", None)
        if known is not None and (known >= 0).sum() >= LEAST_OF_TENANTS * self.size:
            name = self.owner = "tenants"
        elif callers is not None and calls.are_of_customers(callers):
            name, known = "callers", callers
        else:
            return
        self.columns["tenants"] = known
        names = log.codes_of(log.texts_of(self._batches, name))[1]
        self.tenants = tuple(map(visible, names.to_pylist()))

    def _resolve_repeated_hours(self) -> None:
        """Put instants of repeated hours right, and say which hours can't be."""
        columns = self.columns
        if "started" not in columns or "is_local" not in columns or self.zone is None:
            return
        has_ids = "keys" in columns
        columns["started"], repeated, skipped = times.resolve_repeated_hours(
            columns["started"],
            columns["is_local"],
            partial(self._epochs_s, self._row) if has_ids else None,
            self.zone,
        )
        if repeated:
            self.notes.append(
                f"{repeated:,} dials lie in the hour that clocks repeat; their ids or the order "
                "of rows tell which pass is meant"
            )
        if skipped:
            self.notes.append(
                f"{skipped:,} dials lie in the hour that clocks in {self.zone} skip: the log's "
                "times seem to be of another zone (--zone)"
            )
        if has_ids and not repeated:
            local = np.flatnonzero(columns["is_local"])
            local = local[:: len(local) // SAMPLE + 1]
            if times.are_universal(columns["started"][local], self._epochs_s(local), self.zone):
                self.notes.append(
                    f"by the seconds in their ids the log's times are UTC, not {self.zone}; if "
                    f"so, say --zone UTC --callee-zone {self.zone}"
                )

    def _epochs_s(self, rows: Integers) -> Floats:
        """Seconds since 1970 in the ids of some rows; missing where there are none."""
        return times.epochs_s(log.texts_at(self._batches, "keys", rows))

    def _callees(self) -> None:
        """Leave out dials to extensions, where others are to numbers."""
        if not log.has(self._batches, "numbers"):
            return
        codes, lost, is_short = calls.callee_codes_of(
            *log.codes_of(log.texts_of(self._batches, "numbers"))
        )
        self.columns["numbers"] = codes
        for reason, count in lost.items():
            self.notes.append(
                f"{count:,} numbers are {reason}: they are no callee's, and their attempts are "
                "not counted"
            )
        known = int((codes >= 0).sum())
        if not is_short.any():
            return
        if known - is_short.sum() >= LEAST_FULL * known:
            if "outsim" not in self._formats:
                self._leave_out(is_short, "dialed an extension or a short code")
        elif self._formats & {"asterisk", "twilio"}:
            self.columns["numbers"] = np.where(is_short, -1, codes).astype(np.int32)
            self.notes.append(
                f"{is_short.sum():,} dials are to extensions, such as a dialplan's that dials for "
                "others: they are no callees' numbers, and attempts are not counted by them"
            )

    def _without_repeats(self) -> None:
        columns = self.columns
        with_key = np.zeros(self.size, dtype=np.bool_)
        for name, field in (("keys", "id"), ("calls", "call")):
            if name not in columns:
                continue
            if calls.is_of_calls(columns[name]):
                with_key |= columns[name] >= 0
            elif (columns[name] >= 0).any():
                del columns[name]
                self.notes.append(
                    f"{field}: a few values stand for nearly all rows, so that it does not tell "
                    "calls apart; it is not used"
                )
        if "weight" in columns or "started" not in columns:
            self._leave_out(self._repeats(with_key), "duplicate")
            return
        others = ~with_key & (columns["started"] != MISSING) & ~self._is_own
        has_number = columns.get("numbers", np.full(self.size, -1)) >= 0
        twice = self._repeats(with_key | (others & has_number))
        if others.any() and not has_number.all():
            fields, among = self._fields(np.arange(self.size)), others & ~has_number
            twice |= calls.overlaps(fields, self._file, columns["started"], among)
        self._leave_out(twice, "duplicate")

    def _repeats(self, among: Flags) -> Flags:
        """Rows among some that agree with an earlier one of them in all that was read."""
        columns = self.columns
        codes = [columns[name] for name in ("keys", "calls", "numbers") if name in columns]
        rows = calls.recurring(among, codes, columns.get("started"))
        is_repeated = np.zeros(self.size, dtype=np.bool_)
        if len(rows):
            is_repeated[rows] = pd.DataFrame(dict(enumerate(self._fields(rows)))).duplicated()
        return is_repeated

    def _fields(self, rows: Integers) -> list[Array]:
        """Of some rows all that tells them apart."""
        others = ("is_local", "tenants")
        fields = {name: array[rows] for name, array in self.columns.items() if name not in others}
        if log.has(self._batches, "legs"):
            fields["legs"], _ = log.codes_of(
                [log.texts_at(self._batches, "legs", self._row[rows])]
            )
        return list(fields.values())

    def _legs(self) -> None:
        columns = self.columns
        keys, any_number = columns.get("keys"), False
        if keys is not None and "others" in columns:
            keys, any_number = calls.connected(keys, columns["others"]), True
        of_call = columns.get("calls")
        if of_call is not None and (of_call >= 0).any():
            beside = -1 if keys is None else np.where(keys >= 0, keys + of_call.max() + 1, -1)
            keys, any_number = np.where(of_call >= 0, of_call, beside).astype(np.int32), True
        if keys is None or "started" not in columns or "outcome" not in columns:
            return
        joined_legs = calls.legs(
            keys,
            columns.get("numbers"),
            columns["started"],
            _held_s(columns),
            columns["outcome"].astype(np.int8),
            columns.get("ring_s"),
            any_number=any_number,
        )
        more = self.size - len(joined_legs.first)
        if not more:
            return
        self.left_out["further leg of a call"] += more
        first = {name: columns[name][joined_legs.first] for name in _OF_FIRST if name in columns}
        self._keep(joined_legs.evidence)
        self.columns |= {**first, "started": joined_legs.started}
        self.notes.append(
            f"{more:,} rows are further legs of calls: records with one id are one dial, with the "
            "outcome of the leg that was answered"
        )

    def _units(self) -> None:
        columns = self.columns
        answered = _is_answered(columns, default=True)
        names = [name for name in ("ring_s", "talk_s") if name in columns]
        known: dict[str, Floats] = {
            name: np.where(answered, columns[name], np.nan) for name in names
        }
        units, notes = units_s(known)
        self.notes += notes
        for name in names:
            if units[name] != 1:
                columns[name] = np.round(columns[name] * units[name], 6)


def _is_answered(columns: Columns, *, default: bool) -> Flags:
    if "outcome" in columns:
        return np.isin(columns["outcome"], ANSWERED_CODES)
    return np.full(len(next(iter(columns.values()))), default)


def _held_s(columns: Columns) -> Floats:
    """Seconds from each dial to its end."""
    parts = [np.nan_to_num(columns[name]) for name in ("ring_s", "talk_s") if name in columns]
    return sum(parts, np.zeros(len(columns["started"])))


_OF_FIRST = ("numbers", "campaigns", "tenants", "attempt", "gap_s")
"""What the first record of a call says of it."""
SAMPLE = 10_000
"""Rows, about, of which the ids tell in which zone the times of a log are."""
LEAST_OF_TENANTS = 0.5
"""Share of rows with a customer's name from which customers are told apart by it."""
LEAST_FULL = 0.1
"""Share of dials to numbers of full length from which the others are to extensions."""


def _has_only_talks(read_files: Sequence[ReadFile], columns: Columns) -> bool:
    """Whether the files have no word of outcomes and answered calls alone: no mix is in them."""
    named = {target for read in read_files for target in read.mapping.columns}
    if "outcome" not in columns or {"outcome", "answered_by"} & named:
        return False
    return bool(_is_answered(columns, default=False).all())


def _nothing(
    first: ReadFile, unreadable: Sequence[Unreadable], left_out: Counter[str]
) -> ScenarioError:
    why = [f"{count:,} left out: {reason}" for reason, count in left_out.items() if count]
    if why:
        why.append("rows of a kind are used if --where COLUMN=VALUE chooses them by it")
    if unreadable:
        row = unreadable[0]
        first_row = f"the first, line {row.line}: found {row.found}; {row.allowed}"
        why.insert(0, f"{len(unreadable):,} can't be read; {first_row}")
    message = f"no row can be used, read as {first.file.format}. {'; '.join(why)}"
    return refusal(first.file.name, message)


def _count_dials(columns: Columns, notes: list[str], owner: str | None) -> bool:
    """Put in which dial of its call each attempt is, if numbers and times tell it."""
    if "numbers" not in columns or "started" not in columns or (columns["numbers"] < 0).all():
        return False
    numbers = codes = columns["numbers"]
    if owner is not None:
        owners = columns[owner]
        pairs = pd.Series(numbers.astype(np.int64) * (int(owners.max()) + 2) + owners)
        codes = np.where(numbers < 0, -1, pd.factorize(pairs)[0]).astype(np.int32)
    answered = _is_answered(columns, default=False)
    nobody = calls.dialed_as_nobody(codes, columns["started"], _held_s(columns), answered)
    if nobody.any():
        notes.append(
            f"{nobody.sum():,} dials are to numbers that are dialed more often than a callee's "
            f"({len(np.unique(codes[nobody])):,} in all): redials have no factors by them. If "
            "these numbers are your own, the calls are inbound: leave them out (--where)"
        )
        if nobody.sum() > MOST_OF_NOBODY * np.sum(numbers >= 0):
            return False
        codes = np.where(nobody, -1, codes).astype(np.int32)
    attempt, gap_s = calls.dials(codes, columns["started"], columns.get("outcome"))
    columns |= {"attempt": attempt, "gap_s": columns.get("gap_s", gap_s)}
    return True


MOST_OF_NOBODY = 0.5
"""Share of dials to numbers of nobody beyond which no attempts are counted at all."""


def _table(columns: Columns) -> pd.DataFrame:
    """The table that `CallLog` describes."""
    table: dict[str, Any] = {}
    if "started" in columns:
        instants = pd.Series(columns["started"].view("datetime64[us]"))
        table["started"] = instants.where(columns["started"] != MISSING).dt.tz_localize("UTC")
    if "outcome" in columns:
        table["outcome"] = pd.Categorical.from_codes(
            columns["outcome"].astype(np.int8), categories=pd.Index(WORDS)
        )
    table |= {name: columns[name] for name in ("ring_s", "talk_s") if name in columns}
    if "numbers" in columns:
        table["number"] = columns["numbers"]
    if "attempt" in columns:
        table["attempt"] = np.nan_to_num(columns["attempt"]).astype(np.int32)
    if "gap_s" in columns:
        table["gap_s"] = columns["gap_s"]
    for name in ("campaign", "tenant"):
        if f"{name}s" in columns:
            table[name] = columns[f"{name}s"]
    if "weight" in columns:
        table["weight"] = np.nan_to_num(columns["weight"], nan=1.0)
    return pd.DataFrame(table, copy=False)
