"""Planted changes of rules: a copy of the package with the change, and the example suite on it.

A change is a TOML file::

    rule = 5
    what = "a worker takes the newest update"

    [[change]]
    place = "outsim/engine/readable/workers.py: Workers.close_instant"
    old = "self.backlog.popleft()"
    new = "self.backlog.pop()"

What is old and new is code. It is matched by its structure, once in the function, class or
module that the place names: line breaks and comments don't count, and a name such as ``_a``
stands for any expression, everywhere for the same one.
"""

from __future__ import annotations

import ast
import copy
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import outsim

PACKAGE = Path(outsim.__file__).parent
SUITE = PACKAGE.parent / "examples" / "queue-tests"
MUTANTS = Path(__file__).parent / "mutants"

LONGEST_S = 300
"""A suite that runs longer has met a change that never ends."""

_WILDCARD = re.compile(r"_[a-z]")
_BLOCKS = ("body", "orelse", "finalbody")

Bindings = dict[str, ast.expr]


class StaleError(Exception):
    """A change that no longer fits the code."""


def _is_wildcard(node: object) -> bool:
    return isinstance(node, ast.Name) and _WILDCARD.fullmatch(node.id) is not None


def _matches(pattern: object, node: object, bound: Bindings) -> bool:
    """Whether code has the structure of a pattern; binds what its wildcards stand for."""
    if _is_wildcard(pattern) and isinstance(node, ast.expr):
        assert isinstance(pattern, ast.Name)
        known = bound.setdefault(pattern.id, node)
        return ast.unparse(known) == ast.unparse(node)
    if isinstance(pattern, list) and isinstance(node, list):
        return len(pattern) == len(node) and all(map(_matches, pattern, node, [bound] * len(node)))
    if isinstance(pattern, ast.expr_context):
        return True
    if isinstance(pattern, ast.AST):
        return type(pattern) is type(node) and all(
            _matches(getattr(pattern, name), getattr(node, name), bound)
            for name in pattern._fields
        )
    return pattern == node


class _Filled(ast.NodeTransformer):
    """Puts what was bound in the place of wildcards."""

    def __init__(self, bound: Bindings) -> None:
        self.bound = bound

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return copy.deepcopy(self.bound[node.id]) if _is_wildcard(node) else node


def _filled(code: list[ast.stmt], bound: Bindings) -> list[ast.stmt]:
    return [_Filled(bound).visit(copy.deepcopy(statement)) for statement in code]


def _blocks(scope: ast.AST) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(scope):
        for name in _BLOCKS:
            block = getattr(node, name, None)
            if isinstance(block, list):
                yield block


def _replace_statements(scope: ast.AST, old: list[ast.stmt], new: list[ast.stmt]) -> int:
    found = [
        (block, slice(start, start + len(old)), bound)
        for block in _blocks(scope)
        for start in range(len(block) - len(old) + 1)
        if _matches(old, block[start : start + len(old)], bound := Bindings())
    ]
    for block, where, bound in found:
        block[where] = _filled(new, bound) or [ast.Pass()]
    return len(found)


class _Expressions(ast.NodeTransformer):
    def __init__(self, old: ast.expr, new: ast.expr) -> None:
        self.old, self.new = old, new
        self.count = 0

    def visit(self, node: ast.AST) -> ast.AST:
        bound: Bindings = {}
        if isinstance(node, ast.expr) and _matches(self.old, node, bound):
            self.count += 1
            filled: ast.AST = _Filled(bound).visit(copy.deepcopy(self.new))
            return filled
        self.generic_visit(node)
        return node


def _find(tree: ast.AST, name: str) -> ast.AST:
    """The function or class of a dotted name; the module where there is none."""
    scope = tree
    for part in filter(None, name.split(".")):
        found = [
            node
            for node in ast.iter_child_nodes(scope)
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == part
        ]
        if not found:
            raise StaleError(f"there is no {name}")
        scope = found[0]
    return scope


@dataclass(frozen=True)
class Change:
    """One piece of code that is replaced."""

    place: str
    """File, and after a colon the function or class in it."""
    old: str
    new: str

    def plant(self, into: Path) -> None:
        """Replace it in a copy of the package.

        Raises
        ------
        StaleError
            If what is to be replaced does not stand there exactly once.
        """
        file, _, name = self.place.partition(": ")
        tree = ast.parse((into / file).read_text())
        old, new = ast.parse(self.old).body, ast.parse(self.new).body
        try:
            count = _replace(_find(tree, name), old, new)
        except StaleError as error:
            raise StaleError(f"{self.place}: {error}") from None
        if count != 1:
            raise StaleError(
                f"{self.place} has what is to be replaced {count} times, not once: {self.old}"
            )
        (into / file).write_text(ast.unparse(ast.fix_missing_locations(tree)))


def _replace(scope: ast.AST, old: list[ast.stmt], new: list[ast.stmt]) -> int:
    if len(old) == len(new) == 1 and isinstance(old[0], ast.Expr) and isinstance(new[0], ast.Expr):
        expressions = _Expressions(old[0].value, new[0].value)
        expressions.generic_visit(scope)
        return expressions.count
    return _replace_statements(scope, old, new)


@dataclass(frozen=True)
class Mutant:
    """A planted change of a rule."""

    rule: int
    what: str
    changes: tuple[Change, ...]

    def plant(self, into: Path) -> None:
        """Copy the package into a directory, and change it there; see `Change.plant`."""
        shutil.copytree(PACKAGE, into / "outsim", ignore=shutil.ignore_patterns("compiled"))
        for change in self.changes:
            change.plant(into)


def read(path: Path) -> Mutant:
    table = tomllib.loads(path.read_text())
    changes = tuple(Change(**change) for change in table["change"])
    return Mutant(table["rule"], table["what"], changes)


@dataclass(frozen=True)
class Outcome:
    """What a run of the example suite came to."""

    code: int
    """pytest's: 0 passed, 1 failed."""
    rule: int | None
    """The rule that it names."""
    output: str


def run_suite(package: Path, *options: str, suite: Path = SUITE) -> Outcome:
    """Run the example suite, or a copy of it, on the package in a directory."""
    environment = os.environ | {
        "PYTHONPATH": str(package),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    environment.pop("PYTEST_ADDOPTS", None)
    finished = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "outsim.testing.plugin"),
            *("-p", "no:cacheprovider", "--tb=short", "-q", "--outsim-engine=simpy", *options),
            str(suite),
        ],
        cwd=suite,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
    )
    output = finished.stdout + finished.stderr
    named = re.search(r"^rule that moved: rule (\d+)", output, re.MULTILINE)
    return Outcome(finished.returncode, int(named[1]) if named else None, output)
