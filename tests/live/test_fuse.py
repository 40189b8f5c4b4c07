"""Fuse: queue, bulk_queue, status and cancel."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

QUEUE = "/api/apps/1/1/queue"
CANCEL = "/api/apps/1/1/cancel"


def queue(server, path=QUEUE, **given):
    return server.client.post(path, json={"phone_number": "2125550100", **given}, auth=server.fuse)


def test_a_call_is_queued_and_its_status_linked(server):
    answer = queue(server, variables={"name": "Ann"})
    assert answer.status_code == 200
    call_id = answer.json()["call_id"]
    assert answer.headers["link"] == f'</api/outbound/{call_id}>; rel="status"'
    details = server.client.get(f"/api/outbound/{call_id}", auth=server.fuse).json()[
        "call_details"
    ]
    assert details["status"] == "queued"
    assert details["attempts"] == "0"
    assert details["max_attempts"] == "1"
    assert server.client.get(f"/sandbox/calls/{call_id}").json()["variables"] == {"name": "Ann"}


def test_a_form_is_as_good_as_json(server):
    given = {"phone_number": "2125550100", "variables": json.dumps({"name": "Ann"})}
    answer = server.client.post(QUEUE, data=given, auth=server.fuse)
    assert answer.status_code == 200


def test_status_in_xml(server):
    call_id = queue(server).json()["call_id"]
    server.client.post("/sandbox/clock/advance", json={"until": "idle"}).raise_for_status()
    answer = server.client.get(
        f"/api/outbound/{call_id}", auth=server.fuse, headers={"Accept": "application/xml"}
    )
    result = ElementTree.fromstring(answer.content)
    assert result.tag == "result"
    assert result.findtext("call_details/status") in ("completed", "failed")
    events = [item.findtext("event") for item in result.findall("call_details/events/item")]
    assert events[:2] == ["queued", "dialing"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"max_attempts": 3}, "reattempt_wait is needed"),
        ({"max_attempts": 11, "reattempt_wait": 60}, "max_attempts"),
        ({"max_attempts": 0}, "max_attempts"),
        ({"max_attempts": 2, "reattempt_wait": 59}, "reattempt_wait"),
        ({"is_pci": 2}, "is_pci"),
        ({"phone_number": "nobody"}, "phone_number"),
        ({"start_timestamp": "1"}, "1969"),
        ({"variables": "[1]"}, "variables"),
        ({"variables": {"destination": "x"}}, "destination"),
    ],
)
def test_bad_data_is_answered_with_400(server, given, said):
    answer = queue(server, **given)
    assert answer.status_code == 400
    assert said in answer.json()["error"]


@pytest.mark.parametrize("body", ["no json", "[1]", "[" * 100_000, '{"phone_number": NaN}'])
def test_a_body_that_is_no_object_is_answered_with_400(server, body):
    headers = {"Content-Type": "application/json"}
    answer = server.client.post(QUEUE, content=body, headers=headers, auth=server.fuse)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("path", "status"),
    [("/api/apps/2/1/queue", 403), ("/api/apps/9/1/queue", 404), ("/api/apps/1/10/queue", 404)],
)
def test_deployments_belong_to_accounts(server, path, status):
    answer = queue(server, path)
    assert answer.status_code == status
    assert server.last_request()["nearest"] == "/api/apps/1/1/queue"


@pytest.mark.parametrize("auth", [None, ("desk@clinic.example", "no"), ("nobody", "4711")])
def test_a_wrong_login_is_answered_with_401(server, auth):
    answer = server.client.post(QUEUE, json={"phone_number": "2125550100"}, auth=auth)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic")


def test_another_accounts_call_is_answered_with_403(server):
    call_id = queue(server).json()["call_id"]
    school = (server.school.login, server.school.developer_key)
    assert server.client.get(f"/api/outbound/{call_id}", auth=school).status_code == 403
    assert server.client.get("/api/outbound/5", auth=school).status_code == 404


def test_a_list_is_queued(server):
    files = {"csv": ("list.csv", "destination,name\n2125550100,Ann\n1,Bob\n")}
    answer = server.client.post("/api/apps/1/1/bulk_queue", files=files, auth=server.fuse).json()
    assert len(answer["call_ids"]) == 1
    assert [row["row"] for row in answer["rejected"]] == [2]


def test_pending_calls_are_canceled(server):
    queue(server)
    answer = server.client.delete("/api/apps/1/1/cancel", auth=server.fuse)
    assert (answer.status_code, answer.content) == (202, b"")
    assert server.client.get("/api/apps/1/1/cancel", auth=server.fuse).status_code == 405


@pytest.mark.parametrize(("kind", "said"), [("intake_409", "deleted"), ("intake_500", "database")])
def test_what_can_not_be_queued_on_order(server, kind, said):
    server.fault(kind, count=1)
    answer = queue(server)
    assert answer.status_code == int(kind[-3:])
    assert said in answer.json()["error"]
    assert queue(server).status_code == 200


def test_what_is_ignored_is_said_in_the_answer_and_its_header(server):
    answer = queue(server, retries=3, **{"a b": 1})
    assert answer.status_code == 200
    assert answer.json()["ignored"] == {"retries": "max_attempts", "a b": ""}
    assert answer.headers["x-sandbox-ignored"] == "retries; nearest=max_attempts, a%20b"
    assert "ignored" not in queue(server).json()


def test_a_parameter_that_the_platform_does_not_know_is_ignored_too(server):
    answer = server.client.delete(f"{CANCEL}?nubmer=1", auth=server.fuse)
    assert answer.status_code == 202
    assert answer.headers["x-sandbox-ignored"] == "nubmer"
    assert server.last_request()["ignored"] == {"nubmer": ""}


def test_nobody_is_blocked(server):
    for details in ("true", "false"):
        asked = {"details": details}
        answer = server.client.get("/api/numbers", params=asked, auth=server.fuse)
        assert answer.json() == {"success": True, "data": []}
    missing = server.client.get("/api/numbers", auth=server.fuse)
    assert missing.status_code == 400
    assert missing.json() == {"success": False, "error": "details: is missing"}
    assert server.client.get("/api/numbers?details=true").status_code == 401
