"""Damage to files: what disks, copies and people do to them."""

from __future__ import annotations

import random
from collections.abc import Iterator


def flipped(data: bytes, count: int, seed: int = 1) -> Iterator[bytes]:
    """The bytes with one bit flipped, at so many places that the seed gives."""
    chosen = random.Random(seed)
    for place in chosen.sample(range(8 * len(data)), min(count, 8 * len(data))):
        changed = bytearray(data)
        changed[place // 8] ^= 1 << place % 8
        yield bytes(changed)
