"""The fixture, and a customer's application that is a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import httpx
import pytest

from outsim.errors import SandboxError

APPLICATION = Path(__file__).parent / "customer.py"
CALLS = 120
SCENARIO = """\
name = "one customer"
[clock]
date = 2026-03-10
begins = "09:00"
ends = "12:00"
[platform]
ports = 20
loader_rate = "1/s"
lost_updates = "0 %"
wedged_calls = "0 %"
[[tenant]]
name = "clinic"
"""


def a_day(platform):
    """What a customer's application makes of a day on which it presses stop."""
    account = platform.accounts["clinic"]
    command = [platform.url, account["login"], account["pin"], "clinic", str(CALLS), "5"]
    with subprocess.Popen(
        [sys.executable, str(APPLICATION), *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as application:
        queued = json.loads(application.stdout.readline())["queued"]
        platform.advance(until="reported", campaign="reminders")
        results = json.loads(application.communicate("")[0])["results"]
    calls = {call_id: platform.call(int(call_id)) for call_id in queued}
    return calls, results, platform.status("reminders")


def test_an_application_meets_the_race_of_its_stop_the_same_each_time(sandbox):
    platform = sandbox(SCENARIO)
    calls, results, campaign = a_day(platform)
    assert len(calls) == CALLS
    assert {call_id: [call["status"]] for call_id, call in calls.items()} == results
    ends = Counter(call["status"] for call in calls.values())
    assert ends["canceled"] > 0
    assert ends["completed"] > 0
    assert campaign["stop_requested"] is not None
    assert campaign["dialed_after_stop"] > 0
    platform.reset()
    again = a_day(platform)
    assert again[1] == results
    assert [call["attempts"] for call in again[0].values()] == [
        call["attempts"] for call in calls.values()
    ]


def test_several_stand_side_by_side(sandbox):
    one, other = sandbox(SCENARIO), sandbox(SCENARIO)
    assert one.url != other.url
    one.advance(by="1 min")
    assert one.clock["now"] == 60_000_000
    assert other.clock["now"] == 0


def test_a_test_finds_a_sandbox_at_its_beginning(sandbox):
    platform = sandbox(SCENARIO)
    assert platform.clock["now"] == 0
    assert platform.clock["state"] == "held"
    assert platform.campaigns() == []
    assert platform.inbox("results") == []


def test_another_seed_is_another_day(sandbox):
    platform = sandbox(SCENARIO)
    platform.reset(seed=1)
    first = a_day(platform)[1]
    platform.reset(seed=2)
    assert a_day(platform)[1] != first


def test_a_number_has_the_outcome_that_it_is_given(sandbox):
    platform = sandbox(SCENARIO)
    platform.pin(["2125550101"], "busy")
    platform.pin(["2125550102"], "human", after_s=3, talk_s=10)
    for number in ("2125550101", "2125550102"):
        platform.queue([f"{number};ani=2125550199"], campaign=number, message_reference=number)
    platform.advance(until="reported", tenant="clinic")
    fields = [message["fields"] for message in platform.inbox("results")]
    found = {each["message_reference"]: each for each in fields}
    assert found["2125550101"]["result"] == "failed"
    assert found["2125550101"]["callee_type"] == "busy"
    assert found["2125550102"]["result"] == "completed"
    assert found["2125550102"]["duration"] == "10"
    (start,) = platform.inbox("start")
    assert start["fields"]["message_reference"] == "2125550102"


def test_events_are_waited_for(sandbox):
    platform = sandbox(SCENARIO)
    platform.queue(["2125550101;ani=2125550199"])
    platform.free(speed=1000)
    event = platform.wait("dialed", tenant="clinic", after=0)
    assert event["call_id"] >= 100_000_000
    platform.hold()
    with pytest.raises(SandboxError, match="no event 'dialed'"):
        platform.wait("dialed", timeout_s=0)


def test_a_refusal_says_why_and_what_comes_nearest(sandbox):
    platform = sandbox(SCENARIO)
    with pytest.raises(SandboxError, match=r"PUT numbers: outcome: .*human.*; nearest: PUT"):
        platform.pin(["2125550101"], "answered")
    with pytest.raises(SandboxError, match=r"queuecalls.php: .*max_retry.*; nearest: "):
        platform.queue(["2125550101"], max_retry=-1)
    answer = platform.client.post("/sandbox/faults", json={"kind": "ports"})
    with pytest.raises(httpx.HTTPStatusError, match=r"400 Bad Request: .*of: is missing"):
        answer.raise_for_status()


def test_a_row_that_is_rejected_fails_the_test(sandbox):
    platform = sandbox(SCENARIO)
    with pytest.raises(SandboxError, match=r"1 of 3 rows of 'mine' rejected.* row 2, '12345'"):
        platform.queue(["2125550101", "12345", "2125550102"], campaign="mine")
    assert platform.status("mine")["calls"] == 3


def test_a_campaign_is_called_by_its_name(sandbox, tmp_path):
    platform = sandbox(SCENARIO + '[[tenant]]\nname = "school"\n')
    (tmp_path / "numbers.txt").write_text("2125550101;ani=2125550199\n2125550102\n")
    calls = platform.queue(tmp_path / "numbers.txt", campaign="reminders")
    assert [platform.call(call)["phone_number"] for call in calls] == ["2125550101", "2125550102"]
    platform.queue([2125550103], tenant="school", campaign="reminders")
    platform.queue([2125550103], tenant="school", campaign="bell")
    platform.stop("clinic/reminders")
    assert platform.status("clinic/reminders")["stop_requested"] == 0
    platform.advance(until="reported", campaign="bell")
    assert {sent["campaign"] for sent in platform.deliveries()} >= {"bell"}
    for unclear in ("reminders", "clinic/bell"):
        with pytest.raises(SandboxError, match=r"allowed: .*/reminders"):
            platform.status(unclear)


def test_what_is_no_scenario_says_why(sandbox):
    with pytest.raises(SandboxError, match=r"did not start: .*begins"):
        sandbox("[clock]\ndate = 2026-03-10\n")
    with pytest.raises(TypeError, match="found a int"):
        sandbox(3)
