"""How well founded each part of the interface is, in the document that describes it.

``documented``: the platform's public pages say so. ``inferred``: they support it and do not state
it. ``ours``: the sandbox's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import Field

KEY = "x-grade"
GRADES = ("documented", "inferred", "ours")

DOCUMENTED, INFERRED, OURS = (Field(json_schema_extra={KEY: grade}) for grade in GRADES)
"""For the fields of requests and answers, in their annotation."""


def graded(grade: str, **more: Any) -> dict[str, Any]:
    """What an endpoint or a parameter adds to its description to say its grade."""
    return {KEY: grade, **more}


def parts_of(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Everything in an OpenAPI document that has a grade, with a name for messages."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            place = f"{method.upper()} {path}"
            yield place, operation
            for parameter in operation.get("parameters", ()):
                yield f"{place}: {parameter['name']}", parameter["schema"]
    for name, schema in document.get("components", {}).get("schemas", {}).items():
        for key, field in schema.get("properties", {}).items():
            yield f"{name}.{key}", field


def grade_the_rest(document: dict[str, Any]) -> dict[str, Any]:
    """Mark as our own what says nothing of its grade."""
    for _, part in parts_of(document):
        part.setdefault(KEY, "ours")
    return document
