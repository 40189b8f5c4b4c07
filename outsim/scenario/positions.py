"""On which line of a TOML file each key stands.

`tomllib` reads values but keeps no lines, and a message without its line is no
help in a long file. This scanner goes over a text that `tomllib` has already
accepted, so it only has to know where keys and values begin and end.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from outsim.scenario.keys import KeyPath

LINES_OF_ITEMS = 1000
"""Items of a list whose lines are kept."""

_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_INLINE_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"{3,5}'
    r"|'''(?:[^']|'(?!''))*'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\r\n]+")
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))")


def key_lines(text: str) -> dict[KeyPath, int]:
    """Line, counted from 1, of each table header, key and list item in valid TOML."""
    return _Scanner(text).scan()


def _unescape(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    return chr(int(code, 16)) if code else _ESCAPES[match[3]]


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.line_starts = [0, *(match.end() for match in re.finditer(r"\n", text))]
        self.lines: dict[KeyPath, int] = {}
        self.entries: dict[KeyPath, int] = {}
        """Entries so far of each array of tables."""

    def scan(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        self._skip(_SPACE)
        while self.position < len(self.text):
            line = self._line()
            if self.text.startswith("[[", self.position):
                self.position += 2
                table = self._entry(self._keys())
                self.position += 2
                self._note(table, line)
            elif self.text[self.position] == "[":
                self.position += 1
                table = self._inside(self._keys())
                self.position += 1
                self._note(table, line)
            else:
                self._pair(table)
            self._skip(_SPACE)
        return self.lines

    def _line(self) -> int:
        return bisect_right(self.line_starts, self.position)

    def _note(self, path: KeyPath, line: int) -> None:
        """Keep the first line of each path; a parent stands where its first key does."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return
            self.lines[path[:length]] = line

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.position)
        assert match is not None
        self.position = match.end()
        return match[0]

    def _keys(self) -> list[str]:
        """Read a key and its dots, up to what follows."""
        keys = []
        while True:
            self._skip(_INLINE_SPACE)
            keys.append(self._key())
            self._skip(_INLINE_SPACE)
            if self.text[self.position] != ".":
                return keys
            self.position += 1

    def _key(self) -> str:
        quote = self.text[self.position]
        if quote not in "\"'":
            return self._skip(_BARE_KEY)
        quoted = self._skip(_STRING)[1:-1]
        return quoted if quote == "'" else _ESCAPE.sub(_unescape, quoted)

    def _inside(self, keys: list[str]) -> KeyPath:
        """Path of a table: a name that is an array of tables means its last entry."""
        path: KeyPath = ()
        for key in keys:
            path = (*path, key)
            if path in self.entries:
                path = (*path, self.entries[path] - 1)
        return path

    def _entry(self, keys: list[str]) -> KeyPath:
        array = (*self._inside(keys[:-1]), keys[-1])
        self.entries[array] = self.entries.get(array, 0) + 1
        return (*array, self.entries[array] - 1)

    def _pair(self, table: KeyPath) -> None:
        line = self._line()
        path = (*table, *self._keys())
        self._note(path, line)
        self.position += 1
        self._skip(_INLINE_SPACE)
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        opening = self.text[self.position]
        if opening in "\"'":
            self._skip(_STRING)
        elif opening == "[":
            self._list(path)
        elif opening == "{":
            self._inline_table(path)
        else:
            self._skip(_SCALAR)

    def _list(self, path: KeyPath) -> None:
        self.position += 1
        index = 0
        while self._skip(_SPACE) is not None and self.text[self.position] != "]":
            if index < LINES_OF_ITEMS:
                self._note((*path, index), self._line())
            self._value((*path, index))
            index += 1
            self._skip(_SPACE)
            if self.text[self.position] == ",":
                self.position += 1
        self.position += 1

    def _inline_table(self, path: KeyPath) -> None:
        self.position += 1
        while self._skip(_SPACE) is not None and self.text[self.position] != "}":
            self._pair(path)
            self._skip(_SPACE)
            if self.text[self.position] == ",":
                self.position += 1
        self.position += 1
