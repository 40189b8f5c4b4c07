"""What pydantic refused, in plain words: what was found, and what is allowed."""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from pydantic_core import ErrorDetails

from outsim.scenario.files import SHOWN_OF_KEYS
from outsim.text import shortened
from outsim.units import shown

_PATTERNS = {
    r"^[\w][\w .:+-]*$": "must be letters, digits, spaces and any of _ . : + -, "
    "and begin with a letter or digit",
    r"^[0-9]{10}$": "must be 10 digits",
}
_RULES: dict[str, Callable[[dict[str, Any]], str]] = {
    "greater_than": lambda limits: f"must be more than {_number(limits['gt'])}",
    "greater_than_equal": lambda limits: f"must be at least {_number(limits['ge'])}",
    "less_than": lambda limits: f"must be less than {_number(limits['lt'])}",
    "less_than_equal": lambda limits: f"must be at most {_number(limits['le'])}",
    "string_too_short": lambda limits: f"must have at least {limits['min_length']} character",
    "string_too_long": lambda limits: f"must have at most {limits['max_length']} characters",
    "too_short": lambda limits: _length("at least", limits["min_length"], limits),
    "too_long": lambda limits: _length("at most", limits["max_length"], limits),
    "string_pattern_mismatch": lambda limits: _PATTERNS.get(
        limits["pattern"], f"must match {limits['pattern']}"
    ),
}
_KINDS = {
    "int": "must be a whole number",
    "float": "must be a number",
    "finite_number": "must be a finite number",
    "bool": "must be true or false",
    "string": 'must be a text in quotes, such as "name"',
    "list": "must be a list",
    "dict": "must be a table",
    "model": "must be a table",
}


def _length(bound: str, length: int, limits: dict[str, Any]) -> str:
    items = "item" if length == 1 else "items"
    return f"must have {bound} {length} {items}, has {limits['actual_length']}"


def _number(limit: float) -> str:
    return str(int(limit)) if limit == int(limit) else f"{limit:g}"


def in_words(details: ErrorDetails, value: Any) -> str:
    """What is wrong with a value: what was found, and what is allowed."""
    kind, limits = details["type"], details.get("ctx", {})
    if kind == "value_error":
        return str(limits["error"])
    found = f"found {shown(value)}"
    if details["loc"][-1] == "[key]":
        found = f'found the key "{shortened(str(details["loc"][-2]), SHOWN_OF_KEYS)}"'
    if kind in ("literal_error", "union_tag_invalid"):
        allowed = re.findall(r"'([^']*)'", limits.get("expected") or limits["expected_tags"])
        near = get_close_matches(str(value), allowed, n=1, cutoff=0.6)
        hint = f"did you mean {near[0]!r}? " if near else ""
        return f"{found}; {hint}allowed: {', '.join(allowed)}"
    if kind in _RULES:
        return f"{found}; {_RULES[kind](limits)}"
    for prefix, rule in _KINDS.items():
        if kind.startswith(prefix):
            return f"{found}; {rule}"
    return f"{found}; must be of another kind"
