"""Snapshots as JSON documents: read with limits, and held against the scenario."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from outsim.errors import Problem, ScenarioError, nearest
from outsim.scenario.allowed import in_words
from outsim.scenario.files import check_kind, refusal
from outsim.scenario.snapshot import CampaignSnapshot, Snapshot, Standing
from outsim.scenario.standing import key_path, standing_at
from outsim.units import ContradictionError, shown

if TYPE_CHECKING:
    from outsim.scenario.model import Scenario

SIZE_LIMIT = 64 * 1024 * 1024
"""Largest snapshot file, in bytes."""
DIGITS = 18
"""Digits of a whole number at most."""


def read_snapshot(path: str | Path, scenario: Scenario) -> Scenario:
    """The scenario, beginning at the moment of a snapshot file with the queue as it stands.

    Clock times in the file that name no date or offset are the scenario's.

    Raises
    ------
    ScenarioError
        If the file can't be read, or for everything in it that can't be used.
    """
    document = _document(Path(path))
    if not isinstance(document, dict):
        message = f'found {shown(document)}; write a table such as {{"at": "09:20", ...}}'
        raise refusal(path, message)
    context = {"zone": scenario.clock.zone_info, "date": scenario.clock.date}
    try:
        snapshot = Snapshot.model_validate(document, context=context)
    except ValidationError as error:
        raise ScenarioError(list(_problems(str(path), error))) from None
    return standing_at(scenario, snapshot, str(path))


def _document(path: Path) -> Any:
    check_kind(path)
    try:
        with path.open("rb") as stream:
            content = stream.read(SIZE_LIMIT + 1)
    except OSError as error:
        raise refusal(path, f"can't be read: {error.strerror}") from None
    if len(content) > SIZE_LIMIT:
        raise refusal(path, "found more than 64 MiB, the limit for a snapshot")
    try:
        return json.loads(
            content.decode("utf-8-sig"),
            object_pairs_hook=_table,
            parse_int=_whole,
            parse_constant=_no_number,
        )
    except UnicodeDecodeError:
        raise refusal(path, "is no UTF-8 text; give a JSON document") from None
    except json.JSONDecodeError as error:
        raise refusal(path, f"is no valid JSON: {error.msg}", error.lineno) from None
    except RecursionError:
        raise refusal(path, "lists or tables are nested too deeply") from None
    except ValueError as error:
        raise refusal(path, str(error)) from None


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"found the key {shown(twice)} twice in one table; give each once")
    return table


def _whole(digits: str) -> int:
    if len(digits) > DIGITS:
        raise ValueError(f"found a number of {len(digits)} digits; write {DIGITS} at most")
    return int(digits)


def _no_number(word: str) -> Any:
    raise ValueError(f"found {word}, which is no number")


def _problems(path: str, error: ValidationError) -> Iterator[Problem]:
    for each in error.errors(include_url=False):
        cause = each.get("ctx", {}).get("error")
        place = each["loc"]
        if isinstance(cause, ContradictionError):
            found = [((*place, *below), message) for below, message in cause.problems]
        elif each["type"] == "extra_forbidden":
            allowed = _keys(place)
            message = f"unknown key; {nearest(str(place[-1]), allowed)}"
            found = [(place, message)]
        elif each["type"] == "missing":
            found = [(place, "is missing")]
        else:
            found = [(place, in_words(each, each["input"]))]
        for place, message in found:
            yield Problem(path, None, key_path(place), message)


def _keys(place: tuple[str | int, ...]) -> list[str]:
    """Keys that are allowed in the table that a key stands in."""
    depth = sum(isinstance(step, int) for step in place)
    return [*(Snapshot, CampaignSnapshot, Standing)[min(depth, 2)].model_fields]
