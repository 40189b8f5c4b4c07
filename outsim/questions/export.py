"""A run in a format that other tools open."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from outsim.document import Answer, Document
from outsim.engine import Engine
from outsim.formats import FORMATS, Format, check_target, write
from outsim.progress import Progress, reporting
from outsim.questions.one_run import one_run, scenario_of
from outsim.questions.question import Question, asks
from outsim.results.result import Result
from outsim.scenario.campaigns import ALL_CALLS, Campaign
from outsim.scenario.model import Scenario
from outsim.studies.comparable import campaign_of
from outsim.text import plain


@dataclass(frozen=True, eq=False, repr=False)
class Export(Answer):
    """A run that was written in another format."""

    result: Result
    format: Format
    path: Path
    campaign: Campaign | None = None
    """Whose calls were written; everybody's if None."""

    def document(self) -> Document:
        """What was written, and what opens it."""
        result = self.result
        calls = result.view(self.campaign or ALL_CALLS).calls
        return Document(
            id="export",
            title="A run for other tools",
            answer=(
                f"{result.scenario.name}, seed {result.seed}, replication {result.replication}: "
                f"{len(calls):,} calls written to {self.path} as {self.format}."
            ),
            notes=[FORMATS[self.format].hint],
        )

    def to_dict(self) -> dict[str, Any]:
        """The files that were written, for machines."""
        files = sorted(self.path.iterdir()) if self.path.is_dir() else [self.path]
        return plain(
            {
                "scenario": self.result.scenario.name,
                "seed": self.result.seed,
                "replication": self.result.replication,
                "format": self.format,
                "path": str(self.path),
                "files": {file.name: file.stat().st_size for file in files},
            }
        )


@asks()
def export(
    asked: Scenario | Result,
    format: Format,
    out: str | Path,
    *,
    campaign: Campaign | str | None = None,
    seed: int | None = None,
    replication: int = 0,
    engine: Engine = "auto",
    progress: Progress | Literal["bar"] | None = "bar",
) -> Question[Export]:
    """Write a run as a timeline, an event log, or plain tables, whole or not at all.

    Parameters
    ----------
    format : str
        One of `outsim.formats.FORMATS`: a timeline such as ``perfetto``, an event log for process
        mining such as ``xes``, or tables with a data dictionary such as ``parquet``.
    out : path
        File to write; for tables a directory. An earlier export is replaced.
    campaign : Campaign or str, optional
        Write its calls alone; default: all calls.
    progress : callable, "bar" or None
        Given how many rows are written, and how many there are.

    Raises
    ------
    ResultError
        If it can't be written, or something else stands there.
    """
    scenario = scenario_of(asked, seed, replication)
    chosen = None if campaign is None else campaign_of(scenario, campaign)
    check_target(format, Path(out))

    def work(_: Any) -> Export:
        result = one_run(asked, seed, replication, engine)
        with reporting(progress, "export", counts=False) as report:
            path = write(result, format, out, campaign=chosen, progress=report)
        return Export(result, format, path, chosen)

    return Question("export", work)
