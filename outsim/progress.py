"""How long work tells how far it has come."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

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
    """Progress bar with the time left, there only on a terminal or in a notebook.

    On a terminal it is on standard error. What is done is counted, or else told as a share.
    """
    if not (is_notebook() or (sys.stderr is not None and sys.stderr.isatty())):
        yield unseen
        return
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
        console=Console(stderr=not is_notebook()),
        transient=True,
    ) as shown:
        task = shown.add_task(label, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)


@contextmanager
def reporting(progress: Progress | Literal["bar"] | None) -> Iterator[Progress]:
    """Whom to tell: somebody, a bar about runs, or nobody."""
    if progress == "bar":
        with bar("runs") as shown:
            yield shown
    else:
        yield progress or unseen
