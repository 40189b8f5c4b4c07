"""The tables as Parquet or CSV, with a data dictionary beside them for people and programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from outsim.engine.rules import RULES
from outsim.formats.selection import Selection, blocks_of, plain, tables_directory
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
        document = json.loads((directory / JSON_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    if not isinstance(document, dict) or document.get("written_by") != WRITTEN_BY:
        return False
    own = {JSON_FILE, TEXT_FILE, *(f"{name}.{document.get('format')}" for name in TABLES)}
    return {path.name for path in directory.iterdir()} <= own


def _dictionary(selection: Selection, form: str) -> dict[str, Any]:
    """The dictionary as a JSON document: provenance, and the columns of each table."""
    result, campaign = selection.result, selection.campaign
    return {
        "written_by": WRITTEN_BY,
        "format": form,
        "campaign": None if campaign is None else campaign.full_name,
        "zone": result.scenario.clock.zone,
        "begins": result.start.isoformat(),
        "tables": {
            name: {
                "file": f"{name}.{form}",
                "meaning": TABLE_MEANINGS[name],
                "columns": [_column_entry(column, form) for column in columns],
            }
            for name, columns in TABLES.items()
        },
        "rules": {str(rule.number): rule.name for rule in RULES},
        "provenance": result.provenance(),
    }


def _column_entry(column: Column, form: str) -> dict[str, Any]:
    return {
        "name": column.name,
        "type": _CSV_TYPES[column.kind] if form == "csv" else column.dtype,
        "unit": column.unit,
        "meaning": column.meaning,
        "words": list(column.words),
        "rules": list(column.rules),
    }


def _markdown(facts: dict[str, Any]) -> str:
    """The dictionary as Markdown, from its JSON document."""
    run = facts["provenance"]
    lines = [
        "# Data dictionary",
        "",
        f"One run of {_cell(run['scenario'].get('name', 'an unnamed scenario'))}: seed "
        f"{run['seed']}, replication {run['replication']}, outsim {run['version']}, "
        f"{facts['begins']} to {run['ended']} ({facts['zone']}).",
        f"Calls of {facts['campaign'] or 'all campaigns'}. An empty field, or a missing value, is "
        "an instant that did not come, or something that is not known.",
    ]
    for name, table in facts["tables"].items():
        lines += ["", f"## {name}", "", f"`{table['file']}`: {table['meaning']}", ""]
        lines += ["| column | type | unit | meaning | rules |", "|---|---|---|---|---|"]
        for column in table["columns"]:
            words = [f"`{word}`" if word else "empty" for word in column["words"]]
            meaning = column["meaning"] + (f"; one of {', '.join(words)}" if words else "")
            rules = ", ".join(map(str, column["rules"]))
            cells = (f"`{column['name']}`", column["type"], column["unit"], meaning, rules)
            lines.append(f"| {' | '.join(map(_cell, cells))} |")
    lines += ["", "## Rules of the model", ""]
    lines += [f"{number}. {title}" for number, title in facts["rules"].items()]
    return "\n".join(lines) + "\n"


def _cell(value: str) -> str:
    return value.replace("|", r"\|")


def _write_dictionary(directory: Path, selection: Selection, form: str) -> None:
    """Write the dictionary, in both forms, into a directory."""
    dictionary = _dictionary(selection, form)
    json_text = json.dumps(dictionary, indent=2, ensure_ascii=False) + "\n"
    (directory / JSON_FILE).write_text(json_text, encoding="utf-8")
    (directory / TEXT_FILE).write_text(_markdown(dictionary), encoding="utf-8")


_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""Without it Excel takes UTF-8 for something else."""


def write_tables(selection: Selection, path: Path, form: Literal["parquet", "csv"]) -> None:
    """Write each table as Parquet, with types and words as in the schema, or as CSV.

    CSV is UTF-8 with a byte order mark, a header, and fields parted by commas; instants are ISO
    8601 local times with their offset. No field begins with a sign that a spreadsheet takes for a
    formula: names begin with a letter, a digit or an underscore, and numbers are digits.
    """
    write_table = {"parquet": _parquet, "csv": _csv}[form]
    tables = {name: selection.table(name) for name in TABLES}
    more = selection.counting(sum(map(len, tables.values())))

    def counted(table: pd.DataFrame) -> Iterator[pd.DataFrame]:
        yield table.iloc[:0]
        for block in blocks_of(table):
            yield block
            more(len(block))

    with tables_directory(path, is_export) as directory:
        for name, table in tables.items():
            write_table(directory / f"{name}.{form}", counted(table), TABLES[name])
        _write_dictionary(directory, selection, form)


write_parquet = partial(write_tables, form="parquet")
write_csv = partial(write_tables, form="csv")


def _parquet(path: Path, blocks: Iterator[pd.DataFrame], _columns: tuple[Column, ...]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.Schema.from_pandas(next(blocks), preserve_index=False)
    with pq.ParquetWriter(path, schema) as writer:
        for block in blocks:
            writer.write_table(pa.Table.from_pandas(block, schema, preserve_index=False))


_TEXT = ("instant", "word", "name")


def _csv(path: Path, blocks: Iterator[pd.DataFrame], columns: tuple[Column, ...]) -> None:
    import pyarrow as pa
    from pyarrow import csv

    def arrow(block: pd.DataFrame) -> Any:
        return pa.table({column.name: _array(block[column.name], column) for column in columns})

    with path.open("wb") as file:
        file.write(_BYTE_ORDER_MARK)
        with csv.CSVWriter(file, arrow(next(blocks)).schema) as writer:
            for block in blocks:
                writer.write_table(arrow(block))


def _array(values: pd.Series[Any], column: Column) -> Any:
    import pyarrow as pa

    if column.kind in _TEXT:
        # A word that is empty says no more than a field that is.
        texts = [text or None for text in plain(values)]
        return pa.array(texts, pa.string())
    return pa.array(values.to_numpy(), from_pandas=True)
