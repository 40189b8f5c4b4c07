"""What is wrong with a scenario, in plain words.

pydantic knows what it refused, and where in its own schema. Here that becomes
the file, the line, the key as it was written, what was found and what is
allowed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError

from outsim.errors import Problem, ScenarioError
from outsim.scenario.allowed import in_words
from outsim.scenario.files import SHOWN_OF_KEYS
from outsim.scenario.keys import KeyPath, field_at, part_at
from outsim.scenario.source import Source
from outsim.text import shortened
from outsim.units import ContradictionError

HINTS = 100
"""Problems with which what was probably meant is looked for."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, at a key path."""

    path: KeyPath
    message: str
    found_together: bool = False
    """Whether it came to light by looking at several keys together."""
    instead: str | None = None
    """For an unknown key, the allowed key that was probably meant."""
    unknown: bool = False
    """Whether the key itself is unknown."""
    problem: Problem | None = None
    """What to report instead, where it lies in another file."""


def problem(source: Source, path: KeyPath, message: str) -> Problem:
    """Problem at a key path of a scenario file."""
    file, line = source.origin(path)
    return Problem(file, line, source.key(path), message)


def findings(error: ValidationError, source: Source, whole: type[BaseModel]) -> Iterator[Finding]:
    """What pydantic found, in plain words."""
    for number, details in enumerate(error.errors(include_url=False)):
        path, value = _written_path(details["loc"], details["type"], source.values)
        cause = details.get("ctx", {}).get("error")
        if isinstance(cause, ContradictionError):
            for below, message in cause.problems:
                yield Finding((*path, *below), message, found_together=True)
        elif isinstance(cause, ScenarioError):
            for each in cause.problems:
                yield _in_contact_list(each, path, source)
        elif details["type"] == "extra_forbidden":
            yield _unknown_key(path, source, whole, hinted=number < HINTS)
        elif details["type"] == "missing":
            yield Finding(path, _is_missing(path, source, whole))
        else:
            together = isinstance(value, Mapping) and details["type"] == "value_error"
            yield Finding(path, in_words(details, value), found_together=together)


def _written_path(
    location: tuple[str | int, ...], kind: str, values: dict[str, Any]
) -> tuple[KeyPath, Any]:
    """Path in the file, and the value there: pydantic's has names of its own steps in between."""
    path: list[str | int] = []
    here: Any = values
    for i, step in enumerate(location):
        in_table = isinstance(here, Mapping) and step in here
        if in_table or (isinstance(here, list) and isinstance(step, int)):
            here = here[step]
        elif not (kind == "missing" and i == len(location) - 1):
            continue
        path.append(step)
    if kind == "union_tag_invalid" and isinstance(here, Mapping):
        path.append("distribution")
        here = here.get("distribution")
    return tuple(path), here


def _in_contact_list(inner: Problem, path: KeyPath, source: Source) -> Finding:
    place = source.origin(path)
    where = f"{place.file}:{place.line}" if place.line else place.file
    message = f"{inner.message} ({source.key(path)} in {where})"
    return Finding(path, message, problem=Problem(inner.file, inner.line, inner.key, message))


def _unknown_key(
    path: KeyPath, source: Source, whole: type[BaseModel], *, hinted: bool
) -> Finding:
    part = part_at(whole, path[:-1], source.values)
    allowed = list(part.model_fields) if part else []
    if len(path) == 1:
        allowed.append("extends")
    near = get_close_matches(str(path[-1]), allowed, n=1, cutoff=0.6) if hinted else []
    hint = f'; did you mean "{near[0]}"?' if near else ";"
    found = shortened(str(path[-1]), SHOWN_OF_KEYS)
    message = f'unknown key "{found}"{hint} allowed: {", ".join(allowed)}'
    return Finding(path, message, instead=near[0] if near else None, unknown=True)


def _is_missing(path: KeyPath, source: Source, whole: type[BaseModel]) -> str:
    field = field_at(whole, path, source.values)
    meaning = (field.description or "").split("\n")[0].rstrip(".") if field else ""
    return f"is missing: {meaning[0].lower()}{meaning[1:]}" if meaning else "is missing"
