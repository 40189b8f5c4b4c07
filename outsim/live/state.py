"""The directory of a session: what it was begun with, and its input log.

session.json    scenario, seed, versions, how handlers are treated; written once
contacts/       contact lists of the scenario
inputs.jsonl    the input log
seen.jsonl      messages of inboxes, and requests seen
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

from outsim._version import __version__
from outsim.directories import read_document, verify_checksum, with_checksum
from outsim.disk import atomic_write, sync
from outsim.engine.records import MODEL_VERSION
from outsim.errors import SandboxError, ScenarioError
from outsim.live.beginning import beginning_at
from outsim.live.planning import Handlers
from outsim.scenario.difference import differences, meaning
from outsim.scenario.loading import lists_of, made_again, places_written, written
from outsim.scenario.model import Scenario

SESSION, INPUTS = "session.json", "inputs.jsonl"
MOST_DIFFERENCES = 3
"""Differences of two scenarios that are named."""

HandlerTime = Literal["real", "scenario"]
Begins = Literal["scenario", "now"]


@dataclass(frozen=True)
class Begun:
    """What a session was begun with."""

    scenario: Scenario
    """As it runs."""
    base: Scenario
    """The same without what is varied from day to day."""
    seed: int
    handlers: Handlers
    handler_time: HandlerTime
    begins: Begins
    """Whether its clock times are the scenario's, or were moved to when it began."""


@dataclass(frozen=True)
class Options:
    """What a session is to be begun with, beside its scenario; None is the default."""

    seed: int | None
    handler_time: HandlerTime | None
    begins: Begins | None


def write(directory: Path, begun: Begun) -> None:
    """Begin a session in a directory."""
    directory.mkdir(parents=True, exist_ok=True)
    for place, contacts in lists_of([begun.scenario, begun.base]).items():
        (directory / place).parent.mkdir(exist_ok=True)
        contacts.copy_to(directory / place)
        sync(directory / place)
    document: dict[str, Any] = {
        "scenario": _tables(begun.scenario),
        "base": None if begun.base is begun.scenario else _tables(begun.base),
        "seed": begun.seed,
        "handlers": begun.handlers,
        "handler_time": begun.handler_time,
        "begins": begun.begins,
        "version": __version__,
        "model_version": MODEL_VERSION,
    }
    with atomic_write(directory / SESSION) as room:
        room.write_text(with_checksum(document), encoding="utf-8")


def _tables(scenario: Scenario) -> dict[str, Any]:
    return {
        "tables": written(scenario),
        "means": meaning(scenario),
        "written_in": places_written(scenario),
    }


def read(directory: Path) -> Begun:
    """What the session in a directory was begun with.

    Raises
    ------
    SandboxError
        If there is none, or it can't be gone on with.
    """
    path = directory / SESSION
    try:
        document = read_document(path)
        verify_checksum(document)
        if document["model_version"] != MODEL_VERSION:
            raise SandboxError(
                f"{path}: was begun with version {document['model_version']} of the model, and "
                f"this is {MODEL_VERSION}: it would go on otherwise. Use outsim "
                f"{document['version']}, or begin a new session",
                "conflict",
            )

        def scenario_of(kept: Mapping[str, Any]) -> Scenario:
            return made_again(
                *(kept["tables"], kept["means"], directory, document["version"]),
                kept["written_in"],
            )

        scenario = scenario_of(document["scenario"])
        for name, allowed in (
            ("handlers", Handlers),
            ("handler_time", HandlerTime),
            ("begins", Begins),
        ):
            if document[name] not in get_args(allowed):
                raise ValueError(f"{name}: found {document[name]!r}")
        return Begun(
            scenario=scenario,
            base=scenario if document["base"] is None else scenario_of(document["base"]),
            seed=int(document["seed"]),
            handlers=cast("Handlers", document["handlers"]),
            handler_time=cast("HandlerTime", document["handler_time"]),
            begins=cast("Begins", document["begins"]),
        )
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


def check_same(
    directory: Path, begun: Begun, scenario: Scenario, options: Options, handlers: Handlers
) -> None:
    """Refuse to go on with a session otherwise than it began; what is None is as it was.

    Raises
    ------
    SandboxError
        Naming what the session has, and what was given.
    """
    found = [
        f"its {name} is {own}, and {given} was given"
        for name, own, given in (
            ("seed", begun.seed, options.seed),
            ("handler time", begun.handler_time, options.handler_time),
            ("beginning", begun.begins, options.begins),
            ("kind of handlers", begun.handlers, handlers),
        )
        if given not in (None, own)
    ]
    if begun.begins == "now":
        scenario = beginning_at(scenario, begun.base.clock.begins)
    others = [
        f"{other.key} is {other.left}, and {other.right} was given"
        for other in differences(begun.base, scenario)
    ]
    changed = {*begun.base.accounts} ^ {*scenario.accounts}
    if changed:
        # Their secrets are nobody's to read.
        tenants = ", ".join(sorted({account.tenant for account in changed}))
        others.append(f"the logins of {tenants} are others")
    if others:
        more = len(others) - MOST_DIFFERENCES
        named = "; ".join(others[:MOST_DIFFERENCES])
        found.insert(
            0,
            f"its scenario is {begun.base.name!r}, and {scenario.name!r} was given, which says "
            f"otherwise ({named}{f'; and {more} more' if more > 0 else ''})",
        )
    if found:
        raise SandboxError(
            f"{directory}: holds a session that was begun otherwise: {'; '.join(found)}. Give "
            "what it was begun with, or another directory",
            "conflict",
        )
