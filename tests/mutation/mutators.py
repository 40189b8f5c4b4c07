"""Changes of an input that keep most of its structure: values, keys, rows, lines, bytes.

Every function takes a `random.Random`, so that an input is made again from its number.
"""

from __future__ import annotations

import copy
import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time
from random import Random
from typing import Any

NUMBERS: tuple[Any, ...] = (
    *(0, -1, 1, 2, 7, 255, 65_536, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 10**18, 10**30, 10**400),
    *(0.0, -0.0, 0.5, 1.0, 1.5, 1e-320, 1e-9, 1e300, -1e300, float("inf"), float("nan")),
)
TEXTS: tuple[str, ...] = (
    *("", " ", "none", "null", "NaN", "inf", "true", "0", "-1", "1e999", "9" * 400, "x" * 300),
    *("0 s", "1 us", "-1 s", "10 min", "1e9 s", "3660 d", "90000 d", "1.5.2 s", "1__0 s", "5 s 3"),
    *("09:00", "09:60", "24:00", "02:30", "9:5", "2026-02-30", "1970-01-01", "9999-12-31 23:59"),
    *("0/s", "1/s", "1e-9/s", "1e12/s", "5/fortnight", "1/0 s", "60/min"),
    *("0 %", "100 %", "150 %", "-1 %", "2 %%", "1/3"),
    *("America/New_York", "EST", "Mars/Olympus", "UTC", "right/UTC", "../../etc/passwd"),
    *("\x1b[31mred\x1b[0m", "a\x00b", "\u202eabc", "\x85", "[red]x[/red]", "{{x}}", "<b>&amp;"),
    *("/dev/zero", ".", "..", "~", "-", "--help", "C:\\x", "caf\u00e9", "\U0001f4de" * 40),
)
CELLS: tuple[str, ...] = (
    *("", " ", "NULL", "\\N", "-", "N/A", "None", "0000-00-00 00:00:00", "nan", "inf", "1e400"),
    *("1,600", "0:40", "00:00:40", "40,00", "1.31256E+10", "+1 (212) 555-0100", "0", "-5"),
    *('"', '""', "a\nb", "\n", "a\r\nb", ",", ";", "\t", "a\x00b", "\ufeff", "\x1b]0;x\x07", "'"),
    *("ANSWERED", "answered", "NO ANSWER", "BUSY", "human", "2026-11-01 01:30:00"),
    *("1773036000", "1773036000000", "Tue, 10 Mar 2026 09:00:00 +0000", "2026-03-08 02:30:00"),
    *(
        "2125550100",
        "tel:+12125550100",
        "911",
        "anonymous",
        "America/Chicago",
        "x" * 5000,
        "7" * 50,
    ),
)
KEYS = ("", "name", "start", "at", "count", "x", "campaign", "\x1b[2J", "a.b", "n" * 300, "\u202e")
FAMILIES: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (
        re.compile(r"\d\d:\d\d"),
        ("08:59", "09:00", "09:00:00.000001", "09:07", "09:30", "10:00", "12:00", "23:59"),
    ),
    (
        re.compile(r"[\d.]+ ?/(s|min|h)"),
        ("0.000001/s", "0.1/s", "1.3/s", "7/min", "60/h", "100/s", "1000000/s", "1/h"),
    ),
    (
        re.compile(r"[\d.]+ ?(us|ms|s|min|h|d)"),
        ("1 us", "1 ms", "1.5 s", "30 s", "59 s", "60 s", "7 min", "1 h", "2 d", "300 d"),
    ),
    (re.compile(r"[\d.]+ ?%"), ("0 %", "0.001 %", "33 %", "50 %", "99.9 %", "100 %")),
)
"""Values of one kind as people write them: what another of its kind may be."""
BYTES = (b"\x00", b'"', b"\n", b"\r", b"\xff", b"\xef\xbb\xbf", b",", b"[", b"{", b"\\", b"\x1a")
STRUCTURES: tuple[Callable[[Any], Any], ...] = (
    lambda value: [value],
    lambda value: {"value": value},
    lambda value: [value, value],
    lambda _: [],
    lambda _: {},
    lambda _: True,
    str,
    lambda _: date(2026, 3, 10),
    lambda _: time(9),
    lambda _: datetime(2026, 3, 10, 9),
)


def changed_value(random: Random, value: Any) -> Any:
    """Another value in place of one: near it, of its kind, or of another kind."""
    kind = random.randrange(12)
    if isinstance(value, int | float) and not isinstance(value, bool) and kind < 10:
        nearby = (value + 1, value - 1, 0, 1, value * 2, value * 30, value // 3)
        return random.choice(nearby if kind < 7 else NUMBERS)
    if isinstance(value, str) and kind < 10:
        for pattern, others in FAMILIES if kind < 8 else ():
            if pattern.fullmatch(value):
                return random.choice(others)
        return random.choice(TEXTS) if kind else changed_text(random, value, 1)
    if kind == 10:
        return random.choice(STRUCTURES)(value)
    return random.choice((*NUMBERS, *TEXTS))


def changed_tree(random: Random, tree: Any, times: int) -> Any:
    """A copy of nested tables and lists with some values, keys and entries changed."""
    tree = copy.deepcopy(tree)
    for _ in range(times):
        places = list(_places(tree))
        if not places:
            break
        owner, key = random.choice(places)
        what = random.randrange(10)
        if what < 6:
            owner[key] = changed_value(random, owner[key])
        elif what == 6:
            del owner[key]
        elif what == 7 and isinstance(owner, list):
            owner.insert(key, copy.deepcopy(owner[key]))
        elif what == 7:
            owner[random.choice(KEYS)] = owner.pop(key)
        elif what == 8:
            other, its_key = random.choice(places)
            owner[key], other[its_key] = copy.deepcopy(other[its_key]), copy.deepcopy(owner[key])
        else:
            owner[key] = {} if isinstance(owner[key], list) else [owner[key]]
    return tree


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every value of a tree, as the table or list that holds it and its key there."""
    if isinstance(tree, dict):
        entries: Any = tree.items()
    elif isinstance(tree, list):
        entries = enumerate(tree)
    else:
        return
    for key, value in entries:
        yield tree, key
        yield from _places(value)


def changed_text(random: Random, text: str, times: int) -> str:
    """A text with some lines, spans or words changed."""
    for _ in range(times):
        what, at = random.randrange(7), random.randrange(len(text) + 1)
        end = min(len(text), at + random.choice((1, 1, 2, 5, 20, 200)))
        lines = text.splitlines(keepends=True) or [""]
        line = random.randrange(len(lines))
        if what == 0:
            text = text[:at] + text[end:]
        elif what == 1:
            text = text[:at] + text[at:end] * random.choice((2, 3, 50)) + text[end:]
        elif what == 2:
            text = text[:at] + random.choice((*TEXTS, *CELLS)) + text[at:]
        elif what == 3:
            text = "".join([*lines[:line], *lines[line + 1 :]])
        elif what == 4:
            text = "".join([*lines[: line + 1], *lines[line:]])
        elif what == 5:
            text = text[:at]
        else:
            other = random.randrange(len(lines))
            lines[line], lines[other] = lines[other], lines[line]
            text = "".join(lines)
    return text


def changed_bytes(random: Random, data: bytes, times: int) -> bytes:
    """Bytes with some bits flipped, and spans cut, repeated or put in."""
    found = bytearray(data)
    for _ in range(times):
        what, at = random.randrange(8), random.randrange(len(found) + 1)
        end = min(len(found), at + random.choice((1, 4, 64, 4096)))
        if what < 4 and at < len(found):
            found[at] ^= 1 << random.randrange(8)
        elif what == 4:
            del found[at:end]
        elif what == 5:
            del found[at:]
        elif what == 6:
            found[at:at] = random.choice(BYTES)
        else:
            found[at:at] = found[at:end]
    return bytes(found)


def changed_rows(random: Random, rows: Sequence[Sequence[str]], times: int) -> list[list[str]]:
    """A table of texts with some cells, rows and columns changed; its first row is the header."""
    table = [list(row) for row in rows]
    for _ in range(times):
        what = random.randrange(10)
        row = random.randrange(len(table))
        column = random.randrange(max(1, len(table[row])))
        if what < 4 and table[row]:
            table[row][column] = random.choice(CELLS)
        elif what == 4 and table[row]:
            table[row][column] = changed_text(random, table[row][column], 1)
        elif what == 5:
            # One column, all the way down: what an export of another kind does.
            cell = random.choice(CELLS)
            every = random.choice((1, 2, 5))
            for each in table[1::every]:
                if column < len(each):
                    each[column] = cell
        elif what == 6:
            table.insert(row, list(table[random.randrange(len(table))]))
        elif what == 7 and len(table) > 1:
            del table[row]
        elif what == 8:
            for each in table if random.random() < 0.5 else [table[row]]:
                if column < len(each) and random.random() < 0.5:
                    del each[column]
                else:
                    each.append(random.choice(CELLS))
        else:
            head, *rest = table
            random.shuffle(rest)
            table = [head, *rest]
    return table


def delimited(random: Random, rows: Sequence[Sequence[str]]) -> tuple[bytes, str]:
    """A table as a file, and the delimiter: sometimes of another dialect or encoding."""
    out = io.StringIO()
    unusual = random.random() < 0.3
    delimiter = random.choice(",;\t|") if unusual else ","
    ends = random.choice(("\n", "\r\n", "\r")) if unusual else "\n"
    quoting = random.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL)) if unusual else csv.QUOTE_MINIMAL
    csv.writer(out, delimiter=delimiter, lineterminator=ends, quoting=quoting).writerows(rows)
    encoding = "utf-8"
    if unusual and random.random() < 0.3:
        encoding = random.choice(("utf-8-sig", "utf-16", "latin-1"))
    return out.getvalue().encode(encoding, errors="replace"), delimiter


def json_text(random: Random, document: Any) -> str:
    """A document as JSON, with what JSON has no word for written as Python writes it."""
    text = json.dumps(document, default=str, ensure_ascii=random.random() < 0.5)
    return changed_text(random, text, 1) if random.random() < 0.2 else text
