"""Scenario files as they are written: TOML, with another file behind them.

A file that ``extends`` another one is laid over it: tables are merged key by
key; entries of ``[[campaign]]`` (by tenant and name), ``[[tenant]]`` and
``[[endpoint]]`` (by name) are merged with the entry of that name and else added;
``[[suspension]]``, ``[[pause]]`` and ``[[outage]]`` are added, unless it ``replaces`` them; any
other value is replaced.
Whatever is merged keeps the file and line that it came from.

A file that a program wrote may end in a checksum of its values. People may change it all the
same: then what it says of its sources is said to be of what it was before.
"""

from __future__ import annotations

import io
import logging
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from outsim.directories import checksum_of_values
from outsim.errors import Problem, ScenarioError
from outsim.scenario.files import kind_problem, read_lines, refusal
from outsim.scenario.keys import (
    ADDED_ENTRIES,
    INSTEAD_OF,
    NAMED_ENTRIES,
    KeyPath,
    Names,
    dotted,
    entry_names,
)
from outsim.scenario.positions import LINES_OF_ITEMS, key_lines
from outsim.text import brief
from outsim.units import shown

SIZE_LIMIT = 16 * 1024 * 1024
"""Largest scenario file, in characters."""
REPLACES = "replaces"
"""Key of a file that extends another one: lists whose entries stand here instead of there."""
CHAIN_LIMIT = 20
"""Longest chain of files that extend each other."""

KEY_LIMIT = 16
"""Parts that a dotted key has at most."""
_PART = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
_LONG_KEY = re.compile(rf"(?<![\w-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{KEY_LIMIT}}}")

CHANGED_SINCE = "; changed since"
"""What is added to a source where the values that it is of were changed."""

_log = logging.getLogger("outsim")
_CHECKSUM = re.compile(r"^# Checksum of the values: ([0-9a-f]+)[ \t]*$", re.MULTILINE)
_SYNTAX_PLACE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$")


class Origin(NamedTuple):
    """Where a value was written."""

    file: str
    line: int | None


@dataclass(frozen=True)
class Source:
    """What a scenario file says, with everything that it inherits."""

    values: dict[str, Any]
    """Plain tables, lists and values; ``extends`` and ``replaces`` are gone."""
    origins: dict[KeyPath, Origin]
    """Where each of them was written."""
    file: str
    """The file as the user named it."""

    def origin(self, path: KeyPath) -> Origin:
        """Where `path` was written, or else the table that it would stand in."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.origins:
                return self.origins[path[:length]]
        return Origin(self.file, None)

    @cached_property
    def names(self) -> Names:
        """Names of its entries."""
        return entry_names(self.values)

    def key(self, path: KeyPath) -> str:
        """Key path as people write it."""
        return dotted(path, self.names)


@dataclass(frozen=True)
class Written:
    """Where each value of a scenario was written; that makes no two scenarios differ."""

    __repr__ = brief

    files: Mapping[KeyPath, str] = field(default_factory=dict, compare=False)
    """File by key path; empty for a scenario that was made in Python."""

    @cached_property
    def _below(self) -> dict[KeyPath, set[str]]:
        inner = {key[:-1] for key in self.files}
        below: dict[KeyPath, set[str]] = {}
        for key, file in self.files.items():
            if key not in inner:
                for length in range(len(key) + 1):
                    below.setdefault(key[:length], set()).add(file)
        return below

    def files_of(self, *path: str | int) -> set[str]:
        """Files that the values at a key path, and below it, were written in."""
        return self._below.get(path, set())


@dataclass
class _Node:
    """A value with its origin."""

    content: Any
    """A dict of nodes, a list of nodes, or a plain value."""
    origin: Origin


class _Items(tuple[Any, ...]):
    """Plain values of a long list, such as recorded times, without an origin each."""


def read_source(path: Path) -> Source:
    """Read a scenario file and all that it extends."""
    return _source(_read_chain(path, []), str(path))


def mapping_source(mapping: Mapping[str, Any], directory: Path, name: str) -> Source:
    """Treat a mapping like a scenario file in `directory`."""
    file = directory / name
    tree = _tree(dict(mapping), (), {}, str(file))
    return _source(_extended(tree, file, []), str(file))


def _source(tree: _Node, file: str) -> Source:
    origins: dict[KeyPath, Origin] = {}

    def plain(node: _Node, path: KeyPath) -> Any:
        origins[path] = node.origin
        if isinstance(node.content, dict):
            return {key: plain(child, (*path, key)) for key, child in node.content.items()}
        if isinstance(node.content, list):
            return [plain(child, (*path, i)) for i, child in enumerate(node.content)]
        return [*node.content] if isinstance(node.content, _Items) else node.content

    values: dict[str, Any] = plain(tree, ())
    del origins[()]
    return Source(values, origins, file)


def _tree(value: Any, path: KeyPath, lines: dict[KeyPath, int], file: str) -> _Node:
    origin = Origin(file, lines.get(path))
    if isinstance(value, Mapping):
        return _Node({k: _tree(v, (*path, k), lines, file) for k, v in value.items()}, origin)
    if isinstance(value, list | tuple):
        if len(value) > LINES_OF_ITEMS and not any(isinstance(v, dict | list) for v in value):
            return _Node(_Items(value), origin)
        return _Node([_tree(v, (*path, i), lines, file) for i, v in enumerate(value)], origin)
    return _Node(value, origin)


def text_source(text: str, directory: Path, name: str) -> Source:
    """Treat a text like a scenario file in `directory`."""
    file = directory / name
    return _source(_laid_over(io.StringIO(text), file, []), str(file))


def _read_chain(path: Path, above: list[Path]) -> _Node:
    """Tree of a file, laid over what it extends; `above` holds the files that led to it."""
    return _laid_over(read_lines(path), path, above)


def _laid_over(written: Iterable[str], path: Path, above: list[Path]) -> _Node:
    text, size = [], 0
    for line in written:
        text.append(line)
        size += len(line)
        if size > SIZE_LIMIT:
            raise refusal(path, "found more than 16 MiB, the limit for a scenario file")
    for place, line in enumerate(text, 1):
        if _LONG_KEY.search(line):
            raise refusal(path, f"found a key of more than {KEY_LIMIT} parts, the limit", place)
    try:
        values, lines = tomllib.loads("".join(text)), key_lines("".join(text))
        _note_changes("".join(text), values, path)
        tree = _tree(values, (), lines, str(path))
    except RecursionError:
        raise refusal(path, "lists or tables are nested too deeply") from None
    except ValueError as error:
        if "int_max_str_digits" in str(error):
            raise refusal(path, "found a number of more than 4300 digits") from None
        at = _SYNTAX_PLACE.search(str(error))
        number = len(text) if at and not at[1] else int(at[1]) if at else None
        message = _SYNTAX_PLACE.sub("", str(error))
        raise refusal(path, f"is not valid TOML: {message}", number) from None
    return _extended(tree, path, above)


def with_checksum(text: str) -> str:
    """Text of a scenario file, with a checksum of its values as the last line."""
    return f"{text}\n# Checksum of the values: {checksum_of_values(tomllib.loads(text))}\n"


def _note_changes(text: str, values: dict[str, Any], path: Path) -> None:
    """Say of the sources of a file that its values were changed, if its checksum tells so."""
    stated = _CHECKSUM.findall(text)
    if not stated or stated[-1] == checksum_of_values(values):
        return
    _log.warning(
        "outsim: %s: its values are not those that were written: it was changed since, and so "
        "may not be what its sources say. Write it anew; or if the change is meant, say so under "
        "[sources], and take the line with the checksum out.",
        path,
    )
    sources = values.get("sources")
    for source in sources.values() if isinstance(sources, dict) else ():
        if isinstance(source, dict) and isinstance(source.get("source"), str):
            source["source"] += CHANGED_SINCE


def _extended(tree: _Node, path: Path, above: list[Path]) -> _Node:
    extends = tree.content.pop("extends", None)
    if extends is None:
        return tree
    replaced = _replaced(tree.content.pop(REPLACES, None))

    def problem(message: str) -> ScenarioError:
        return _refused(extends, "extends", message)

    if not isinstance(extends.content, str) or not extends.content:
        raise problem(f"found {shown(extends.content)}; write the path of a scenario file")
    base_path = path.parent / extends.content
    chain = [*above, path]
    files = [os.path.realpath(file) for file in chain]
    if "\0" not in extends.content and os.path.realpath(base_path) in files:
        circle = chain[files.index(os.path.realpath(base_path)) :]
        names = " extends ".join(str(file) for file in [*circle, circle[0]])
        raise problem(f"leads in a circle: {names}")
    if len(chain) > CHAIN_LIMIT:
        raise problem(f"found a chain of more than {CHAIN_LIMIT} files, the limit")
    reason = kind_problem(base_path)
    if reason is not None:
        raise problem(f"found {shown(extends.content)}; {reason}")
    base = _read_chain(base_path, chain)
    for key in replaced:
        base.content.pop(key, None)
    return _merge_tables(base, tree, ())


def _refused(node: _Node, key: str, message: str) -> ScenarioError:
    return ScenarioError([Problem(node.origin.file, node.origin.line, key, message)])


def _replaced(node: _Node | None) -> list[str]:
    """Lists of whose entries none are inherited."""
    if node is None:
        return []
    names = [one.content for one in node.content] if isinstance(node.content, list) else None
    if names is None or any(name not in ADDED_ENTRIES for name in names):
        found = node.content if names is None else next(n for n in names if n not in ADDED_ENTRIES)
        raise _refused(
            node,
            REPLACES,
            f"found {shown(found)}; write a list of names; allowed: {', '.join(ADDED_ENTRIES)}",
        )
    return names


def _merge_tables(base: _Node, over: _Node, path: KeyPath) -> _Node:
    """Lay one table over another, key by key."""
    other_kind = "distribution" in over.content and (
        over.content["distribution"].content
        != base.content.get("distribution", over.content["distribution"]).content
    )
    if other_kind:
        # The parameters of one distribution mean nothing to another one.
        return over
    dropped = {other for key in over.content for other in INSTEAD_OF.get(key, ())}
    merged = {key: node for key, node in base.content.items() if key not in dropped}
    for key, node in over.content.items():
        merged[key] = _merge(base.content[key], node, (*path, key)) if key in merged else node
    return _Node(merged, over.origin)


def _merge(base: _Node, over: _Node, path: KeyPath) -> _Node:
    if isinstance(base.content, dict) and isinstance(over.content, dict):
        return _merge_tables(base, over, path)
    if isinstance(base.content, list) and isinstance(over.content, list) and len(path) == 1:
        if path[0] in ADDED_ENTRIES:
            return _Node(base.content + over.content, over.origin)
        if path[0] in NAMED_ENTRIES:
            return _merge_entries(base, over, path)
    return over


def _name(entry: _Node, key: str) -> Any:
    node = entry.content.get(key) if isinstance(entry.content, dict) else None
    return None if node is None else node.content


def _merge_entries(base: _Node, over: _Node, path: KeyPath) -> _Node:
    """Merge entries of the same name; a second one, or one of another name, is added."""
    merged = list(base.content)
    taken: set[int] = set()
    called: dict[str, list[int]] = {}
    for i, inherited in enumerate(base.content):
        called.setdefault(str(_name(inherited, "name")), []).append(i)
    for entry in over.content:
        name, tenant = _name(entry, "name"), _name(entry, "tenant")
        matches = [
            i
            for i in (called.get(name, []) if isinstance(name, str) else [])
            if tenant is None or _name(base.content[i], "tenant") == tenant
        ]
        if len(matches) > 1:
            tenants = ", ".join(str(_name(base.content[i], "tenant")) for i in matches)
            raise ScenarioError(
                [
                    Problem(
                        entry.content["name"].origin.file,
                        entry.content["name"].origin.line,
                        f"{path[0]}.name",
                        f"found {shown(name)}, which several tenants have ({tenants}); "
                        "name the tenant",
                    )
                ]
            )
        if matches and matches[0] not in taken:
            taken.add(matches[0])
            merged[matches[0]] = _merge_tables(base.content[matches[0]], entry, (*path, name))
        else:
            merged.append(entry)
    return _Node(merged, over.origin)
