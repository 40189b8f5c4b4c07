"""Call logs: attempts by number and time, in pages."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
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


class Page(BaseHTTPRequestHandler):
    """Answers whatever is asked with 200."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


@contextmanager
def listening(port):
    """A page that is there for a while."""
    with HTTPServer(("127.0.0.1", port), Page) as page:
        thread = threading.Thread(target=page.serve_forever, args=(0.01,))
        thread.start()
        yield
        page.shutdown()
        thread.join()


@pytest.fixture
def unused_port():
    with socket.create_server(("127.0.0.1", 0)) as there:
        return there.getsockname()[1]


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


def test_a_page_that_is_not_there_at_the_answer_is_an_error(server, unused_port):
    start = f"http://127.0.0.1:{unused_port}/"
    human = {"numbers": ["2125550101"], "outcome": "human"}
    server.client.put("/sandbox/numbers", json=human).raise_for_status()
    with listening(unused_port):
        answer = server.queuecall(phone_number="2125550101;ani=2125550199", start_url=start)
    assert answer.status_code == 200
    server.client.post("/sandbox/clock/advance", json={"until": "idle"}).raise_for_status()
    asked = {"number": "2125550101"}
    answer = server.client.get("/ws/calls/errors", params=asked, auth=server.dev).json()
    assert answer["status"] == "success"
    assert answer["result"]["total_errors"] == 1
    (error,) = answer["result"]["errors"]
    assert error["dest"] == "2125550101"
    assert "nobody listens" in error["error"]
    sessions = {log["session_id"]: log["dest"] for log in logs(server)["logs"]}
    assert sessions[error["session_id"]] == "2125550101"
    school = (server.school.login, server.school.pin)
    theirs = server.client.get("/ws/calls/errors", auth=school).json()
    assert theirs["result"] == {"total_errors": 0, "errors": []}
    log = server.client.get(f"/api/call/{error['session_id']}", auth=server.fuse).json()
    assert [line["event"]["line"] for line in log if line["class"] == "error"] == [error["error"]]


def test_no_page_is_missing(dialed):
    answer = dialed.client.get("/ws/calls/errors", auth=dialed.dev).json()
    assert answer["result"] == {"total_errors": 0, "errors": []}


def test_what_happened_in_a_call(dialed):
    for log in logs(dialed)["logs"]:
        answer = dialed.client.get(f"/api/call/{log['session_id']}", auth=dialed.fuse)
        assert answer.status_code == 200
        events = answer.json()
        assert events[0]["event"]["line"] == f"dialing {log['dest']}"
        assert events[0]["timestamp"] == int(log["start"])
        assert events[-1]["event"]["line"].startswith("disconnected: ")
        assert events[-1]["timestamp"] == int(log["end"])
        assert {event["class"] for event in events} <= {"event", "info"}
        for event in events:
            assert {"module_type", "result_variable"} <= set(event["event"]["data"])


@pytest.mark.parametrize(
    "session", ["400000;001;1", "400000;002;1773151200", "399999;001;1773151200", "x", "9" * 60]
)
def test_a_session_that_is_not_there(dialed, session):
    answer = dialed.client.get(f"/api/call/{session}", auth=dialed.fuse)
    assert answer.status_code == 404
    assert "session" in answer.json()["error"]


def test_a_session_is_its_accounts_own(dialed):
    session = logs(dialed)["logs"][0]["session_id"]
    school = (dialed.school.login, dialed.school.developer_key)
    assert dialed.client.get(f"/api/call/{session}", auth=school).status_code == 404
    assert dialed.client.get(f"/api/call/{session}").status_code == 401
