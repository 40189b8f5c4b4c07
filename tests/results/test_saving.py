"""A saved result: Parquet that reads back equal, and where it comes from."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest

import outsim
from outsim.results.tables.schema import TABLES
from tests.engine.scenarios import campaign, run

from .runs import EMPTY, full


@pytest.mark.parametrize("make", [full, *EMPTY], ids=lambda make: make.__name__)
def test_tables_read_back_equal(make, tmp_path):
    """Types, words in their order, time zones and missing values included.

    Of a table without rows Parquet keeps the types, and of the words only that they are words.
    """
    result = make()
    directory = result.save(tmp_path / "new" / "run")
    for table in TABLES:
        read, saved = pd.read_parquet(directory / f"{table}.parquet"), result.tables[table]
        assert read.dtypes.astype(str).to_dict() == saved.dtypes.astype(str).to_dict()
        pd.testing.assert_frame_equal(read, saved, check_categorical=len(saved) > 0)


def test_tables_read_back_with_their_local_times(tmp_path):
    clock = {"zone": "America/New_York", "ends": "09:02", "latest": "09:02"}
    result = full(clock=clock)
    result.save(tmp_path)
    read = pd.read_parquet(tmp_path / "attempts.parquet")
    assert str(read["dispatched_at"].dtype) == "datetime64[us, America/New_York]"
    assert f"{read['dispatched_at'].iloc[0]:%H:%M %z}" == "09:00 -0400"


def test_a_saved_result_says_where_it_comes_from(tmp_path):
    result = run(campaign(), seed=11, replication=3)
    result.save(tmp_path)
    provenance = json.loads((tmp_path / "run.json").read_text())
    assert (provenance["seed"], provenance["replication"]) == (11, 3)
    assert provenance["engine"] == result.engine
    assert provenance["version"] == outsim.__version__
    assert [each["name"] for each in provenance["scenario"]["campaign"]] == ["list"]


def test_saving_again_replaces_what_was_there(tmp_path):
    full().save(tmp_path)
    EMPTY[0]().save(tmp_path)
    assert len(pd.read_parquet(tmp_path / "calls.parquet")) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "attempts.parquet",
        "calls.parquet",
        "deliveries.parquet",
        "requests.parquet",
        "run.json",
        "updates.parquet",
    ]


def test_a_result_shows_itself_in_a_notebook_and_in_a_terminal():
    result = full()
    assert repr(result).startswith("Result(scenario: unnamed; run: 2026-03-10 09:00 to 09:01 UTC")
    html = result._repr_html_()
    captions = re.findall(r"<caption>(.*?)</caption>", html)
    assert captions == ["Calls and measures by campaign", "Ports and queue"]
    assert html.count("<table") == len(captions)
    for words in ("unnamed", "stopped", "calls"):
        assert words in html


def test_names_are_no_markup_in_a_notebook():
    result = full(name="<b>bold</b> & brave")
    assert "<b>bold" not in result._repr_html_()
    assert "&lt;b&gt;bold&lt;/b&gt; &amp; brave" in result._repr_html_()


def test_a_save_that_fails_leaves_nothing_hidden_and_the_next_takes_what_others_left(
    tmp_path, monkeypatch
):
    result = full()
    (tmp_path / ".outsim-writing-left").mkdir()

    def half(self: pd.DataFrame, path: Path, index: bool) -> None:
        path.write_bytes(b"PAR1")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(pd.DataFrame, "to_parquet", half)
        with pytest.raises(OSError, match="No space left"):
            result.save(tmp_path)
    assert [*tmp_path.iterdir()] == []
    result.save(tmp_path)
    assert not [*tmp_path.glob(".*")]
