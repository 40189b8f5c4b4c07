"""What of a scenario can be set to another value: keys with kind, meaning and range.

All of it is read off the schema; keys whose values are tables, lists or free texts are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from outsim.clock import parse_clock_time, parse_duration_us, parse_rate, parse_share
from outsim.distributions import Constant
from outsim.scenario.defaults import DEFAULTS, GRADES
from outsim.scenario.factors import CENTRES
from outsim.scenario.keys import INSTEAD_OF, Listed, keys_of, parts
from outsim.scenario.model import Scenario
from outsim.scenario.parts import Part
from outsim.scenario.scales import NONE, Kind, Scale, scale_of, value_of, written_text

FIXED = ("clock", "study", "suspension", "pause", "outage", "profiles")
"""Parts that are left out: they say what is asked, or have no names to be called by."""
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
    return [part.key for part in parts(scenario) if part.path[0] not in FIXED]


def adjustables(scenario: Scenario, *within: str) -> Iterator[Adjustable]:
    """Everything that can be set to another value, part by part; of all parts, or of some."""
    chosen = within or adjustable_parts(scenario)
    for part in parts(scenario):
        if part.key in chosen:
            yield from _in_part(scenario, part, part)


def _in_part(scenario: Scenario, part: Listed, within: Listed) -> Iterator[Adjustable]:
    """Of a part, or of a table within it."""
    for listed in keys_of(within):
        value, name = listed.value, str(listed.path[-1])
        if isinstance(value, Part):
            yield from _in_part(scenario, part, listed)
        elif isinstance(value, BaseModel):
            yield from _of_distribution(scenario, part, listed)
        elif name not in ("name", "tenant"):
            yield from _of_field(scenario, part, listed, type(within.value), value)


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
            yield _adjustable(scenario, part, inner, "duration", text, of, {})
            return


def _of_field(
    scenario: Scenario, part: Listed, listed: Listed, table: type[BaseModel], value: Any
) -> Iterator[Adjustable]:
    name = str(listed.path[-1])
    node = _properties(table)[name]
    kind = _kind(node.get("anyOf", [node]))
    if kind is not None and not (value is None and name in INSTEAD_OF):
        described = _described(table, name)
        yield _adjustable(scenario, part, listed, kind, described, value, node)


def _adjustable(
    scenario: Scenario,
    part: Listed,
    listed: Listed,
    kind: Kind,
    described: str,
    value: Any,
    node: Mapping[str, Any],
) -> Adjustable:
    """A key with this value; `node` is what the schema says of it."""
    name = listed.key.removeprefix(f"{part.key}.")
    alternatives = node.get("anyOf", [node])
    words = tuple(word for one in alternatives for word in one.get("enum", ()))
    found = Adjustable(
        listed.key,
        part.key,
        name,
        kind,
        " ".join([described, *_source_of(part, name, is_set=listed.is_set)]),
        written_text(scenario, kind, value),
        ("true", "false") if kind == "switch" else words,
        is_optional=any(one.get("type") == "null" for one in alternatives),
        is_open=node.get("default", 0) is None,
    )
    limits: Mapping[str, Any] = next((one for one in alternatives if "maximum" in one), {})
    # A table within a part has keys of its own, of which its default's range is not.
    is_own = not node or "." not in name
    default = _default_name(part, name) if is_own else found.key
    scale = scale_of(scenario, found.key, kind, value, default, limits)
    return replace(found, scale=scale)


# What the schema says


@cache
def _properties(table: type[BaseModel]) -> Mapping[str, Any]:
    properties: Mapping[str, Any] = table.model_json_schema()["properties"]
    return properties


def _described(table: type[BaseModel], name: str) -> str:
    return " ".join((table.model_fields[name].description or "").split())


def _kind(alternatives: list[dict[str, Any]]) -> Kind | None:
    """Kind of what may stand somewhere; None for tables, lists and free texts."""
    examples = [text for one in alternatives for text in one.get("examples", ())]
    for kind, parse in _QUANTITIES.items():
        with suppress(ValueError, IndexError):
            parse(examples[0])
            return kind
    if any("enum" in one for one in alternatives):
        return "choice"
    types: dict[str, Kind] = {"boolean": "switch", "integer": "count", "number": "number"}
    return next((types[of] for one in alternatives if (of := one.get("type")) in types), None)


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
