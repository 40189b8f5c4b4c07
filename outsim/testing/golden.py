"""Golden traces of a test: where they are kept, and what is said when a run leaves them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from outsim.disk import reason
from outsim.results.result import Result
from outsim.testing.attribution import moved
from outsim.testing.traces import TraceError, kept_at, read, trace_of, write


class GoldenError(AssertionError):
    """A run that is not the one that was kept."""


class Golden:
    """Holds results of one test against the traces that were kept of them.

    Parameters
    ----------
    directory : path
        Where the traces of the test's module are.
    test : str
        Name of the test, with that of its module.
    update : bool
        Keep what is found, instead of holding it against what was kept.
    note : callable
        Told the number of a rule that moved.
    """

    def __init__(
        self, directory: Path, test: str, *, update: bool, note: Callable[[int], None]
    ) -> None:
        self.directory = directory
        self.test = test
        self.update = update
        self.note = note
        self._names: set[str] = set()

    def __call__(self, result: Result, name: str = "") -> None:
        """Hold a result against its trace; with ``--update-golden``, keep it.

        Parameters
        ----------
        result : Result
            Of a run whose seed the test gives, so that it is the same in every session.
        name : str
            Tells several traces of one test apart.

        Raises
        ------
        GoldenError
            If there is no trace, or the run leaves it: the message shows the first event that
            differs, the queue around it, and the rule that moved.
        """
        if name in self._names:
            raise GoldenError(
                f"golden(result, {name!r}) a second time in one test: give each trace a name"
            )
        self._names.add(name)
        words = "-".join(filter(None, (self.test, name)))
        path = self.directory / (re.sub(r"[^\w.-]+", "-", words).strip("-") + ".trace")
        trace = trace_of(result, notes=self.update)
        if self.update:
            try:
                write(trace, path)
            except OSError as error:
                raise GoldenError(f"{path}: can't be written to ({reason(error)})") from None
            return
        there = kept_at(path)
        if there is None:
            raise GoldenError(f"no golden trace {path}: keep one with --update-golden")
        try:
            golden = read(there)
        except TraceError as error:
            raise GoldenError(str(error)) from None
        other = [key for key in trace.run if golden.run.get(key) != trace.run[key]]
        if {"seed", "replication"} & {*other}:
            raise GoldenError(
                f"{there.name} was kept of seed {golden.run['seed']}, replication "
                f"{golden.run['replication']}; this run has seed {trace.run['seed']}, replication "
                f"{trace.run['replication']}. Give the seed in the test: simulate(..., seed=1)"
            )
        what = moved(result.arrays.plan, golden, trace)
        if what is None:
            return
        lines = [f"The run is no longer that of {there.name}."]
        if "scenario" in other:
            lines.append(
                "The scenario is another one than the trace was kept of: look there first."
            )
        else:
            if what.rule is not None:
                self.note(what.rule)
            if "with_defaults" in other:
                lines.append(
                    "The trace was kept with other defaults, or fewer: `outsim assumptions` "
                    "lists those of today."
                )
        lines += ["", what.text, "", "If the change is meant, keep it with --update-golden."]
        raise GoldenError("\n".join(lines))
