"""The tables are as `outsim.results.tables.schema` says, and hold instants without loss."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from outsim.clock import MISSING
from outsim.results.tables.schema import DTYPES, TABLES
from outsim.vocabulary import STATUSES
from tests.engine.scenarios import campaign, contact_list, run

from .runs import EMPTY, full

MICROSECOND = timedelta(microseconds=1)
ZONES = {
    "put forward": ("America/New_York", date(2026, 3, 8), "00:30", "04:30", 3 * 3600),
    "put back": ("America/New_York", date(2026, 11, 1), "00:30", "04:30", 5 * 3600),
    "by half an hour": ("Australia/Lord_Howe", date(2026, 4, 5), "00:30", "04:30", 4.5 * 3600),
}
"""Zone, night, begin and end of a run across a change of the clock, and its real length."""


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("make", [full, *EMPTY], ids=lambda make: make.__name__)
def test_every_column_has_its_documented_place_and_type(make, table):
    frame = make().tables[table]
    columns = TABLES[table]
    assert list(frame.columns) == [column.name for column in columns]
    for column in columns:
        documented = column.dtype.replace("zone of the scenario", "UTC")
        assert str(frame[column.name].dtype) == documented, column.name


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("make", [full, *EMPTY], ids=lambda make: make.__name__)
def test_words_are_the_documented_ones_in_their_order(make, table):
    frame = make().tables[table]
    for column in TABLES[table]:
        if column.kind == "word":
            assert tuple(frame[column.name].cat.categories) == column.words, column.name


@pytest.mark.parametrize("make", [full, *EMPTY], ids=lambda make: make.__name__)
def test_rows_are_numbered_from_0(make):
    for table, frame in make().tables.items():
        assert list(frame.index) == list(range(len(frame))), table


def test_the_full_run_fills_every_table_and_the_empty_ones_none():
    assert all(len(frame) > 0 for frame in full().tables.values())
    for make in EMPTY:
        assert {len(frame) for frame in make().tables.values()} == {0}


def test_every_column_says_what_it_means_and_in_which_unit():
    for columns in TABLES.values():
        names = [column.name for column in columns]
        assert len(set(names)) == len(names)
        for column in columns:
            assert column.meaning, column.name
            assert column.dtype == DTYPES[column.kind]
            assert (column.unit == "s") == column.name.endswith("_s")
            assert (column.unit == "local time") == column.name.endswith(("_at", "_from"))
            assert bool(column.words) == (column.kind == "word")


def recovered_us(instants: pd.Series, result) -> list[int]:
    """Simulated microseconds that a column of clock times stands for."""
    return [MISSING if pd.isna(at) else (at - result.start) // MICROSECOND for at in instants]


@pytest.mark.parametrize("night", ZONES)
def test_no_instant_is_lost_or_moved_when_the_clock_changes(night):
    """Every column of instants gives the engine's microseconds back, hour by hour of the night."""
    zone, day, begins, ends, length_s = ZONES[night]
    result = run(
        campaign(
            start="00:30:00.000001",
            requests={"times_s": [k * 600.000007 for k in range(int(length_s // 600))]},
            result_url="page",
        ),
        clock={"zone": zone, "date": day, "begins": begins, "ends": ends, "latest": ends},
        endpoint=[{"name": "page"}],
    )
    assert result.arrays.records.ended_us == length_s * 1_000_000
    records = result.arrays.records
    compared = 0
    for table, raw in (
        ("attempts", records.attempts),
        ("updates", records.updates),
        ("deliveries", records.deliveries),
    ):
        frame = result.tables[table].tail(len(raw["call_id"]))
        for column in TABLES[table]:
            if column.kind == "instant":
                recorded = raw[column.record]
                assert recovered_us(frame[column.name], result) == recorded.tolist(), column.name
                compared += int(np.count_nonzero(recorded != MISSING))
    assert recovered_us(result.calls["final_at"], result) == records.calls["final"].tolist()
    assert compared > 100
    offsets = {at.utcoffset() for at in result.attempts["dispatched_at"]}
    assert len(offsets) == 2, "the run goes across the change"


def test_a_call_that_ends_has_its_last_outcome_and_one_that_lasts_the_outcome_before():
    """At 100 s the second try of the third call is up, and the late call as well."""
    calls = full().calls.set_index(["campaign", "index"])
    assert calls["outcome"].astype(object).where(calls["outcome"].notna(), None).to_dict() == {
        ("list", 0): "human",
        ("list", 1): "voicemail",
        ("list", 2): "invalid",
        ("list", 3): "fax",
        ("late", 0): None,
        ("stopped", 0): None,
        ("stopped", 1): None,
    }
    assert calls.loc["late", "status"].tolist() == ["dialing"]
    assert calls.loc["stopped", "wait_state"].tolist() == ["canceled"] * 2
    assert set(calls["status"].cat.categories) == set(STATUSES)


def test_a_rejected_row_says_why_and_an_accepted_one_is_empty(tmp_path):
    rows = ["2125550100,", "nonsense,", "1125550100,", "2125550100,"]
    result = run(campaign(contact_list=contact_list(tmp_path, *rows), duplicates="reject"))
    reasons = ["", "not a number", "area code", "duplicate"]
    assert result.calls["reject_reason"].tolist() == reasons
    assert (result.calls["status"] == "rejected").tolist() == [False, True, True, True]


@pytest.mark.parametrize("day", [date(2026, 3, 10), date(2026, 3, 8)], ids=["day", "clock change"])
def test_calls_and_attempts_have_the_clock_of_the_callee(day):
    result = run(
        campaign(contacts=4, start="06:40"),
        campaign("tokyo", contacts=3, callee_zone="Asia/Tokyo", start="06:30"),
        campaign("new york", contacts=3, callee_zone="America/New_York", start="06:59:59"),
        platform={"dial_rate": "1/s", "dial_burst": 1},
        clock={"date": day, "begins": "06:30", "ends": "09:00", "latest": "09:00"},
    )
    calls = result.calls.set_index("call_id")
    zones = {"list": "UTC", "tokyo": "Asia/Tokyo", "new york": "America/New_York"}
    assert (calls["callee_zone"] == calls["campaign"].astype(str).map(zones)).all()
    attempts = result.attempts
    assert len(attempts) > 0
    for at, call_id, hour in zip(
        attempts["dispatched_at"], attempts["call_id"], attempts["callee_hour"], strict=True
    ):
        assert at.tz_convert(calls["callee_zone"][call_id]).hour == hour
