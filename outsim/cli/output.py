"""What commands write, and where: answers to standard output, all else to standard error."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from outsim.progress import bar
from outsim.text import plain, visible_lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from outsim.cli.options import Shown
    from outsim.document import Answer
    from outsim.engine import Engine
    from outsim.results.result import Result
    from outsim.scenario import Scenario


def present(answer: Answer, shown: Shown) -> None:
    """Write an answer to standard output, and its pictures to a file if that was asked for.

    Raises
    ------
    Exit
        With code 1, if the answer is no.
    """
    import typer

    if shown.plot is not None:
        from outsim import plots

        write_picture(lambda: getattr(plots, answer.document().id)(answer), shown.plot)
    if shown.json:
        print_json(answer.to_dict())
    else:
        from outsim.document.terminal import show as show_document

        show_document(answer.document())
    if answer.is_no:
        raise typer.Exit(1)


def note(text: str) -> None:
    """Write a line to standard error."""
    print(visible_lines(text), file=sys.stderr)


def print_json(document: Any) -> None:
    """Write one JSON document to standard output; what is not a number becomes null."""
    print(json.dumps(plain(document), indent=2, allow_nan=False))


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
    from outsim.results.checkpoint import simulate

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
