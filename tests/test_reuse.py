"""Memory that is used again is never in two hands at once."""

from __future__ import annotations

import gc
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outsim import reuse
from outsim.engine.compiled.state import address_of

MEGABYTE = 1 << 20


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reuse, "_blocks", reuse._Blocks())


def test_memory_that_nobody_has_any_more_is_used_again() -> None:
    first = reuse.empty(MEGABYTE, np.int64)
    place = address_of(first)
    del first
    assert address_of(reuse.empty(MEGABYTE - 100, np.int64)) == place


def test_a_part_of_an_array_keeps_all_of_its_memory() -> None:
    part = reuse.zeros(MEGABYTE, np.int64)[10:20].view(np.uint64)
    gc.collect()
    other = reuse.empty(MEGABYTE, np.int64)
    other.fill(-1)
    assert not part.any()


@pytest.mark.parametrize("count", [0, 3, MEGABYTE])
@pytest.mark.parametrize("dtype", [np.int8, np.int64, [("at", "i8"), ("port", "i4")]])
def test_an_array_of_zeros_is_zero_whatever_was_there(count: int, dtype: object) -> None:
    reuse.empty(2 * MEGABYTE, np.int64).fill(-1)
    array = reuse.zeros(count, dtype)
    assert array.shape == (count,)
    assert array.dtype == np.dtype(dtype)
    assert not array.view(np.uint8).any()
    assert count == 0 or address_of(array) % 64 == 0


def test_no_more_is_kept_than_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reuse, "KEPT_BYTES", 10 * MEGABYTE)
    arrays = [reuse.empty(4 * MEGABYTE, np.uint8) for _ in range(5)]
    del arrays
    assert len(reuse._blocks._free) == 2
    reuse.empty(11 * MEGABYTE, np.uint8)
    assert len(reuse._blocks._free) == 0


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3 * MEGABYTE)), max_size=20))
def test_arrays_that_somebody_has_share_no_memory(steps: list[tuple[int, int]]) -> None:
    held: dict[int, np.ndarray] = {}
    for mark, (place, count) in enumerate(steps):
        held.pop(place, None)
        held[place] = reuse.empty(count, np.uint8)
        held[place].fill(mark)
        for other, array in held.items():
            assert len(set(array[[0, -1]].tolist())) == 1 if len(array) else True, other
        spans = sorted((address_of(array), len(array)) for array in held.values() if len(array))
        for (begin, size), (following, _) in itertools.pairwise(spans):
            assert begin + size <= following
