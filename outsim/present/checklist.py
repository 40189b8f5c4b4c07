"""The section of the STRESS-DES checklist."""

from __future__ import annotations

from outsim import document as parts
from outsim.present.context import Subject
from outsim.questions.describe import SOURCE, Item, describe

_ELSEWHERE = ("3.3", "3.4")
"""Items whose tables are those of the numbers that the answers rest on."""


def checklist(subject: Subject) -> parts.Document:
    """All 20 items of STRESS-DES, with what only the author can say left as named gaps."""
    told = subject.comparison
    described = describe(*(told.scenarios if told is not None else (subject.scenario,)))
    sections = dict.fromkeys(item.section for item in described)
    gaps = ", ".join(item.number for item in described.gaps)
    return parts.Document(
        id="stress-des",
        title="The model, by the STRESS-DES checklist",
        asked=(
            f"All {len(described.items)} items of the checklist for discrete-event simulations. "
            + (
                f"Gaps that only the author can fill: {gaps}; a scenario says it under [about]."
                if gaps
                else "No item has a gap."
            )
        ),
        notes=[f"{SOURCE}."],
        parts=[
            parts.Document(
                id=f"stress-des-{number}",
                title=f"{number} {title}",
                parts=[_item(each) for each in described.items if each.section == title],
            )
            for number, title in enumerate(sections, 1)
        ],
    )


def _item(item: Item) -> parts.Document:
    name = f"{item.number} {item.title}"
    texts, tables = list(item.paragraphs), []
    if item.table is not None and item.number in _ELSEWHERE:
        texts.append('Each of them stands under "What the answers rest on".')
    elif item.table is not None:
        caption = f"{item.title}: {item.table.columns[0]}"
        tables = [parts.Table(caption, item.table.columns, item.table.rows, is_text=True)]
    return parts.Document(
        id=f"item-{item.number.replace('.', '-')}",
        title=name,
        texts=texts,
        tables=tables,
        gaps=item.gaps,
        code=[("Overview", item.diagram)] if item.diagram else [],
        parts=[_item(each) for each in item.parts],
    )
