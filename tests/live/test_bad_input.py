"""Whatever is sent, the sandbox answers with a code that says what is wrong, and goes on."""

from __future__ import annotations

import re
import socket
from urllib.parse import urlsplit
from xml.etree import ElementTree

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from outsim.live.http import server as serving_module
from outsim.live.http.context import Settings
from tests.live.serving import SCENARIO, running

REFUSED = {400, 401, 403, 404, 405, 408, 409, 411, 413, 429, 431, 503}
TAKE_TIME = {"/sandbox/wait", "/sandbox/events", "/sandbox/clock", "/sandbox/clock/advance"}
EXAMPLES = 8


def test_what_the_description_allows_and_what_not(a_server):
    description = schemathesis.openapi.from_url(f"{a_server.url}/openapi.json")
    tried = 0
    for found in description.get_all_operations():
        operation = found.ok()
        if operation.path not in TAKE_TIME:
            tried += 1
            answers_all(a_server, operation)
    assert tried > 30


def answers_all(server, operation):
    """No answer to what the description allows, or nearly allows, is an error of the server."""
    path = operation.path
    auth = server.dev if path.startswith("/ws/") else server.fuse
    is_paced = path.startswith("/api/") and not path.startswith(("/api/apps", "/api/outbound"))

    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
        | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    )
    def answers(case):
        if path.startswith("/webservice/") and isinstance(case.body, dict):
            case.body |= {"login": server.clinic.login, "pin": server.clinic.pin}
        if path.startswith("/sandbox/inbox"):
            case.query = {**(case.query or {}), "timeout_s": 0}
        if is_paced:
            case.headers = {**(case.headers or {}), **server.bearer}
        answer = case.call(auth=None if is_paced else auth)
        assert answer.status_code < 500 or answer.status_code in (503, 507), answer.text
        assert "Traceback" not in answer.text

    answers()


TEXTS = st.text(max_size=400) | st.sampled_from(
    ["", "0", "-1", "1e400", "NaN", "9" * 300, "<script>alert(1)</script>", "'; --", "\0", "٣"]
)
FIELDS = st.sampled_from(
    [
        *("login", "pin", "phone_number", "start_url", "result_url", "message_reference"),
        *("call_parameters", "max_retry", "max_retries", "retry_interval"),
        *("scheduled_timestamp", "scheduled_time", "expiration_timestamp", "expiration_time"),
        *("", "phone number", "login[]", "campaign_name"),
    ]
)


@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(changes=st.dictionaries(FIELDS, TEXTS, min_size=1, max_size=4), cut=st.integers(0, 400))
def test_mutated_requests_are_taken_or_refused(server, changes, cut):
    form = server.form(phone_number="2125550100") | changes
    request = server.client.build_request("POST", "/webservice/queuecall.php", data=form)
    whole = request.read()
    body = whole[: len(whole) - cut] if cut < len(whole) else whole
    headers = {"Content-Type": request.headers["content-type"]}
    answer = server.client.post("/webservice/queuecall.php", content=body, headers=headers)
    assert answer.status_code in REFUSED | {200}
    status = ElementTree.fromstring(answer.content).get("status")
    assert status == ("queued" if answer.status_code == 200 else "failed")


BOMB = """<?xml version="1.0"?>
<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"> ]><x>&b;</x>"""


@pytest.mark.parametrize("kind", ["application/xml", "text/xml", "multipart/form-data", "a"])
def test_xml_is_never_read(server, kind):
    headers = {"Content-Type": kind}
    for path in ("/webservice/queuecall.php", "/api/apps/1/1/queue"):
        answer = server.client.post(path, content=BOMB, headers=headers, auth=server.fuse)
        assert answer.status_code == 400
        assert "aaaaaaaaaaaaaaaa" not in answer.text


def test_markup_in_what_is_echoed_stays_text(server):
    name = '<img src=x onerror="alert(1)">&amp;'
    answer = server.queuecall(start_url=f"{server.url}/inbox/start?{name}")
    assert ElementTree.fromstring(answer.text).findtext("start_url").endswith(name)
    assert answer.headers["x-content-type-options"] == "nosniff"
    refused = server.queuecalls("2125550100\n", campaign_name=name)
    assert refused.status_code == 400
    assert "<img" not in refused.text


def test_a_request_that_is_too_large_is_refused(server):
    answer = server.queuecalls("2125550100\n" * 400_000)
    assert answer.status_code == 413
    assert ElementTree.fromstring(answer.text).get("status") == "failed"


@pytest.mark.parametrize("path", ["/webservice/queuecall.php", "/api/apps/1/1/queue", "/inbox/x"])
def test_only_an_upload_may_be_large(server, path):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = server.client.post(
        path, content=b"a=" + b"b" * 3_000_000, headers=headers, auth=server.fuse
    )
    assert answer.status_code in (400, 413)


def connected(url):
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout=30)


def everything(connection):
    """Whatever comes on a connection until it is closed."""
    answer = b""
    while piece := connection.recv(65_536):
        answer += piece
    return answer


def answer_to(url, said):
    with connected(url) as connection:
        connection.sendall(said)
        return everything(connection)


HEAD = (
    b"POST /webservice/queuecall.php HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 50\r\n\r\n"
)


def test_a_body_that_does_not_come_is_not_waited_for():
    with running(SCENARIO, settings=Settings(body_s=0.1)) as server:
        assert answer_to(server.url, HEAD + b"login=").startswith(b"HTTP/1.1 408 ")


def test_a_head_that_does_not_come_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(serving_module, "HEAD_S", 0.5)
    with running(SCENARIO) as server:
        assert answer_to(server.url, HEAD[:20]) == b""
        with connected(server.url) as connection:
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")
            connection.sendall(HEAD[:20])
            assert b"HTTP/1.1" not in everything(connection)


@pytest.mark.parametrize(
    "head", [b"\x16\x03\x01\x02\x00", b"GET / HTTP/9.9\r\n\r\n", b"\r\n\0\r\n\r\n"]
)
def test_what_is_no_http_is_answered_with_400_or_not_at_all(server, head):
    answer = answer_to(server.url, head + b"\r\n\r\n")
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")
    assert server.client.get("/health").status_code == 200


@pytest.mark.parametrize("named", ["customer.example", "127.0.0.1.customer.example", "["])
def test_only_this_machine_is_ours(server, named):
    assert server.client.get("/sandbox/clock", headers={"Host": named}).status_code == 403
    origin = {"Origin": f"http://{named}"}
    assert server.client.post("/sandbox/reset", headers=origin).status_code == 403


def test_secrets_are_nowhere_in_what_is_kept(server):
    server.queuecall()
    server.client.post("/api/apps/1/1/queue", json={"pin": "hush"}, auth=server.fuse)
    kept = server.client.get("/sandbox/requests").text
    for secret in (server.clinic.pin, server.clinic.developer_key, server.clinic.token, "hush"):
        assert f'"{secret}"' not in kept


def test_connections_that_hang_keep_nobody_out(server):
    parts = urlsplit(server.url)
    hanging = [socket.create_connection((parts.hostname, parts.port)) for _ in range(50)]
    try:
        with httpx.Client(base_url=server.url, trust_env=False) as client:
            assert client.get("/health").status_code == 200
    finally:
        for connection in hanging:
            connection.close()


FOREIGN = re.compile(
    r"pydantic|starlette|aiohttp|[Vv]alue error|[Ii]nput should|should (be|have|match)"
    r"|[Ff]ield required|[Ee]xtra inputs|jSON|ssl:default|object at 0x|\bNone\b|with \""
)
WRONG = [
    *("", "{", "[1]", "null", '{"a": 1}', '{"by": 5}', '{"of": "fire", "share": "all"}'),
    *('{"numbers": "all", "outcome": 5}', '{"numbers": ["x"], "outcome": "busy"}'),
    *('{"state": "free", "speed": "fast"}', '{"kind": null, "timeout_s": true}'),
    *('{"name": [], "calls": {}}', '{"max_attempts": 1.5, "phone_number": {}}', "a=%ff&b", "\x00"),
]


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize("body", WRONG)
def test_no_answer_words_it_as_a_library_does(server, kind, body):
    paths = server.client.get("/openapi.json").json()["paths"]
    for path, methods in paths.items():
        for method in methods:
            if method == "get" or "{" in path or path == "/sandbox/reset":
                continue
            headers = {"Content-Type": kind} | (
                {} if "/apps/" in path or path.startswith("/ws") else server.bearer
            )
            answer = server.client.request(method, path, content=body, headers=headers)
            assert not FOREIGN.search(answer.text), (path, answer.text)


@pytest.mark.parametrize(
    ("method", "path", "said"),
    [
        ("GET", "/sandbox/requests?only_refusd=1", "did you mean 'only_refused'?"),
        ("DELETE", "/sandbox/clock", "DELETE is not allowed here; allowed: GET, POST"),
        ("GET", "/sandbox/nubmers", "there is nothing at /sandbox/nubmers"),
        ("GET", "/sandbox/calls/soon", "call_id: found 'soon'; must be a whole number"),
        ("GET", "/sandbox/calls/100000007", "there is no call 100000007"),
        ("GET", "/sandbox/campaigns?tenant=clinics", "did you mean 'clinic'?"),
        ("GET", "/sandbox/deliveries?tenant=clinics", "did you mean 'clinic'?"),
        ("GET", "/sandbox/campaigns/clinics/x", "did you mean 'clinic'?"),
        ("GET", f"/sandbox/requests?after={2**60}", f"must be at most {2**53}"),
    ],
)
def test_what_is_wrong_is_said_in_words(server, method, path, said):
    answer = server.client.request(method, path)
    assert answer.is_client_error
    assert said in answer.json()["error"]
