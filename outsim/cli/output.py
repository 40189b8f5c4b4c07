"""What commands write, and where: answers to standard output, all else to standard error."""

from __future__ import annotations

import json
import math
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from outsim.progress import bar
from outsim.text import visible_lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rich.console import Console, Group
    from rich.table import Table

    from outsim.engine import Engine
    from outsim.results.result import Result
    from outsim.scenario import Scenario


def say(text: str = "") -> None:
    """Write a paragraph to standard output, wrapped to the terminal and at most 80 columns."""
    _console().print(visible_lines(text))


def note(text: str) -> None:
    """Write a line to standard error."""
    print(visible_lines(text), file=sys.stderr)


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


def _console() -> Console:
    from rich.console import Console

    # Names stand as people wrote them: neither markup nor the name of an emoji.
    console = Console(markup=False, emoji=False, highlight=False)
    console.width = min(console.width, 80)
    return console


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Group:
    """Table of text whose first column is a label and whose others are figures, or long text.

    Labels and text are broken where they must be, figures never. If they don't fit beside each
    other, the table comes in parts, each with the labels again.
    """
    from rich.console import Group

    width = _console().width
    columns = [visible_lines(column) for column in columns]
    rows = [[visible_lines(cell) for cell in row] for row in rows]
    whole = list(zip(*rows, strict=True)) or [()] * len(columns)
    # What stands in brackets behind a figure may have a line of its own.
    labels, *figures = whole
    folded = [labels, *(tuple(text.replace(" (", "\n(", 1) for text in each) for each in figures)]
    for gap, is_broken, cells in (
        (_WIDE_GAP, False, whole),
        (_WIDE_GAP, True, whole),
        (_CLOSE_GAP, True, whole),
        (_WIDE_GAP, True, folded),
        (_CLOSE_GAP, True, folded),
    ):
        made = [
            (_broken(column, texts) if is_broken else column, *texts)
            for column, texts in zip(columns, cells, strict=True)
        ]
        needs = _needs(made)
        if sum(needs) + gap * len(needs) <= width:
            return Group(_part(made, gap, width))
    parts = [[0]]
    for k in range(1, len(needs)):
        if len(parts[-1]) > 1 and sum(needs[j] + gap for j in (*parts[-1], k)) > width:
            parts.append([0])
        parts[-1].append(k)
    return Group(*(_part([made[k] for k in part], gap, width) for part in parts))


_WIDE_GAP, _CLOSE_GAP = 3, 2
_LONGEST_FIGURE = 30


def _longest_word(texts: Iterable[str]) -> int:
    from rich.cells import cell_len

    return max(cell_len(word) for text in texts for word in text.split() or [""])


def _longest_line(texts: Iterable[str]) -> int:
    from rich.cells import cell_len

    return max(cell_len(line) for text in texts for line in text.split("\n"))


def _breaks(place: int, column: Sequence[str]) -> bool:
    """Whether a column is of labels or of text, going by what is below its header."""
    return place == 0 or _longest_line([*column[1:], ""]) > _LONGEST_FIGURE


def _broken(header: str, texts: Sequence[str]) -> str:
    """A header over as many lines as it takes to be no wider than what is below it."""
    width = max(1, _longest_word([header]), _longest_line([*texts, ""]))
    return textwrap.fill(header, width, break_on_hyphens=False)


def _needs(columns: Sequence[Sequence[str]]) -> list[int]:
    """How narrow each column can be: figures stay whole, and so do words."""
    return [
        _longest_word(texts) if _breaks(k, texts) else _longest_line(texts)
        for k, texts in enumerate(columns)
    ]


def _widths(columns: Sequence[Sequence[str]], room: int) -> list[int] | None:
    """Widths of columns, the first ones as wide as their text is; None if they don't fit."""
    widths = _needs(columns)
    left = room - sum(widths)
    if left < 0:
        return None
    for k, texts in enumerate(columns):
        more = min(left, _longest_line(texts) - widths[k])
        widths[k] += more
        left -= more
    return widths


def _part(columns: Sequence[Sequence[str]], gap: int, width: int) -> Table:
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=gap == _CLOSE_GAP)
    widths = _widths(columns, width - gap * len(columns))
    for k, column in enumerate(columns):
        breaks = _breaks(k, column)
        made.add_column(
            column[0],
            justify="left" if breaks else "right",
            overflow="fold",
            no_wrap=not breaks,
            width=widths[k] if widths else None,
        )
    for row in zip(*(column[1:] for column in columns), strict=True):
        made.add_row(*row)
    return made


def show(renderable: Any) -> None:
    """Write a table to standard output."""
    _console().print(renderable)


def picture_file(plot: str | None) -> Path | None:
    """File of a picture that was asked for, before any run is made for it."""
    from outsim.plots.style import check_picture

    return None if plot is None else check_picture(plot)


def write_picture(draw: Callable[[], Any], file: Path | None) -> None:
    """Write the picture that a function of `outsim.plots` draws, if there is a file for it."""
    from outsim.plots.style import save_picture

    if file is not None:
        save_picture(draw(), file)
        note(f"picture written to {file}")


def simulate_with_bar(
    scenario: Scenario, seed: int | None, replication: int, engine: Engine
) -> Result:
    """Run a scenario once, with a progress bar."""
    from outsim.results.result import simulate

    with bar("run", counts=False) as advance:
        return simulate(
            scenario, seed=seed, replication=replication, engine=engine, progress=advance
        )


def load_with_advice(path: str) -> Scenario:
    """Load a scenario, and tell on standard error what is probably not meant."""
    from outsim.scenario import load
    from outsim.scenario.lint import advice

    scenario = load(path)
    for each in advice(scenario):
        note(f"warning: {path}: {each}")
    return scenario
