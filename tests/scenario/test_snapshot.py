"""Snapshot files: what can't be used is named with its place, and what is odd is told."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from outsim.errors import ScenarioError
from outsim.results.checkpoint import simulate
from outsim.scenario import Scenario, load
from outsim.scenario.lint import advice
from outsim.scenario.loading import with_snapshot

CAMPAIGN = {"name": "reminders", "tenant": "clinic", "start": "09:00", "contacts": 100}


def scenario(**rules: Any) -> Scenario:
    return load(
        {
            "clock": {"zone": "UTC", "date": "2026-03-10", "begins": "08:00", "ends": "12:00"},
            "platform": {"ring_timeout": "30 s"},
            "campaign": [CAMPAIGN | rules, CAMPAIGN | {"name": "later", "start": "10:00"}],
        }
    )


def document(at: str = "09:20", **states: Any) -> dict[str, Any]:
    there = {"tenant": "clinic", "name": "reminders"} | states
    return {"at": at, "campaign": [there]}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "queue.json"


def refusal(file: Path) -> str:
    with pytest.raises(ScenarioError) as caught:
        with_snapshot(scenario(), file)
    return str(caught.value)


DOES_NOT_FIT = {
    "a misspelt campaign": (
        document(name="reminder", queued=3),
        "campaign[clinic/reminder].name: found 'reminder', which is not a campaign of clinic in "
        "the scenario; did you mean 'reminders'?",
    ),
    "another case": (document(tenant="Clinic", queued=3), "did you mean 'clinic'?"),
    "a space more": (document(tenant="cli nic", queued=3), "did you mean 'clinic'?"),
    "a retry of nothing": (
        document(waiting_retry=[{"count": 3, "attempts": 0}]),
        "waiting_retry[0].attempts: found 0; a call that waits for a retry has been dialed",
    ),
    "a misspelt customer": (document(tenant="clinc", queued=3), "did you mean 'clinic'?"),
    "more than the list": (
        document(queued=30_000),
        "campaign[clinic/reminders]: found 30000 queued; its list in the scenario has 100",
    ),
    "more in all": (
        document(queued=60, completed=50),
        "found 60 queued, 50 completed, 110 in all; its list",
    ),
    "a count in quotes": (
        document(queued="30"),
        "campaign[clinic/reminders].queued: found '30'; write a count without quotes, such as 30",
    ),
    "a final count in quotes": (
        document(completed="20"),
        "completed: found '20'; must be a whole",
    ),
    "a negative count": (
        document(queued=-3),
        "campaign[clinic/reminders].queued: found -3; must be at least 0",
    ),
    "a count of halves": (document(queued=1.5), "found 1.5; write a count without quotes"),
    "true": (document(queued=True), "found true; write a count without quotes"),
    "a call before the start": (
        document(dialing=["2026-03-10 08:30"]),
        "dialing[0].since: found 2026-03-10 08:30:00, which is before its campaign's start",
    ),
    "a call of another day": (document(dialing=["2026-03-05 09:00"]), "is before its campaign's"),
    "longer than the campaign": (document(connected=["3 h"]), "found 3 h, which is before its"),
    "dialed before the start": (
        document(name="later", queued=3, completed=1),
        "campaign[clinic/later].queued: found 3 at 2026-03-10 09:20:00, before its campaign",
    ),
    "a call twice": (
        document(queued=[{"count": 5, "call_id": 10}], scheduled=[{"call_id": 14}]),
        "scheduled[0].call_id: found 14, which stands in another place too",
    ),
    "a list": ([], 'found a list; write a table such as {"at": "09:20", ...}'),
    "nothing": ({}, "at: is missing"),
    "seconds since 1970": (document(at=1773148800), "write a local clock time such as '09:15'"),
    "another day": (document(at="2026-03-12 09:20"), "outside of the scenario's run"),
    "an unknown state": (
        document(queud=3),
        'campaign[clinic/reminders].queud: unknown key "queud"; did you mean',
    ),
    "a word": (document(queued=["soon"]), "found 'soon'; write a local clock time"),
}


@pytest.mark.parametrize("mistake", DOES_NOT_FIT)
def test_what_does_not_fit_is_named_with_its_place(mistake: str, file: Path) -> None:
    said, message = DOES_NOT_FIT[mistake]
    file.write_text(json.dumps(said))
    assert message in refusal(file)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[" * 1500 + "]" * 1500, "queue.json: "),
        ("[" * 100_000, "nested too deeply"),
        ('{"at": ' + "1" * 5000 + "}", "found a number of 5000 digits; write 18 at most"),
        ('{"at": NaN}', "found NaN, which is not a number"),
        ('{"at": Infinity}', "found Infinity, which is not a number"),
        ('{"at": "09:20", "at": "09:30"}', "found the key 'at' twice in one table"),
        ('{"at":\n "09:20"', "queue.json:2: is not valid JSON"),
        ('{"at": "\\ud800"}', "at: found "),
        (b"\xff\xfe", "is no UTF-8 text"),
        ("", "is not valid JSON"),
    ],
)
def test_what_is_no_snapshot_is_told_so(content: str | bytes, message: str, file: Path) -> None:
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = refusal(file)
    assert message in found
    assert "sys." not in found
    assert len(found) < 400


def test_pipes_devices_and_directories_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    kinds = {tmp_path / "pipe": "a pipe", Path(os.devnull): "a device", tmp_path: "a directory"}
    for path, kind in kinds.items():
        assert f"found {kind}; must be a regular file" in refusal(path)
    assert "name too long" in refusal(tmp_path / ("x" * 300))


def test_a_byte_order_mark_is_dropped(file: Path) -> None:
    file.write_text("\ufeff" + json.dumps(document(queued=3)), encoding="utf-8")
    snapshot = with_snapshot(scenario(), file).snapshot
    assert snapshot is not None
    assert snapshot.campaign[0].count("queued") == 3


def test_other_customers_may_have_campaigns_of_any_name(file: Path) -> None:
    file.write_text(json.dumps(document(tenant="bank", queued=3000)))
    snapshot = with_snapshot(scenario(), file).snapshot
    assert snapshot is not None
    assert snapshot.campaign[0].count("queued") == 3000


@pytest.mark.parametrize(
    ("states", "message"),
    [
        ({"dialing": ["10 min"]}, "dialing: 1 for up to 10 min, longer than the scenario allows"),
        ({"connected": ["15 min"]}, "connected: 1 for up to 15 min, longer than"),
        ({"waiting_retry": ["09:01"], "completed": 9}, "tells of 10 of the 100 calls of its list"),
    ],
)
def test_calls_that_stand_for_too_long_are_told(
    states: dict[str, Any], message: str, file: Path
) -> None:
    file.write_text(json.dumps(document(**states)))
    told = [str(each) for each in advice(with_snapshot(scenario(), file))]
    assert any(message in each for each in told), told


def test_the_start_of_a_snapshot_counts(file: Path) -> None:
    """As its description says: a campaign may have started later than it was to."""
    file.write_text(json.dumps(document(start="09:15", queued=["09:10"])))
    assert "before its campaign's start (2026-03-10 09:15:00)" in refusal(file)


STOPPED = {"stop_at": "09:10", "max_retry": 1}


@pytest.mark.parametrize(
    ("rules", "states", "message"),
    [
        ({"expires_at": "09:10"}, {"queued": 3}, "queued: 3 stand there after the campaign's exp"),
        (STOPPED, {"scheduled": 3}, "scheduled: 3 stand there after the campaign's stop at 09:10"),
        (STOPPED, {"waiting_retry": 3}, "waiting_retry: 3 stand there after"),
        (STOPPED | {"stop_reaches": "queue"}, {"queued": 3}, "queued: 3 stand there after"),
    ],
)
def test_calls_that_should_be_over_are_told(
    rules: dict[str, Any], states: dict[str, Any], message: str, file: Path
) -> None:
    file.write_text(json.dumps(document(**states)))
    told = [str(each) for each in advice(with_snapshot(scenario(**rules), file))]
    assert any(message in each for each in told), told


def test_a_campaign_that_has_started_and_is_not_told_of_is_named(file: Path) -> None:
    """Tenant and name are easily written in each other's place."""
    file.write_text(json.dumps(document(tenant="reminders", name="clinic", queued=3)))
    told = [str(each) for each in advice(with_snapshot(scenario(), file))]
    assert any("does not tell of clinic/reminders" in each for each in told), told
    assert not any("later" in each for each in told)


@pytest.mark.parametrize("queued", [20, {"count": 20, "oldest": "09:05"}])
def test_what_is_queued_after_a_stop_entered_the_queue_before_it(queued: Any, file: Path) -> None:
    """A stop of what is not loaded yet leaves the queue alone: its calls go out."""
    file.write_text(json.dumps(document(queued=queued, completed=80)))
    calls = simulate(with_snapshot(scenario(stop_at="09:10"), file), engine="simpy").calls
    standing = calls[calls["campaign"] == "reminders"]
    assert len(standing) == 20
    assert (standing["attempts"] > 0).all()


def test_a_file_a_mapping_and_a_snapshot_say_the_same(file: Path) -> None:
    said = document(queued=3, dialing=["09:19"])
    file.write_text(json.dumps(said))
    of_file = with_snapshot(scenario(), file).snapshot
    assert of_file is not None
    assert with_snapshot(scenario(), said).snapshot == of_file
    assert with_snapshot(scenario(), of_file).snapshot == of_file
    assert scenario().with_({"snapshot": said}).snapshot == of_file


def test_a_mapping_that_cannot_be_used_is_named_as_a_file_is() -> None:
    with pytest.raises(ScenarioError, match=r"^snapshot: campaign\[clinic/reminders\].queued: "):
        with_snapshot(scenario(), document(queued=-3))


def test_the_hour_that_a_zone_has_twice_is_in_order() -> None:
    """Lord Howe sets its clocks back by half an hour at 02:00 on this day."""
    asked = load(
        """
        [clock]
        date = 2026-04-05
        begins = "01:30"
        ends = "04:00"
        zone = "Australia/Lord_Howe"
        [platform]
        loader_rate = "1/s"
        [[campaign]]
        name = "late"
        tenant = "retailer"
        start = "01:50"
        contacts = 900
        """
    )
    second_time = datetime(2026, 4, 5, 1, 35, fold=1, tzinfo=ZoneInfo("Australia/Lord_Howe"))
    snapshot = simulate(asked).snapshot(second_time)
    assert snapshot.at.fold
    assert any(campaign.queued or campaign.dialing for campaign in snapshot.campaign)
    assert simulate(with_snapshot(asked, snapshot)).calls["status"].notna().all()
