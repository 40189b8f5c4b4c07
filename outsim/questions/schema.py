"""The JSON Schema of scenario files and of snapshots, for editors and forms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from outsim.document import Answer, Document
from outsim.questions.question import Question, asks
from outsim.scenario.defaults import DEFAULTS, GRADES
from outsim.scenario.keys import ADDED_ENTRIES, NAMED_ENTRIES
from outsim.scenario.model import Scenario
from outsim.scenario.snapshot import Snapshot

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_EXTENDS = {
    "type": "string",
    "minLength": 1,
    "title": "Extends",
    "description": "Path of a scenario file, relative to this one, that this one is laid over.",
}
_REPLACES = {
    "type": "array",
    "items": {"enum": [*ADDED_ENTRIES]},
    "title": "Replaces",
    "description": "Lists whose entries here stand instead of those of the file that this one "
    "extends; default: beside them.",
}


def json_schema() -> dict[str, Any]:
    """JSON Schema, draft 2020-12, of one scenario file; TOML's dates and times count as texts.

    A file may leave out whatever it inherits of another one. So the schema requires nothing but
    names, without which no entry can be matched; `load` finds what is missing in the end.
    """
    schema = Scenario.model_json_schema(mode="validation")
    definitions = schema.pop("$defs")
    for table in [schema, *definitions.values()]:
        table.pop("required", None)
        for key, value in table.get("properties", {}).items():
            if value.get("default", value) in ({}, []):
                _allow_none(table["properties"], key)
    for part in NAMED_ENTRIES:
        definitions[part.capitalize()]["required"] = ["name"]
    for node in _nodes([schema, definitions]):
        _plain(node)
    _name_sources(definitions)
    heads = {"extends": _EXTENDS, "replaces": _REPLACES}
    schema["properties"] = heads | schema["properties"]
    return {"$schema": DRAFT, **schema, "title": "outsim scenario", "$defs": definitions}


def snapshot_schema() -> dict[str, Any]:
    """JSON Schema, draft 2020-12, of a snapshot file."""
    schema = Snapshot.model_json_schema(mode="validation")
    return {"$schema": DRAFT, **schema, "title": "outsim snapshot"}


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every schema inside `value`, outermost first."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from _nodes(inner)


def _allow_none(properties: dict[str, Any], key: str) -> None:
    """Let "none" empty a table or list that is empty by default."""
    if properties[key].get("type") in ("object", "array"):
        described = {k: properties[key].pop(k) for k in ("title", "description", "default")}
        properties[key] = {"anyOf": [properties[key], {"type": "null"}], **described}


def _plain(node: dict[str, Any]) -> None:
    """Say in a file's terms what pydantic says in Python's."""
    if node.get("type") == "null":
        node.clear()
        node["const"] = "none"
    if isinstance(node.get("description"), str):
        node["description"] = " ".join(node["description"].split())
    if "default" in node and node["default"] is None:
        del node["default"]
    # A distribution may inherit some of its keys, so that more than one may fit.
    if "oneOf" in node:
        node["anyOf"] = node.pop("oneOf")
    node.pop("discriminator", None)


def _name_sources(definitions: dict[str, Any]) -> None:
    """Add to the description of each key where its default comes from."""
    for name, default in DEFAULTS.items():
        part, _, key = name.partition(".")
        if part != "profiles":
            node = definitions[part.capitalize()]["properties"][key]
            source = f"Default: {GRADES[default.grade]} ({default.source})."
            node["description"] = f"{node['description']} {source}"


@dataclass(frozen=True, eq=False, repr=False)
class Schema(Answer):
    """A JSON Schema."""

    schema: dict[str, Any]

    def document(self) -> Document:
        """The keys at the top of it."""
        keys = self.schema["properties"]
        return Document(
            id="schema",
            title="What may stand in a file?",
            answer=f"{self.schema.get('title', 'Schema')}: keys {', '.join(keys)}.",
        )

    def to_dict(self) -> dict[str, Any]:
        """The schema itself."""
        return self.schema


@asks()
def schema(*, snapshot: bool = False) -> Question[Schema]:
    """Give the JSON Schema of scenario files, for editors that complete and check them.

    Parameters
    ----------
    snapshot : bool
        Give that of a snapshot of a live queue (JSON) instead.
    """
    return Question("schema", lambda _: Schema(snapshot_schema() if snapshot else json_schema()))
