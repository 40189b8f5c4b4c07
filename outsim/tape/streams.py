"""Uniform numbers keyed to what they are for, not to when they are asked for.

One stream per (seed, replication, tenant, campaign, purpose, attempt number),
one uniform per call in it. A longer list, another retry, another port, another
start or another campaign therefore changes no draw of anybody else's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from enum import IntEnum
from fractions import Fraction
from functools import lru_cache
from math import ceil

import numpy as np
from numpy.random.bit_generator import ISeedSequence, SeedSequence
from numpy.typing import DTypeLike, NDArray

from outsim.clock import SECOND
from outsim.distributions import Constant, Distribution

Words = NDArray[np.uint64]
Uniforms = NDArray[np.float64]

_UNUSED_BITS = np.uint64(12)
"""At the lower end of a word."""
_BITS_OF_ONE = np.float64(1).view(np.uint64)


HalfWords = NDArray[np.uint32]
Seeds = NDArray[np.uint64]

# Seeds of streams. A `SeedSequence` mixes the words of its key one after the other into a pool.
# The streams of a campaign share all but the last two words, purpose and attempt number. So numpy
# mixes the common words once per campaign, and only the last two are mixed here, for all purposes
# together: for a small campaign, seeding would otherwise take longer than drawing.
#
# Constants of numpy's SeedSequence, by its own names. Its algorithm is promised to stay.
_INIT_A, _MULT_A = 0x43B0D7E5, 0x931E8875
_INIT_B, _MULT_B = 0x8B51F9DD, 0x58F38DED
_MIX_MULT_L, _MIX_MULT_R = np.uint32(0xCA01F9DD), np.uint32(0x4973F715)
_XSHIFT = np.uint32(16)
_POOL = 4
_SEED_WORDS = 8


@lru_cache
def _hash_constants(init: int, mult: int, first: int, count: int) -> tuple[HalfWords, HalfWords]:
    """What the hashes numbered from `first` xor with and multiply by; shape (count, 1)."""
    powers = [init * pow(mult, first + k, 2**32) % 2**32 for k in range(count + 1)]
    column = np.array(powers, dtype=np.uint32)[:, np.newaxis]
    column.flags.writeable = False
    return column[:-1], column[1:]


def _hashed(words: HalfWords, constants: tuple[HalfWords, HalfWords]) -> HalfWords:
    xors, multipliers = constants
    product: HalfWords = (words ^ xors) * multipliers
    product ^= product >> _XSHIFT
    return product


def _mixed(pool: HalfWords, hashed: HalfWords) -> HalfWords:
    difference: HalfWords = pool * _MIX_MULT_L - hashed * _MIX_MULT_R
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

    Their keys begin with the same `words` of 32 bits. They are for one of the stratified runs of a
    replication, 0 for the plain one; `mirrored` ones have 1 - u for each uniform u.
    """

    def __init__(self, words: Sequence[int], stratum: int = 0, mirrored: bool = False) -> None:
        self.stratum = stratum
        self.mirrored = mirrored
        self._pool: HalfWords = SeedSequence(np.array(words, dtype=np.uint32)).pool[:, np.newaxis]
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

    def _seeds(self, purposes: HalfWords, attempt: int) -> Seeds:
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


class Purpose(IntEnum):
    """What a stream is for. Values are part of every tape: never renumber them.

    All are below `TOGETHER`: from there on are the streams that stratified
    runs read beside the plain ones.
    """

    TRAIT = 1
    """Whether a contact is a fax machine or an invalid number."""
    WEDGED = 2
    """Whether a call is wedged."""
    MISSING_ANI = 3
    """Whether a contact has no caller ID."""
    START_JITTER = 4
    """How late a campaign's loader begins."""
    REQUEST = 5
    """When the next single-call request comes in."""
    LIST_SIZE = 6
    """How many contacts a campaign has whose size is a distribution."""
    PATIENCE = 8
    """How long the customer wants a call to be dialed."""
    OUTCOME = 10
    """What becomes of an attempt."""
    POST_DIAL_DELAY = 11
    """From the carrier's acceptance to the first ring."""
    RING = 12
    """How long it rings."""
    PHONE_OFF = 13
    """Whether voicemail answers early."""
    TALK = 14
    """Length of the message or the talk."""
    HANG_UP = 15
    """Whether and where a person leaves early."""
    KEY_PRESS = 16
    """Time to press a key."""
    DETECTION = 17
    """Whether the callee type is reported rightly."""
    ANI_REFUSAL = 18
    """Whether the carrier refuses an attempt without a caller ID."""
    DIAL_WORK = 19
    """Processing of the dial."""
    LOST_UPDATE = 20
    """Whether an update is lost; one stream for each kind of update, from here on."""
    STATUS_WORK = 30
    """Processing of an update; one stream for each kind of update, from here on."""
    LATENCY = 40
    """Time that an endpoint takes to answer a post; the attempt number counts posts."""
    POST_FAILURE = 41
    """Whether an endpoint answers a post with an error."""
    RETRY_JITTER = 42
    """How much later than its interval a call is dialed again, after an attempt."""
    ASKS_AGAIN = 45
    """How long a client waits before it asks again; the attempt number counts its requests."""
    BACKGROUND_START = 50
    """Which kind of minute a background campaign starts at."""
    BACKGROUND_MINUTE = 51
    """Which minute of that kind."""
    BACKGROUND_SIZE = 52
    """How many contacts a background campaign has."""
    BACKGROUND_COUNT = 53
    """How many campaigns, or calls, of a class of background tenants come in an hour."""
    BACKGROUND_CALL = 54
    """Where in its hour a single call of a background tenant comes in."""
    CALLEES = 60
    """Which callees a calibration's data would bear out; one uniform for each thing drawn."""

    __hash__ = int.__hash__  # an enumeration's own one is slow, and purposes are often looked up


BLOCK = 16_384
"""Calls that are drawn at a time: their uniforms and durations then stay in the processor's
cache, and what is only passed through needs no memory to speak of."""

_MORE_THAN_A_BLOCK = 2**22
"""Bytes; a block's arrays together take less."""


def as_uniforms(words: Words) -> Uniforms:
    """Uniform that each word stands for: (m + 1/2) / 2**52, m being its upper 52 bits.

    It is made exactly, in steps that are the same on every processor: m as the fraction
    of a number from 1 to 2, from which a little less than 1 is then taken.
    """
    bits = words >> _UNUSED_BITS
    bits |= _BITS_OF_ONE
    uniforms = bits.view(np.float64)
    uniforms -= 1 - 2.0**-53
    return uniforms


@lru_cache
def least_word_above(share: float) -> int:
    """First word whose uniform is not below `share`; 2**64 if there is none.

    (m + 1/2) / 2**52 < share just where m < share * 2**52 - 1/2, and so, m being whole,
    where it is below that rounded up. All of it is exact in fractions.
    """
    least = ceil(Fraction(share) * 2**52 - Fraction(1, 2))
    return min(max(least, 0), 2**52) << 12


STRATA = 4
"""Runs of a stratified replication, and parts of the unit interval that they share out."""

_BELOW_STRATUM = np.uint64(2)
"""Bits of a word that name its quarter."""
_QUARTER = np.uint64(3 << 62)
_PRODUCTS = ((0, 0, 0, 0), (0, 1, 2, 3), (0, 2, 3, 1), (0, 3, 1, 2))
"""Multiplication in the field of four elements; its addition is the exclusive or."""
_AWAY = tuple(np.array(row, dtype=np.uint64) << np.uint64(62) for row in _PRODUCTS)


def in_stratum(words: Words, places: Words, stratum: int) -> Words:
    """Words of the stratified run with this number, from those of the plain run.

    The `STRATA` runs of a replication have each of their uniforms in another quarter of the
    unit interval (Latin hypercube sampling: McKay, Beckman, Conover 1979). Run k takes the
    quarter of the plain word, plus k times a step, in the field of four elements: any two runs
    then have any two quarters equally often. The step, not 0, is read from bits of the plain
    word that no uniform uses; the place in the quarter is the run's own. So the uniforms of one
    run are independent of each other and uniform, exactly as in a plain one. `words` are the plain
    stream, `places` one that only this run, 1 to `STRATA` - 1, reads.
    """
    unused = words & np.uint64((1 << 12) - 1)
    step = np.uint64(1) + (unused * np.uint64(STRATA - 1) >> _UNUSED_BITS)
    away = _AWAY[stratum][step.astype(np.intp)]
    return (places >> _BELOW_STRATUM) | ((words & _QUARTER) ^ away)


class Streams:
    """Streams of one attempt number of a campaign: each is read in all blocks, or in none."""

    def __init__(self, family: Family, attempt: int) -> None:
        self._family = family
        self._attempt = attempt
        self._generators: dict[int, np.random.PCG64] = {}

    def words(self, purpose: int, count: int) -> Words:
        """Next `count` words of a stream, as the run is to have them."""
        words = self._raw(purpose, count)
        if self._family.stratum:
            places = self._raw(purpose + TOGETHER * self._family.stratum, count)
            words = in_stratum(words, places, self._family.stratum)
        if self._family.mirrored:
            # The uniform (m + 1/2) / 2**52 becomes exactly 1 less itself.
            np.invert(words, out=words)
        return words

    def _raw(self, purpose: int, count: int) -> Words:
        generator = self._generators.get(purpose)
        if generator is None:
            seed = self._family.seed(purpose, self._attempt)
            # Numpy documents that a generator takes this interface; its types leave it out.
            generator = np.random.PCG64(seed)  # type: ignore[arg-type]
            self._generators[purpose] = generator
        return generator.random_raw(count)

    def blocks(self, count: int) -> Iterator[tuple[slice, Block]]:
        """Go through the first `count` calls: which they are, and what the streams hold."""
        if count > BLOCK:
            # The C library of Linux returns what is free at the heap's end, to ask for it again at
            # once, until it has seen a larger array come and go: a third of the time in a new
            # process. This one is never touched, so it takes no memory.
            np.empty(_MORE_THAN_A_BLOCK, dtype=np.uint8)
        for start in range(0, count, BLOCK):
            part = slice(start, min(start + BLOCK, count))
            yield part, Block(self, part.stop - part.start)


class Block:
    """What the streams hold for some calls; each stream is read once, when first asked for."""

    def __init__(self, streams: Streams, count: int) -> None:
        self.count = count
        self._streams = streams
        self._words: dict[int, Words] = {}
        self._uniforms: dict[int, Uniforms] = {}

    def words(self, purpose: int) -> Words:
        """Words of a stream."""
        words = self._words.get(purpose)
        if words is None:
            words = self._words[purpose] = self._streams.words(purpose, self.count)
        return words

    def uniforms(self, purpose: int) -> Uniforms:
        """Uniforms of a stream; not to be written to."""
        uniforms = self._uniforms.get(purpose)
        if uniforms is None:
            uniforms = self._uniforms[purpose] = as_uniforms(self.words(purpose))
        return uniforms

    def below(self, purpose: int, share: float) -> NDArray[np.bool_]:
        """Whether each uniform of a stream is below `share`, as its raw words tell."""
        if share <= 0 or share >= 1:
            return np.full(self.count, share >= 1)
        return self.words(purpose) < np.uint64(least_word_above(share))

    def seconds(self, distribution: Distribution, purpose: int) -> NDArray[np.float64]:
        """Duration for each uniform of a stream, in seconds; a constant one needs no stream."""
        if isinstance(distribution, Constant):
            return np.full(self.count, distribution.value / SECOND)
        return distribution.quantile_s(self.uniforms(purpose))


def uniforms(family: Family, purpose: int, attempt: int, count: int) -> Uniforms:
    """First `count` uniforms of a stream, strictly between 0 and 1.

    They are made from raw PCG64 words by one exact operation, so they are the
    same on every processor and under every version of numpy. A longer draw
    begins with the shorter one.
    """
    return as_uniforms(Streams(family, attempt).words(purpose, count))
