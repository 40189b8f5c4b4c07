"""Schedules and expiries of rows, and advice about the life of calls."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from outsim.scenario.contacts import NO_TIME, ContactList

from .test_lint import told

CLOCK = (date(2026, 3, 10), ZoneInfo("America/New_York"))
HEADER = "destination,scheduled_time,expiration_time\n"


def us(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("cell", "time"),
    [
        ("09:30", us("2026-03-10 13:30")),
        ("2026-03-11 09:30", us("2026-03-11 13:30")),
        ("2026-03-10T09:30:00+01:00", us("2026-03-10 08:30")),
        ("1773149400", us("2026-03-10 13:30")),
        ("", NO_TIME),
        ("0", NO_TIME),
        ("now", NO_TIME),
    ],
)
def test_a_time_is_local_or_names_its_offset_or_counts_seconds(cell: str, time: int) -> None:
    text = f"{HEADER}2125550100,{cell},\n2125550101,09:00,10:00\n"
    contacts = ContactList.from_text(text, clock=CLOCK)
    assert not contacts.rejected
    assert contacts.schedules_us is not None
    assert contacts.schedules_us[0] == time


def test_a_list_without_times_has_none() -> None:
    contacts = ContactList.from_text(f"{HEADER}2125550100,,\n", clock=CLOCK)
    assert contacts.schedules_us is None
    assert contacts.expiries_us is None


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("soon,", "bad scheduled_time"),
        ("25:00,", "bad scheduled_time"),
        (",next week", "bad expiration_time"),
        (",99999999999999", "bad expiration_time"),
        ("10:00,09:00", "expires too early"),
        ("10:00,10:00", "expires too early"),
    ],
)
def test_a_row_whose_times_cannot_be_is_rejected_with_its_line(row: str, reason: str) -> None:
    text = f"{HEADER}2125550100,,\n2125550101,{row}\n2125550102,,\n"
    (rejected,) = ContactList.from_text(text, clock=CLOCK).rejected
    assert (rejected.line, rejected.reason) == (3, reason)


def test_a_local_time_needs_the_clock_of_a_scenario() -> None:
    (rejected,) = ContactList.from_text(f"{HEADER}2125550100,09:30,\n").rejected
    assert rejected.reason == "bad scheduled_time"


def test_lists_with_other_times_are_others() -> None:
    one, other = (
        ContactList.from_text(f"{HEADER}2125550100,{at},\n", clock=CLOCK)
        for at in ("09:30", "09:31")
    )
    assert one != other
    assert one.digest != other.digest


@pytest.mark.parametrize(
    ("keys", "key", "advice"),
    [
        (
            {"retry": {"busy": {"most": 5}}},
            "retry.busy.most",
            "is 5, and max_retry is 2, which bounds all retries together",
        ),
        ({"retry": {"busy": {"cap": "2 h"}}}, "retry.busy.cap", "has no effect without back_off"),
        ({"retry": {"busy": {}}}, "retry.busy", "says nothing: it is as for all outcomes"),
        (
            {"max_retry": 0, "retry": {"busy": {"most": 0}}},
            "retry.busy",
            "has no effect: max_retry is 0",
        ),
        (
            {"retry": {"busy": {"jitter": "1 h"}}},
            "retry.busy.jitter",
            "is up to 1 h, longer than the interval of 30 min",
        ),
        (
            {"max_retry": 4, "expires_at": "12:00", "retry": {"busy": {"back_off": 3}}},
            "retry.busy.back_off",
            "makes intervals of 30 min to 13 h 30 min: only 2 of 4 retries can come before expiry",
        ),
        (
            {"contacts": None, "requests": {"rate": "1/min"}, "expires_after": "20 min"},
            "expires_after",
            "is 20 min, no longer than the shortest retry interval (30 min): nobody is dialed "
            "again",
        ),
        (
            {"expires_after": "2 h", "gives_up_after": "2 h"},
            "gives_up_after",
            "nearly all calls are still wanted when they expire: none is given up",
        ),
    ],
)
def test_what_is_unlikely_to_be_meant(keys: dict[str, object], key: str, advice: str) -> None:
    changed = {name: value for name, value in keys.items() if value is not None}
    found = told(changed if "contacts" not in keys else {**changed, "contacts": "none"})
    assert found[key] == advice


def test_a_file_of_a_scenario_has_its_times_read_by_its_clock(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(f"{HEADER}2125550100,,08:30\n2125550101,10:00,\n")
    found = told({"contacts": "none", "contact_list": str(path)})
    assert found["contact_list"] == "rows that expire before the campaign starts: 1"
