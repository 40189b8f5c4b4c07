"""The tables as Parquet and CSV: nothing lost, nothing that a spreadsheet would run."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings

from outsim.engine.rules import RULES
from outsim.errors import ResultError
from outsim.formats import write as export
from outsim.formats.selection import iso_times
from outsim.results.checkpoint import simulate
from outsim.results.tables.schema import TABLES
from tests.results.runs import EMPTY, full
from tests.strategies import scenarios

FEWER = settings(max_examples=max(1, settings.default.max_examples // 10), deadline=None)
RUNS = [full, *EMPTY]


def from_csv(directory: Path, name: str) -> pd.DataFrame:
    """A table as the dictionary says that it is to be read."""
    dictionary = json.loads((directory / "data-dictionary.json").read_text())
    columns = dictionary["tables"][name]["columns"]
    kinds = {each["name"]: each["type"] for each in columns}
    text = {column: "str" for column, kind in kinds.items() if kind == "text"}
    assert text, kinds
    table = pd.read_csv(directory / f"{name}.csv", dtype=text, keep_default_na=False, na_values={})
    for column, kind in kinds.items():
        if kind.startswith("ISO"):
            instants = pd.to_datetime(table[column].replace("", None), utc=True)
            table[column] = instants.dt.tz_convert(dictionary["zone"]).dt.as_unit("us")
        if kind == "decimal number":
            table[column] = pd.to_numeric(table[column])
    return table


def assert_csv_is(directory: Path, tables: dict[str, pd.DataFrame]) -> None:
    for name, table in tables.items():
        read = from_csv(directory, name)
        assert list(read.columns) == list(table.columns)
        for column in table:
            ours = table[column].reset_index(drop=True)
            if ours.dtype == "category":
                ours = ours.astype("str").where(ours.notna(), "").astype("str")
            pd.testing.assert_series_equal(read[column], ours, check_dtype=False)


@pytest.mark.parametrize("make", RUNS, ids=lambda make: make.__name__)
def test_parquet_holds_the_tables_as_they_are(make, tmp_path):
    result = make()
    export(result, "parquet", tmp_path / "out")
    for name, table in result.tables.items():
        read = pd.read_parquet(tmp_path / "out" / f"{name}.parquet")
        pd.testing.assert_frame_equal(read, table, check_categorical=len(table) > 0)


@FEWER
@given(scenarios())
def test_csv_holds_every_value_to_the_microsecond(tmp_path_factory, scenario):
    """Across changes to summer time too: an instant has its offset."""
    result = simulate(scenario)
    directory = tmp_path_factory.mktemp("csv") / "out"
    export(result, "csv", directory)
    assert_csv_is(directory, {k: v for k, v in result.tables.items() if len(v)})


@pytest.mark.parametrize("make", RUNS, ids=lambda make: make.__name__)
def test_csv_has_a_header_that_a_spreadsheet_reads_as_utf8(make, tmp_path):
    export(make(), "csv", tmp_path / "out")
    for name, columns in TABLES.items():
        data = (tmp_path / "out" / f"{name}.csv").read_bytes()
        assert data.startswith(b"\xef\xbb\xbf")
        header = data.decode("utf-8-sig").splitlines()[0]
        assert header == ",".join(f'"{column.name}"' for column in columns)


def test_no_field_of_a_csv_begins_like_a_formula(tmp_path):
    import csv

    export(full(name="=1+1"), "csv", tmp_path / "out")
    for name in TABLES:
        with (tmp_path / "out" / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
            for row in csv.reader(file):
                assert not any(field.startswith(("=", "+", "-", "@", "\t", "\r")) for field in row)


def test_times_are_local_with_their_offset():
    instants = pd.to_datetime(
        ["2026-03-08 06:59:59.5", "2026-03-08 07:00", None], format="ISO8601", utc=True
    )
    local = pd.Series(instants.tz_convert("America/New_York").as_unit("us"))
    assert iso_times(local).tolist() == [
        "2026-03-08T01:59:59.500000-05:00",
        "2026-03-08T03:00:00.000000-04:00",
        None,
    ]


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_the_dictionary_tells_of_every_column_of_every_table(form, tmp_path):
    directory = export(full(), form, tmp_path / "out")
    said = json.loads((directory / "data-dictionary.json").read_text())
    text = (directory / "data-dictionary.md").read_text()
    for name, columns in TABLES.items():
        assert (directory / said["tables"][name]["file"]).exists()
        told = {each["name"]: each for each in said["tables"][name]["columns"]}
        assert list(told) == [column.name for column in columns]
        for column in columns:
            assert told[column.name]["meaning"] == column.meaning
            assert told[column.name]["unit"] == column.unit
            assert f"| `{column.name}` |" in text
            assert column.meaning in text
    assert said["provenance"]["seed"] == 1


def test_every_rule_decides_something_and_every_figure_has_a_rule():
    """All but the keys: number, place and names of a call."""
    ruled = {rule for columns in TABLES.values() for column in columns for rule in column.rules}
    assert ruled == {rule.number for rule in RULES}
    without = {c.name for columns in TABLES.values() for c in columns if not c.rules}
    assert without == {"call_id", "tenant", "campaign", "index"}


def test_one_campaign_is_exported_alone(tmp_path):
    result = full()
    campaign = result.scenario.campaigns[1]
    directory = export(result, "csv", tmp_path / "out", campaign=campaign)
    assert_csv_is(
        directory,
        {name: t[t["campaign"] == campaign.name] for name, t in result.tables.items() if len(t)},
    )
    assert json.loads((directory / "data-dictionary.json").read_text())["campaign"] == "acme/late"


def test_an_export_replaces_an_earlier_one_and_nothing_else(tmp_path):
    directory = export(full(), "csv", tmp_path / "out")
    export(EMPTY[0](), "parquet", directory)
    assert not (directory / "calls.csv").exists()
    (directory / "thesis.doc").touch()
    with pytest.raises(ResultError, match="holds other files than an export; name a new"):
        export(full(), "csv", directory)
    assert (directory / "thesis.doc").exists()


def test_the_directory_of_a_result_is_not_overwritten(tmp_path):
    directory = full().save(tmp_path / "run")
    with pytest.raises(ResultError, match="holds other files than an export"):
        export(full(), "parquet", directory)


@pytest.mark.parametrize("form", ["parquet", "csv", "xes", "ocel", "perfetto"])
def test_an_export_is_there_whole_or_not_at_all(form, tmp_path):
    def broken_off(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(full(), form, tmp_path / "out", progress=broken_off)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", ["parquet", "csv", "xes", "ocel", "perfetto"])
def test_what_is_in_the_way_is_named(form, tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "directory").mkdir()
    (tmp_path / "directory" / "letter").touch()
    in_the_way = tmp_path / ("file" if form in ("parquet", "csv") else "directory")
    with pytest.raises(ResultError, match=f"{in_the_way}: is a "):
        export(full(), form, in_the_way)
    with pytest.raises(ResultError, match="can't be written"):
        export(full(), form, tmp_path / "file" / "below")


@pytest.mark.parametrize("form", ["parquet", "csv", "xes", "ocel", "perfetto"])
def test_equal_results_give_equal_files(form, tmp_path):
    first, second = (export(full(), form, tmp_path / name) for name in ("first", "second"))
    for path in [first] if first.is_file() else first.iterdir():
        other = second if first.is_file() else second / path.name
        assert path.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("form", ["parquet", "csv", "xes", "ocel", "perfetto"])
def test_progress_comes_to_its_end(form, tmp_path):
    told: list[tuple[int, int]] = []
    export(full(), form, tmp_path / "out", progress=lambda *how: told.append(how))
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1] > 0
