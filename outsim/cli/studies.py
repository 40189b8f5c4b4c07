"""Options that all studies share, and what they come to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from outsim.cli.options import EngineName, Seed, named

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
        metavar="MEASURE=WIDTH",
        help="Run until the interval's half-width is at most this, such as wait_p90_s=30s or "
        "difference:completed_share=0.005 or duration_s=2%; may be given several times.",
        show_default=False,
    ),
]
Within = Annotated[
    str | None,
    typer.Option(
        "--timeout",
        metavar="TIME",
        help="End after this time with what there is.",
        show_default=False,
    ),
]
Out = Annotated[
    str | None,
    typer.Option(
        "--out",
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
        help="Use control variates, whose means are known, where they narrow an interval.",
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


@dataclass(frozen=True)
class RunFlags:
    """Options of every question that takes several runs."""

    replications: Replications = None
    executor: ExecutorName = None
    seed: Seed = None
    engine: EngineName = "auto"

    def given(self) -> dict[str, Any]:
        """Keyword parameters of the question, as far as anything was given.

        Raises
        ------
        StudyError
            If a count or a precision can't be read.
        """
        from outsim.studies.stopping import read_replications

        options = {name: value for name, value in vars(self).items() if value is not None}
        if self.replications is not None:
            options["replications"] = read_replications(self.replications)
        return options


@dataclass(frozen=True)
class StudyFlags(RunFlags):
    """Options of every question that is one study."""

    precision: Precision = None
    timeout: Within = None
    directory: Out = None
    keep_tables: KeepTables = False
    input_uncertainty: InputUncertainty = False

    def given(self) -> dict[str, Any]:
        """Keyword parameters of the question, as far as anything was given."""
        from outsim.errors import StudyError
        from outsim.studies.stopping import split_precisions

        if self.keep_tables and self.directory is None:
            raise StudyError("--keep-tables: say where, with --out DIR")
        return super().given() | {"precision": split_precisions(self.precision or [])}
