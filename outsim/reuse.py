"""Large arrays in memory that is used again once nobody has them any more.

The first touch of fresh memory costs up to a fifth of a run: the operating system
clears it page by page. A study makes hundreds of runs of one size, so what one of
them leaves serves the next.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

SMALLEST_BYTES = 1 << 20
"""What is smaller is not worth it: memory of that size is used again anyway."""

KEPT_BYTES = 1 << 30
"""Most memory that is kept for later, over the whole process."""

_CACHE_LINE = 64

_SPARE = 2
"""A request takes a block of up to so many times its size."""


class _Blocks:
    """Blocks of memory that nobody has, the one that came back last at the end."""

    def __init__(self) -> None:
        self._free: list[NDArray[np.uint8]] = []
        # A block can come back in the middle of anything, also while another is being taken.
        self._lock = threading.RLock()

    def take(self, size: int) -> NDArray[np.uint8]:
        """Smallest block that will do, or a new one."""
        with self._lock:
            fitting = [b for b in self._free if size <= len(b) <= _SPARE * size]
            if not fitting:
                return np.empty(size, dtype=np.uint8)
            block = min(fitting, key=len)
            self._free = [b for b in self._free if b is not block]
            return block

    def give_back(self, block: NDArray[np.uint8]) -> None:
        """Keep a block for later; those that came first make room for it."""
        with self._lock:
            self._free.append(block)
            while self.kept_bytes > KEPT_BYTES:
                self._free.pop(0)

    @property
    def kept_bytes(self) -> int:
        """How much there is."""
        with self._lock:
            return sum(map(len, self._free))


_blocks = _Blocks()


def kept_bytes() -> int:
    """Memory that is kept for later, at most `KEPT_BYTES`."""
    return _blocks.kept_bytes


class _Loan:
    """A block that is lent to the arrays which show its memory; it comes back with the last."""

    def __init__(self, size: int) -> None:
        self._block = _blocks.take(size)
        self.__array_interface__ = self._block.__array_interface__

    def __del__(self) -> None:
        _blocks.give_back(self._block)


def empty(count: int, dtype: Any) -> NDArray[Any]:
    """Array of shape (count,) whose values are anything; it begins with a cache line."""
    kind = np.dtype(dtype)
    size = count * kind.itemsize
    room = size + _CACHE_LINE
    memory = np.asarray(_Loan(room)) if room >= SMALLEST_BYTES else np.empty(room, np.uint8)
    begin = -memory.__array_interface__["data"][0] % _CACHE_LINE
    return memory[begin : begin + size].view(kind)


def zeros(count: int, dtype: Any) -> NDArray[Any]:
    """Array of shape (count,) of zeros; it begins with a cache line."""
    array = empty(count, dtype)
    array.view(np.uint8).fill(0)
    return array
