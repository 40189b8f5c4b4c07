"""Times as programs and people write them, rewritten in the ways that are read many at once."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import lru_cache
from urllib.parse import unquote
from zoneinfo import ZoneInfo

_LONGEST = 80
"""Characters of a time that is looked at."""

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            *("jan ene", "feb fév fev", "mar mär mrz", "apr avr abr", "may mai", "jun juin"),
            *("jul juil", "aug aoû aou ago", "sep", "oct okt", "nov", "dec déc dez dic"),
        ),
        1,
    )
    for name in names.split()
}
"""Months by how their names begin, in English, German, French and Spanish."""

_OFFSETS_H = {
    **dict.fromkeys(("z", "utc", "gmt", "ut", "wet"), 0),
    **dict.fromkeys(("est", "cdt"), -5),
    **dict.fromkeys(("cst", "mdt"), -6),
    **dict.fromkeys(("mst", "pdt"), -7),
    **dict.fromkeys(("pst", "akdt"), -8),
    "edt": -4,
    "akst": -9,
    "hst": -10,
    **dict.fromkeys(("cet", "mez", "west"), 1),
    **dict.fromkeys(("cest", "mesz", "eet"), 2),
    "eest": 3,
}
"""Abbreviations of zones: those of RFC 2822, and others that mean one thing only."""

_LETTERS = r"[^\W\d_]"
_TIME = re.compile(
    r"(?P<h>\d{1,2})(?:[:h]|(?<=[ t-]\d\d)\.)(?P<m>\d\d)"
    r"(?:[:.m](?P<s>\d\d)(?:[.,:](?P<f>\d{1,9}))?)?s?"
    r"(?: ?(?P<half>[ap])\.?m\b\.?)?(?: uhr\b)?(?![\d:])"
)
_ZONE = (
    r"(?: ?(?P<zone>(?:utc|gmt)?(?P<sign>[+-])(?P<zh>\d\d):?(?P<zm>\d\d)?(?: [a-z]{3,5})?"
    r"|[a-z]{1,5}))?"
    r"(?: ?[(\[][^()\[\]]*[)\]])?"
)
_GLUE = r"(?:,? ?(?:at|à|um|[t+-])? ?)"
_WEEKDAY = rf"(?:{_LETTERS}{{2,10}}(?:[.,]{{1,2}} ?| ))?"
_DAYS = (
    r"(?P<plain>\d{1,4}[/.-]\d{1,2}[/.-]\d{2,4})",
    r"(?P<y>\d{4})(?P<b>\d\d)(?P<d>\d\d)",
    r"(?P<d>\d{1,2})(?:\.|st|nd|rd|th)?[- /]{0,2}"
    rf"(?P<month>{_LETTERS}{{3,9}})\.?,?[- /]{{0,2}}(?P<y>\d{{4}}|\d\d)",
    rf"(?P<month>{_LETTERS}{{3,9}})\.? ?(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<y>\d{{4}})",
)
_AROUND = (
    *(re.compile(f"{_WEEKDAY}{day}{_GLUE}@{_ZONE}") for day in _DAYS),
    *(re.compile(f"@{_ZONE}{_GLUE}{_WEEKDAY}{day}") for day in _DAYS),
    re.compile(
        rf"{_WEEKDAY}(?P<month>{_LETTERS}{{3,9}})\.? (?P<d>\d{{1,2}}),? @{_ZONE} (?P<y>\d{{4}})"
    ),
)
"""What stands around the time of day, which is ``@`` in it."""
_COMPACT = re.compile(r"((?:19|20)\d{2})(\d\d)(\d\d)[t _-]?(\d\d)(\d\d)(\d\d)(.*)")
_ZONE_HOURS_ALONE = re.compile(r"(.*:\d\d(?:[.]\d+)?)([+-]\d\d)")


def rewritten(text: str, zone: str | None) -> str | None:
    """A time in ISO 8601, or as ``3/10/2026 09:00:00``; None if it can't be read.

    Parameters
    ----------
    text : str
    zone : str or None
        Zone of the log: its own abbreviations, such as IST, mean itself.
    """
    plain = text[: _LONGEST + 1].strip().lower()
    if len(plain) > _LONGEST:
        return None
    plain = re.sub(r"\s+", " ", unquote(plain))
    if (match := _ZONE_HOURS_ALONE.fullmatch(plain)) is not None:
        plain = f"{match[1]}{match[2]}00"
    if (match := _COMPACT.fullmatch(plain)) is not None:
        plain = "{}-{}-{} {}:{}:{}{}".format(*match.groups())
    time = _TIME.search(plain)
    if time is None:
        return None
    around = f"{plain[: time.start()]}@{plain[time.end() :]}"
    for pattern in _AROUND:
        if (match := pattern.fullmatch(around)) is not None:
            return _joined(match, time, zone)
    return None


def _joined(match: re.Match[str], time: re.Match[str], zone: str | None) -> str | None:
    parts = match.groupdict()
    day = parts.get("plain") or _day(parts)
    hour = int(time["h"])
    if time["half"] is not None:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + 12 * (time["half"] == "p")
    clock = f"{hour:02d}:{time['m']}:{time['s'] or '00'}"
    clock += f".{time['f'][:6]}" if time["f"] else ""
    if day is None or hour > 23:
        return None
    if parts["sign"]:
        return f"{day} {clock}{parts['sign']}{parts['zh']}:{parts['zm'] or '00'}"
    if not parts["zone"]:
        return f"{day} {clock}"
    offset = _offset(parts["zone"], day, clock, zone)
    return None if offset is None else f"{day} {clock}{offset}"


def _day(parts: dict[str, str | None]) -> str | None:
    year, day, month = parts["y"] or "", parts["d"] or "", parts.get("b")
    if month is None:
        name = parts["month"] or ""
        number = _MONTHS.get(name[:4], _MONTHS.get(name[:3]))
        if number is None:
            return None
        month = f"{number:02d}"
    return f"{'20' if len(year) == 2 else ''}{year}-{month}-{day:>02}"


def _offset(said: str, day: str, clock: str, zone: str | None) -> str | None:
    """Offset of a zone's abbreviation on a day, as ``-04:00``."""
    if zone is not None and (own := _own_offset(said, day[:10], clock[:5], zone)) is not None:
        return own
    hours = _OFFSETS_H.get(said)
    return None if hours is None else f"{'-' if hours < 0 else '+'}{abs(hours):02d}:00"


@lru_cache(maxsize=4096)
def _own_offset(said: str, day: str, clock: str, zone: str) -> str | None:
    """Offset that an abbreviation has in the log's own zone, if it is one of its own."""
    try:
        at = datetime.fromisoformat(f"{day} {clock}")
    except ValueError:
        # A day such as 3/10/2026: either half of its year tells what the zone calls itself.
        at = datetime(2026, 1, 15)
    for local in (at, at + timedelta(days=182)):
        for fold in (0, 1):
            here = local.replace(tzinfo=ZoneInfo(zone), fold=fold)
            if (here.tzname() or "").lower() == said:
                return f"{here:%z}"[:3] + ":" + f"{here:%z}"[3:5]
    return None
