"""Engines: from a plan to records. They add mechanics, and nothing random."""

from __future__ import annotations

from typing import Literal, get_args

from outsim.engine.records import Records
from outsim.errors import EngineError
from outsim.plan import Plan

__all__ = ["ENGINES", "Engine", "Records", "execute"]

Engine = Literal["auto", "simpy"]
ENGINES: tuple[str, ...] = get_args(Engine)


def execute(plan: Plan, engine: Engine = "auto") -> tuple[Records, str]:
    """Run a plan; return its records and the name of the engine that ran it.

    Raises
    ------
    EngineError
        If there is no such engine.
    """
    if engine not in ENGINES:
        raise EngineError(f"engine {engine!r}: allowed are {', '.join(ENGINES)}")
    from outsim.engine.readable.platform import Platform

    return Platform(plan).run(), "simpy"
