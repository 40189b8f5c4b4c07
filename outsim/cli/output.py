"""What commands write, and where: answers to standard output, all else to standard error."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from outsim.text import plain, visible_lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from outsim.cli.options import Shown
    from outsim.document import Answer
    from outsim.results.result import Result
    from outsim.scenario import Scenario


def present(answer: Answer, shown: Shown) -> None:
    """Write an answer, and its picture if it is asked for; exit with code 1 if it is no."""
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


def load_with_advice(path: str, *, is_served: bool = False) -> Scenario:
    """Load a scenario, and tell on standard error what is probably not meant."""
    from outsim.scenario import load
    from outsim.scenario.lint import advice

    scenario = load(path)
    for hint in advice(scenario, is_served=is_served):
        note(f"warning: {path}: {hint}")
    return scenario


def load_asked(path: str) -> Scenario | Result:
    """Load what is asked about in a question of one run: a scenario, or a result on disk."""
    from pathlib import Path

    from outsim.results.result import load_result

    place = Path(path)
    is_result = place.is_dir() or not (place.exists() or place.suffix)
    return load_result(path) if is_result else load_with_advice(path)


_OUT_ADVICE = "name a directory that can be written"


def check_out(out: str | None) -> None:
    """Refuse a directory for the tables of a run, before the run is made in vain."""
    from pathlib import Path

    from outsim.disk import translate_disk_errors
    from outsim.errors import OutsimError
    from outsim.results.saving import check_directory

    if out is not None:
        with translate_disk_errors(Path(out), OutsimError, _OUT_ADVICE):
            check_directory(Path(out))


def write_out(result: Result, out: str | None) -> None:
    """Write the tables of a run to a directory, if one is named."""
    from pathlib import Path

    from outsim.disk import translate_disk_errors
    from outsim.errors import OutsimError

    if out is not None:
        with translate_disk_errors(Path(out), OutsimError, _OUT_ADVICE):
            note(f"tables written to {result.save(out)}")


def verify_invariants(result: Result) -> None:
    """Say that every invariant of a result holds; end with code 1 if one does not."""
    import typer

    from outsim.errors import InvariantError
    from outsim.results.invariants import check_invariants

    try:
        check_invariants(result)
    except InvariantError as error:
        note(f"outsim: {error}")
        raise typer.Exit(1) from None
    note("every invariant holds")
