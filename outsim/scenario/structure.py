"""Which part of a scenario a key path leads to, and which keys that part allows."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from outsim.scenario.model import Scenario
from outsim.scenario.toml_lines import KeyPath

_Part = type[BaseModel]


def part_at(path: KeyPath, values: Any) -> _Part | None:
    """Part of a scenario that stands at `path`; None where a plain value does.

    `values` are the scenario's plain tables: which distribution stands at a
    path, for one, is decided by what is written there.
    """
    here = values
    for key in path:
        here = _child(here, key)
    parts = [kind for kind in kinds_at(path) if _is_part(kind)]
    if len(parts) > 1:
        named = here.get("distribution", "constant") if isinstance(here, Mapping) else "constant"
        parts = [part for part in parts if part.__name__.lower() == named]
    return parts[0] if parts else None


def kinds_at(path: KeyPath) -> list[Any]:
    """Types of what may stand at `path`: parts, plain types, lists; none where no path leads."""
    kinds: list[Any] = [Scenario]
    for key in path:
        kinds = [below for kind in kinds for below in _below(kind, key)]
    return kinds


def field_at(path: KeyPath, values: Any) -> FieldInfo | None:
    """Field that describes the value at `path`; None where the path leads to no field."""
    part = part_at(path[:-1], values) if path else None
    return None if part is None else part.model_fields.get(str(path[-1]))


def _child(values: Any, key: str | int) -> Any:
    if isinstance(values, Mapping):
        return values.get(key)
    if isinstance(values, list | tuple) and isinstance(key, int) and key < len(values):
        return values[key]
    return None


def _is_part(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _below(annotation: Any, key: str | int) -> list[Any]:
    if _is_part(annotation):
        field = annotation.model_fields.get(key)
        return list(_flat(field.annotation)) if field else []
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is list or (origin is tuple and arguments[-1] is Ellipsis):
        return list(_flat(arguments[0]))
    if origin is tuple:
        inside = isinstance(key, int) and key < len(arguments)
        return list(_flat(arguments[int(key)])) if inside else []
    return list(_flat(arguments[1])) if origin is dict else []


def _flat(annotation: Any) -> Iterator[Any]:
    """Alternatives of an annotation, without what is only metadata."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _flat(get_args(annotation)[0])
    elif origin is Union or origin is types.UnionType:
        for argument in get_args(annotation):
            yield from _flat(argument)
    else:
        yield annotation
