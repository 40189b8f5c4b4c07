"""Options that all studies share, and what they come to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outsim.cli.options import named

if TYPE_CHECKING:
    from outsim.studies.input_uncertainty import Uncertain
    from outsim.studies.study_result import StudyResult
    from outsim.studies.variance_reduction import Reduction

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
        callback=named,
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
        help="Who does the work: threads, processes, cores, or dask://HOST:PORT.",
        show_default=False,
    ),
]
Antithetic = Annotated[
    bool,
    typer.Option(
        "--antithetic",
        help="Make each replication a pair of runs, one with the draws of the other mirrored; "
        "used only where the pairs save more than they cost.",
    ),
]
Stratified = Annotated[
    bool,
    typer.Option(
        "--stratified",
        help="Make each replication four runs that share out the range of every draw; used only "
        "where that saves more than it costs.",
    ),
]
Controls = Annotated[
    bool,
    typer.Option(
        "--controls",
        help="Take out of each figure what is due to lucky draws, where that is clear.",
    ),
]

ComparedCampaigns = Annotated[
    list[str] | None,
    typer.Option(
        "--campaign",
        metavar="NAME",
        help="Campaign that is compared, as NAME or TENANT/NAME; given once for each scenario, "
        "different campaigns are compared. Default: the one under study, the same in all.",
        show_default=False,
    ),
]
ComparedDeadlines = Annotated[
    list[str] | None,
    typer.Option(
        "--deadline",
        metavar="TIME",
        help="Clock time by which completed calls are counted; given once for each scenario, "
        "different deadlines are compared. Default: the scenarios' own, the same in all.",
        show_default=False,
    ),
]
AcrossZones = Annotated[
    bool,
    typer.Option(
        "--across-zones",
        help="Compare scenarios of different time zones, each by its local time.",
    ),
]
InputUncertainty = Annotated[
    bool,
    typer.Option(
        "--input-uncertainty",
        help="Draw the callees anew for each replication, out of what the call log that they were "
        "calibrated to leaves open, and say how much of an interval that is.",
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
    from outsim.studies.stopping import read_replications, split_precisions

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


def say_precisions(findings: StudyResult) -> None:
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


def say_uncertainty(findings: StudyResult) -> None:
    """Say of each figure how much of its interval is thinness of the data, if callees are drawn.

    With several scenarios it is said of the first one's mean and of the differences from it.
    """
    from outsim.cli.output import say, show, table

    if not findings.swapped:
        return
    others = range(1, len(findings.scenarios))
    rows = []
    for each in findings.measures:
        row = [_data_share([findings.uncertainty(0, each.name)])]
        if others:
            row.append(
                _data_share([findings.uncertainty_of_difference(k, each.name) for k in others])
            )
        rows.append([findings.label(each), *row])
    heads = ["mean", "difference"] if len(others) == 1 else ["mean", "differences"]
    say()
    say("Share of the interval's square that is thinness of the call log, and its 95 % interval:")
    show(table(["", *(heads if others else heads[:1])], rows))
    say(
        "Callees are drawn for each replication. The rest is luck of the day: more replications "
        "narrow that, and only more calls in the log narrow the share that is shown."
    )


def _data_share(found: list[Uncertain]) -> str:
    """Share of one answer with its interval, or the least and the largest of several."""
    from outsim.display import UNKNOWN

    known = [each for each in found if not math.isnan(each.data_share)]
    if not known:
        return UNKNOWN
    if len(known) == 1:
        low, high = known[0].data_share_interval
        return f"{known[0].data_share:.0%} ({low:.0%} to {high:.0%})"
    shares = [each.data_share for each in known]
    return f"{min(shares):.0%} to {max(shares):.0%}"


def say_savings(findings: StudyResult) -> None:
    """Say of antithetic and stratified runs and of controls what they saved, figure by figure."""
    from outsim.cli.output import say, show, table
    from outsim.display import UNKNOWN

    if not findings.switches.saving:
        return
    rows = []
    for each in findings.measures:
        row = [_range(reduction.saved_for(each.name)) for reduction in findings.reductions]
        if findings.switches.controls:
            row.append(_of_controls(findings, each.name))
        if {*row} != {UNKNOWN}:
            rows.append([findings.label(each), *row])
    say()
    about = "the differences" if len(findings.scenarios) > 1 else "the means"
    say(f"variance saved in {about}: as good as so many times the runs, at the same cost")
    if rows:
        show(table(["", *findings.switches.saving], rows))
    for reduction in findings.reductions:
        say(f"{reduction.name}: {_verdict(reduction)}")
    if findings.switches.controls:
        say(
            "controls: used where a number stands"
            + (" and in the means where they help" if len(findings.scenarios) > 1 else "")
            + ", and nowhere else."
        )


def _verdict(reduction: Reduction) -> str:
    count, runs = reduction.decided_on, reduction.runs
    if not count:
        return (
            f"{runs} runs a replication; whether that helps is decided on the first replications "
            "of the whole study, which are not in this part."
        )
    if reduction.is_used:
        return (
            f"used, {runs} runs a replication: it saves variance over all figures, by the first "
            f"{count} replications."
        )
    return (
        f"NOT used: by the first {count} replications it does not clearly save variance over all "
        "figures. What was run for it is left out."
    )


def _range(saved: list[float]) -> str:
    """A saving, or from the smallest to the largest."""
    from outsim.display import UNKNOWN

    if not saved:
        return UNKNOWN
    low, high = (_times(value) for value in (min(saved), max(saved)))
    return low if low == high else f"{low} to {high}"


def _times(saved: float) -> str:
    return f"{saved:.1f}" if saved < 10 else f"{saved:.2g}" if saved < 100 else "100 and more"


def _of_controls(findings: StudyResult, name: str) -> str:
    first = min(1, len(findings.scenarios) - 1)
    did = [findings.saved_by_controls(k, name) for k in range(first, len(findings.scenarios))]
    return _range([each.saved for each in did if each.is_used])
