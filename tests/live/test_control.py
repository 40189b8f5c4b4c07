"""The sandbox's own part: clock, waiting, events, resetting, looking."""

from __future__ import annotations

import json
from typing import get_args

import httpx
import pytest

from outsim.live.http.seen import Requests
from outsim.live.inputs import PinnedOutcome
from outsim.live.posts import CALLEE_TYPE_MEANINGS, CALLEE_TYPES_OF_FAILURES
from outsim.vocabulary import CALLEE_TYPES, UNANSWERED_OUTCOMES
from tests.live.serving import SCENARIO, running

MINUTE = 60_000_000


def clock(server):
    return server.client.get("/sandbox/clock").json()


def advance(server, expected=200, **order):
    answer = server.client.post("/sandbox/clock/advance", json=order)
    assert answer.status_code == expected, answer.text
    return answer.json()


def test_the_clock_is_advanced_by_and_to(server):
    assert advance(server, by="10 min")["now"] == 10 * MINUTE
    assert advance(server, to="09:45")["now"] == 45 * MINUTE
    assert advance(server, to="2026-03-10T10:00:00-05:00")["now"] == 60 * MINUTE
    assert advance(server, to="2026-03-10T15:15:00Z")["now"] == 75 * MINUTE
    assert clock(server)["state"] == "ready"
    assert server.client.get("/health").headers["date"] == "Tue, 10 Mar 2026 15:15:00 GMT"


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"by": "10 min", "to": "10:00"},
        {"by": "10 parsecs"},
        {"by": "-1 min"},
        {"to": "noonish"},
        {"to": "2027-01-01 00:00"},
        {"until": "dawn"},
        {"until": "campaign over", "tenant": "clinic", "campaign": "none"},
        {"fast": True},
    ],
)
def test_an_order_that_makes_no_sense_is_refused(server, order):
    assert advance(server, 400 if "campaign" not in order else 404, **order)["error"]
    assert clock(server)["now"] == 0


def test_what_is_so_already_takes_no_time(server):
    assert advance(server, until="idle")["now"] == 0
    server.queuecalls("2125550100;ani=2125550199\n")
    over = {"until": "campaign over", "tenant": "clinic", "campaign": "reminders"}
    now = advance(server, **over)["now"]
    assert 0 < now < 60 * MINUTE
    assert advance(server, **over)["now"] == now
    idle = advance(server, until="idle")["now"]
    assert advance(server, until="idle")["now"] == idle < 60 * MINUTE


def test_the_clock_runs_and_is_held(server):
    answer = server.client.post("/sandbox/clock", json={"state": "free", "speed": 1000}).json()
    assert (answer["state"], answer["speed"]) == ("free", 1000)
    server.client.post("/sandbox/clock", json={"state": "held"}).raise_for_status()
    now = clock(server)["now"]
    assert clock(server)["now"] == now
    assert server.client.post("/sandbox/clock", json={"state": "free", "speed": 0}).is_error


def test_whose_time_counts_is_said(server):
    assert clock(server)["handler_time"] == "real"


def test_events_stream_as_they_happen(server):
    server.queuecall(phone_number="2125550100;ani=2125550199")
    advance(server, by="1 min")
    kinds = []
    with server.client.stream("GET", "/sandbox/events", params={"after": 0}) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        for line in stream.iter_lines():
            if line.startswith("data: "):
                event = json.loads(line.removeprefix("data: "))
                kinds.append(event["kind"])
                if event["kind"] == "dialed":
                    break
    assert event["tenant"] == "clinic"
    assert event["call_id"] >= 100_000_000
    assert "input" in kinds


def test_events_go_on_where_a_client_lost_them(server):
    server.queuecall()
    advance(server, by="1 min")
    headers = {"Last-Event-ID": "1"}
    with server.client.stream("GET", "/sandbox/events", headers=headers) as stream:
        found = next(line for line in stream.iter_lines() if line.startswith("id: "))
    assert found == "id: 2"


def test_waiting_ends_in_time(server):
    given = {"kind": "campaign_over", "timeout_s": 0}
    assert server.client.post("/sandbox/wait", json=given).json() == {"event": None}


def test_a_campaign_is_stopped_and_what_went_out_after_is_told(server):
    server.queuecalls("".join(f"212555{k:04};ani=2125550199\n" for k in range(100, 400)))
    advance(server, by="1 s")
    path = "/sandbox/campaigns/clinic/reminders"
    server.client.post(f"{path}/stop").raise_for_status()
    advance(server, until="campaign over", tenant="clinic", campaign="reminders")
    campaign = server.client.get(path).json()
    assert campaign["stop_requested"] == 1_000_000
    assert campaign["is_over"]
    after = campaign["calls_after_stop"]
    assert campaign["dialed_after_stop"] == len(after) > 3
    assert campaign["calls_after_stop_next"] is None
    first = server.client.get(path, params={"size": 2}).json()
    second = server.client.get(first["calls_after_stop_next"]).json()
    assert first["calls_after_stop"] + second["calls_after_stop"] == after[:4]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "campaigns/clinic/none"),
        ("POST", "campaigns/clinic/none/stop"),
        ("GET", "calls/100000000"),
        ("DELETE", "faults/7"),
        ("POST", "deliveries/100000000/resend"),
    ],
)
def test_what_is_not_there_is_answered_with_404(server, method, path):
    assert server.client.request(method, f"/sandbox/{path}").status_code == 404


def test_calls_are_held_back_and_go_on(server):
    server.client.post("/sandbox/suspend", params={"tenant": "clinic"}).raise_for_status()
    server.queuecall(phone_number="2125550100;ani=2125550199")
    advance(server, by="5 min")
    assert server.client.get("/sandbox/calls/100000000").json()["attempts"] == []
    server.client.post("/sandbox/resume", params={"tenant": "clinic"}).raise_for_status()
    advance(server, by="5 min")
    assert server.client.get("/sandbox/calls/100000000").json()["attempts"]


def test_a_campaign_is_paused_and_goes_on(server):
    server.queuecall(phone_number="2125550100;ani=2125550199")
    (campaign,) = server.client.get("/sandbox/campaigns", params={"tenant": "clinic"}).json()[-1:]
    path = f"/sandbox/campaigns/clinic/{campaign['name']}"
    answer = server.client.post(f"{path}/pause").raise_for_status().json()
    assert "is paused" in answer["done"]
    assert server.client.post(f"{path}/pause").status_code == 409
    advance(server, by="5 min")
    assert server.client.get("/sandbox/calls/100000000").json()["attempts"] == []
    server.client.post(f"{path}/resume").raise_for_status()
    advance(server, by="5 min")
    assert server.client.get("/sandbox/calls/100000000").json()["attempts"]


NUMBERS = "/sandbox/numbers"
BUSY = {"numbers": ["2125550100"], "outcome": "busy"}


def pinned(server):
    return server.client.get(NUMBERS).json()["pinned"]


def test_pinned_numbers_are_listed_and_taken_away(server):
    answer = server.client.put(NUMBERS, json=BUSY).raise_for_status().json()
    assert answer["done"].startswith("2125550100: busy from now on")
    assert (answer["at"], answer["at_s"], answer["local"][:19]) == (0, 0, "2026-03-10T09:00:00")
    assert pinned(server)["2125550100"]["outcome"] == "busy"
    server.client.put(NUMBERS, json=BUSY | {"outcome": None}).raise_for_status()
    assert pinned(server) == {}


@pytest.mark.parametrize("number", ["+12125550100", "tel:12125550100", "12125550100"])
def test_a_number_is_pinned_in_any_form_that_can_be_queued(server, number):
    server.client.put(NUMBERS, json=BUSY | {"numbers": [number]}).raise_for_status()
    assert list(pinned(server)) == ["2125550100"]


@pytest.mark.parametrize("number", ["2125551234", "555-0100", "", "1125550100"])
def test_a_number_that_is_not_reserved_is_not_pinned(server, number):
    answer = server.client.put(NUMBERS, json=BUSY | {"numbers": [number]})
    assert answer.status_code == 400
    assert repr(number) in answer.json()["error"]


def test_a_number_that_is_queued_already_is_not_pinned_and_none_beside_it(server):
    server.queuecall(phone_number="2125550100;ani=2125550199")
    both = BUSY | {"numbers": ["2125550101", "2125550100"]}
    answer = server.client.put(NUMBERS, json=both)
    assert answer.status_code == 409
    said = answer.json()
    assert said["error"].startswith("2125550100: queued already")
    assert (said["already_queued"], said["free"]) == (["2125550100"], ["2125550101"])
    assert pinned(server) == {}
    advance(server, until="idle")
    server.client.put(NUMBERS, json=both).raise_for_status()


def test_a_pin_can_be_taken_away_while_its_call_is_queued(server):
    server.client.put(NUMBERS, json=BUSY).raise_for_status()
    server.queuecall()
    server.client.put(NUMBERS, json=BUSY | {"outcome": None}).raise_for_status()
    assert pinned(server) == {}


def test_a_number_that_never_goes_out_can_be_given_something_else(server):
    server.client.put(NUMBERS, json=BUSY | {"outcome": "wedged"}).raise_for_status()
    server.queuecall()
    server.client.put(NUMBERS, json=BUSY).raise_for_status()
    assert pinned(server)["2125550100"]["outcome"] == "busy"


def test_every_outcome_comes_to_what_the_table_says(server):
    outcomes = server.client.get(NUMBERS).json()["outcomes"]
    assert set(outcomes) == set(get_args(PinnedOutcome))
    results = f"{server.url}/inbox/results"
    for line, outcome in enumerate(outcomes):
        number = f"21255501{line:02}"
        server.client.put(NUMBERS, json={"numbers": [number], "outcome": outcome})
        server.queuecall(phone_number=f"{number};ani=2125550199", result_url=results)
    advance(server, by="1 hour")
    said = {
        message["fields"]["phone_number"]: message["fields"]
        for message in server.client.get("/sandbox/inbox/results").json()
    }
    for line, (outcome, word) in enumerate(outcomes.items()):
        result = said.get(f"21255501{line:02}", {"result": "", "callee_type": ""})
        found = {key: result[key] for key in ("result", "callee_type")}
        assert found == {key: word[key] for key in found}, outcome


def test_every_callee_type_has_a_meaning():
    unanswered = [outcome.name for outcome in UNANSWERED_OUTCOMES]
    words = {CALLEE_TYPES_OF_FAILURES.get(name, name) for name in unanswered}
    assert set(CALLEE_TYPE_MEANINGS) == words | set(CALLEE_TYPES)


def test_a_fault_is_ended_by_its_number(server):
    number = server.client.post("/sandbox/faults", json={"of": "intake_503"}).json()["number"]
    assert server.queuecall().status_code == 503
    server.client.delete(f"/sandbox/faults/{number}").raise_for_status()
    assert server.queuecall().status_code == 200


def test_a_fault_has_a_window_in_simulated_time(server):
    given = {"of": "intake_503", "begins": "09:10", "ends": "09:20"}
    server.client.post("/sandbox/faults", json=given).raise_for_status()
    codes = [server.queuecall().status_code]
    for at in ("09:10", "09:20"):
        advance(server, to=at)
        codes.append(server.queuecall().status_code)
    assert codes == [200, 503, 200]


def test_a_fault_strikes_one_tenant(server):
    given = {"of": "intake_429", "tenant": "school"}
    server.client.post("/sandbox/faults", json=given).raise_for_status()
    assert server.queuecall().status_code == 200
    school = {"login": server.school.login, "pin": server.school.pin}
    assert server.queuecall(**school).status_code == 429


@pytest.mark.parametrize(
    ("given", "meaningless"),
    [
        ({"of": "ports", "tenant": "school"}, "tenant"),
        ({"of": "workers", "count": 2, "share": 0.5, "campaign": "bell"}, "share, campaign"),
        ({"of": "status", "count": 1}, "count"),
        ({"of": "carrier", "phone_number": "2125550100"}, "phone_number"),
        ({"of": "intake_503", "endpoint": "http://127.0.0.1/x"}, "endpoint"),
        ({"of": "preflight", "campaign": "bell"}, "campaign"),
        ({"of": "duplicated", "drop": True}, "drop"),
        (
            {"of": "answer_lost", "endpoint": "intake", "phone_number": "2125550100"},
            "phone_number",
        ),
    ],
)
def test_a_fault_is_refused_if_it_is_limited_by_what_means_nothing(server, given, meaningless):
    refused = server.client.post("/sandbox/faults", json=given)
    assert refused.status_code == 400
    said = refused.json()["error"]
    assert said.startswith(f"{meaningless}: ")
    assert "allowed: begins, ends" in said
    assert server.client.get("/sandbox/faults").json() == []


def test_the_nearest_form_of_a_refused_fault_is_of_the_same_kind(server):
    given = {"of": "ports", "count": 2, "tenant": "school"}
    refused = server.client.post("/sandbox/faults", json=given).json()
    assert json.loads(refused["nearest"]) == {"of": "ports", "count": 2}
    refused = server.client.post("/sandbox/faults", json={"of": "carrier", "for": "2 min"})
    assert refused.json()["nearest"] == 'POST /sandbox/faults with {"of": "carrier"}'


def test_what_is_done_says_all_that_holds_of_a_fault(server):
    whom = {"tenant": "school", "phone_number": "+12125550100"}
    given = {"of": "late", "ends": "09:20", "count": 3, "share": 0.25, "delay_s": 4, **whom}
    done = server.client.post("/sandbox/faults", json=given).json()["done"]
    for words in ("09:20", "3 times at most", "25.0 % of the time", "4 s late", "tenant school"):
        assert words in done
    assert "of number 2125550100" in done
    done = server.client.post("/sandbox/faults", json={"of": "ports"}).json()["done"]
    assert "all of them, for everybody" in done


def test_a_time_without_a_unit_says_what_to_write(server):
    refused = server.client.post("/sandbox/faults", json={"of": "ports", "ends": 60}).json()
    assert "ends: found 60; write a time or a duration in quotes, such as" in refused["error"]


def test_a_body_that_is_sent_as_a_form_is_told_its_header(server):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = server.client.post("/sandbox/clock/advance", content='{"by": "1 s"}', headers=form)
    assert answer.status_code == 400
    assert "the header Content-Type: application/json; found" in answer.json()["error"]


def test_an_interface_that_is_switched_off_names_its_switch():
    with running(SCENARIO) as plain:
        refused = plain.client.post("/api/campaigns", json={})
    assert refused.status_code == 404
    assert "--pacing-api" in refused.json()["error"]


def test_a_stop_of_an_unknown_tenant_names_the_tenant(server):
    answer = server.client.post("/sandbox/campaigns/nobody/mine/stop")
    assert answer.status_code == 404
    assert "tenant 'nobody': there is no such tenant" in answer.json()["error"]


def test_a_fault_of_one_number_leaves_intake_alone(server):
    server.fault("answer_lost", phone_number="2125550101")
    assert server.queuecall(phone_number="2125550102").status_code == 200


def test_an_inbox_keeps_what_is_posted(server):
    server.client.get("/inbox/mine").raise_for_status()
    server.client.post("/inbox/mine", json={"a": 1}).raise_for_status()
    server.client.post("/inbox/mine", data={"b": "2"}).raise_for_status()
    messages = server.client.get("/sandbox/inbox/mine", params={"at_least": 2}).json()
    assert [message["fields"] for message in messages] == [{"a": 1}, {"b": "2"}]
    assert server.client.get("/sandbox/inbox").json() == {"mine": 2}
    later = server.client.get("/sandbox/inbox/mine", params={"after": 1}).json()
    assert [message["number"] for message in later] == [2]
    server.client.delete("/sandbox/inbox/mine").raise_for_status()
    assert server.client.get("/sandbox/inbox/mine").json() == []


@pytest.mark.parametrize("name", ["%2e%2e", "a%20b", "x" * 81])
def test_an_inbox_has_a_plain_name(server, name):
    assert server.client.post(f"/inbox/{name}").is_error


def test_there_are_only_so_many_inboxes(server):
    codes = [server.client.post(f"/inbox/box{k}").status_code for k in range(101)]
    assert codes == [200] * 100 + [507]


def test_the_last_thousand_requests_are_kept():
    requests = Requests()
    for number in range(1_010):
        requests.begin(number, "", "GET", "/webservice/" + "x" * 9_999)
    assert [request.at for request in requests.last] == list(range(10, 1_010))
    assert max(len(request.path) for request in requests.last) < 300


def test_refused_requests_are_told_from_others(server):
    server.queuecall()
    server.queuecall(pin="wrong")
    refused = server.client.get("/sandbox/requests", params={"only_refused": True}).json()
    assert [request["status"] for request in refused] == [401]


def test_a_reset_forgets_everything(server):
    server.queuecall()
    server.client.post("/inbox/mine", json={})
    advance(server, by="1 min")
    server.client.post("/sandbox/reset", json={"seed": 5}).raise_for_status()
    assert clock(server)["now"] == 0
    for what in ("campaigns", "inbox", "requests", "deliveries", "faults"):
        assert not server.client.get(f"/sandbox/{what}").json()


def test_made_up_secrets_are_in_the_ready_line_and_written_ones_not(server):
    accounts = {each["tenant"]: each for each in server.served.ready_line()["accounts"]}
    assert accounts["school"]["pin"] == server.school.pin
    assert "pin" not in accounts["clinic"]
    assert accounts["clinic"]["token"] == server.clinic.token


def test_where_others_can_reach_it_no_secret_can_be_computed():
    with running(SCENARIO, host="0.0.0.0") as server:
        here = server.url.replace("0.0.0.0", "127.0.0.1")
        accounts = {each["tenant"]: each for each in server.served.ready_line()["accounts"]}
        made_up = server.served.sandbox.scenario.accounts
        assert accounts["school"]["pin"] not in {account.pin for account in made_up}
        named = {"Host": "sandbox.example"}
        with httpx.Client(base_url=here, trust_env=False, headers=named) as client:
            assert client.get("/health").status_code == 200


def test_campaigns_are_listed_a_thousand_at_once_at_most(server):
    for _ in range(3):
        server.queuecall()

    def listed(**parameters):
        asked = {"tenant": "clinic", **parameters}
        return server.client.get("/sandbox/campaigns", params=asked)

    names = [campaign["name"] for campaign in listed().json()]
    assert len(names) == 3
    pieces = [listed(begin=begin, size=2).json() for begin in (0, 2, 4)]
    assert [[campaign["name"] for campaign in piece] for piece in pieces] == [
        names[:2],
        names[2:],
        [],
    ]
    assert listed(size=1001).status_code == 400
