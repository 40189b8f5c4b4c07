"""Keys of a scenario: as people write them, as paths, and what may stand there.

A key is written as messages write it: ``platform.ports``, ``campaign[NAME].max_retry`` (or
``campaign[TENANT/NAME]`` where several have the name), ``callees.redial_factors[1]``. Whatever
walks the types of a scenario stands here; the types are reached from the class of the whole.
"""

from __future__ import annotations

import re
import tomllib
import types
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from types import MappingProxyType
from typing import Annotated, Any, NamedTuple, TypeGuard, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from outsim.errors import ScenarioError, nearest
from outsim.scenario.files import SHOWN_OF_KEYS
from outsim.text import shortened
from outsim.units import shown

KeyPath = tuple[str | int, ...]
"""Keys and list indexes from the top of a scenario to a value."""

NAMED_ENTRIES = ("campaign", "tenant", "endpoint")
"""Lists whose entries go by their names."""
NAMED_LISTS: frozenset[KeyPath] = frozenset(
    {
        ("snapshot", "campaign"),
        ("background", "tenant_class"),
        *((part,) for part in NAMED_ENTRIES),
    }
)
ADDED_ENTRIES = ("suspension", "pause", "outage")
"""Lists whose entries have none."""
INSTEAD_OF = {
    "contacts": ("contact_list", "requests"),
    "contact_list": ("contacts", "requests"),
    "requests": ("contacts", "contact_list"),
    "times_s": ("rate", "rate_by_hour"),
    "rate": ("times_s",),
    "rate_by_hour": ("times_s",),
}
"""Keys that take the place of others: who gives one drops what was there of those."""

AddedEntries = dict[tuple[str, str], int]
"""Indexes of entries that are added, by their list and how they are called meanwhile."""
NEW = re.compile(r"new[0-9]*")
"""What stands for an entry that is added."""

_BARE_KEY = re.compile(r"[\w-]+")
_NAME = re.compile(r"[\w][\w .:+-]{0,79}")
_STEP = re.compile(r"([\w-]+)((?:\[[^\]]*\])*)")


def is_entry(path: KeyPath) -> bool:
    """Whether a path leads to an entry of a list that entries can be added to."""
    return len(path) == 2 and path[0] in (*NAMED_ENTRIES, *ADDED_ENTRIES)


# From a path to a text, and back


Names = Mapping[KeyPath, Sequence[str | None]]
"""Names of the entries of each list that has them; None where there is none, or it is shared."""


def dotted(path: KeyPath, names: Names = MappingProxyType({})) -> str:
    """Key path as people write it; entries go by their names as far as `names` has them."""
    text = ""
    for at, key in enumerate(path):
        if isinstance(key, int):
            called = names.get(path[:at], ())
            text += f"[{(called[key] if key < len(called) else None) or key}]"
        else:
            key = shortened(key, SHOWN_OF_KEYS)
            written = key if _BARE_KEY.fullmatch(key) else shown(key)
            text += f".{written}" if text else written
    return text


def entry_names(values: Any) -> Names:
    """Names by which messages call the entries of plain tables, whether or not they are right."""
    names: dict[KeyPath, Sequence[str | None]] = {}
    for path in NAMED_LISTS:
        entries = value_at(values, path)
        if isinstance(entries, list):
            full = [_full_name(entry) for entry in entries]
            counts = Counter(full)
            names[path] = [name if counts[name] == 1 else None for name in full]
    return names


def _full_name(entry: Any) -> str | None:
    """The name of an entry that no other has."""
    return next(reversed(_names(entry)), None)


def _names(entry: Any) -> list[str]:
    """Names that an entry goes by."""
    if not isinstance(entry, Mapping):
        return []
    name, tenant = entry.get("name"), entry.get("tenant")
    if not _is_name(name):
        return []
    return [name, f"{tenant}/{name}"] if _is_name(tenant) else [name]


def _is_name(name: object) -> TypeGuard[str]:
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def value_at(values: Any, path: KeyPath) -> Any:
    """What stands at a path of plain tables; None where nothing does."""
    for key in path:
        if isinstance(values, Mapping):
            values = values.get(key)
        elif isinstance(values, list | tuple) and isinstance(key, int) and key < len(values):
            values = values[key]
        else:
            return None
    return values


def key_path(key: str, whole: Mapping[str, Any], added: AddedEntries | None = None) -> KeyPath:
    """Path that a written key stands for in a whole scenario, as plain tables with defaults.

    Where there is an account of entries that are `added`, ``new``, ``new2`` ... stand for such.
    """
    path: KeyPath = ()
    rest = key.strip()
    while True:
        step = _STEP.match(rest)
        if step is None:
            raise ScenarioError(
                f"key {shown(key)}: found another form; write one such as platform.ports or "
                "campaign[NAME].max_retry"
            )
        path = (*path, step[1])
        for name in re.findall(r"\[([^\]]*)\]", step[2]):
            entries = value_at(whole, path)
            index = None if added is None else _index_of_new(entries, path, name, added)
            path = (*path, _index(key, entries, path, name) if index is None else index)
        rest = rest[step.end() :]
        if not rest:
            return path
        entries = value_at(whole, path)
        if isinstance(entries, list) and rest.startswith("."):
            raise ScenarioError(f"{key}: {_which(path, entries)}")
        if not rest.startswith("."):
            raise ScenarioError(f"{key}: found {shown(rest)}; write a dot between keys")
        rest = rest[1:]


def _index_of_new(entries: Any, path: KeyPath, name: str, added: AddedEntries) -> int | None:
    """Index of an entry that is added; None where the name stands for none."""
    if not (is_entry((*path, 0)) and NEW.fullmatch(name) and isinstance(entries, list)):
        return None
    if any(name in _names(entry) for entry in entries):
        return None
    before = sum(other[0] == path[0] for other in added)
    return added.setdefault((str(path[0]), name), len(entries) + before)


def _index(key: str, entries: Any, path: KeyPath, name: str) -> str | int:
    """Index of the entry that a name in brackets means."""
    if not isinstance(entries, list):
        return name
    if path in NAMED_LISTS:
        places = [i for i, entry in enumerate(entries) if name in _names(entry)]
        if len(places) == 1:
            return places[0]
        if places:
            same = ", ".join(str(_full_name(entries[i])) for i in places)
            raise ScenarioError(f"{key}: {name} is the name of several; write one of {same}")
    if name.isdecimal() and int(name) < len(entries):
        return int(name)
    raise ScenarioError(f"{key}: found [{name}]; {_which(path, entries, name)}")


def _which(path: KeyPath, entries: list[Any], name: str | None = None) -> str:
    place = dotted(path)
    if path in NAMED_LISTS:
        names = [name for name in map(_full_name, entries) if name]
        return f"{place} is a list; write {place}[NAME]; {nearest(name, sorted(names))}"
    there = f"0 to {len(entries) - 1}" if entries else "none, as it is empty"
    return f"{place} is a list; write {place}[NUMBER]; allowed: {there}"


# What a scenario has

NOT_OF_A_RUN = ("snapshot", "about", "sources", "uncertainty", "account")
"""Parts that say nothing of what is run by the scenario alone."""


class Listed(NamedTuple):
    """A part of a scenario, or a key of one."""

    key: str
    """As messages write it; entries go by their full names, and by number if they have none."""
    path: KeyPath
    value: Any
    is_set: bool = True


def parts(whole: BaseModel) -> Iterator[Listed]:
    """Parts that a scenario has: its tables, and the entries of its lists, in their order."""
    for name in type(whole).model_fields:
        value = getattr(whole, name)
        if name in NOT_OF_A_RUN:
            continue
        if isinstance(value, BaseModel):
            yield Listed(name, (name,), value)
            for inner in type(value).model_fields:
                if (name, inner) in NAMED_LISTS:
                    for at, part in enumerate(getattr(value, inner)):
                        yield Listed(f"{name}.{inner}[{part.name}]", (name, inner, at), part)
        elif isinstance(value, dict):
            yield from (Listed(f"{name}.{key}", (name, key), part) for key, part in value.items())
        elif isinstance(value, list):
            for at, part in enumerate(value):
                called = _full_name(vars(part)) if name in NAMED_ENTRIES else at
                yield Listed(f"{name}[{called}]", (name, at), part)


def keys_of(part: Listed) -> Iterator[Listed]:
    """Keys of a part."""
    for name in type(part.value).model_fields:
        if (*part.path, name) in NAMED_LISTS:
            continue  # its entries are parts themselves
        is_set = name in part.value.model_fields_set
        value = getattr(part.value, name)
        yield Listed(f"{part.key}.{name}", (*part.path, name), value, is_set)


# What may stand at a path


def kinds_at(whole: type[BaseModel], path: KeyPath) -> list[Any]:
    """Types of what may stand at `path`: parts, plain types, lists; none where no path leads."""
    kinds: list[Any] = [whole]
    for key in path:
        kinds = [below for kind in kinds for below in _below(kind, key)]
    return kinds


def part_at(whole: type[BaseModel], path: KeyPath, values: Any) -> type[BaseModel] | None:
    """Part that stands at `path`; which distribution does is decided by `values`, plain tables."""
    parts = [kind for kind in kinds_at(whole, path) if _is_part(kind)]
    if len(parts) > 1:
        here = value_at(values, path)
        named = here.get("distribution", "constant") if isinstance(here, Mapping) else "constant"
        parts = [part for part in parts if part.__name__.lower() == named]
    return parts[0] if parts else None


def field_at(whole: type[BaseModel], path: KeyPath, values: Any) -> FieldInfo | None:
    """Field that describes the value at `path`; None where the path leads to no field."""
    part = part_at(whole, path[:-1], values) if path else None
    return None if part is None else part.model_fields.get(str(path[-1]))


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


# Other values


def put(values: Any, whole: Any, path: KeyPath, value: Any) -> None:
    """Write into plain tables; what is on the way is first made what `whole` has there."""
    for place, step in enumerate(path):
        if is_entry(path[: place + 1]) and step == len(values):
            values.append({})
        if isinstance(values, dict):
            for other in INSTEAD_OF.get(str(step), ()):
                values.pop(other, None)
        if place == len(path) - 1:
            values[step] = value
            return
        inner = value_at(values, (step,))
        if not isinstance(inner, dict | list):
            default = value_at(whole, path[: place + 1])
            inner = deepcopy(default) if isinstance(default, dict | list) else {}
            values[step] = inner
        values = inner


def read_value(text: str, whole: type[BaseModel], path: KeyPath) -> Any:
    """A value written as in a scenario file, where quotes are left out where they can be."""
    kinds = kinds_at(whole, path)
    if str in kinds:
        return text.strip()
    read = _read(text)
    origins = {get_origin(kind) for kind in kinds}
    if list in origins and not isinstance(read, list) and read != "none":
        return [_read(item) for item in _items(text)]
    if dict in origins and isinstance(read, str) and read != "none":
        pairs = [item.partition(":") for item in _items(text)]
        return {key.strip(): _read(value) for key, _, value in pairs}
    if int in kinds and isinstance(read, float) and read.is_integer():
        return int(read)
    return read


def _items(text: str) -> list[str]:
    return [item for item in text.split(",") if item.strip()]


def _read(text: str) -> Any:
    try:
        read = tomllib.loads(f"value = {text}")
    except ValueError:
        return text.strip()
    return read["value"] if len(read) == 1 else text
