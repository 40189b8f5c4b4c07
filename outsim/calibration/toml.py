"""Writing TOML: tables of texts, numbers, lists and tables."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any

from outsim.text import visible, visible_lines

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_WIDTH = 90


def toml(values: Mapping[str, Any], head: Sequence[str] = ()) -> str:
    """Tables as a TOML document, with comments at its head.

    Tables that hold plain values only are written in one line if that is short.
    """
    lines = [f"# {line}" for text in head for line in wrap(visible(text), _WIDTH)]
    lines += _table(values, ())
    return "\n".join(lines) + "\n"


def _table(values: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    plain = {key: value for key, value in values.items() if not _is_long(key, value)}
    if path and (plain or not values):
        yield f"\n[{'.'.join(map(_key, path))}]"
    for key, value in plain.items():
        yield from _assignment(key, value)
    for key, value in values.items():
        if key not in plain:
            yield from _table(value, (*path, key))


def _is_long(key: str, value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    nested = any(isinstance(each, Mapping) for each in value.values())
    return not value or nested or len(key) + len(_value(value)) > _WIDTH


def _assignment(key: str, value: Any) -> Iterator[str]:
    line = f"{_key(key)} = {_value(value)}"
    if len(line) <= _WIDTH or not isinstance(value, list):
        yield line
        return
    yield f"{_key(key)} = ["
    if any(isinstance(each, list) for each in value):
        yield from (f"    {_value(each)}," for each in value)
    else:
        yield from _filled([f"{_value(each)}," for each in value])
    yield "]"


def _filled(texts: Sequence[str]) -> Iterator[str]:
    """Texts in lines that are as long as they may be; none is broken."""
    line = "   "
    for text in texts:
        if len(line) + len(text) + 1 > _WIDTH:
            yield line
            line = "   "
        line += f" {text}"
    yield line


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else json.dumps(visible(key))


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(key)} = {_value(each)}" for key, each in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(each) for each in value)}]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(visible_lines(value), ensure_ascii=False)
    return repr(value)
