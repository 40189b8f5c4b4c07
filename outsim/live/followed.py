"""Tables of records that are followed, and read as they grow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import TypeVar

import numpy as np
from typing_extensions import override

from outsim.engine.readable.recorder import Table
from outsim.engine.records import Integers, Row, Types

AnyRow = TypeVar("AnyRow", bound=Row)


class FollowedTable(Table[AnyRow]):
    """A table of records that tells somebody when a row begins and when it is settled."""

    def __init__(
        self,
        types: Types,
        began: Callable[[AnyRow], None],
        settled: Callable[[AnyRow], None],
    ) -> None:
        super().__init__(types)
        self._column = {name: k for k, name in enumerate(types)}
        self._began = began
        self._settled = settled
        self._read = {name: np.empty(0, dtype) for name, dtype in types.items()}
        """Rows that have been read, by column; there is room for more."""
        self._read_rows = 0
        self._open: list[int] = []
        """Those of them that were not settled then."""

    @override
    def begin(self, row: AnyRow) -> None:
        super().begin(row)
        self._began(row)

    @override
    def settle(self, row: AnyRow) -> None:
        super().settle(row)
        self._settled(row)

    def row(self, place: int) -> dict[str, int]:
        """The values of a row as they are now, by column."""
        row = self._rows[place]
        values = row if isinstance(row, tuple) else self._values(row)
        return dict(zip(self.types, values, strict=True))

    def values(self, place: int, *columns: str) -> tuple[int, ...]:
        """Some of the values of a row, quicker than all by name."""
        row = self._rows[place]
        if not isinstance(row, tuple):
            row = self._values(row)
        return tuple(row[self._column[name]] for name in columns)

    def read_ahead(self, most: int) -> bool:
        """Read some rows before `columns` is asked for; whether there are more."""
        first, end = self._read_rows, min(len(self), self._read_rows + most)
        rows = self._rows[first:end]
        self._make_room(end)
        self._read_rows = end
        self._open += [
            place for place, row in enumerate(rows, first) if not isinstance(row, tuple)
        ]
        self._write(slice(first, end), rows)
        return end < len(self)

    @override
    def columns(self) -> dict[str, Integers]:
        # What was settled when it was read is as it was.
        places = self._open
        rows = [self._rows[place] for place in places]
        self._write(places, rows)
        self._open = [
            place for place, row in zip(places, rows, strict=True) if not isinstance(row, tuple)
        ]
        self.read_ahead(len(self))
        return {name: column[: len(self)].copy() for name, column in self._read.items()}

    def _write(self, places: slice | list[int], rows: Sequence[AnyRow | tuple[int, ...]]) -> None:
        values = (row if isinstance(row, tuple) else self._values(row) for row in rows)
        size = len(rows) * len(self.types)
        read = np.fromiter(chain.from_iterable(values), np.int64, size)
        columns = read.reshape(len(rows), len(self.types)).T
        for column, new in zip(self._read.values(), columns, strict=True):
            column[places] = new

    def _make_room(self, rows: int) -> None:
        room = len(next(iter(self._read.values())))
        if rows > room:
            for name, column in self._read.items():
                self._read[name] = np.empty(max(rows, 2 * room), column.dtype)
                self._read[name][:room] = column
