"""Results on the wire: what a real handler meets, and what can be looked into afterwards."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from outsim.live.inbox import Inbox
from outsim.live.pages import BACKLOG, Hosts, PageError, Pages


class Handler(ThreadingHTTPServer):
    """A customer's handler, which answers as it is told."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.statuses: list[int] = []
        """Of the next posts; then 200."""
        self.bodies: list[str] = []
        self.hangs = threading.Event()
        """Posts to /hang are answered once it is set."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answers(BaseHTTPRequestHandler):
    server: Handler

    def do_GET(self) -> None:
        self.answer(200)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if self.path == "/hang":
            self.server.hangs.wait(30)
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "http://customer.example/")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.server.bodies.append(body)
        self.answer(self.server.statuses.pop(0) if self.server.statuses else 200)

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "6")
        self.end_headers()
        self.wfile.write(b"<b>hi!")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def handler() -> Iterator[Handler]:
    with Handler() as handler:
        threading.Thread(target=handler.serve_forever, daemon=True).start()
        yield handler
        handler.hangs.set()
        handler.shutdown()


def advance(server, **order):
    server.client.post("/sandbox/clock/advance", json=order).raise_for_status()


def queue(server, result_url, number="2125550101", **more):
    pinned = {"numbers": [number], "outcome": "human", "after_s": 1, "talk_s": 1}
    server.client.put("/sandbox/numbers", json=pinned).raise_for_status()
    given = {"phone_number": f"{number};ani=2125550199", "result_url": result_url, **more}
    server.queuecall(**given).raise_for_status()


def deliveries(server):
    return server.client.get("/sandbox/deliveries").json()


def test_a_post_can_be_looked_into(server, handler):
    queue(server, f"{handler.url}/r", message_reference="é & <x>")
    advance(server, until="idle")
    (delivery,) = deliveries(server)
    assert delivery["result"] == "accepted"
    (sent,) = delivery["sent"]
    assert sent["status"] == 200
    assert sent["answer"] == "<b>hi!"
    assert sent["headers"]["Content-Type"] == "application/x-www-form-urlencoded"
    assert "message_reference=%C3%A9+%26+%3Cx%3E" in sent["body"]
    assert handler.bodies == [sent["body"]]


def test_a_post_that_failed_is_tried_again(server, handler):
    handler.statuses = [500, 503]
    queue(server, f"{handler.url}/r")
    advance(server, until="idle")
    found = deliveries(server)
    assert [delivery["result"] for delivery in found] == [
        *("server_error", "server_error"),
        "accepted",
    ]
    assert [delivery["sent"][0]["status"] for delivery in found] == [500, 503, 200]
    assert found[0]["next_at"] == found[1]["due_at"]


def test_a_result_is_posted_again_on_order(server, handler):
    queue(server, f"{handler.url}/r")
    advance(server, until="idle")
    call_id = deliveries(server)[0]["call_id"]
    server.client.post(f"/sandbox/deliveries/{call_id}/resend").raise_for_status()
    assert len(handler.bodies) == 2
    assert handler.bodies[0] == handler.bodies[1]


def test_what_went_over_the_wire_is_kept_of_the_last_twenty_times(server, handler):
    queue(server, f"{handler.url}/r")
    advance(server, until="idle")
    call_id = deliveries(server)[0]["call_id"]
    for _ in range(22):
        server.client.post(f"/sandbox/deliveries/{call_id}/resend").raise_for_status()
    assert len(handler.bodies) == 23
    assert len(deliveries(server)[0]["sent"]) == 20


def test_what_is_posted_again_on_order_comes_at_once_whatever_else_is_ordered(server, handler):
    queue(server, f"{handler.url}/r")
    advance(server, until="idle")
    call_id = deliveries(server)[0]["call_id"]
    server.fault("late", count=1, delay_s=60)
    for kind in ("duplicated", "answer_lost"):
        server.fault(kind, count=1)
    again = server.client.post(f"/sandbox/deliveries/{call_id}/resend").raise_for_status().json()
    assert (again["result"], again["status"]) == ("accepted", 200)
    assert len(handler.bodies) == 2
    assert len(server.client.get("/sandbox/faults").json()) == 3


def test_a_callback_is_duplicated_on_order(server, handler):
    server.fault("duplicated", count=1)
    queue(server, f"{handler.url}/r")
    advance(server, until="idle")
    assert len(handler.bodies) == 2
    (delivery,) = deliveries(server)
    assert len(delivery["sent"]) == 2


def test_a_lost_answer_makes_the_platform_post_again(server, handler):
    server.fault("answer_lost", count=1, endpoint=f"{handler.url}/r")
    queue(server, f"{handler.url}/r")
    advance(server, until="idle")
    assert len(handler.bodies) == 2
    assert [delivery["result"] for delivery in deliveries(server)] == ["timeout", "accepted"]


def references(handler):
    return [body.partition("message_reference=")[2].partition("&")[0] for body in handler.bodies]


def test_others_overtake_a_callback_on_order(server, handler):
    numbers = ["2125550101", "2125550102"]
    pinned = {"numbers": numbers, "outcome": "human", "after_s": 1, "talk_s": 1}
    server.client.put("/sandbox/numbers", json=pinned).raise_for_status()
    server.fault("reordered", count=1, delay_s=4, phone_number=numbers[0])
    listed = "".join(f"{number};ani=2125550199\n" for number in numbers)
    server.queuecalls(listed, result_url=f"{handler.url}/r").raise_for_status()
    advance(server, by="5 min")
    found = [body.partition("phone_number=")[2].partition("&")[0] for body in handler.bodies]
    assert found == numbers[::-1]


def test_a_callback_that_is_later_than_its_timeout_comes_twice(server, handler):
    server.fault("late", count=1, delay_s=60)
    queue(server, f"{handler.url}/r", "2125550101", message_reference="first")
    advance(server, by="1 min")
    assert references(handler) == ["first"]
    queue(server, f"{handler.url}/r", "2125550102", message_reference="second")
    advance(server, by="5 min")
    assert sorted(references(handler)) == ["first", "first", "second"]


def test_a_handler_that_hangs_delays_nobody_else(server, handler):
    queue(server, f"{handler.url}/hang", "2125550101")
    queue(server, f"{server.url}/inbox/other", "2125550102")
    server.client.post("/sandbox/clock", json={"state": "free", "speed": 100})
    messages = server.client.get("/sandbox/inbox/other", params={"at_least": 1}).json()
    assert len(messages) == 1
    server.client.post("/sandbox/clock", json={"state": "held"})


def test_a_redirect_is_not_followed(server, handler):
    queue(server, f"{handler.url}/away")
    advance(server, by="1 min")
    assert deliveries(server)[0]["sent"][0]["status"] == 302


def test_fuse_posts_what_its_status_shows(server, handler):
    pinned = {"numbers": ["2125550101"], "outcome": "human", "after_s": 1, "talk_s": 1}
    server.client.put("/sandbox/numbers", json=pinned).raise_for_status()
    given = {"phone_number": "2125550101;ani=2125550199", "result_url": f"{handler.url}/r"}
    answer = server.client.post("/api/apps/1/1/queue", json=given, auth=server.fuse).json()
    advance(server, until="idle")
    status = server.client.get(f"/api/outbound/{answer['call_id']}", auth=server.fuse).json()
    assert json.loads(handler.bodies[0]) == status["call_details"]
    assert status["call_details"]["duration"] == 1


@pytest.mark.parametrize(
    "url",
    [
        *("http://customer.example/", "http://127.0.0.1.customer.example/", "http://10.0.0.1/"),
        *("http://2130706433/", "http://0x7f.1/", "http://[::ffff:10.0.0.1]/", "file:///x"),
        *("http://localhost@customer.example/", "http:///x", "http://127.0.0.1:x/", "//x"),
    ],
)
def test_pages_elsewhere_are_not_called(url):
    with pytest.raises(PageError):
        Hosts().check(url)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/x", "http://localhost/", "http://[::1]:80/", "https://127.8.8.8/"]
)
def test_pages_here_are_called(url):
    Hosts().check(url)


def test_a_host_can_be_allowed_by_name():
    Hosts({"customer.example"}).check("https://Customer.Example/x")
    with pytest.raises(PageError, match=r"--allow-host other\.example"):
        Hosts({"customer.example"}).check("https://other.example/x")


def test_a_page_that_is_not_there_is_no_error():
    async def asked():
        inbox = Inbox(lambda: (0, ""))
        async with Pages(Hosts(), inbox, lambda _: False) as pages:
            return [
                await pages.get("http://127.0.0.1:1/", 5),
                await pages.get("http://customer.example/", 5),
            ]

    gone, elsewhere = asyncio.run(asked())
    assert (gone.status, elsewhere.status) == (None, None)
    assert gone.error
    assert "--allow-host" in elsewhere.error


@pytest.mark.parametrize(("opening_s", "most"), [(3_600.0, BACKLOG), (0.0, 12)])
def test_requests_to_one_host_begin_a_few_at_a_time(monkeypatch, opening_s, most):
    """The next waits until one of them is answered, or is open for a moment."""
    open_now, seen = 0, []

    async def asked():
        answered = asyncio.Event()

        async def over_http(_pages, _exchange, _sent):
            nonlocal open_now
            open_now += 1
            seen.append(open_now)
            if open_now == most:
                answered.set()
            await answered.wait()
            open_now -= 1

        monkeypatch.setattr(Pages, "_over_http", over_http)
        monkeypatch.setattr("outsim.live.pages.OPENING_S", opening_s)
        pages = Pages(Hosts(), Inbox(lambda: (0, "")), lambda _url: False)
        await asyncio.gather(*(pages.get("http://127.0.0.1:9/", 60) for _ in range(12)))

    asyncio.run(asked())
    assert len(seen) == 12
    assert max(seen) == most


SEEN_AFTER = 3
"""Turns of the loop from when an answer can be read to when it has been."""


def test_what_has_arrived_while_the_loop_was_kept_busy_is_no_timeout(monkeypatch):
    async def asked():
        loop = asyncio.get_running_loop()
        now, busy_s = loop.time, 0.0
        monkeypatch.setattr(loop, "time", lambda: now() + busy_s)

        async def over_http(_pages, exchange, sent):
            nonlocal busy_s
            sent()
            busy_s = 3_600.0
            for _ in range(SEEN_AFTER):
                await asyncio.sleep(0)
            exchange.status = 200

        monkeypatch.setattr(Pages, "_over_http", over_http)
        return await Pages(Hosts(), Inbox(lambda: (0, "")), lambda _url: False).get(
            "http://127.0.0.1:9/", 60
        )

    exchange = asyncio.run(asked())
    assert (exchange.status, exchange.is_timeout) == (200, False)
    assert exchange.wall_s < 60


def test_the_time_of_a_page_begins_once_the_request_is_sent(monkeypatch):
    async def asked():
        loop = asyncio.get_running_loop()
        now, passed_s = loop.time, 0.0
        monkeypatch.setattr(loop, "time", lambda: now() + passed_s)

        async def over_http(_pages, exchange, sent):
            nonlocal passed_s
            passed_s = 50.0
            sent()
            passed_s = 100.0
            for _ in range(SEEN_AFTER):
                await asyncio.sleep(0)
            exchange.status = 200

        monkeypatch.setattr(Pages, "_over_http", over_http)
        pages = Pages(Hosts(), Inbox(lambda: (0, "")), lambda _url: False)
        return await pages.get("http://127.0.0.1:9/", 60)

    assert asyncio.run(asked()).status == 200


def test_deliveries_are_shown_a_thousand_at_once_at_most(server):
    assert server.client.get("/sandbox/deliveries", params={"last": 1000}).status_code == 200
    refused = server.client.get("/sandbox/deliveries", params={"last": 1001})
    assert refused.status_code == 400
    assert "1000" in refused.json()["error"]
    assert server.client.get("/sandbox/deliveries", params={"before": 1}).json() == []
