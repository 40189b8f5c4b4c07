"""Streams are made quickly, and are what their plain definition says."""

from __future__ import annotations

import hashlib
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outsim.tape import Purpose, Tape
from outsim.tape.streams import Streams, as_uniforms, family, least_word_above, uniforms

WORDS = st.integers(0, 2**64 - 1)
EDGES = [0, 1, 2**12 - 1, 2**12, 2**63, 2**64 - 2**12 - 1, 2**64 - 2**12, 2**64 - 1]
SHARES = st.one_of(
    st.floats(0, 1),
    st.integers(0, 2**53).map(lambda k: k * 2.0**-53),
    st.sampled_from([0.0, 5e-324, 2.0**-53, 2.0**-52, 0.1, 0.5, 1 - 2.0**-53, 1.0]),
)
BIG = st.one_of(st.integers(0, 20), st.integers(0, 2**63 - 1))


def plain_uniforms(words: np.ndarray) -> np.ndarray:
    """The definition, step by step."""
    return ((words >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def plain_key(
    seed: int, replication: int, tenant: str, campaign: str, purpose: int, attempt: int
) -> tuple[int, ...]:
    names = [hashlib.sha256(name.encode()).digest() for name in (tenant, campaign)]
    words = [int.from_bytes(name[k : k + 4], "little") for name in names for k in (0, 4, 8, 12)]
    return (seed & 0xFFFFFFFF, seed >> 32, replication, *words, purpose, attempt)


@given(
    seed=BIG,
    replication=BIG,
    tenant=st.text(max_size=5),
    campaign=st.text(max_size=5),
    purpose=st.one_of(st.sampled_from(Purpose), st.integers(0, 2**32 - 1)),
    attempt=st.integers(0, 2**32 - 1),
)
def test_a_stream_is_seeded_as_numpy_seeds_it(
    seed: int, replication: int, tenant: str, campaign: str, purpose: int, attempt: int
) -> None:
    key = plain_key(seed, replication, tenant, campaign, purpose, attempt)
    numpys = np.random.SeedSequence(key)
    ours = family(seed, replication, tenant, campaign).seed(purpose, attempt)
    assert ours.generate_state(4).tolist() == numpys.generate_state(4, np.uint64).tolist()
    drawn = Tape(seed, replication).uniforms(tenant, campaign, purpose, attempt=attempt, count=5)
    assert drawn.tolist() == plain_uniforms(np.random.PCG64(numpys).random_raw(5)).tolist()


@given(words=st.lists(WORDS))
def test_a_uniform_is_the_middle_of_its_step(words: list[int]) -> None:
    array = np.array(EDGES + words, dtype=np.uint64)
    found = as_uniforms(array)
    assert found.tobytes() == plain_uniforms(array).tobytes()
    exact = [(Fraction(word >> 12) + Fraction(1, 2)) / 2**52 for word in EDGES + words]
    assert [Fraction(u) for u in found.tolist()] == exact
    assert array.tolist() == EDGES + words


@given(share=SHARES, words=st.lists(WORDS))
def test_words_are_below_a_share_where_their_uniforms_are(share: float, words: list[int]) -> None:
    least = least_word_above(share)
    near = [least + step for step in (-(2**12) - 1, -(2**12), -1, 0, 1, 2**12 - 1, 2**12)]
    tried = EDGES + words + [word for word in near if 0 <= word < 2**64]
    below = plain_uniforms(np.array(tried, dtype=np.uint64)) < share
    assert [word < least for word in tried] == below.tolist()


@given(share=SHARES, count=st.integers(0, 50))
def test_flags_of_a_stream_are_those_of_its_uniforms(share: float, count: int) -> None:
    streams = family(3, 0, "acme", "list")
    flags = [b.below(Purpose.WEDGED, share) for _, b in Streams(streams, 1).blocks(count)]
    expected = uniforms(streams, Purpose.WEDGED, 1, count) < share
    assert np.concatenate([np.empty(0, dtype=bool), *flags]).tolist() == expected.tolist()


def test_a_block_reads_a_stream_once_however_often_it_is_asked() -> None:
    streams = family(3, 0, "acme", "list")
    whole = uniforms(streams, Purpose.RING, 1, 40_000)
    for part, block in Streams(streams, 1).blocks(40_000):
        flags = block.below(Purpose.RING, 0.3)
        assert block.uniforms(Purpose.RING).tobytes() == whole[part].tobytes()
        assert block.uniforms(Purpose.RING).tobytes() == whole[part].tobytes()
        assert flags.tobytes() == (whole[part] < 0.3).tobytes()


@pytest.mark.parametrize("count", [0, 1, 16_384, 16_385, 50_000])
def test_blocks_go_through_all_calls_in_order(count: int) -> None:
    parts = [part for part, _ in Streams(family(1, 0, "a", "b"), 1).blocks(count)]
    places = [place for part in parts for place in range(part.start, part.stop)]
    assert places == list(range(count))
