"""The data dictionary: every table and column, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from outsim.engine.rules import RULES
from outsim.export.selection import Selection
from outsim.results.saving import provenance
from outsim.results.tables.schema import TABLE_MEANINGS, TABLES, Column

JSON_FILE, TEXT_FILE = "data-dictionary.json", "data-dictionary.md"
WRITTEN_BY = "outsim export"

_CSV_TYPES = {
    "id": "integer",
    "small": "integer",
    "number": "integer",
    "flag": "true or false",
    "instant": "ISO 8601 local time with offset",
    "seconds": "decimal number",
    "word": "text",
    "name": "text",
}


def is_export(directory: Path) -> bool:
    """Whether a directory holds an export of tables, and nothing else."""
    try:
        said = json.loads((directory / JSON_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    if not isinstance(said, dict) or said.get("written_by") != WRITTEN_BY:
        return False
    own = {JSON_FILE, TEXT_FILE, *(f"{name}.{said.get('format')}" for name in TABLES)}
    return {path.name for path in directory.iterdir()} <= own


def document(selection: Selection, form: str) -> dict[str, Any]:
    """The dictionary as a JSON document: provenance, and the columns of each table."""
    result, campaign = selection.result, selection.campaign
    return {
        "written_by": WRITTEN_BY,
        "format": form,
        "campaign": None if campaign is None else f"{campaign.tenant}/{campaign.name}",
        "zone": result.scenario.clock.zone,
        "begins": result.begins.isoformat(),
        "tables": {
            name: {
                "file": f"{name}.{form}",
                "meaning": TABLE_MEANINGS[name],
                "columns": [_column(column, form) for column in columns],
            }
            for name, columns in TABLES.items()
        },
        "rules": {str(rule.number): rule.name for rule in RULES},
        "provenance": provenance(result),
    }


def _column(column: Column, form: str) -> dict[str, Any]:
    return {
        "name": column.name,
        "type": _CSV_TYPES[column.kind] if form == "csv" else column.dtype,
        "unit": column.unit,
        "meaning": column.meaning,
        "words": list(column.words),
        "rules": list(column.rules),
    }


def text(said: dict[str, Any]) -> str:
    """The dictionary as Markdown, from its JSON document."""
    made = said["provenance"]
    lines = [
        "# Data dictionary",
        "",
        f"One run of {_cell(made['scenario'].get('name', 'an unnamed scenario'))}: seed "
        f"{made['seed']}, replication {made['replication']}, outsim {made['version']}, "
        f"{said['begins']} to {made['ended']} ({said['zone']}).",
        f"Calls of {said['campaign'] or 'all campaigns'}. An empty field, or a missing value, is "
        "an instant that did not come, or something that is not known.",
    ]
    for name, table in said["tables"].items():
        lines += ["", f"## {name}", "", f"`{table['file']}`: {table['meaning']}", ""]
        lines += ["| column | type | unit | meaning | rules |", "|---|---|---|---|---|"]
        for column in table["columns"]:
            words = [f"`{word}`" if word else "empty" for word in column["words"]]
            meaning = column["meaning"] + (f"; one of {', '.join(words)}" if words else "")
            rules = ", ".join(map(str, column["rules"]))
            cells = (f"`{column['name']}`", column["type"], column["unit"], meaning, rules)
            lines.append(f"| {' | '.join(map(_cell, cells))} |")
    lines += ["", "## Rules of the model", ""]
    lines += [f"{number}. {title}" for number, title in said["rules"].items()]
    return "\n".join(lines) + "\n"


def _cell(value: str) -> str:
    return value.replace("|", r"\|")


def write(directory: Path, selection: Selection, form: str) -> None:
    """Write the dictionary, in both forms, into a directory."""
    said = document(selection, form)
    json_text = json.dumps(said, indent=2, ensure_ascii=False) + "\n"
    (directory / JSON_FILE).write_text(json_text, encoding="utf-8")
    (directory / TEXT_FILE).write_text(text(said), encoding="utf-8")
