"""Draws are made block by block into rows that compiled code can read."""

from __future__ import annotations

import tracemalloc
from dataclasses import astuple
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outsim import reuse
from outsim.tape import Purpose, Tape, streams
from outsim.tape.draws import ATTEMPT_ROW, CallModel
from tests.tape.digest import ATTEMPT_FIELDS, attempt_arrays
from tests.tape.test_values import model

EXPONENTIAL = {"distribution": "exponential", "mean": "40 ms"}
DRAWN_WORK = {"dial_work": EXPONENTIAL, "status_work": EXPONENTIAL, "lost_updates": 0.1}


def everything(shaped: CallModel, count: int) -> list[np.ndarray]:
    """All draws about a campaign's first attempts."""
    tape = Tape(20)
    latency = shaped.callees.ring_human
    return [
        *astuple(tape.contacts("acme", "list", shaped, count)),
        *attempt_arrays(tape.attempts("acme", "list", shaped, 1, count)),
        *astuple(tape.updates("acme", "list", shaped, 1, count)),
        *astuple(tape.posts("acme", "list", latency, 0.3, 1, count)),
        tape.uniforms("acme", "list", Purpose.RING, attempt=1, count=count),
    ]


@settings(max_examples=30)
@given(
    size=st.integers(1, 400),
    count=st.integers(0, 300),
    key=st.booleans(),
    agent=st.booleans(),
)
def test_the_size_of_the_blocks_changes_no_draw(
    size: int, count: int, key: bool, agent: bool
) -> None:
    shaped = model(
        platform=DRAWN_WORK, asks_for_key=key, transfers_to_agent=agent, missing_ani_share=0.2
    )
    at_once = everything(shaped, count)
    with patch.object(streams, "BLOCK", size):
        in_blocks = everything(shaped, count)
    for one, two in zip(at_once, in_blocks, strict=True):
        assert (one.dtype, one.shape) == (two.dtype, two.shape)
        assert one.tobytes() == two.tobytes()


@given(count=st.integers(0, 500))
def test_rows_lie_one_after_the_other_and_within_cache_lines(count: int) -> None:
    rows = reuse.zeros(count, ATTEMPT_ROW)
    assert rows.shape == (count,)
    assert rows.dtype == ATTEMPT_ROW
    assert rows.itemsize == 32
    assert rows.flags.c_contiguous
    assert rows.ctypes.data % 64 == 0 or count == 0
    assert rows.tobytes() == bytes(32 * count)


@pytest.mark.parametrize("name", [name for name in ATTEMPT_FIELDS if name != "dial_work_us"])
def test_a_column_is_a_view_of_the_rows(name: str) -> None:
    draws = Tape(21).attempts("acme", "list", model(), 1, 100)
    column = getattr(draws, name)
    assert np.shares_memory(column, draws.rows)
    assert column.tolist() == [row[name] for row in draws.rows]
    assert list(column.data) == column.tolist()


def test_the_byte_without_a_use_is_zero() -> None:
    assert not Tape(21).attempts("acme", "list", model(), 1, 100).rows["unused"].any()


def test_what_is_certain_or_constant_needs_no_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    rings = ("ring_human", "ring_voicemail", "phone_off_ring")
    callees = dict.fromkeys((*rings, "post_dial_delay", "message", "greeting"), "5 s")
    shares = {"phone_off": 1.0, "early_hang_up": 0.0}
    certain = {"detection_accuracy": 1.0, "lost_updates": 0.0, "wedged_calls": 0.0}
    shaped = model(callees | shares, certain, missing_ani_refusal=1.0)
    read: set[int] = set()
    words = streams.Streams.words

    def noted(self: streams.Streams, purpose: int, count: int) -> np.ndarray:
        read.add(purpose)
        return words(self, purpose, count)

    monkeypatch.setattr(streams.Streams, "words", noted)
    tape = Tape(22)
    tape.contacts("acme", "list", shaped, 10)
    tape.attempts("acme", "list", shaped, 1, 10)
    tape.updates("acme", "list", shaped, 1, 10)
    assert read == {Purpose.TRAIT, Purpose.OUTCOME}


def test_drawing_takes_little_more_memory_than_the_rows() -> None:
    count = 500_000
    shaped = model()
    Tape(23).attempts("acme", "list", shaped, 1, 10)
    tracemalloc.start()
    try:
        Tape(23).attempts("acme", "list", shaped, 1, count)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 32 * count + 8 * 2**20
