"""Final results, posted to real handlers at result_url, and start_url as calls are answered."""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from outsim.errors import SandboxError
from outsim.live.pages import Exchange, Pages
from outsim.live.sandbox import Sandbox
from outsim.live.views import CallView, Dial, Event, Post, Reply
from outsim.vocabulary import FINAL_STATUSES, FIRST_CALL_ID

KEPT_EXCHANGES, KEPT_OF_A_POST = 10_000, 20
"""Posts whose exchanges are kept, and exchanges of each: it may be sent again on order."""
INTERFACE, FUSE = "interface", "fuse"
"""What a call's `extra` says of the interface that it came by."""
CALLEE_TYPES_OF_FAILURES = {"busy": "busy", "no_answer": "noanswer"}
"""How the callee type hints at why a call failed. The platform's own words are not public."""
CALLEE_TYPE_MEANINGS = {
    "voice": "a person answered, or what was taken for one",
    "answeringmachine": "voicemail answered, or what was taken for it",
    "fax": "a fax machine answered",
    "unknown": "it was answered, and not found out by whom",
    "processing": "the call was over before that was found out",
    "busy": "the line was busy at the last attempt",
    "noanswer": "nobody answered the last attempt",
    "invalid": "there is no such number",
    "congestion": "the carrier refused the last attempt, or an outage cut it off",
    "": "it was never dialed: canceled or expired before",
}
"""What each callee type at a result_url means."""
SHOWN_STATUSES = {"scheduled": "queued", "waiting_retry": "queued"}
"""Statuses that Fuse has no word for."""
EVENTS = {"completed": "disconnected", "waiting_retry": "disconnected"}
"""What Fuse calls a change of status, where its word is another one."""


def unix(sandbox: Sandbox, at: int) -> int:
    """UNIX time of an instant."""
    return int(sandbox.clock.local(at).timestamp())


def last_dial(call: CallView) -> Dial | None:
    """The last attempt of a call that reached the carrier."""
    return next((dial for dial in reversed(call.attempts) if dial.dialed_at is not None), None)


def callee_type(call: CallView) -> str:
    """What the customer is told of who answered, or of why nobody did."""
    dial = last_dial(call)
    if dial is None:
        return ""
    return dial.callee_type or CALLEE_TYPES_OF_FAILURES.get(dial.outcome, dial.outcome)


def duration_s(call: CallView) -> int:
    """Seconds that the last attempt was connected."""
    dial = last_dial(call)
    if dial is None or dial.answered_at is None or dial.ended_at is None:
        return 0
    return (dial.ended_at - dial.answered_at) // 1_000_000


def result_fields(sandbox: Sandbox, call: CallView) -> dict[str, str]:
    """What a DEV result_url is posted."""
    dial = last_dial(call)
    at = unix(sandbox, dial.dispatched_at) if dial is not None else 0
    return {
        "phone_number": call.phone_number,
        "message_reference": call.variables.get(
            "message_reference", call.extra.get("message_reference", "")
        ),
        "call_id": str(FIRST_CALL_ID + call.call_id),
        "result": call.visible_status,
        "callee_type": callee_type(call),
        "attempts": str(call.visible_attempts),
        "last_attempt_timestamp": str(at),
        "duration": str(duration_s(call)),
    }


def call_details(sandbox: Sandbox, call: CallView) -> dict[str, Any]:
    """What Fuse shows of a call, at its status and at result_url: only what is visible by now."""
    now = sandbox.clock.now
    seen = [
        change
        for change in call.changes
        if change.visible_at is not None and change.visible_at <= now
    ]
    dial = last_dial(call)
    is_over = call.visible_status in FINAL_STATUSES
    attempted = call.visible_attempts and dial is not None
    return {
        "phone_number": call.phone_number,
        "status": SHOWN_STATUSES.get(call.visible_status, call.visible_status),
        "attempts": str(call.visible_attempts),
        "max_attempts": str(1 + call.max_retry),
        "queued_timestamp": str(unix(sandbox, call.submitted_at)),
        "start_timestamp": ""
        if call.start <= call.submitted_at
        else str(unix(sandbox, call.start)),
        "end_timestamp": "" if call.expires is None else str(unix(sandbox, call.expires)),
        "reattempt_wait": str(call.retry_interval_s),
        "last_attempt_timestamp": (
            str(unix(sandbox, dial.dispatched_at)) if attempted and dial is not None else ""
        ),
        "callee_type": callee_type(call) if is_over else "",
        "events": [
            {
                "event": EVENTS.get(change.status, change.status),
                "timestamp": unix(sandbox, change.happened_at),
            }
            for change in seen
            if change.status != "scheduled"
        ],
        "duration": duration_s(call) if call.visible_status == "completed" else 0,
    }


@dataclass
class StartFetch:
    """What came of fetching start_url for a call that was answered."""

    at: int
    exchange: Exchange

    @property
    def problem(self) -> str:
        """Why there is nothing to be heard; empty if the page came."""
        if self.exchange.status == 200:
            return ""
        found = self.exchange.error or f"status {self.exchange.status}"
        return f"{self.exchange.url} was not fetched: {found}"


@dataclass
class Posts:
    """Posts of a sandbox, with what went over the wire.

    Attributes
    ----------
    pages : Pages
        Sends them.
    exchanges : mapping
        What was sent and answered by call_id and number of the post; the latest are kept.
        Faults may send one more often.
    starts : mapping
        The last fetch of start_url by call_id.
    """

    pages: Pages
    start_method: Literal["POST", "GET"] = "POST"
    exchanges: OrderedDict[tuple[int, int], list[Exchange]] = field(default_factory=OrderedDict)
    starts: OrderedDict[int, StartFetch] = field(default_factory=OrderedDict)
    _sandbox: Sandbox | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def attach(self, sandbox: Sandbox) -> None:
        """Post for this sandbox; it is made after its poster."""
        self._sandbox = sandbox

    @property
    def sandbox(self) -> Sandbox:
        """The sandbox that it posts for."""
        if self._sandbox is None:
            raise RuntimeError("attach a sandbox first")
        return self._sandbox

    async def post(self, post: Post) -> Reply:
        """Post a final result to a real handler: the sandbox's poster."""
        sandbox = self.sandbox
        if (
            post.is_ordered or post.is_resent
        ):  # on order, or after a restart: what struck it has done so
            return _reply(await self._post(post))
        whom = {"tenant": post.call.tenant, "campaign": post.call.campaign}
        whom |= {"phone_number": post.call.phone_number, "endpoint": post.url}
        late = sandbox.strikes("late", **whom) or sandbox.strikes("reordered", **whom)
        if late is not None:
            # Whatever is posted in the meantime comes before it.
            await sandbox.clock.sleep(round((late.delay_s or 1.0) * 1_000_000))
        is_twice = sandbox.strikes("duplicated", **whom) is not None
        exchange, *_ = await asyncio.gather(*(self._post(post) for _ in range(1 + is_twice)))
        if sandbox.strikes("answer_lost", **whom) is not None:
            exchange.error = "the answer was lost, as ordered"
            return Reply("timeout", exchange.status)
        return _reply(exchange)

    async def _post(self, post: Post) -> Exchange:
        sandbox = self.sandbox
        timeout_s = sandbox.limit_s(post.timeout_us)
        if post.call.extra.get(INTERFACE) == FUSE:
            details = json.dumps(call_details(sandbox, post.call))
            exchange = await self.pages.post_json(post.url, details, timeout_s, post)
        else:
            fields = result_fields(sandbox, post.call)
            exchange = await self.pages.post_form(post.url, fields, timeout_s, about=post)
        sent = self.exchanges.setdefault((post.call.call_id, post.number), [])
        sent.append(exchange)
        del sent[:-KEPT_OF_A_POST]
        while len(self.exchanges) > KEPT_EXCHANGES:
            self.exchanges.popitem(last=False)
        return exchange

    async def happenings(self, after: int | None = None) -> AsyncIterator[Event]:
        """Events from now on, or after one; those after a reset follow, from its beginning."""
        while True:
            async for event in self.sandbox.events(after):
                yield event
            after = 0
            await asyncio.sleep(0)

    async def fetch_starts(self) -> None:
        """Fetch start_url whenever a call is answered, until it is canceled."""
        async for event in self.happenings():
            if event.kind == "changed" and event.status == "connected":
                try:
                    call = self.sandbox.call(event.call_id)
                except SandboxError:
                    continue  # the sandbox was reset
                if "start_url" in call.extra:
                    task = asyncio.create_task(self._fetch_start(call, event.at))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)

    async def _fetch_start(self, call: CallView, at: int) -> None:
        with self.sandbox.busy("start_url"):
            exchange = await self.pages.post_form(
                call.extra["start_url"],
                start_fields(call),
                self.sandbox.limit_s(5_000_000),
                self.start_method,
            )
        self.starts[call.call_id] = StartFetch(at, exchange)
        while len(self.starts) > KEPT_EXCHANGES:
            self.starts.popitem(last=False)

    def clear(self) -> None:
        """Forget what was sent."""
        self.exchanges.clear()
        self.starts.clear()


def start_fields(call: CallView) -> Mapping[str, str]:
    """What start_url receives."""
    names = ("message_reference", "campaign_parameters", "call_parameters")
    given = {name: call.extra.get(name, "") for name in names}
    own = {"phone_number": call.phone_number, "call_id": str(FIRST_CALL_ID + call.call_id)}
    return own | given | call.variables


def _reply(exchange: Exchange) -> Reply:
    if exchange.is_timeout:
        return Reply("timeout", None, exchange.wall_s)
    if exchange.status is None:
        return Reply("unreachable", None, exchange.wall_s)
    is_taken = 200 <= exchange.status < 300
    return Reply("accepted" if is_taken else "server_error", exchange.status, exchange.wall_s)
