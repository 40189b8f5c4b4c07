"""What an invariant is, and what it says of a run that does not keep it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from outsim.clock import MISSING
from outsim.engine.records import Columns, Integers
from outsim.results.run_arrays import Mask, RunArrays


class Violation(NamedTuple):
    """Where an invariant does not hold."""

    what: str
    rows: pd.DataFrame
    """The offending rows, in integers as they were recorded."""


Invariant = Callable[[RunArrays], Iterator[Violation]]


def violation(
    run: RunArrays, what: str, table: str, broken: Mask | Integers, order: Integers | None = None
) -> Iterator[Violation]:
    """Violation at the marked rows of a table, in the given order of them; none if none is."""
    rows = np.flatnonzero(broken) if broken.dtype == np.bool_ else broken
    if len(rows) == 0:
        return
    if order is not None:
        rows = order[rows]
    columns: Columns = getattr(run, table)
    frame = pd.DataFrame({name: column[rows] for name, column in columns.items()}, index=rows)
    yield Violation(f"{what} ({table})", frame.replace(MISSING, "-"))
