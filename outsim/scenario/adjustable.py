"""What of a scenario can be set to another value: keys with kind, meaning and range.

All of it is read off the schema, entries that could be added included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import tomlkit
from pydantic import BaseModel, create_model

from outsim.clock import parse_clock_time, parse_duration_us, parse_rate, parse_share
from outsim.distributions import Constant
from outsim.scenario.contacts import ContactList
from outsim.scenario.defaults import DEFAULTS, GRADES
from outsim.scenario.factors import CENTRES
from outsim.scenario.keys import (
    ADDED_ENTRIES,
    INSTEAD_OF,
    NAMED_ENTRIES,
    KeyPath,
    Listed,
    keys_of,
    kinds_at,
    parts,
)
from outsim.scenario.model import Scenario
from outsim.scenario.parts import Part
from outsim.scenario.scales import NONE, Kind, Scale, scale_of, value_of, written_text

LOAD = "load"
"""Key of the factor on all load, which is in no part: it is a part by itself."""
FIXED = ("clock", "study", "account", "profiles")
"""Parts that are left out: they say what is asked, or by whom."""
LONGEST_LIST = 60
"""Values of a list that people write by hand."""
_QUANTITIES: dict[Kind, Callable[[str], object]] = {
    "duration": parse_duration_us,
    "rate": parse_rate,
    "share": parse_share,
    "clock": lambda text: parse_clock_time(text, date(2000, 1, 1), ZoneInfo("UTC")),
}
"""What a text must be, by kind: the examples in the schema are."""


@dataclass(frozen=True)
class Adjustable:
    """A key of a scenario that can be set to another value."""

    key: str
    """As messages write it."""
    part: str
    """Key of the part that it is in."""
    name: str
    """What it is called there: ``start``, ``message.median``."""
    kind: Kind
    description: str
    """What it means, from the schema, and where its default comes from."""
    text: str
    """What the scenario has, as a scenario file says it."""
    choices: tuple[str, ...] = ()
    """Words that may stand there, where only some may."""
    is_new: bool = False
    """Whether it is in a table that is not there yet; its text is empty if it has to be given."""
    is_optional: bool = False
    """Whether it can be turned off, by the word ``none``."""
    is_open: bool = False
    """Whether that is what lies beyond its range: no limit, or never."""
    scale: Scale | None = None
    """What is worth trying; None where no range is known."""

    def step(self, text: str) -> int | None:
        """Step of the scale that is nearest to a text; None where it is turned off, or wrong."""
        with suppress(ValueError):
            if self.scale is not None and text != NONE:
                return self.scale.step(value_of(self.kind, text))
        return None


def adjustable_parts(scenario: Scenario) -> list[str]:
    """Keys of the parts of a scenario in which something can be set to another value."""
    return [part.key for part in parts(scenario) if part.path[0] not in FIXED] + [LOAD]


def adjustables(scenario: Scenario, *within: str) -> Iterator[Adjustable]:
    """Everything that can be set to another value, part by part; of all parts, or of some."""
    chosen = within or adjustable_parts(scenario)
    for part in parts(scenario):
        if part.key in chosen:
            yield from _in_part(scenario, part, part)
    if LOAD in chosen:
        whole = Listed(LOAD, (LOAD,), scenario.load, LOAD in scenario.model_fields_set)
        yield from _of_field(scenario, whole, whole, scenario, scenario.load)


def lists_of_entries() -> dict[str, type[Part]]:
    """Lists that entries can be added to, and what such an entry is."""
    return {
        name: _part_of(Scenario, (name, 0)) or Part for name in (*NAMED_ENTRIES, *ADDED_ENTRIES)
    }


def adjustables_of_new(scenario: Scenario, name: str, called: str) -> Iterator[Adjustable]:
    """What can be said of an entry that is added to a list, ``new`` until it has a name."""
    blank = _blank(lists_of_entries()[name])
    part = Listed(f"{name}[{called}]", (name, len(getattr(scenario, name))), blank)
    yield from _in_part(scenario, part, part)


def _part_of(whole: type[BaseModel], path: KeyPath) -> type[Part] | None:
    """The table that may stand at a path, where only one kind of table may."""
    kinds = [kind for kind in kinds_at(whole, path) if isinstance(kind, type)]
    found = [kind for kind in kinds if issubclass(kind, Part)]
    return found[0] if len(found) == 1 else None


@cache
def _blank(table: type[Part]) -> Part:
    """A table of which nothing is said; None stands where something has to be."""
    fields = table.model_fields.items()
    optional: Any = {name: (f.annotation, f) for name, f in fields if not f.is_required()}
    # Read as in a file: a default is written as people write it.
    defaults = create_model(table.__name__, __config__=table.model_config, **optional)()
    required = {name: None for name, field in fields if field.is_required()}
    return table.model_construct(set(), **required, **dict(defaults))


def _in_part(scenario: Scenario, part: Listed, within: Listed) -> Iterator[Adjustable]:
    """Of a part, or of a table within it."""
    for listed in keys_of(within):
        value, name = listed.value, str(listed.path[-1])
        if value is None and name not in INSTEAD_OF:
            table = _part_of(type(within.value), (name,))
            value = None if table is None else _blank(table)
        if isinstance(value, Part):
            can_go = name not in INSTEAD_OF and _is_optional(type(within.value), name)
            if listed.value is not None and can_go:
                yield _whole_table(part, listed, type(within.value))
            yield from _in_part(scenario, part, listed._replace(value=value))
        elif isinstance(value, BaseModel):
            yield from _of_distribution(scenario, part, listed)
        elif isinstance(value, list) and any(isinstance(item, Part) for item in value):
            for place, item in enumerate(value):
                inner = Listed(f"{listed.key}[{place}]", (*listed.path, place), item)
                yield from _in_part(scenario, part, inner)
        elif not (_is_name(part, within, name) or isinstance(value, ContactList | tuple)):
            yield from _of_field(scenario, part, listed, within.value, value)


def _is_name(part: Listed, within: Listed, name: str) -> bool:
    """Whether a key says what an entry is called that is there already."""
    is_named = part is within and part.path[0] in NAMED_ENTRIES
    return is_named and name in ("name", "tenant") and getattr(part.value, name) is not None


def _is_optional(table: type[BaseModel], name: str) -> bool:
    return any(one.get("type") == "null" for one in _properties(table)[name].get("anyOf", ()))


def _whole_table(part: Listed, listed: Listed, within: type[BaseModel]) -> Adjustable:
    """A table that can be turned off as a whole."""
    name = listed.key.removeprefix(f"{part.key}.")
    described = _described(within, str(listed.path[-1]))
    said = listed.value.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    table = tomlkit.inline_table()
    table.update(said)
    text = table.as_string()
    return Adjustable(
        listed.key, part.key, name, "choice", described, text, (text, NONE), is_optional=True
    )


def _of_distribution(scenario: Scenario, part: Listed, listed: Listed) -> Iterator[Adjustable]:
    """The one parameter of a distribution that its range is about."""
    value, described = listed.value, _described(type(part.value), str(listed.path[-1]))
    if isinstance(value, Constant):
        yield _adjustable(scenario, part, listed, "duration", described, value.value, {})
        return
    for centre in CENTRES:
        if hasattr(value, centre):
            inner = listed._replace(key=f"{listed.key}.{centre}", path=(*listed.path, centre))
            text = f"{described} {_described(type(value), centre)}"
            of = getattr(value, centre)
            table: type[BaseModel] = type(value)
            kind = _kind(_alternatives(_properties(table)[centre])) or "duration"
            yield _adjustable(scenario, part, inner, kind, text, of, {})
            return


def _of_field(
    scenario: Scenario, part: Listed, listed: Listed, within: BaseModel, value: Any
) -> Iterator[Adjustable]:
    name, table = str(listed.path[-1]), type(within)
    node = _properties(table)[name]
    kind = _kind(_alternatives(node))
    is_blocked = value in (None, {}) and _has_instead(within, name)
    if kind is None or is_blocked or name in ("contact_list", "distribution"):
        return
    if kind in ("list", "map"):
        if value is not None and len(value) > LONGEST_LIST:
            return
        value = within.model_dump(mode="json", include={name})[name]
    if kind == "share" and type(value) is int:  # a duration that may stand instead of a share
        kind = "duration"
        durations = [one for one in _alternatives(node) if "maximum" not in one]
        node = {"anyOf": durations, "default": node.get("default", 0)}
    is_instant = datetime in kinds_at(table, (name,))
    found = _adjustable(
        scenario, part, listed, kind, _described(table, name), value, node, is_instant=is_instant
    )
    if value is None and table.model_fields[name].is_required():
        blank = ("",) if found.choices else ()
        found = replace(found, text="", choices=(*blank, *found.choices))
    yield replace(found, is_new=within is _blank(table))


def _has_instead(within: BaseModel, name: str) -> bool:
    """Whether something stands in the place of a key that is not there."""
    others = INSTEAD_OF.get(name, ())
    return any(getattr(within, other, None) not in (None, {}) for other in others)


def _adjustable(
    scenario: Scenario,
    part: Listed,
    listed: Listed,
    kind: Kind,
    described: str,
    value: Any,
    node: Mapping[str, Any],
    *,
    is_instant: bool = False,
) -> Adjustable:
    """A key with this value; `node` is what the schema says of it."""
    name = listed.key.removeprefix(f"{part.key}.")
    alternatives = _alternatives(node)
    words = tuple(word for one in alternatives for word in one.get("enum", ()))
    words = words or _references(scenario, str(listed.path[-1]))
    # What others can stand instead of is one of them always.
    is_optional = listed.path[-1] not in INSTEAD_OF and any(
        one.get("type") == "null" for one in alternatives
    )
    if words and is_optional:
        words = (NONE, *words)
    found = Adjustable(
        listed.key,
        part.key,
        name,
        kind,
        " ".join([described, *_source_of(part, name, is_set=listed.is_set)]),
        written_text(scenario, kind, value),
        ("true", "false") if kind == "switch" else words,
        is_optional=is_optional,
        is_open=is_optional and node.get("default", 0) is None,
    )
    limits: Mapping[str, Any] = next((one for one in alternatives if "maximum" in one), {})
    # A table within a part has keys of its own, of which its default's range is not.
    is_own = not node or "." not in name
    default = _default_name(part, name) if is_own else found.key
    if kind == "clock" and not is_instant:
        return found
    return replace(found, scale=scale_of(scenario, found.key, kind, value, default, limits))


# What the schema says


@cache
def _properties(table: type[BaseModel]) -> Mapping[str, Any]:
    properties: Mapping[str, Any] = table.model_json_schema()["properties"]
    return properties


def _described(table: type[BaseModel], name: str) -> str:
    return " ".join((table.model_fields[name].description or "").split())


def _alternatives(node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What may stand there, one by one."""
    inner = [*node.get("anyOf", ()), *node.get("oneOf", ())]
    return [found for one in inner for found in _alternatives(one)] or [node]


def _kind(alternatives: list[Mapping[str, Any]]) -> Kind | None:
    """Kind of what may stand somewhere; None for tables, lists and free texts."""
    examples = [text for one in alternatives for text in one.get("examples", ())]
    for kind, parse in _QUANTITIES.items():
        with suppress(ValueError, IndexError):
            parse(examples[0])
            return kind
    if any("enum" in one for one in alternatives):
        return "choice"
    types: dict[str, Kind] = {
        "boolean": "switch",
        "integer": "count",
        "number": "number",
        "array": "list",
        "object": "map",
        "string": "text",
    }
    return next((types[of] for one in alternatives if (of := one.get("type")) in types), None)


def _references(scenario: Scenario, name: str) -> tuple[str, ...]:
    """Names that may stand at keys that name something of the scenario."""
    if name == "profile":
        return tuple(sorted(scenario.all_profiles))
    if name == "campaign":
        return tuple(campaign.full_name for campaign in scenario.campaign)
    if name in ("result_url", "endpoint"):
        return tuple(endpoint.name for endpoint in scenario.endpoint)
    return ()


def _source_of(part: Listed, name: str, *, is_set: bool) -> Iterator[str]:
    """Where a default comes from, if there is one and it is in use."""
    default = DEFAULTS.get(_default_name(part, name))
    if default is not None and not is_set:
        yield f"Default: {GRADES[default.grade]} ({default.source})."


def _default_name(part: Listed, name: str) -> str:
    """Name of the default of a key; the background has those of campaigns where it has no own."""
    kind, field = part.path[0], name.partition(".")[0]
    own = f"{kind}.{field}"
    return f"campaign.{field}" if kind == "background" and own not in DEFAULTS else own
