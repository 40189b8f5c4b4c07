"""Call logs: attempts by number and time, in pages."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

BEGINS = 1_773_151_200
"""2026-03-10 09:00 in Chicago, as UNIX time."""


@pytest.fixture
def dialed(server):
    """Ten calls that went out."""
    numbers = "".join(f"212555{k:04};ani=2125550199\n" for k in range(100, 110))
    server.queuecalls(numbers).raise_for_status()
    server.client.post("/sandbox/clock/advance", json={"until": "idle"}).raise_for_status()
    return server


def logs(server, start=BEGINS, end=BEGINS + 3600, **query):
    answer = server.client.get(f"/ws/calls/logs/{start}/{end}", params=query, auth=server.dev)
    assert answer.status_code == 200
    return answer.json()["result"]


def test_every_attempt_has_a_log_without_a_call_id(dialed):
    found = logs(dialed)
    assert found["total_logs"] == 10
    assert found["logs"][0].keys() == {
        *("log_id", "session_id", "dest", "type", "src", "start", "end")
    }
    assert {log["dest"] for log in found["logs"]} == {f"212555{k:04}" for k in range(100, 110)}
    assert {(log["type"], log["src"]) for log in found["logs"]} == {("outbound", "2125550199")}


def test_pages_follow_each_other(dialed):
    whole = logs(dialed)["logs"]
    pages = [logs(dialed, offset=offset, limit=4) for offset in (0, 4, 8)]
    assert [log for page in pages for log in page["logs"]] == whole
    assert {page["total_logs"] for page in pages} == {10}


def test_a_range_has_its_start_and_not_its_end(dialed):
    first = min(int(log["start"]) for log in logs(dialed)["logs"])
    assert logs(dialed, start=first - 9, end=first)["total_logs"] == 0
    assert logs(dialed, start=first, end=first + 1)["total_logs"] >= 1


@pytest.mark.parametrize("number", ["2125550103", "+12125550103", "tel:12125550103"])
def test_a_number_is_looked_for_in_any_form(dialed, number):
    assert [log["dest"] for log in logs(dialed, number=number)["logs"]] == ["2125550103"]


def test_one_log(dialed):
    log = logs(dialed)["logs"][3]
    answer = dialed.client.get(f"/ws/calls/log/{log['log_id']}", auth=dialed.dev)
    assert answer.json() == {"status": "success", "error": None, "result": log}


def test_in_xml(dialed):
    answer = dialed.client.get(
        f"/ws/calls/logs/{BEGINS}/{BEGINS + 3600}",
        auth=dialed.dev,
        headers={"Accept": "application/xml"},
    )
    result = ElementTree.fromstring(answer.content)
    assert result.findtext("status") == "success"
    assert len(result.findall("result/logs/item")) == 10


def test_others_see_nothing_of_it(dialed):
    school = (dialed.school.login, dialed.school.pin)
    log = logs(dialed)["logs"][0]["log_id"]
    gone = dialed.client.get(f"/ws/calls/log/{log}", auth=school)
    assert gone.status_code == 404
    assert gone.json()["status"] == "failure"
    theirs = dialed.client.get(f"/ws/calls/logs/{BEGINS}/{BEGINS + 3600}", auth=school)
    assert theirs.json()["result"]["total_logs"] == 0


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"logs/{BEGINS}/{BEGINS}", 400),
        (f"logs/{BEGINS}/soon", 400),
        (f"logs/{BEGINS}/{BEGINS + 1}?limit=0", 400),
        (f"logs/{BEGINS}/{BEGINS + 1}?limit=10001", 400),
        (f"logs/{BEGINS}/{BEGINS + 1}?offset=-1", 400),
        ("log/999999999", 404),
    ],
)
def test_what_makes_no_sense_is_a_failure(server, path, status):
    answer = server.client.get(f"/ws/calls/{path}", auth=server.dev)
    assert answer.status_code == status
    assert answer.json()["status"] == "failure"


def test_logs_need_a_login(server):
    answer = server.client.get(f"/ws/calls/logs/{BEGINS}/{BEGINS + 1}")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic")
