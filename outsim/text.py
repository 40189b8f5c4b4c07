"""Text from outside, made safe to show: names, file names, words of a log."""

from __future__ import annotations

import re

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


def shortened(text: str, most: int) -> str:
    """A text of at most so many characters, and three dots where it is longer."""
    return text if len(text) <= most else text[:most] + "..."
