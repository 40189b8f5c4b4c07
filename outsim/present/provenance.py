"""Sections about what an answer rests on: assumptions, sensitivity, and how to make it again."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from outsim._version import __version__
from outsim.document import Document, Table
from outsim.engine.records import MODEL_VERSION
from outsim.present.context import ReportContext
from outsim.questions.describe import describe
from outsim.questions.effects import Assumptions
from outsim.scenario.provenance import assumptions as ledger_of


def assumptions(context: ReportContext) -> Document:
    """Every number that the answers rest on, with its source and grade."""
    document = Assumptions(ledger_of(context.scenario)).document()
    return replace(document, title="What the answers rest on", answer="", asked=document.answer)


_ELSEWHERE = ("item-3-3", "item-3-4")
"""Items whose tables are those of the numbers that the answers rest on."""


def checklist(context: ReportContext) -> Document:
    """All 20 items of STRESS-DES, with what only the author can say left as named gaps."""
    compared = context.comparison
    scenarios = compared.scenarios if compared is not None else (context.scenario,)
    described = describe(*scenarios).run().document()
    return replace(
        described,
        id="stress-des",
        answer="",
        asked=described.answer,
        parts=[
            replace(section, parts=[_without_table(item) for item in section.parts])
            for section in described.parts
        ],
    )


def _without_table(item: Document) -> Document:
    if item.id not in _ELSEWHERE:
        return item
    reference = 'Each of them stands under "What the answers rest on".'
    return replace(item, tables=[], texts=[*item.texts, reference])


def reproduction(context: ReportContext, command: str) -> Document:
    """Version, seed and the command that gives this report again."""
    result, scenario = context.result, context.scenario
    facts = [
        ["outsim", __version__],
        ["model version", str(MODEL_VERSION)],
        ["seed", str(context.seed)],
        ["engine of the one run", f"{result.engine} (the engine changes no figure)"],
        ["scenario", scenario.name],
        ["run", f"{result.period} {scenario.clock.zone}"],
        ["made from", context.made_of],
    ]
    return Document(
        id="again",
        title="Making this report again",
        asked="The same version, seed and scenario give the same figures on any machine.",
        tables=[Table("Version and seed", ["", "value"], facts, is_text=True)],
        code=(
            ("Command", command),
            (f"The scenario, as it was run ({context.file})", toml(context)),
        ),
    )


def toml(context: ReportContext) -> str:
    """The scenario as a file that can be run again; a contact list is named and not in it."""
    import tomlkit

    said: dict[str, Any] = json.loads(context.scenario.model_dump_json(exclude_unset=True))
    return tomlkit.dumps(_written(said)).strip()


def _written(value: Any) -> Any:
    """Without what is not there: a TOML file has no word for it."""
    if isinstance(value, dict):
        return {key: _written(each) for key, each in value.items() if each is not None}
    return [_written(each) for each in value] if isinstance(value, list) else value
