"""Phone numbers as contact lists write them.

A destination is a North American number with or without ``tel:``, ``+`` and the
leading 1, followed by parameters in any order: ``;ani=`` for the caller ID and
``;postd=`` for digits to dial after the answer.
"""

from __future__ import annotations

import re

_NATIONAL = r"(?:\+?1)?([2-9][0-9]{2}[2-9][0-9]{6})"
_DIALLED = re.compile(rf"(?:tel:)?{_NATIONAL}", re.ASCII | re.IGNORECASE)
_WITH_ANI = re.compile(rf"(?:tel:)?{_NATIONAL}(?:;ani={_NATIONAL})?", re.ASCII | re.IGNORECASE)
_DIGITS = re.compile(r"(?:tel:)?(\+?)([0-9]+)", re.ASCII | re.IGNORECASE)
_POSTD = re.compile(r"[0-9*#]+")


class InvalidNumberError(ValueError):
    """A destination can't be dialled; the message is one of the reasons in `contacts`."""


def _national_number(text: str, bare_reason: str) -> int:
    """Ten-digit national number of `text`, which holds no parameters."""
    match = _DIALLED.fullmatch(text)
    if match is not None:
        return int(match[1])
    digits = _DIGITS.fullmatch(text)
    if digits is None:
        raise InvalidNumberError(bare_reason)
    plus, number = digits.groups()
    if (plus and number[0] != "1") or (len(number) == 11 and number[0] != "1"):
        raise InvalidNumberError("country code")
    number = number[1:] if plus or len(number) == 11 else number
    if len(number) != 10:
        raise InvalidNumberError("wrong length")
    raise InvalidNumberError("area code" if number[0] in "01" else "exchange")


def parse_destination(text: str) -> tuple[int, int]:
    """National number and caller ID of a destination such as ``tel:+1...;ani=...``."""
    match = _WITH_ANI.fullmatch(text)
    if match is not None:
        return int(match[1]), int(match[2] or 0)
    head, *parameters = (part.strip() for part in text.split(";"))
    if not head:
        raise InvalidNumberError("empty")
    number = _national_number(head, "not a number")
    given: dict[str, str] = {}
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        name = name.strip().lower()
        if name not in ("ani", "postd") or name in given:
            raise InvalidNumberError("unknown parameter")
        given[name] = value.strip()
    if "postd" in given and not _POSTD.fullmatch(given["postd"]):
        raise InvalidNumberError("bad postd")
    return number, parse_ani(given["ani"]) if "ani" in given else 0


def parse_ani(text: str) -> int:
    """Ten-digit caller ID."""
    try:
        return _national_number(text.strip(), "bad ani")
    except InvalidNumberError:
        raise InvalidNumberError("bad ani") from None
