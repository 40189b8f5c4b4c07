"""A report: one page that answers the five questions, with all that the answers rest on."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from outsim.document import Answer, Document, Picture
from outsim.document.html import environment
from outsim.engine import Engine
from outsim.present.context import ReportContext
from outsim.present.html_file import check_file, write
from outsim.present.pictures import data_uri
from outsim.present.sections import sections
from outsim.present.sources import read_context
from outsim.progress import Progress, bar, unseen
from outsim.questions.question import Question, asks
from outsim.results.result import Result
from outsim.scenario.campaigns import Campaign
from outsim.scenario.model import Scenario
from outsim.studies.default_replications import REPORT
from outsim.text import plain

_HERE = Path(__file__).parent


@dataclass(frozen=True, eq=False, repr=False)
class Report(Answer):
    """One page that answers the five questions."""

    context: ReportContext
    command: str
    """Command that makes it again."""

    @property
    def title(self) -> str:
        """Scenario and campaign."""
        return f"{self.context.scenario.name}: {self.context.campaign.name}"

    @property
    def about(self) -> dict[str, str]:
        """What it is about, fact by fact."""
        scenario, campaign = self.context.scenario, self.context.campaign
        calls = len(self.context.result.view(campaign).calls)
        return {
            "Campaign": f"{campaign.name} of {campaign.tenant}, {calls:,} calls",
            "Start": f"{campaign.start:%Y-%m-%d %H:%M} {scenario.clock.zone}",
            "Made of": self.context.made_of,
        }

    @cached_property
    def sections(self) -> tuple[Document, ...]:
        """The answers, and what they rest on."""
        return tuple(sections(self.context, self.command))

    @property
    def short(self) -> list[Document]:
        """Sections with an answer, for the list at the top."""
        return [section for section in self.sections if section.answer]

    def document(self) -> Document:
        """The short answers, and the sections that they are of."""
        return Document(
            id="report",
            title=self.title,
            asked=f"{self.title}: {self.about['Campaign']}; {self.context.made_of}.",
            texts=self.context.notices,
            more=[f"{section.title} {section.answer}" for section in self.short],
            parts=self.sections,
        )

    def to_dict(self) -> dict[str, Any]:
        """The short answers for machines."""
        return plain(
            {
                "title": self.title,
                "about": self.about,
                "notices": self.context.notices,
                "answers": {section.id: section.answer for section in self.short},
                "command": self.command,
            }
        )

    def html(self, progress: Progress = unseen) -> str:
        """The page, as one file that needs no other.

        Parameters
        ----------
        progress : callable
            Told (pictures drawn, pictures in all).
        """
        total, done = sum(map(_pictures, self.sections)), 0

        def drawn(picture: Picture) -> str:
            nonlocal done
            made = data_uri(picture)
            done += 1
            progress(done, total)
            return made

        style = (_HERE / "page.css").read_text(encoding="utf-8")
        template = environment(_HERE).get_template("page.html")
        return template.render(page=self, drawn=drawn, style=style)

    def save(self, path: str | Path = "report.html") -> Path:
        """Write the page to a file, whole or not at all.

        Parameters
        ----------
        path : path
            Its name ends in ``.html``.

        Raises
        ------
        OutsimError
            If it can't be written; the message says why.
        """
        target = check_file(path)
        made = replace(self, command=f"{self.command} --output {shlex.quote(str(path))}")
        with bar("pictures") as advance:
            write(made.html(advance), target)
        return target


def _pictures(section: Document) -> int:
    return len(section.pictures) + sum(map(_pictures, section.parts))


@asks()
def report(
    what: str | Path | Scenario | Result,
    campaign: str | Campaign | None = None,
    *,
    replications: int | None = None,
    seed: int | None = None,
    engine: Engine = "auto",
) -> Question[Report]:
    """Answer the five questions on one page, for people who run nothing themselves.

    Parameters
    ----------
    what : path, Scenario or Result
        A scenario or its file, which is run; a run or the directory of one; or the directory of
        a study.
    campaign : str or Campaign, optional
        ``name``, ``tenant/name`` or the object; default: the one under study; a study has one.
    replications : int, optional
        How many of each question are run for a run or a scenario; at least 2. Default: 10.
    seed : int, optional
        Seed of a scenario; a run and a study have their own.
    engine : str
        Which engine.

    Returns
    -------
    Question of Report
        The page; its `Report.save` writes it.
    """

    def made(_: object) -> Report:
        context = read_context(
            what, campaign, replications=replications or REPORT, seed=seed, engine=engine
        )
        named = what if isinstance(what, str | Path) else context.file
        command = ["outsim", "report", str(named)]
        chosen = context.campaign
        given = {
            "campaign": campaign and chosen.full_name,
            "replications": replications,
            "seed": seed,
        }
        for name, value in given.items():
            if value is not None:
                command += [f"--{name}", str(value)]
        return Report(context, shlex.join(command))

    return Question("report", made)
