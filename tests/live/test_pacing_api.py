"""Scheduling and pacing: a campaign holds calls until it is started."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.live.serving import PACED, SCENARIO, running


def post(server, path, expected=200, **given):
    answer = server.client.post(f"/api/{path}", json=given, headers=server.bearer)
    assert answer.status_code == expected, answer.text
    return answer.json()


def campaign(server, **more):
    given = {"name": "offer", "start_url": f"{server.url}/inbox/start", **more}
    return post(server, "campaigns", **given)


CALLS = [{"phone_number": "2125550100;ani=2125550199", "message_reference": "a"}]


def test_calls_wait_for_the_start(server):
    campaign(server)
    assert post(server, "campaigns/add-calls", name="offer", calls=CALLS * 3)["call_ids"] == []
    ids = post(server, "campaigns/start", name="offer")["call_ids"]
    assert len(ids) == 3
    more = post(server, "campaigns/add-calls", name="offer", calls=CALLS)["call_ids"]
    assert len(more) == 1
    call = server.client.get(f"/sandbox/calls/{ids[0]}").json()
    assert call["variables"]["message_reference"] == "a"


def test_a_profile_paces_a_campaign(server):
    post(server, "profiles", name="slow", calls_per_minute=60)
    post(server, "profiles", name="slower", calls_per_minute=6)
    campaign(server, profiles=["slow", "slower"])
    post(server, "campaigns/add-calls", name="offer", calls=CALLS * 5)
    ids = post(server, "campaigns/start", name="offer")["call_ids"]
    server.client.post("/sandbox/clock/advance", json={"until": "idle"}).raise_for_status()
    calls = [server.client.get(f"/sandbox/calls/{call_id}").json() for call_id in ids]
    times = sorted(call["attempts"][0]["dispatched_at"] for call in calls)
    assert min(later - earlier for earlier, later in pairwise(times)) > 9e6


def test_a_schedule_puts_off_a_start_to_the_next_day(server):
    post(server, "schedules", name="midweek", days=["wed"])
    campaign(server, schedule="midweek")
    post(server, "campaigns/add-calls", name="offer", calls=CALLS)
    (call_id,) = post(server, "campaigns/start", name="offer")["call_ids"]
    assert server.client.get(f"/sandbox/calls/{call_id}").json()["start"] == 15 * 3600 * 1_000_000


def test_a_campaign_that_was_stopped_takes_no_more(server):
    campaign(server)
    post(server, "campaigns/add-calls", name="offer", calls=CALLS * 2)
    post(server, "campaigns/start", name="offer")
    post(server, "campaigns/stop", name="offer")
    post(server, "campaigns/stop", name="offer")
    post(server, "campaigns/add-calls", 409, name="offer", calls=CALLS)
    post(server, "campaigns/start", 409, name="offer")


@pytest.mark.parametrize(
    ("path", "status", "given"),
    [
        ("campaigns/start", 404, {"name": "offer"}),
        ("campaigns", 404, {"name": "x", "start_url": "http://localhost/", "profiles": ["y"]}),
        ("campaigns", 404, {"name": "x", "start_url": "http://localhost/", "schedule": "y"}),
        ("schedules", 400, {"name": "x", "days": ["someday"]}),
        ("profiles", 400, {"name": "x", "calls_per_minute": 0}),
        ("profiles", 400, {"name": "x", "calls_per_minute": 1, "color": "red"}),
    ],
)
def test_what_makes_no_sense_is_refused(server, path, status, given):
    assert post(server, path, status, **given)["error"]


def test_a_name_is_given_once(server):
    campaign(server)
    answer = server.client.post(
        "/api/campaigns",
        json={"name": "offer", "start_url": "http://localhost/"},
        headers=server.bearer,
    )
    assert answer.status_code == 409


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}])
def test_it_needs_the_token(server, headers):
    answer = server.client.post(
        "/api/profiles", json={"name": "x", "calls_per_minute": 1}, headers=headers
    )
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


def test_it_is_there_only_where_it_was_asked_for():
    with running(SCENARIO) as server:
        post(server, "profiles", 404, name="x", calls_per_minute=1)


def test_what_was_said_is_there_after_a_restart(tmp_path):
    options = {"settings": PACED, "state": tmp_path / "state"}
    with running(SCENARIO, **options) as server:
        campaign(server)
        post(server, "campaigns/add-calls", name="offer", calls=CALLS * 3)
        options["port"] = int(server.url.rpartition(":")[2])
    with running(SCENARIO, **options) as server:
        assert len(post(server, "campaigns/start", name="offer")["call_ids"]) == 3
    with running(SCENARIO, **options) as server:
        post(server, "campaigns/start", 409, name="offer")


def test_each_calls_reference_comes_back_with_its_result(server):
    campaign = {"name": "referred", "start_url": f"{server.url}/inbox/start"}
    campaign["result_url"] = f"{server.url}/inbox/results"
    calls = [
        {"phone_number": f"212555010{k};ani=2125550199", "message_reference": f"row {k}"}
        for k in range(2)
    ]
    for path, given in (
        ("campaigns", campaign),
        ("campaigns/add-calls", {"name": "referred", "calls": calls}),
        ("campaigns/start", {"name": "referred"}),
    ):
        server.client.post(f"/api/{path}", json=given, headers=server.bearer).raise_for_status()
    server.client.post("/sandbox/clock/advance", json={"until": "idle"}).raise_for_status()
    messages = server.client.get("/sandbox/inbox/results").json()
    said = {m["fields"]["phone_number"]: m["fields"]["message_reference"] for m in messages}
    assert said == {"2125550100": "row 0", "2125550101": "row 1"}
