"""What commands write, and where: answers to standard output, all else to standard error."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.table import Table

    from outsim.scenario import Scenario


def say(text: str = "") -> None:
    """Write a paragraph to standard output, wrapped to the terminal and at most 80 columns."""
    _console().print(text, highlight=False, markup=False, soft_wrap=False)


def note(text: str) -> None:
    """Write a line to standard error."""
    print(text, file=sys.stderr)


def print_json(document: Any) -> None:
    """Write one JSON document to standard output; what is not a number becomes null."""
    print(json.dumps(_plain(document), indent=2, default=str, allow_nan=False))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _console() -> Any:
    from rich.console import Console

    console = Console()
    console.width = min(console.width, 80)
    return console


def table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], title: str | None = None
) -> Table:
    """Table of text whose first column is a label and whose others are figures."""
    from rich import box
    from rich.table import Table

    made = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for place, column in enumerate(columns):
        made.add_column(column, justify="left" if place == 0 else "right", overflow="fold")
    for row in rows:
        made.add_row(*row)
    return made


def show(renderable: Any) -> None:
    """Write a table to standard output."""
    _console().print(renderable, markup=False)


def _unseen(done: int, total: int) -> None:
    """Progress that nobody watches."""


@contextmanager
def progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """Progress bar on standard error, there only if that is a terminal."""
    if not sys.stderr.isatty():
        yield _unseen
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    with Progress(
        TextColumn(label),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def load_with_advice(path: str) -> Scenario:
    """Load a scenario, and tell on standard error what is probably not meant."""
    from outsim.scenario import load
    from outsim.scenario.advice import advice

    scenario = load(path)
    for each in advice(scenario):
        note(f"warning: {path}: {each}")
    return scenario
