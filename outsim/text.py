"""Text from outside, made safe to show: names, file names, words of a log."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, time, timedelta
from pathlib import PurePath
from typing import Any, overload

_CONTROLS = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 without tab and line feed, DEL, C1
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # direction of writing
    "\u2028\u2029"  # line and paragraph separators
    "\ufeff\ufffe\uffff\ufff9-\ufffb"  # no characters, or none that show
    "\ud800-\udfff"  # halves of surrogate pairs: no encoding has them
)
_IN_LINES = re.compile(rf"\r(?=\n)|([{_CONTROLS}])")
_IN_A_LINE = re.compile(rf"([\t\n{_CONTROLS}])")
_SHORT = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}


def _escape(match: re.Match[str]) -> str:
    character = match[1]
    if character is None:  # of a line end in two characters
        return ""
    code = ord(character)
    return _SHORT.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def visible(text: str) -> str:
    r"""A text in one line, with whatever does not show itself written as an escape.

    Control characters, such as those that a terminal takes for orders, marks that turn the
    direction of writing, separators of lines, and what no encoding and no XML document can hold.

    Examples
    --------
    >>> print(visible("\x1b[31mred"))
    \x1b[31mred
    """
    return _IN_A_LINE.sub(_escape, text)


def visible_lines(text: str) -> str:
    """The same of a text that may have lines and tabs, which stay."""
    return _IN_LINES.sub(_escape, text)


LONGEST_TITLE = 200
"""Characters of a scenario's name."""


def title(text: str) -> str:
    """A scenario's name as it is shown: safe, and cut in the middle where it is too long."""
    shown = visible(text)
    if len(shown) <= LONGEST_TITLE:
        return shown
    return f"{shown[: LONGEST_TITLE // 2]}...{shown[-LONGEST_TITLE // 2 + 3 :]}"


def shortened(text: str, most: int) -> str:
    """A text of at most so many characters, and three dots where it is longer."""
    return text if len(text) <= most else text[:most] + "..."


MOST_SHOWN = 2_000
"""Characters that anything shows of itself at most, where nobody asked for all of it."""


class _BriefDict(dict[str, Any]):
    def __repr__(self) -> str:
        return bounded(dict.__repr__(self))


class _BriefList(list[Any]):
    def __repr__(self) -> str:
        return bounded(list.__repr__(self))


@overload
def plain(value: Mapping[str, Any]) -> dict[str, Any]: ...
@overload
def plain(value: Any) -> Any: ...
def plain(value: Any) -> Any:
    """A document for machines: dicts, lists, texts, numbers, None for NaN; its repr is short."""
    if isinstance(value, Mapping):
        return _BriefDict((str(key), plain(part)) for key, part in value.items())
    if isinstance(value, list | tuple):
        return _BriefList(map(plain, value))
    if hasattr(value, "item"):
        value = value.item()
    if hasattr(value, "isoformat"):
        return str(value) if value == value else None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


_VALUE = 60
_FEW = 4
_PLAIN = (str, bytes, int, float, complex, bool, date, time, timedelta, PurePath, type(None))


def bounded(text: str, most: int = MOST_SHOWN, more: str = "") -> str:
    """A text of at most so many characters: its beginning, how much is left, and where."""
    if len(text) <= most:
        return text
    beginning = text[: most - len(more) - 40]
    return f"{beginning} ... ({len(text) - len(beginning):,} characters more{more})"


def brief(thing: Any) -> str:
    """The repr of a dataclass or pydantic model with many parts, and how much of each."""
    parts, whole = [], True
    for name, value in _parts_of(thing):
        text, is_whole = _short(value)
        parts.append(text if name is None else f"{name}={text}")
        whole = whole and is_whole
    more = "" if whole else "; its attributes have the rest"
    return bounded(f"{type(thing).__name__}({', '.join(parts)}{more})")


def _parts_of(thing: Any) -> Iterator[tuple[str | None, Any]]:
    if is_dataclass(thing):
        yield from (
            (field.name, getattr(thing, field.name)) for field in fields(thing) if field.repr
        )
    else:
        for name, value in thing.__repr_args__():
            # What is empty there is what nobody has said anything of.
            if not (value is None or (isinstance(value, list | dict) and not value)):
                yield name, value


def _short(value: Any) -> tuple[str, bool]:
    """A value as a part of something else, and whether that is all of it."""
    if isinstance(value, _PLAIN):
        if isinstance(value, int) and abs(value) >= 10**_VALUE:
            return f"a number of {int(value.bit_length() * math.log10(2)) + 1} digits", False
        if isinstance(value, date | time):
            return str(value), True
        text = repr(value[: _VALUE + 1] if isinstance(value, str | bytes) else value)
        return shortened(visible(text), _VALUE), len(text) <= _VALUE
    if isinstance(value, dict | list | tuple | set | frozenset):
        return _several(value)
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and shape:
        sizes = " x ".join(f"{size:,}" for size in shape)
        return f"<{type(value).__name__}, {sizes}>", False
    name = getattr(value, "name", None)
    inner = repr(shortened(name, _VALUE)) if isinstance(name, str) else "..."
    return f"{type(value).__name__}({inner})", False


def _several(values: Any) -> tuple[str, bool]:
    """Some values: all of them where they are few and plain, else how many of what."""
    plain = values.items() if isinstance(values, dict) else values
    begin, end = "[]" if isinstance(values, list) else "()" if isinstance(values, tuple) else "{}"
    if len(values) <= _FEW:
        if isinstance(values, dict):
            texts = [f"{shortened(repr(key), _VALUE)}: {_short(value)[0]}" for key, value in plain]
        else:
            texts = [_short(value)[0] for value in plain]
        whole = all(isinstance(value, _PLAIN) for value in values)
        text = ", ".join(texts)
        if len(text) <= 2 * _VALUE:
            return f"{begin}{text}{end}", whole
    kinds = {type(value).__name__ for value in values}
    of = f" {kinds.pop()}" if len(kinds) == 1 and not isinstance(values, dict) else ""
    return f"{begin}{len(values):,}{of}{end}", False
