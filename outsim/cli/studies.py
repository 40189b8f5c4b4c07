"""Options that all studies share, and what they come to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from outsim.study.findings import Findings

Replications = Annotated[
    str | None,
    typer.Option(
        metavar="N|A:B",
        help="How many runs of each scenario; or which, for a part of a larger study.",
        show_default=False,
    ),
]
Precision = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FIGURE=WIDTH",
        help="Run until the interval's half-width is at most this, such as wait_p90_s=30s or "
        "difference:completed_share=0.005 or duration_s=2%; may be given several times.",
        show_default=False,
    ),
]
Within = Annotated[
    str | None,
    typer.Option(
        metavar="TIME", help="End after this time with what there is.", show_default=False
    ),
]
Out = Annotated[
    str | None,
    typer.Option(
        metavar="DIR",
        help="Directory that keeps every replication; what is there is not run again.",
        show_default=False,
    ),
]
KeepTables = Annotated[
    bool, typer.Option("--keep-tables", help="Keep the tables of every run in that directory.")
]
ExecutorName = Annotated[
    str | None,
    typer.Option(
        "--executor",
        metavar="WHO",
        help="Who does the work: threads, processes, or dask://HOST:PORT.",
        show_default=False,
    ),
]


def study_options(
    replications: str | None,
    precision: list[str] | None = None,
    within: str | None = None,
    out: str | None = None,
    keep_tables: bool = False,
    executor: str | None = None,
    *,
    usual: int,
) -> dict[str, Any]:
    """Arguments of `Study` for what was typed; `usual` replications if nothing was.

    Raises
    ------
    StudyError
        If a count or a precision can't be read.
    """
    from outsim.study.stopping import read_replications, split_precisions

    if keep_tables and out is None:
        from outsim.errors import StudyError

        raise StudyError("--keep-tables: say where, with --out DIR")
    asked = None if replications is None else read_replications(replications)
    if asked is None and not precision and within is None:
        asked = usual
    return {
        "replications": asked,
        "precision": split_precisions(precision or []),
        "within": within,
        "out": out,
        "keep_tables": keep_tables,
        "executor": executor,
    }


def say_precisions(findings: Findings) -> None:
    """Say of each precision that was asked for whether it was reached, and the one there is."""
    from outsim.cli.output import say
    from outsim.display import format_half_width

    kinds = {each.name: each.kind for each in findings.measures}
    for precision in findings.precisions:
        reached = "reached" if findings.is_reached(precision) else "NOT reached"
        widest = findings.widest(precision)
        there = f"mean ± {format_half_width(kinds[precision.measure], widest)} at most"
        if math.isnan(widest):
            there = "too few runs have the figure for an interval"
        say(f"precision {precision}: {reached} with {findings.replications} replications; {there}")
