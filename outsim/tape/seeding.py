"""Seeds of streams: what numpy's `SeedSequence` makes of a key, for many streams at once.

A `SeedSequence` mixes the words of its key one after the other into a pool. The streams
of a campaign share all but the last two words, purpose and attempt number. So numpy mixes
the common words once per campaign, and only the last two are mixed here, for all purposes
together: for a small campaign, seeding would otherwise take longer than drawing. The seeds
are the same to the bit; a test holds them against numpy's own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.random.bit_generator import ISeedSequence, SeedSequence
from numpy.typing import DTypeLike, NDArray

Words = NDArray[np.uint32]
Seeds = NDArray[np.uint64]

# Constants of numpy's SeedSequence, by its own names. Its algorithm is promised to stay.
_INIT_A, _MULT_A = 0x43B0D7E5, 0x931E8875
_INIT_B, _MULT_B = 0x8B51F9DD, 0x58F38DED
_MIX_MULT_L, _MIX_MULT_R = np.uint32(0xCA01F9DD), np.uint32(0x4973F715)
_XSHIFT = np.uint32(16)
_POOL = 4
_SEED_WORDS = 8


@lru_cache
def _hash_constants(init: int, mult: int, first: int, count: int) -> tuple[Words, Words]:
    """What the hashes numbered from `first` xor with and multiply by; shape (count, 1)."""
    powers = [init * pow(mult, first + k, 2**32) % 2**32 for k in range(count + 1)]
    column = np.array(powers, dtype=np.uint32)[:, np.newaxis]
    column.flags.writeable = False
    return column[:-1], column[1:]


def _hashed(words: Words, constants: tuple[Words, Words]) -> Words:
    xors, multipliers = constants
    product: Words = (words ^ xors) * multipliers
    product ^= product >> _XSHIFT
    return product


def _mixed(pool: Words, hashed: Words) -> Words:
    difference: Words = pool * _MIX_MULT_L - hashed * _MIX_MULT_R
    difference ^= difference >> _XSHIFT
    return difference


@lru_cache(maxsize=4096)
def _name_words(name: str) -> tuple[int, ...]:
    digest = hashlib.sha256(name.encode()).digest()
    return tuple(int.from_bytes(digest[k : k + 4], "little") for k in (0, 4, 8, 12))


class Seed(ISeedSequence):
    """A seed that is there already, in the form that numpy's generators take one."""

    def __init__(self, words: Seeds) -> None:
        self._words = words

    def generate_state(self, n_words: int, dtype: DTypeLike = np.uint64) -> Seeds:
        """Return the seed of a PCG64: four words of 64 bits."""
        assert (n_words, dtype) == (len(self._words), np.uint64)
        return self._words


TOGETHER = 64
"""Purposes whose seeds are made together: all that there are, and some more."""


class Family:
    """All streams of one campaign in one run.

    Parameters
    ----------
    words : sequence of int
        What the keys of its streams have in common, in words of 32 bits.
    stratum : int
        Which of the stratified runs of a replication it is for; 0 for the plain one.
    mirrored : bool
        Whether each uniform u is to be 1 - u.
    """

    def __init__(self, words: Sequence[int], stratum: int = 0, mirrored: bool = False) -> None:
        self.stratum = stratum
        self.mirrored = mirrored
        self._pool: Words = SeedSequence(np.array(words, dtype=np.uint32)).pool[:, np.newaxis]
        self._hashes = _POOL * len(words)
        self._tables: dict[tuple[int, int], Seeds] = {}

    def seed(self, purpose: int, attempt: int) -> Seed:
        """Seed of one stream."""
        group, place = divmod(purpose, TOGETHER)
        table = self._tables.get((group, attempt))
        if table is None:
            first = group * TOGETHER
            purposes = np.arange(first, first + TOGETHER, dtype=np.uint32)
            table = self._tables[group, attempt] = self._seeds(purposes, attempt)
        return Seed(table[place])

    def _seeds(self, purposes: Words, attempt: int) -> Seeds:
        """Seeds of the streams for these purposes, shape (purposes, 4)."""
        pool, hashes = self._pool, self._hashes
        for last in (purposes, np.array([attempt], dtype=np.uint32)):
            constants = _hash_constants(_INIT_A, _MULT_A, hashes, _POOL)
            pool = _mixed(pool, _hashed(last, constants))
            hashes += _POOL
        twice = np.concatenate([pool, pool])
        state = _hashed(twice, _hash_constants(_INIT_B, _MULT_B, 0, _SEED_WORDS))
        # Two words of 32 bits are one of 64, the lower first, on every processor.
        pairs = np.ascontiguousarray(state.T, dtype="<u4").view("<u8")
        return pairs.astype(np.uint64, copy=False)


@lru_cache(maxsize=1024)
def family(
    seed: int,
    replication: int,
    tenant: str,
    campaign: str,
    stratum: int = 0,
    mirrored: bool = False,
) -> Family:
    """Streams of a campaign, made from what all their keys begin with."""
    # A number is as many words as it needs, for numpy; the seed has always been given two.
    beyond = (replication >> 32,) if replication >> 32 else ()
    words = (
        seed & 0xFFFFFFFF,
        seed >> 32,
        replication & 0xFFFFFFFF,
        *beyond,
        *_name_words(tenant),
        *_name_words(campaign),
    )
    return Family(words, stratum, mirrored)
