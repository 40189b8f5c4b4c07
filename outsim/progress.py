"""How long work tells how far it has come."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Literal

from outsim.errors import StudyError, unknown_name

Progress = Callable[[int, int], None]
"""Told how much is done, and how much there is in all."""


def unseen(_done: int, _total: int) -> None:
    """Progress that nobody watches."""


def is_notebook() -> bool:
    """Whether this runs in a cell of a notebook."""
    shell = sys.modules.get("IPython")
    return shell is not None and type(shell.get_ipython()).__name__ == "ZMQInteractiveShell"


@contextmanager
def bar(label: str, *, counts: bool = True) -> Iterator[Progress]:
    """Progress bar with the time left, on standard error of a terminal or in a notebook only."""
    if is_notebook():
        with _notebook_bar(label, counts=counts) as shown:
            yield shown
    elif sys.stderr is not None and sys.stderr.isatty():
        with _terminal_bar(label, counts=counts) as shown:
            yield shown
    else:
        yield unseen


@contextmanager
def _terminal_bar(label: str, *, counts: bool) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bar

    with Bar(
        TextColumn(label),
        BarColumn(),
        MofNCompleteColumn() if counts else TaskProgressColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as shown:
        task = shown.add_task(label, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)


@contextmanager
def _notebook_bar(label: str, *, counts: bool) -> Iterator[Progress]:
    """Progress in a cell, as a widget of its own.

    Rich's bar captures whatever the cell shows, from a thread of its own, and so takes away what
    the cell prints meanwhile. Without the notebook extra there is no bar.
    """
    if find_spec("tqdm") is None or find_spec("ipywidgets") is None:
        yield unseen
        return
    from tqdm.notebook import tqdm

    done_so_far = "{n_fmt}/{total_fmt}" if counts else "{percentage:.0f} %"
    shown = tqdm(
        desc=label,
        leave=False,
        bar_format="{desc} {bar} " + done_so_far + " [{elapsed}<{remaining}]",
    )

    def report(done: int, total: int) -> None:
        if total == shown.total:
            shown.update(done - shown.n)
        else:
            shown.reset(total)
            shown.initial = shown.n = shown.last_print_n = done
            shown.refresh()

    try:
        yield report
    finally:
        shown.close()


@contextmanager
def reporting(
    progress: Progress | Literal["bar"] | None, label: str = "runs", *, counts: bool = True
) -> Iterator[Progress]:
    """Whom to tell: somebody, a bar about what the label says, or nobody."""
    if progress == "bar":
        with bar(label, counts=counts) as shown:
            yield shown
    elif isinstance(progress, str):
        raise StudyError(unknown_name("progress", progress, ["bar"]))
    else:
        yield progress or unseen
