"""A scenario described by the STRESS-DES checklist, filled in from scenario and code.

The checklist is that of Monks, Currie, Onggo, Robinson, Kunc and Taylor (2019), Strengthening the
reporting of empirical simulation studies: Introducing the STRESS guidelines, Journal of
Simulation 13(1), 55-67, https://doi.org/10.1080/17477778.2018.1442155. What only the author can
know is taken from `Scenario.about`, and is a named gap where nothing stands there. The text is the
template `stress_des.md`; its items are read from the Markdown that it gives.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from importlib.metadata import metadata, version
from pathlib import Path
from typing import Any

from outsim.clock import format_duration
from outsim.display import percent
from outsim.document import Answer, Document, Table
from outsim.engine.order import EventClass
from outsim.engine.records import MODEL_VERSION
from outsim.engine.rules import RULES
from outsim.estimates import LEVEL
from outsim.questions.question import Question, asks
from outsim.results.measures import MEASURES
from outsim.scenario.campaigns import USUAL_PRIORITY, Campaign
from outsim.scenario.defaults import GRADES
from outsim.scenario.difference import differences
from outsim.scenario.model import Scenario
from outsim.scenario.offered_load import class_means
from outsim.scenario.provenance import AUTHOR, ParameterTable, assumptions
from outsim.scenario.sizes import SizeDistribution
from outsim.scenario.sources import About
from outsim.studies.default_replications import COMPARE
from outsim.text import plain, visible_lines
from outsim.vocabulary import DISCIPLINES, FINAL_STATUSES, OUTCOMES, STATUSES

SOURCE = (
    "Monks, Currie, Onggo, Robinson, Kunc and Taylor (2019), Strengthening the reporting of "
    "empirical simulation studies: Introducing the STRESS guidelines, Journal of Simulation "
    "13(1), 55-67, https://doi.org/10.1080/17477778.2018.1442155"
)

LIBRARIES = ("simpy", "numba", "numpy", "scipy", "pandas", "pydantic", "pyarrow", "SALib")
"""Packages whose versions a description names: what runs, draws, estimates and stores."""

_TEMPLATE = Path(__file__).with_name("stress_des.md")


@dataclass(frozen=True)
class Item:
    """One item of the checklist."""

    number: str
    section: str
    """Section of the checklist that it is in."""
    title: str
    paragraphs: tuple[str, ...] = ()
    """What is known, from scenario and code."""
    gaps: tuple[str, ...] = ()
    """What only the author can say and has not said."""
    diagram: str = ""
    """Lines of text, to be shown as they stand."""
    table: Table | None = None
    parts: tuple[Item, ...] = field(default=())
    """Items in it."""

    def document(self) -> Document:
        """The item as a part of a document."""
        tables = []
        if self.table is not None:
            caption = f"{self.title}: {self.table.columns[0]}"
            tables = [Table(caption, self.table.columns, self.table.rows, is_text=True)]
        return Document(
            id=f"item-{self.number.replace('.', '-')}",
            title=f"{self.number} {self.title}",
            texts=self.paragraphs,
            tables=tables,
            gaps=self.gaps,
            code=[("Overview", self.diagram)] if self.diagram else [],
            parts=[part.document() for part in self.parts],
        )

    def to_dict(self) -> dict[str, Any]:
        """The item for machines."""
        return {
            "number": self.number,
            "section": self.section,
            "title": self.title,
            "paragraphs": list(self.paragraphs),
            "gaps": list(self.gaps),
            "diagram": self.diagram.splitlines(),
            "table": None
            if self.table is None
            else [dict(zip(self.table.columns, row, strict=True)) for row in self.table.rows],
            "parts": [part.to_dict() for part in self.parts],
        }


@dataclass(frozen=True, eq=False, repr=False)
class Description(Answer):
    """A scenario, and others that are compared with it, by the STRESS-DES checklist."""

    scenarios: tuple[Scenario, ...]
    items: tuple[Item, ...]
    """The 20 items, in order."""
    ledger: ParameterTable
    """Every number that the first scenario uses."""
    markdown: str

    @property
    def gaps(self) -> tuple[Item, ...]:
        """Items in which something is missing that only the author can say."""
        return tuple(item for item in self if item.gaps)

    def __iter__(self) -> Iterator[Item]:
        """Items and their parts, in the order of their numbers."""
        for item in self.items:
            yield item
            yield from item.parts

    def item(self, number: str) -> Item:
        """The item with a number, such as ``"2.5.4"``.

        Raises
        ------
        KeyError
            If there is none.
        """
        for item in self:
            if item.number == number:
                return item
        raise KeyError(number)

    def document(self) -> Document:
        """The description in sections, with what only the author can say left as gaps."""
        numbers = ", ".join(item.number for item in self.gaps)
        sections = dict.fromkeys(item.section for item in self.items)
        return Document(
            id="describe",
            title="The model, by the STRESS-DES checklist",
            asked=" against ".join(scenario.name for scenario in self.scenarios) + ".",
            answer=(
                f"{len(self.gaps)} items have gaps that only the author can fill: {numbers}; a "
                "scenario says it under [about]."
                if numbers
                else f"All {len(self.items)} items of the checklist are filled in."
            ),
            notes=[SOURCE],
            parts=[
                Document(
                    id=f"stress-des-{number}",
                    title=f"{number} {section}",
                    parts=[item.document() for item in self.items if item.section == section],
                )
                for number, section in enumerate(sections, 1)
            ],
        )

    def to_dict(self) -> dict[str, Any]:
        """The description for machines: items with their texts, tables and gaps."""
        return plain(
            {
                "scenarios": [scenario.name for scenario in self.scenarios],
                "checklist": SOURCE,
                "items": [item.to_dict() for item in self.items],
            }
        )

    def to_markdown(self) -> str:
        """The description as Markdown, with a heading for each section and item."""
        return self.markdown

    _repr_html_ = None  # type: ignore[assignment]
    """A notebook shows the Markdown."""

    def _repr_markdown_(self) -> str:
        return self.markdown


@asks()
def describe(scenario: Scenario, *others: Scenario) -> Question[Description]:
    """Describe model and scenario by the 20 items of STRESS-DES (Monks et al. 2019).

    What the scenario and the code say is filled in; what only the author can say comes from
    `Scenario.about`, and is a named gap otherwise. Nothing is run.

    Parameters
    ----------
    scenario : Scenario
        The base case.
    *others : Scenario
        Scenarios that are compared with it.

    Raises
    ------
    ScenarioError
        When it is run: if a range in `Scenario.sources` can't be used.

    Examples
    --------
    >>> import outsim
    >>> description = outsim.describe(outsim.load("scenarios/top-of-hour.toml")).run()
    >>> len(description.items)
    20
    >>> [item.number for item in description.gaps]
    ['1.1', '1.3', '3.1', '3.2', '5.4', '6.1']
    """

    def work(_: Any) -> Description:
        ledger = assumptions(scenario)
        markdown = _render(_context(scenario, others, ledger))
        return Description((scenario, *others), tuple(_read(markdown)), ledger, markdown)

    return Question("describe", work)


def _context(
    scenario: Scenario, others: tuple[Scenario, ...], ledger: ParameterTable
) -> dict[str, Any]:
    """Everything that the template names."""
    about, study = scenario.about, scenario.campaign_under_study
    values = {entry.key: entry.value for entry in ledger}
    clock = scenario.clock
    planned_s = (clock.ends - clock.begins).total_seconds()
    by_source: dict[tuple[str, str], list[str]] = {}
    for entry in ledger:
        if entry.source and entry.grade != GRADES["A"]:
            by_source.setdefault((entry.source, entry.grade), []).append(entry.key)
    return {
        "scenario": scenario,
        "names": [one.name for one in (scenario, *others)],
        "source": SOURCE,
        "about": about.model_dump() if about is not None else dict.fromkeys(About.model_fields),
        "level": percent(LEVEL),
        "under_study": study and study.full_name,
        "value": values.__getitem__,
        "measures": [
            (
                measure.label_at(scenario.deadline),
                measure.name,
                (measure.compute.__doc__ or "").partition("\n\n")[0].rstrip("."),
            )
            for measure in MEASURES
        ],
        "rules": RULES,
        "model_version": MODEL_VERSION,
        "differences": [
            (other.name, difference.key, difference.left, difference.right)
            for other in others
            for difference in differences(scenario, other)
        ],
        "discipline": DISCIPLINES[scenario.platform.queue],
        "order_of_queue": _order_of_queue(scenario),
        "statuses": STATUSES,
        "final_statuses": FINAL_STATUSES,
        "outcomes": OUTCOMES,
        "campaigns": [
            (
                campaign.full_name,
                ", ".join([f"{campaign.start:%H:%M}", *campaign.repeats]),
                _size(campaign),
                campaign.max_retry,
            )
            for campaign in scenario.campaign
        ]
        + _of_others(scenario),
        "load": scenario.load,
        "sources": [(*source, ", ".join(keys)) for source, keys in by_source.items()],
        "parameters": [
            (entry.key, entry.value, entry.written_in, entry.grade, entry.range or "none given")
            for entry in ledger
        ],
        "grades": [*ledger.by_grade.items()],
        "unsourced": [entry.key for entry in ledger if entry.grade == AUTHOR],
        "assumed": [
            (entry.key, entry.value, entry.source)
            for entry in ledger
            if entry.grade == GRADES["A"]
        ],
        "planned": format_duration(round(planned_s * 1_000_000)),
        "replications": COMPARE,
        "version": version("outsim"),
        "license": metadata("outsim")["License-Expression"],
        "python": f"{platform.python_version()} ({platform.python_implementation()})",
        "system": platform.platform(),
        "libraries": [(name, version(name)) for name in LIBRARIES],
        "event_classes": [event.name.lower().replace("_", " ") for event in EventClass],
        "machine": platform.machine() or "an unknown processor",
        "cores": os.cpu_count(),
        "operating_system": sys.platform,
    }


def _order_of_queue(scenario: Scenario) -> str:
    """What of the scenario the queue goes by, as a sentence; nothing where it is first come."""
    discipline = DISCIPLINES[scenario.platform.queue]
    said: list[str] = []
    if discipline.has_guarantees:
        shares = [(one.name, one.guaranteed_share) for one in scenario.tenant]
        said = [f"{name} {percent(share, 1)}" for name, share in shares if share]
    elif discipline.by_priority:
        said = [f"{tenant.name} {tenant.priority}" for tenant in scenario.tenant]
        own = [(one.full_name, one.priority) for one in scenario.campaign]
        said += [f"{name} {number}" for name, number in own if number is not None]
        said.append(f"all others {USUAL_PRIORITY}")
    return f" Here: {', '.join(said)}." if said else ""


def _size(campaign: Campaign) -> str:
    if campaign.contact_list is not None:
        return f"{len(campaign.contact_list):,} rows of a list"
    return "by request" if campaign.contacts is None else _size_text(campaign.contacts)


def _size_text(contacts: int | SizeDistribution | None) -> str:
    if isinstance(contacts, SizeDistribution):
        return f"drawn: {contacts.model_dump()['distribution']}, mean {contacts.mean():,.0f}"
    return f"{contacts or 0:,}"


def _of_others(scenario: Scenario) -> list[tuple[str, str, str, int]]:
    """Rows of the table of campaigns for the background and each of its classes."""
    background = scenario.background
    if background is None:
        return []
    rows = []
    if background.campaigns_per_hour:
        name = (
            f"background: {background.campaigns_per_hour} campaigns an hour of "
            f"{background.tenants} tenants"
        )
        size = f"lognormal, median {background.median_size:,}"
        rows.append((name, "drawn", size, background.max_retry))
    for of in background.tenant_class:
        what = "lists" if of.lists_calls else "calls"
        count = sum(class_means(scenario, of))
        name = (
            f"background: {of.name} ({of.kind}), {of.tenants} tenants, {count:,.0f} {what} a run"
        )
        start = ", ".join(["drawn by hour and weekday", *of.repeats])
        size = _size_text(of.contacts) if of.lists_calls else "one by one"
        rows.append((name, start, size, of.max_retry))
    return rows


def _render(context: dict[str, Any]) -> str:
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    def escape(value: Any) -> Markup:
        """Text that is no markup, and the ends of its lines as Markdown's hard breaks."""
        if isinstance(value, Markup):
            return value
        return Markup(re.sub(r"[\\|*_<`\[#\n]", r"\\\g<0>", visible_lines(str(value))))

    environment = Environment(
        autoescape=True,
        finalize=escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    text = environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(context)
    return re.sub(r"(?<!\\)\n{3,}", "\n\n", text).strip() + "\n"


def _read(markdown: str) -> Iterator[Item]:
    """The items of a rendered template."""
    section, parts = "", re.split(r"(?<!\\)\n(?=#)", markdown)
    items: list[Item] = []
    for part in parts[1:]:
        heading, _, text = part.partition("\n")
        number, _, title = heading.lstrip("#").strip().partition(" ")
        if "." in number:
            items.append(_item(number, section, title, text))
        else:
            section = title
    for item in items:
        if item.number.count(".") == 1:
            inner = (part for part in items if part.number.startswith(f"{item.number}."))
            yield replace(item, parts=tuple(inner))


def _item(number: str, section: str, title: str, text: str) -> Item:
    diagram, table = "", None
    paragraphs, gaps = [], []
    if drawn := re.search(r"```text\n(.*?)\n```", text, re.DOTALL):
        diagram, text = drawn[1], text.replace(drawn[0], "")
    for block in re.split(r"(?<!\\)\n{2,}", text.strip()):
        if block.startswith("|"):
            header, _, *rows = (tuple(_cells(line)) for line in block.split("\n"))
            table = Table("", header, rows, is_text=True)
        elif block.startswith("**Gap:** "):
            gaps.append(_plain(block.removeprefix("**Gap:** ")))
        elif block:
            paragraphs.append(_plain(block))
    return Item(number, section, title, tuple(paragraphs), tuple(gaps), diagram, table)


def _cells(line: str) -> Iterator[str]:
    return map(_plain, line.removeprefix("| ").removesuffix(" |").split(" | "))


def _plain(block: str) -> str:
    """Markdown as text: what was escaped as it was, lines of the template joined."""
    joined = re.sub(r"(?<!\\)\n", " ", block)
    return re.sub(r"\\(.)", r"\1", joined, flags=re.DOTALL)
