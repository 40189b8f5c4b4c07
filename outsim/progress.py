"""How long work tells how far it has come."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Told how much is done, and how much there is in all."""


def unseen(_done: int, _total: int) -> None:
    """Progress that nobody watches."""
