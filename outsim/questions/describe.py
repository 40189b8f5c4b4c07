"""A scenario described by the STRESS-DES checklist, filled in from scenario and code.

The checklist is that of Monks, Currie, Onggo, Robinson, Kunc and Taylor (2019), Strengthening the
reporting of empirical simulation studies: Introducing the STRESS guidelines, Journal of
Simulation 13(1), 55-67, https://doi.org/10.1080/17477778.2018.1442155. What only the author can
know is taken from `Scenario.about`, and is a named gap where nothing stands there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from outsim.questions import describe_logic as stress_des_logic
from outsim.questions import describe_making as stress_des_making
from outsim.questions.describe_parts import Subject, Table
from outsim.scenario.model import Scenario
from outsim.scenario.provenance import ParameterTable, assumptions
from outsim.text import bounded, brief_document, visible_lines

TEXTS = stress_des_logic.TEXTS | stress_des_making.TEXTS

SOURCE = (
    "Monks, Currie, Onggo, Robinson, Kunc and Taylor (2019), Strengthening the reporting of "
    "empirical simulation studies: Introducing the STRESS guidelines, Journal of Simulation "
    "13(1), 55-67, https://doi.org/10.1080/17477778.2018.1442155"
)

SECTIONS = (
    "Objectives",
    "Logic",
    "Data",
    "Experimentation",
    "Implementation",
    "Code access",
)
"""Sections of the checklist, numbered from 1."""

TITLES = {
    "1.1": "Purpose of the model",
    "1.2": "Model outputs",
    "1.3": "Experimentation aims",
    "2.1": "Base model overview diagram",
    "2.2": "Base model logic",
    "2.3": "Scenario logic",
    "2.4": "Algorithms",
    "2.5": "Components",
    "2.5.1": "Entities",
    "2.5.2": "Activities",
    "2.5.3": "Resources",
    "2.5.4": "Queues",
    "2.5.5": "Entry and exit points",
    "3.1": "Data sources",
    "3.2": "Pre-processing",
    "3.3": "Input parameters",
    "3.4": "Assumptions",
    "4.1": "Initialisation",
    "4.2": "Run length",
    "4.3": "Estimation approach",
    "5.1": "Software or programming language",
    "5.2": "Random sampling",
    "5.3": "Model execution",
    "5.4": "System specification",
    "6.1": "Computer model sharing statement",
}
"""The 20 items by number; 2.5 has five parts."""


@dataclass(frozen=True)
class Item:
    """One item of the checklist."""

    number: str
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

    @property
    def is_gap(self) -> bool:
        """Whether something is missing that only the author can say."""
        return bool(self.gaps)

    @property
    def section(self) -> str:
        """Section of the checklist that it is in."""
        return SECTIONS[int(self.number[0]) - 1]

    @brief_document
    def to_json(self) -> dict[str, Any]:
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
            "parts": [part.to_json() for part in self.parts],
        }


@dataclass(frozen=True, eq=False)
class Description:
    """A scenario, and others that are held against it, by the STRESS-DES checklist."""

    scenarios: tuple[Scenario, ...]
    items: tuple[Item, ...]
    """The 20 items, in order."""
    ledger: ParameterTable
    """Every number that the first scenario uses."""

    @property
    def gaps(self) -> tuple[Item, ...]:
        """Items in which something is missing that only the author can say."""
        return tuple(item for item in self if item.is_gap)

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

    @brief_document
    def to_json(self) -> dict[str, Any]:
        """The description for machines: items with their texts, tables and gaps."""
        return {
            "scenarios": [scenario.name for scenario in self.scenarios],
            "checklist": SOURCE,
            "items": [item.to_json() for item in self.items],
        }

    def to_markdown(self) -> str:
        """The description as Markdown, with a heading for each section and item."""
        lines = [
            f"# {_escaped(self.scenarios[0].name)}",
            "",
            f"Described by STRESS-DES: {SOURCE}.",
        ]
        section = ""
        for item in self:
            if item.section != section:
                section = item.section
                lines += ["", f"## {item.number[0]} {section}"]
            level = "#" * (2 + item.number.count("."))
            lines += ["", f"{level} {item.number} {item.title}"]
            lines += [line for text in item.paragraphs for line in ("", _escaped(text))]
            if item.diagram:
                lines += ["", "```text", *item.diagram.splitlines(), "```"]
            if item.table is not None:
                lines += ["", *_markdown_table(item.table)]
            lines += [line for gap in item.gaps for line in ("", f"**Gap:** {_escaped(gap)}")]
        return "\n".join(lines) + "\n"

    def _repr_markdown_(self) -> str:
        return self.to_markdown()

    def __repr__(self) -> str:
        names = ", ".join(scenario.name for scenario in self.scenarios)
        return bounded(
            f"Description({names}; {len(self.items)} items, {len(self.gaps)} with gaps)"
        )


def _escaped(text: str) -> str:
    text = visible_lines(text)
    for mark in ("\\", "|", "*", "_", "<", "`", "["):
        text = text.replace(mark, f"\\{mark}")
    return text


def _markdown_table(table: Table) -> Iterator[str]:
    yield f"| {' | '.join(table.columns)} |"
    yield f"|{' --- |' * len(table.columns)}"
    for row in table.rows:
        yield f"| {' | '.join(_escaped(cell) for cell in row)} |"


def describe(scenario: Scenario, *others: Scenario) -> Description:
    """Describe model and scenario by the 20 items of STRESS-DES (Monks et al. 2019).

    What the scenario and the code say is filled in; what only the author can say comes from
    `Scenario.about`, and is a named gap otherwise. Nothing is run.

    Parameters
    ----------
    scenario : Scenario
        The base case.
    *others : Scenario
        Scenarios that are held against it.

    Returns
    -------
    Description

    Raises
    ------
    ScenarioError
        If a range in `Scenario.sources` can't be used.

    Examples
    --------
    >>> import outsim
    >>> told = outsim.describe(outsim.load("scenarios/top-of-hour.toml"))
    >>> len(told.items)
    20
    >>> [item.number for item in told.gaps]
    ['1.1', '1.3', '3.1', '3.2', '5.4', '6.1']
    """
    subject = Subject(scenario, others, assumptions(scenario))
    made = {}
    for number, title in TITLES.items():
        told = TEXTS[number](subject)
        made[number] = Item(number, title, told.paragraphs, told.gaps, told.diagram, told.table)
    parts = tuple(item for number, item in made.items() if number.count(".") == 2)
    made["2.5"] = replace(made["2.5"], parts=parts)
    twenty = tuple(item for number, item in made.items() if number.count(".") == 1)
    return Description((scenario, *others), twenty, subject.ledger)
