"""What came and what was sent: requests, deliveries of results, and messages of inboxes."""

from __future__ import annotations

from itertools import islice
from typing import Any

from nicegui import ui

from outsim.live.http import looking
from outsim.live.http.seen import Request
from outsim.live.inbox import INBOX_PATH
from outsim.live.page.orders import Notice
from outsim.live.page.parts import words
from outsim.live.page.rows import SIZE, Column, Pager, Rows
from outsim.live.page.session import Page
from outsim.live.page.sheet import Sheet, block, terms
from outsim.live.page.times import local
from outsim.live.pages import Exchange
from outsim.live.views import DeliveryView
from outsim.text import shortened
from outsim.vocabulary import FIRST_CALL_ID

MOST = 1_000
"""The last deliveries, which can be looked through."""
SHOWN = 80
"""Characters of a message that are in the table."""


class RequestsSeen:
    """Requests of clients as they were seen, and why they were refused."""

    def __init__(self, page: Page) -> None:
        self._page = page
        words("h2", "Requests")
        self._only = ui.checkbox("Only refused ones", on_change=self._choose)
        self._rows = Rows(
            "Requests, the latest first",
            [
                Column("request", "Request", "long"),
                Column("at", "Local time"),
                Column("tenant", "Tenant"),
                Column("status", "Answer", "number"),
                Column("reason", "Why it was refused", "long"),
                Column("nearest", "Accepted form that comes nearest", "long"),
            ],
            actions={"details": "Details"},
            on_act=self._open,
        )
        self._pages = Pager("requests", self.show)
        self._sheet = Sheet()
        self.show()

    def _choose(self) -> None:
        self._pages.begin = 0
        self.show()

    def show(self) -> None:
        """Show the latest, or those that were turned to."""
        found = [
            request
            for request in reversed(self._page.context.requests.last)
            if request.is_refused or not self._only.value
        ]
        self._pages.set_total(len(found))
        begin = self._pages.begin
        self._rows.show([self._cells(request) for request in found[begin : begin + SIZE]])

    def _cells(self, request: Request) -> dict[str, Any]:
        return {
            "key": request.number,
            "request": f"{request.method} {request.path}",
            "at": local(self._page, request.at),
            "tenant": request.tenant,
            "status": f"{request.status}" if request.status else "none",
            "reason": request.reason,
            "nearest": request.nearest,
        }

    def _open(self, _action: str, number: int) -> None:
        for request in self._page.context.requests.last:
            if request.number == number:
                with self._sheet.opened(f"Request {number}"):
                    cells = self._cells(request)
                    terms((column.label, cells[column.name]) for column in self._rows.columns)
                    words("h3", "What it said")
                    terms(request.fields.items())
                    if request.ignored:
                        words("h3", "What means nothing here")
                        terms(
                            (name, f"nearest is {near}" if near else "nothing is near")
                            for name, near in request.ignored.items()
                        )


class Deliveries:
    """Posts of final results, with what went over the wire."""

    def __init__(self, page: Page) -> None:
        self._page = page
        words("h2", "Deliveries")
        self._notice = Notice()
        self._rows = Rows(
            "Posts to result_url, the latest first",
            [
                Column("call", "call_id"),
                Column("post", "Post", "number"),
                Column("campaign", "Campaign", "long"),
                Column("begun", "Begun"),
                Column("result", "Result"),
                Column("status", "Answer", "number"),
                Column("next", "Next try"),
            ],
            actions={"details": "Details", "resend": "Resend"},
            on_act=self._act,
        )
        self._pages = Pager("deliveries", self.show)
        self._sheet = Sheet()
        self.show()

    def show(self) -> None:
        """Show the latest, or those that were turned to."""
        self._found = self._page.context.sandbox.deliveries(last=MOST)[::-1]
        self._pages.set_total(len(self._found))
        begin = self._pages.begin
        self._rows.show([self._cells(view) for view in self._found[begin : begin + SIZE]])

    def _cells(self, view: DeliveryView) -> dict[str, Any]:
        return {
            "key": f"{view.call_id} {view.post}",
            "call": f"{FIRST_CALL_ID + view.call_id}",
            "post": f"{view.post}",
            "campaign": f"{view.tenant}: {view.campaign}",
            "begun": local(self._page, view.begun_at) or "waits",
            "result": view.result.replace("_", " ") or "open",
            "status": "" if view.status is None else f"{view.status}",
            "next": local(self._page, view.next_at) or "none",
        }

    async def _act(self, action: str, key: str) -> None:
        view = next((post for post in self._found if f"{post.call_id} {post.post}" == key), None)
        if view is None:
            return  # the sandbox was reset
        if action == "details":
            self._open(view)
            return
        with self._notice.refusals():
            answer = await looking.resend(self._page.context, FIRST_CALL_ID + view.call_id)
            result = answer["result"].replace("_", " ")
            self._notice.say(f"{answer['done']}: {result}.")

    def _open(self, view: DeliveryView) -> None:
        with self._sheet.opened(f"Post {view.post} about call {FIRST_CALL_ID + view.call_id}"):
            cells = self._cells(view)
            terms(
                [
                    ("URL", view.url),
                    ("Due", local(self._page, view.due_at)),
                    *((column.label, cells[column.name]) for column in self._rows.columns),
                    ("Ended", local(self._page, view.ended_at)),
                ]
            )
            sent = self._page.context.posts.exchanges.get((view.call_id, view.post), ())
            for exchange in sent:
                _wire(exchange)
            if not sent:
                words("p", "Nothing of it went over the wire, or it is kept no more.")


def _wire(exchange: Exchange) -> None:
    """A request to a page, and its answer."""
    block(f"{exchange.method} {exchange.url}", _lines(exchange.headers) or "no headers")
    block("Body", exchange.body)
    if exchange.error:
        words("p", exchange.error).classes("notice")
    if exchange.status is not None:
        block(f"Answer {exchange.status}", _lines(exchange.answer_headers) or "no headers")
        block("Its body", exchange.answer)


def _lines(headers: dict[str, str]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in headers.items())


class Messages:
    """What the built-in receiver got."""

    def __init__(self, page: Page) -> None:
        self._page = page
        words("h2", "Inbox")
        words(
            "p", f"Whatever is posted to {INBOX_PATH}NAME is kept in the inbox of that name."
        ).classes("note")
        with ui.element("div").classes("bar"):
            self._name = ui.select([], label="Inbox", on_change=self._choose).props(
                "dense outlined options-dense"
            )
            self._empty = ui.button("Empty it", on_click=self._clear)
        self._rows = Rows(
            "Messages, the latest first",
            [
                Column("number", "Message"),
                Column("at", "Local time"),
                Column("body", "Body", "long"),
            ],
            actions={"details": "Details"},
            on_act=self._open,
        )
        self._pages = Pager("messages", self.show)
        self._sheet = Sheet()
        self.show()

    def _choose(self) -> None:
        self._pages.begin = 0
        self.show()

    def _clear(self) -> None:
        self._page.context.inbox.clear(self._name.value)
        self.show()

    def show(self) -> None:
        """Show the latest, or those that were turned to."""
        inbox = self._page.context.inbox
        names = inbox.names()
        chosen = self._name.value if self._name.value in names else next(iter(names), None)
        shown = {name: f"{name} ({count:,})" for name, count in names.items()}
        if (shown, chosen) != (self._name.options, self._name.value):
            self._name.set_options(shown, value=chosen)
        self._empty.set_enabled(chosen is not None)
        messages = [] if chosen is None else inbox.messages(chosen)
        self._pages.set_total(len(messages))
        begin = self._pages.begin
        self._rows.show(
            [
                {
                    "key": message.number,
                    "number": f"{message.number}",
                    "at": local(self._page, message.at),
                    "body": shortened(message.body, SHOWN),
                }
                for message in islice(reversed(messages), begin, begin + SIZE)
            ]
        )

    def _open(self, _action: str, number: int) -> None:
        for message in self._page.context.inbox.messages(self._name.value, number - 1)[:1]:
            with self._sheet.opened(f"Message {number} of {self._name.value}"):
                terms([("Local time", message.local)])
                if isinstance(message.fields, dict):
                    terms(message.fields.items())
                block("Headers", _lines(message.headers))
                block("Body", message.body)
