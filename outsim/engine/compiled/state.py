"""The arrays of a run: bound to the platform's row, grown, copied."""

from __future__ import annotations

from typing import Any

import numpy as np

from outsim import reuse
from outsim.clock import NEVER
from outsim.engine.compiled.layout import COLUMNS, ENTRY, PLATFORM, TABLES, ZEROED

Array = np.ndarray[Any, Any]

GROWING = {"attempt": "dispatches", "update": "updates", "delivery": "deliveries"}
"""Columns that grow, by the first word of their name, and the platform's count of their rows."""


def address_of(array: Array) -> int:
    """Where an array's first element is."""
    return int(array.__array_interface__["data"][0])


class State:
    """All that a run is made of, as arrays.

    Attributes
    ----------
    platform : structured array of shape (1,)
        The row that the kernel is given; everything else hangs on it.
    arrays : dict of arrays
        What hangs on it, by the name of the field that holds the address.
    heaps : list of arrays of ENTRY
        Entries of each heap.
    """

    def __init__(self) -> None:
        self.platform: Array = np.zeros(1, PLATFORM)
        self.arrays: dict[str, Array] = {}
        self.heaps: list[Array] = []
        self._references: list[Array] = []

    def table(self, name: str, count: int) -> Array:
        """Make the rows of one of `layout.TABLES`, at least one of them."""
        self.arrays[name] = reuse.zeros(max(1, count), TABLES[name])
        return self.arrays[name]

    def hold_calls(self, count: int) -> None:
        """Have room for the first `count` calls; those that are there are kept as they are."""
        held = self.arrays.get("calls")
        if held is None or count > len(held):
            self.arrays["calls"] = reuse.empty(max(1, count), TABLES["calls"])
            if held is not None:
                self.arrays["calls"][: len(held)] = held

    def keep(self, array: Array, dtype: type[np.generic]) -> int:
        """Address of an array that never changes, kept as long as this state or a copy of it."""
        contiguous = np.ascontiguousarray(array, dtype)
        self._references.append(contiguous)
        return address_of(contiguous)

    def open_heap(self, size: int, first: list[tuple[int, int, int]]) -> None:
        """Make a heap for up to `size` entries, with some in it."""
        entries = np.empty(size + 1, ENTRY)
        # A sorted list is a heap.
        entries[: max(1, len(first))] = sorted(first) or (NEVER, 0, 0)
        self.heaps.append(entries)

    def make_room(self, kind: str, count: int) -> None:
        """Have the columns of a kind of record hold at least `count` rows.

        They grow one at a time, so that no more than one is there twice. Rows that are not used
        are never touched, and take no memory.
        """
        p = self.platform[0]
        used = int(p[GROWING[kind]])
        for name, dtype in COLUMNS.items():
            if name.startswith(f"{kind}_"):
                grown: Array = (reuse.zeros if name in ZEROED else reuse.empty)(count, dtype)
                if name in self.arrays:
                    grown[:used] = self.arrays[name][:used]
                self.arrays[name] = grown
        p[f"{kind}_room"] = count

    def bind(self) -> None:
        """Write the addresses of all arrays into the platform's row."""
        for name, array in self.arrays.items():
            self.platform[0][name] = address_of(array)
        for which, entries in enumerate(self.heaps):
            self.arrays["heaps"][which]["entries"] = address_of(entries)

    def copy(self) -> State:
        """A state of its own that goes on from here; what never changes is shared."""
        twin = State()
        twin.platform[:] = self.platform
        twin._references = self._references
        for name, array in self.arrays.items():
            if name in TABLES:
                twin.arrays[name] = reuse.empty(len(array), array.dtype)
                # Whole words: numpy copies rows field by field.
                twin.arrays[name].view(np.int64)[:] = array.view(np.int64)
            elif name not in COLUMNS:
                twin.arrays[name] = array.copy()
            else:
                twin.arrays[name] = array
        for kind in GROWING:
            # Room of its own: until here the columns are those of both.
            twin.make_room(kind, int(self.platform[0][f"{kind}_room"]))
        for heap, entries in zip(self.arrays["heaps"], self.heaps, strict=True):
            count = max(1, int(heap["count"]))
            twin.heaps.append(np.empty_like(entries))
            twin.heaps[-1][:count] = entries[:count]
        twin.bind()
        return twin
