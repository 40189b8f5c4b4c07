"""The directory of a session: what it was begun with, and its input log.

session.json    scenario, seed, versions, how handlers are treated; written once
contacts/       contact lists of the scenario
inputs.jsonl    the input log
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

from outsim._version import __version__
from outsim.directories import read_document, verify_checksum, with_checksum
from outsim.disk import atomic_write, sync
from outsim.engine.records import MODEL_VERSION
from outsim.errors import SandboxError, ScenarioError
from outsim.live.planning import Handlers
from outsim.scenario.difference import meaning
from outsim.scenario.loading import lists_of, made_again, places_written, written
from outsim.scenario.model import Scenario

SESSION, INPUTS = "session.json", "inputs.jsonl"

HandlerTime = Literal["real", "scenario"]


@dataclass(frozen=True)
class Begun:
    """What a session was begun with."""

    scenario: Scenario
    seed: int
    handlers: Handlers
    handler_time: HandlerTime


def write(directory: Path, begun: Begun) -> None:
    """Begin a session in a directory."""
    directory.mkdir(parents=True, exist_ok=True)
    for place, contacts in lists_of([begun.scenario]).items():
        (directory / place).parent.mkdir(exist_ok=True)
        contacts.copy_to(directory / place)
        sync(directory / place)
    said: dict[str, Any] = {
        "scenario": written(begun.scenario),
        "means": meaning(begun.scenario),
        "written_in": places_written(begun.scenario),
        "seed": begun.seed,
        "handlers": begun.handlers,
        "handler_time": begun.handler_time,
        "version": __version__,
        "model_version": MODEL_VERSION,
    }
    with atomic_write(directory / SESSION) as room:
        room.write_text(with_checksum(said), encoding="utf-8")


def read(directory: Path) -> Begun:
    """What the session in a directory was begun with.

    Raises
    ------
    SandboxError
        If there is none, or it can't be gone on with.
    """
    path = directory / SESSION
    try:
        said = read_document(path)
        verify_checksum(said)
        if said["model_version"] != MODEL_VERSION:
            raise SandboxError(
                f"{path}: was begun with version {said['model_version']} of the model, and this "
                f"is {MODEL_VERSION}: it would go on otherwise. Use outsim {said['version']}, or "
                "begin a new session",
                "conflict",
            )
        scenario = made_again(
            *(said["scenario"], said["means"], directory, said["version"], said["written_in"])
        )
        if said["handlers"] not in get_args(Handlers):
            raise ValueError(f"handlers: found {said['handlers']!r}")
        handlers = cast("Handlers", said["handlers"])
        handler_time = cast("HandlerTime", said["handler_time"])
        return Begun(scenario, int(said["seed"]), handlers, handler_time)
    except FileNotFoundError:
        raise SandboxError(
            f"{directory}: holds no session (there is no {SESSION} in it); name a directory that "
            "outsim serve --state wrote",
            "unknown",
        ) from None
    except (OSError, ValueError, KeyError, ScenarioError, json.JSONDecodeError) as error:
        if isinstance(error, SandboxError):
            raise
        raise SandboxError(f"{path}: can't be read ({error}); restore it") from None
