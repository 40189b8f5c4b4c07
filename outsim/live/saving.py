"""A session as a scenario file: what was handed in and ordered, as if it had been known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tomlkit

from outsim.disk import atomic_write
from outsim.live.planning import SessionPlan
from outsim.scenario.loading import lists_of, written


def save_scenario(session: SessionPlan, path: Path) -> None:
    """Write a session to a scenario file, its contact lists into ``contacts`` beside it."""
    scenario = session.saved_scenario()
    for place, contacts in lists_of([scenario]).items():
        beside = path.parent / place
        beside.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(beside) as room:
            contacts.copy_to(room)
    document = tomlkit.document()
    document.add(tomlkit.comment("A session of the sandbox, as a scenario."))
    document.update(_said(written(scenario)))
    with atomic_write(path) as room:
        room.write_text(tomlkit.dumps(document), encoding="utf-8")


def _said(value: Any) -> Any:
    """A value without whatever says nothing: TOML has no word for it."""
    if isinstance(value, dict):
        return {key: _said(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_said(each) for each in value]
    return value
