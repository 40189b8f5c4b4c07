"""A result that was saved and read again is the one that was saved."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import outsim
from outsim.errors import ResultError
from outsim.results.invariants import check_invariants
from outsim.results.result import Result
from outsim.scenario import load
from outsim.tape import Tape
from tests.engine.scenarios import campaign, contact_list, recorded, run, scenario
from tests.sealing import edit_sealed, seal_files
from tests.strategies import scenarios

from .runs import EMPTY, full

FEWER = settings(max_examples=max(1, settings.default.max_examples // 10), deadline=None)


def assert_same(read: Result, saved: Result) -> None:
    """Every table, record, view and figure is equal, and so is what they come from."""
    for name, table in saved.tables.items():
        pd.testing.assert_frame_equal(read.tables[name], table)
    for kind in ("attempts", "updates", "deliveries", "calls"):
        ours, theirs = (getattr(each.arrays.records, kind) for each in (read, saved))
        for column in theirs:
            np.testing.assert_array_equal(ours[column], theirs[column], f"{kind}.{column}")
    for each in (None, *saved.scenario.campaigns):
        assert repr(read.measures(each)) == repr(saved.measures(each))
    pd.testing.assert_frame_equal(read.summary(), saved.summary())
    pd.testing.assert_frame_equal(read.timeline(), saved.timeline())
    pd.testing.assert_frame_equal(read.call_log(), saved.call_log())
    pd.testing.assert_frame_equal(read.status_page(read.end), saved.status_page(saved.end))
    assert (read.seed, read.replication, read.engine, read.version, read.end) == (
        *(saved.seed, saved.replication, saved.engine, saved.version, saved.end),
    )
    assert read.scenario == saved.scenario
    assert read.assumptions.to_dict() == saved.assumptions.to_dict()
    assert read.provenance() == saved.provenance()


@FEWER
@given(scenarios(), st.integers(0, 3), st.booleans())
def test_what_is_read_is_what_was_saved(tmp_path_factory, given, replication, mirrored):
    tape = Tape(given.seed, replication)
    directory = tmp_path_factory.mktemp("run")
    saved = outsim.simulate(given, tape=tape.mirrored() if mirrored else tape)
    saved.save(directory)
    read = outsim.load_result(directory)
    check_invariants(read)
    assert_same(read, saved)
    shutil.rmtree(directory)


@pytest.mark.parametrize("make", [full, *EMPTY], ids=lambda make: make.__name__)
def test_tables_with_everything_and_with_nothing_in_them_are_read(make, tmp_path):
    saved = make()
    assert_same(outsim.load_result(saved.save(tmp_path)), saved)


def test_reading_runs_nothing(tmp_path, monkeypatch):
    directory = full().save(tmp_path)
    monkeypatch.setattr("outsim.results.checkpoint.execute", None)
    assert len(outsim.load_result(directory).calls) == 7


def test_a_contact_list_is_kept_with_the_result(tmp_path):
    (tmp_path / "lists").mkdir()
    path = contact_list(tmp_path / "lists", "2125550101,4155550100", "nonsense,", "2125550102,")
    saved = run(campaign(contact_list=path), campaign("late", start=7200, contact_list=path))
    saved.save(tmp_path / "run")
    shutil.rmtree(tmp_path / "lists")
    read = outsim.load_result((tmp_path / "run").rename(tmp_path / "elsewhere"))
    assert_same(read, saved)


def test_a_contact_list_that_was_changed_since_is_refused(tmp_path):
    saved = run(campaign(contact_list=contact_list(tmp_path, "2125550101,", "2125550102,")))
    directory = saved.save(tmp_path / "run")
    (copy,) = (directory / "contacts").iterdir()
    copy.write_text("destination,ani\n2125550101,\n2125550103,\n")
    with pytest.raises(ResultError, match=r"contacts/.*\.csv: can't be read \(its checksum is"):
        outsim.load_result(directory)
    seal_files(directory / "run.json")
    with pytest.raises(ResultError, match="contact_list was"):
        outsim.load_result(directory)


@pytest.mark.parametrize("name", ["contacts/../../private", "contacts/../../../gone"])
def test_no_file_outside_the_directory_is_opened(tmp_path, name):
    (tmp_path / "private").write_text("mine")
    directory = full().save(tmp_path / "run")
    edit_sealed(directory / "run.json", files={name: {"bytes": 4, "crc32": "0"}})
    with pytest.raises(ResultError, match=r"can't be read \(it leads out of "):
        outsim.load_result(directory)


def test_a_contact_list_that_is_gone_can_not_be_kept(tmp_path):
    path = contact_list(tmp_path, "2125550101,")
    saved = run(campaign(contact_list=path))
    Path(path).unlink()
    with pytest.raises(ResultError, match="put the contact list back"):
        saved.save(tmp_path / "run")


def test_recorded_attempts_are_kept_with_the_result(tmp_path):
    tape = Tape.from_table(
        pd.DataFrame(
            {
                "campaign": ["list", "list", "other"],
                "index": [0, 0, 0],
                "attempt": [1, 2, 1],
                "outcome": ["busy", None, "human"],
                "ring_s": [None, 2.5, 0.001],
            }
        ),
        seed=5,
        replication=2,
    )
    given = scenario(campaign(contacts=2, max_retry=1), campaign("other"))
    saved = outsim.simulate(given, tape=tape)
    read = outsim.load_result(saved.save(tmp_path))
    assert_same(read, saved)
    again = outsim.simulate(read.scenario, tape=read.tape)
    pd.testing.assert_frame_equal(again.attempts, saved.attempts)


def test_saving_without_recorded_attempts_leaves_none_of_an_older_run(tmp_path):
    run(campaign("list"), tape=recorded(list=["busy"])).save(tmp_path)
    saved = run(campaign("list"))
    assert_same(outsim.load_result(saved.save(tmp_path)), saved)
    assert not (tmp_path / "recorded.parquet").exists()


def test_a_forecast_from_a_snapshot_is_read(tmp_path):
    given = load(
        {
            "clock": {"date": "2026-03-10", "begins": "09:00", "ends": "10:00"},
            "campaign": [
                {"name": "list", "tenant": "acme", "start": "09:00", "contacts": 50},
                {"name": "next", "tenant": "acme", "start": "11:00", "contacts": 5},
            ],
            "snapshot": {
                "at": "09:20",
                "campaign": [
                    {"tenant": "acme", "name": "list", "queued": 20, "dialing": ["20 s"]},
                    {"tenant": "bolt", "name": "alerts", "waiting_retry": 3},
                ],
            },
        }
    )
    saved = outsim.simulate(given)
    assert_same(outsim.load_result(saved.save(tmp_path)), saved)


# What can't be read


def broken(tmp_path, name: str, change) -> str:
    """What is said of a result one of whose files is changed."""
    directory = full().save(tmp_path / "run")
    change(directory / name)
    with pytest.raises(ResultError) as told:
        outsim.load_result(directory)
    return str(told.value)


def edit(**keys):
    return lambda path: edit_sealed(path, **keys)


def frame(change):
    def rewrite(path: Path) -> None:
        change(pd.read_parquet(path)).to_parquet(path, index=False)
        seal_files(path.parent / "run.json")

    return rewrite


DAMAGE = {
    "no end": ("run.json", Path.unlink, "did not come to the end; run the scenario again"),
    "no JSON": ("run.json", lambda path: path.write_text("{"), "run.json: can't be read ("),
    "no table": ("run.json", lambda path: path.write_text("[]"), "it is no table"),
    "no model": ("run.json", edit(model_version=None), "version None of the model, and this"),
    "another model": ("run.json", edit(model_version=-1), "version -1 of the model, and this is"),
    "other figures": ("run.json", edit(definitions=1), "version 1 of what its figures mean"),
    "no seed": ("run.json", edit(seed=None), "it has no seed"),
    "no scenario": ("run.json", edit(scenario={}), "clock: is missing"),
    "another meaning": ("run.json", edit(means={"platform.ports": "1"}), " now; restore"),
    "no time": ("run.json", edit(ended="noon"), "run.json: Invalid isoformat string: 'noon'"),
    "a table less": ("updates.parquet", Path.unlink, "updates.parquet: is gone; restore it"),
    "half a table": (
        "updates.parquet",
        lambda path: path.write_bytes(path.read_bytes()[:-99]),
        "updates.parquet: can't be read (",
    ),
    "no column": (
        "attempts.parquet",
        frame(lambda table: table.drop(columns="ended_at")),
        "ended_at is None, and not datetime64[us, UTC]",
    ),
    "a column more": (
        "attempts.parquet",
        frame(lambda table: table.assign(more=1)),
        "more is int64, and not None",
    ),
    "a row less": ("updates.parquet", frame(lambda table: table.iloc[:-1]), "rows, and not"),
    "a call too many": (
        "deliveries.parquet",
        frame(lambda table: table.assign(call_id=table["call_id"] + 1000)),
        "deliveries tells of calls that the scenario does not have",
    ),
    "a word": (
        "attempts.parquet",
        frame(
            lambda table: table.assign(
                outcome=table["outcome"].cat.rename_categories({"busy": "b"})
            )
        ),
        "outcome 'b' is none of: human",
    ),
    "another number": (
        "calls.parquet",
        frame(lambda table: table.assign(number=table["number"] + 1)),
        "its number is not what the scenario",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_is_damaged_is_refused_with_what_to_do(damage, tmp_path):
    name, change, message = DAMAGE[damage]
    assert message in broken(tmp_path, name, change)


def test_what_is_no_result_is_refused_with_what_to_name_instead(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "study.json").touch()
    for name, message in {
        "nowhere": "no such directory; name one that outsim run --out wrote",
        "file": "is a file; name the directory",
        "study": "outsim.load_study reads it, and outsim report tells of it",
        "": "holds no result",
    }.items():
        with pytest.raises(ResultError, match=message):
            outsim.load_result(tmp_path / name)


@pytest.mark.parametrize("name", ["study.json", "request.json", "asked.json"])
def test_a_result_is_not_saved_where_it_would_not_be_read(tmp_path, name):
    (tmp_path / name).write_text("{}")
    with pytest.raises(ResultError, match=rf"{name}\) already; give another directory"):
        full().save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_result_is_saved_behind_a_link(tmp_path):
    (tmp_path / "link").symlink_to("place")
    full().save(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert_same(outsim.load_result(tmp_path / "place"), full())


@pytest.mark.skipif(sys.platform == "win32", reason="has no such lock")
def test_files_of_two_results_are_not_put_in_place_at_once(tmp_path, monkeypatch):
    """Else two processes leave some files of each, and no result."""
    import fcntl

    put_meanwhile = []

    def look(beside: Path, place: Path) -> None:
        other = os.open(tmp_path, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(other)
        put_meanwhile.append(place.name)
        beside.replace(place)

    monkeypatch.setattr("outsim.results.saving.replace_file", look)
    full().save(tmp_path)
    assert "run.json" in put_meanwhile
    assert_same(outsim.load_result(tmp_path), full())


def test_a_save_that_is_cut_short_leaves_nothing_that_passes_for_a_result(tmp_path, monkeypatch):
    full().save(tmp_path)

    def killed(beside: Path, place: Path) -> None:
        beside.replace(place)
        raise KeyboardInterrupt

    monkeypatch.setattr("outsim.results.saving.replace_file", killed)
    with pytest.raises(KeyboardInterrupt):
        run(campaign()).save(tmp_path)
    with pytest.raises(ResultError, match="did not come to the end"):
        outsim.load_result(tmp_path)


def test_a_save_that_comes_to_nothing_leaves_the_result_that_was_there(tmp_path, monkeypatch):
    full().save(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("outsim.results.saving.provenance", None)
        with pytest.raises(TypeError):
            run(campaign()).save(tmp_path)
    assert_same(outsim.load_result(tmp_path), full())
