"""Planted changes of rules: a copy of the package with the change, and the example suite on it.

A change is a TOML file::

    rule = 5
    what = "a worker takes the oldest job, whatever it is"

    [[change]]
    file = "outsim/engine/readable/workers.py"
    old = '''...'''
    new = '''...'''
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import outsim

PACKAGE = Path(outsim.__file__).parent
SUITE = PACKAGE.parent / "examples" / "queue-tests"
MUTANTS = Path(__file__).parent / "mutants"

LONGEST_S = 300
"""A suite that runs longer has met a change that never ends."""


class StaleError(Exception):
    """A change that no longer fits the code."""


@dataclass(frozen=True)
class Change:
    """One piece of text that is replaced."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Mutant:
    """A planted change of a rule."""

    rule: int
    what: str
    changes: tuple[Change, ...]

    def plant(self, into: Path) -> None:
        """Copy the package into a directory, and change it there.

        Raises
        ------
        StaleError
            If what is to be replaced does not stand there exactly once.
        """
        shutil.copytree(PACKAGE, into / "outsim", ignore=shutil.ignore_patterns("compiled"))
        for change in self.changes:
            target = into / change.file
            text = target.read_text()
            if text.count(change.old) != 1:
                raise StaleError(
                    f"{self.what}: {change.file} has what is to be replaced "
                    f"{text.count(change.old)} times, not once; bring the change up to date"
                )
            target.write_text(text.replace(change.old, change.new))


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
