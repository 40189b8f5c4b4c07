"""Lets time pass: slices of the engine between the other tasks of the caller's loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from heapq import heappop, heappush
from itertools import count, takewhile
from time import perf_counter
from typing import Literal

from outsim.clock import NEVER, SECOND, after
from outsim.engine.readable.state import Call
from outsim.errors import SandboxError
from outsim.live.board import Board
from outsim.live.clock import ClockState, Until
from outsim.live.inputs import Answer, AnyInput, Clock, Note
from outsim.live.log import InputLog, moment_of
from outsim.live.planning import Handed, SessionPlan
from outsim.live.run import LiveRun, OpenPost
from outsim.live.state import Begun
from outsim.live.views import ClockView, Event, EventKind, Post, Poster, Reply
from outsim.plan import CampaignPlan, Plan

SLICE_S = 0.008
"""Wall time after which the engine lets other tasks go on."""
LEASE_S = 1.0
"""Wall time for which a free clock's future is put down in the log at once."""
BEHIND_S = 1.0
"""Lag of a free clock that it does not try to make up for."""
KEPT_EVENTS = 10_000
"""Events that can still be asked for."""
_IDLE_S = 0.5


@dataclass(eq=False)
class Working:
    """Something outside that an advancing clock waits for."""

    why: str


@dataclass(eq=False)
class _Watch:
    """Looks out for the next thing of a kind."""

    kind: EventKind
    tenant: str | None
    campaign: str | None
    is_met: bool = False

    def see(self, kind: EventKind, tenant: str, campaign: str) -> None:
        self.is_met = self.is_met or (
            kind == self.kind
            and self.tenant in (None, tenant)
            and self.campaign in (None, campaign)
        )


_current: ContextVar[Working | None] = ContextVar("current", default=None)


class Driver:
    """The engine, the log and the clock of one session.

    Parameters
    ----------
    begun : Begun
        Scenario, seed, and how handlers are treated.
    log : InputLog
        Inputs so far, which are replayed, and those to come.
    poster : callable, optional
        Posts to real handlers.
    base : Plan, optional
        Plan of the scenario and the seed, if it is there already.
    """

    def __init__(
        self, begun: Begun, log: InputLog, poster: Poster | None, base: Plan | None = None
    ) -> None:
        self.begun = begun
        self.log = log
        self.poster = poster
        self.session = SessionPlan(begun.scenario, begun.seed, begun.handlers, base)
        self.board = Board(self.session, self._tell)
        self.run = LiveRun(self.session, self.board, self._post_begins)
        self.state: ClockState = "held"
        self.speed = 1.0
        self.behind_s = 0.0
        self._events: deque[tuple[int, int, EventKind, str, str, int, str, int]] = deque(
            maxlen=KEPT_EVENTS
        )
        self._last_event = 0
        self._is_closed = False
        self._watch: _Watch | None = None
        self.notes: list[Note] = []
        """What the interface remembers."""
        self.strikes: dict[int, int] = {}
        """How often each fault has struck."""
        self._anchor = (0.0, 0)
        self._leased_us = 0
        self._target_us = 0
        self._is_there: Callable[[], bool] | None = None
        self._met = False
        self._working: dict[Working, None] = {}
        self._sleepers: list[tuple[int, int, asyncio.Future[None], Working | None]] = []
        self._count = count()
        self._changed = asyncio.Event()
        self._done = asyncio.Condition()
        self._told: list[asyncio.Future[None]] = []
        self._begun_posts: list[OpenPost] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop_task: asyncio.Task[None] | None = None
        self._advancing = asyncio.Lock()
        self._error: BaseException | None = None

    # Time.

    @property
    def begins(self) -> datetime:
        """When the scenario begins, local time."""
        return self.begun.scenario.clock.begins

    @property
    def latest_us(self) -> int:
        """Where the run ends at the latest."""
        return self.session.base.latest_us

    def local(self, at: int) -> datetime:
        """Local time of an instant."""
        return after(self.begins, at)

    @property
    def now(self) -> int:
        """Everything before is done, nothing from then on is."""
        return self.run.reached_us

    def _wall_us(self) -> int:
        """Where a free clock should be."""
        wall, at = self._anchor
        return min(self.latest_us, at + int((perf_counter() - wall) * self.speed * SECOND))

    def _anchor_here(self) -> None:
        self._anchor = perf_counter(), self.now

    def touch(self) -> int:
        """Let a free clock catch up, if that takes no time, and say where it is."""
        if self.state == "free" and self._loop_task is not None:
            self._slice(self._limit(self._wall_us()))
        return self.now

    def _limit(self, until_us: int) -> int:
        """Where the clock may go at most before somebody outside has acted."""
        if self._sleepers:
            until_us = min(until_us, max(self.now, self._sleepers[0][0]))
        if self.begun.handler_time == "scenario" and self.run.deliveries.posts:
            ends = (p.begun + p.drawn_us for p in self._unanswered())
            until_us = min(until_us, max(self.now, min(ends, default=NEVER)))
        return until_us

    def _unanswered(self) -> Iterator[OpenPost]:
        return (post for post in self.run.deliveries.posts.values() if post.answer is None)

    def _slice(self, until_us: int) -> None:
        """Let the engine go on, for a slice at most."""
        if until_us > self.now:
            ends = perf_counter() + SLICE_S
            self.run.advance(until_us, lambda: perf_counter() >= ends)
            self._send_posts()

    def view(self) -> ClockView:
        """All there is to say of the clock."""
        now = self.touch()
        return ClockView(
            now=now,
            local=self.local(now).isoformat(),
            state=self.state,
            speed=self.speed,
            behind_s=round(self.behind_s + self._lag_s(), 3),
            handler_time=self.begun.handler_time,
            begins=self.begins.isoformat(),
            ends=self.local(self.latest_us).isoformat(),
            open_posts=len(self.run.deliveries.posts),
            reasons=[working.why for working in self._working],
        )

    def _lag_s(self) -> float:
        if self.state != "free":
            return 0.0
        return max(0.0, (self._wall_us() - self.now) / SECOND / self.speed)

    # The loop.

    def start(self) -> None:
        """Replay the log to its moment, and begin to let time pass."""
        last = Clock(state="held")
        for entry in self.log:
            self._advance_fully(entry.at)
            self._act(entry)
            if isinstance(entry, Clock):
                last = entry
        self._advance_fully(min(moment_of(self.log), self.latest_us))
        self._leased_us = self.now
        self.state = "free" if last.state == "free" else "held"
        self.speed = last.speed
        self._anchor_here()
        self._begun_posts.clear()
        for post in self._unanswered():
            self._send(post, is_resent=True)
        self._loop_task = asyncio.create_task(self._go_on(), name="outsim sandbox")

    def _advance_fully(self, until_us: int) -> None:
        while self.now < until_us:
            self.run.advance(until_us)

    async def close(self) -> None:
        """Let no more time pass."""
        if self.state == "free" and self._error is None:
            # It goes on from here, and not from where it might have got to.
            self.take(Clock(state="free", speed=self.speed))
        tasks = [*self._tasks, *([self._loop_task] if self._loop_task else [])]
        self._loop_task = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._is_closed = True
        for waiting in self._told:
            if not waiting.done():
                waiting.set_result(None)
        await self.log.close()

    async def _go_on(self) -> None:
        try:
            while True:
                self._changed.clear()
                pause_s = self._work()
                if pause_s == 0:
                    await asyncio.sleep(0)
                    continue
                try:
                    async with asyncio.timeout(pause_s):
                        await self._changed.wait()
                except TimeoutError:
                    pass
        except Exception as error:
            self._error = error
            await self._notify()
            raise

    def _work(self) -> float | None:
        """Let the engine go on for a slice; how long to wait for the next, None for a change."""
        self._wake_sleepers()
        if self.state == "free":
            wall_us = self._wall_us()
            limit_us = self._limit(wall_us)
            self._slice(limit_us)
            self._wake_sleepers()
            lag_s = self._lag_s()
            if self.now < limit_us:
                self._slow_down(lag_s)
                return 0.0
            if limit_us < wall_us:
                self._slow_down(lag_s)
                return _IDLE_S
            if self.now >= self.latest_us:
                return None
            coming_s = (self.run.next_us - self.now) / SECOND / self.speed
            return min(_IDLE_S, max(0.001, coming_s))
        if self.state != "advancing" or self._working:
            return None
        self._slice(self._limit(self._target_us))
        self._wake_sleepers()
        self._met = self._met or bool(self._is_there and self._is_there())
        if self._met or self.now >= self._target_us:
            if self._working:
                return None
            self.state = "ready"
            self._spawn(self._notify())
            return None
        return 0.0 if not self._working else None

    def _slow_down(self, lag_s: float) -> None:
        """Give up on a lag that is not made up for: the clock is behind, and says so."""
        if lag_s > BEHIND_S:
            self.behind_s += lag_s
            self._anchor_here()
            self._emit("clock", "", "", -1, "behind", 0)

    async def _notify(self) -> None:
        async with self._done:
            self._done.notify_all()

    def _spawn(self, work: object) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # The clock's orders.

    async def turn(self, order: Clock) -> None:
        """Hold the clock or set it free; durable when it returns."""
        self.touch()
        if self.state == "advancing":
            raise SandboxError("the clock is advancing; wait until it is ready", "conflict")
        self.take(order)
        self.state = order.state
        self.speed = order.speed
        self.behind_s = 0.0
        self._anchor_here()
        self._emit("clock", "", "", -1, order.state, 0)
        self._changed.set()
        await self.committed()

    async def advance(self, until_us: int, is_there: Callable[[], bool] | None) -> bool:
        """Advance to an instant, or until something is the case; whether it came to be."""
        if self.state == "advancing":
            raise SandboxError("the clock is advancing; wait until it is ready", "conflict")
        self.touch()
        is_so_already = is_there is not None and is_there()
        if is_so_already:
            until_us = self.now
        self._target_us, self._is_there, self._met = until_us, is_there, False
        self.state = "advancing"
        self._emit("clock", "", "", -1, "advancing", 0)
        self._changed.set()
        async with self._done:
            await self._done.wait_for(lambda: self.state != "advancing" or self._error)
        if self._error is not None:
            raise self._error
        self._is_there = self._watch = None
        self._emit("clock", "", "", -1, "ready", 0)
        self.take(Clock(state="held", speed=self.speed))
        await self.committed()
        return self._met or is_so_already

    def condition(
        self, what: Until, tenant: str | None, campaign: str | None
    ) -> Callable[[], bool]:
        """Whether something has come to be since now."""
        if what == "idle":
            return lambda: self.board.is_idle
        if what == "campaign over":
            if tenant is None or campaign is None:
                raise SandboxError("campaign over: name tenant and campaign")
            rank = self.session.find(tenant, campaign).plan.rank
            return lambda: self.board.is_over(rank)
        watch = _Watch(
            "visible" if what == "next update visible" else "delivery_begun", tenant, campaign
        )
        self._watch = watch
        return lambda: watch.is_met

    async def sleep_until(self, at: int) -> None:
        """Wait until an instant; the clock stops there until whoever waited goes on."""
        working = _current.get()
        if working is not None:
            self._working.pop(working, None)
            self._changed.set()
        woken = asyncio.get_running_loop().create_future()
        heappush(self._sleepers, (at, next(self._count), woken, working))
        self._changed.set()
        await woken

    def _wake_sleepers(self) -> None:
        while self._sleepers and self._sleepers[0][0] <= self.now:
            _, _, woken, working = heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)
                if working is not None:
                    self._working[working] = None

    @contextmanager
    def busy(self, why: str) -> Iterator[None]:
        """An advancing clock waits meanwhile."""
        working = self._begin(why)
        token = _current.set(working)
        try:
            yield
        finally:
            _current.reset(token)
            self._over(working)

    def _begin(self, why: str) -> Working:
        working = Working(why)
        self._working[working] = None
        return working

    def _over(self, working: Working) -> None:
        self._working.pop(working, None)
        self._changed.set()

    # Inputs.

    def take(self, entry: AnyInput) -> AnyInput:
        """Stamp an input, append it to the log, and have it act; it is durable once `committed`.

        Raises
        ------
        SandboxError
            If it can't be done; it is not in the log then.
        """
        if self._error is not None:
            raise self._error
        self.touch()
        return self._take_now(entry)

    def _take_now(self, entry: AnyInput) -> AnyInput:
        """The same, without letting a free clock catch up before."""
        now = self.now
        entry = entry.model_copy(update={"at": now, "number": len(self.log) + 1})
        if entry.kind == "submit":
            entry = self.session.named(entry)
        if entry.kind not in ("clock", "answer", "strike"):
            self.session.check(entry)
        self.log.append(entry)
        self._leased_us = max(self._leased_us, now)
        self._act(entry)
        self._changed.set()
        return entry

    def _act(self, entry: AnyInput) -> None:
        if entry.kind == "strike":
            self.strikes[entry.fault] = self.strikes.get(entry.fault, 0) + 1
        if entry.kind == "note":
            self.notes.append(entry)
        if entry.kind == "answer" and entry.status is not None:
            self.board.statuses[entry.call_id, entry.post] = entry.status
        self.run.hand_in_others()
        self.run.apply(self.session.add(entry))
        tenant = getattr(entry, "tenant", None) or ""
        self._emit("input", tenant, getattr(entry, "campaign", None) or "", -1, entry.kind, 0)

    async def committed(self) -> None:
        """Wait until all that can be read now is durable, and would be so after a crash."""
        now = self.touch()
        if now > self._leased_us:
            is_free = self.state == "free"
            ahead = round(LEASE_S * self.speed * SECOND) if is_free else 0
            until = self._leased_us = min(now + ahead, self.latest_us)
            state: Literal["free", "held"] = "free" if is_free else "held"
            order = Clock(at=now, state=state, speed=self.speed, until=until)
            self.log.append(order.model_copy(update={"number": len(self.log) + 1}))
        await self.log.durable()

    # Posts.

    def _post_begins(self, call: Call, number: int) -> None:
        handed = self.session.handed_of_call(call.call_id)
        if handed is None:
            return
        self._tell("delivery_begun", handed.plan, call.call_id, "", number)
        post = self.run.deliveries.posts.get((call.call_id, number))
        if post is not None:
            self._begun_posts.append(post)
            # Nothing else may happen before the handler has been asked.
            self.run.stop_asked = True

    def _send_posts(self) -> None:
        posts, self._begun_posts = self._begun_posts, []
        for post in posts:
            self._send(post)

    def _send(self, post: OpenPost, *, is_resent: bool = False) -> None:
        """Have a post sent; an advancing clock waits from now on."""
        if self.poster is not None:
            handed = self.session.of_rank(post.call.campaign.plan.rank)
            view = self.post_of(handed, post.call.index, post.number, is_resent=is_resent)
            why = f"the answer of {view.url} about call {view.call.call_id}"
            self._spawn(self._post(post, view, self._begin(why), self.poster))

    def post_of(self, handed: Handed, index: int, number: int, *, is_resent: bool) -> Post:
        """A post about a call, as a poster gets it."""
        assert handed.entry is not None
        assert handed.plan.result_url is not None
        return Post(
            call=self.board.call(handed, index),
            url=handed.entry.result_url or "",
            number=number,
            begun_at=self.now,
            timeout_us=self.session.endpoints[handed.plan.result_url.endpoint].timeout_us,
            is_resent=is_resent,
        )

    async def _post(self, post: OpenPost, view: Post, working: Working, poster: Poster) -> None:
        """Post to a real handler, and take its answer as an input."""
        call = post.call
        token = _current.set(working)
        try:
            # A handler may pass on what it hears: after a crash, time must not be before it.
            await self.committed()
            began = perf_counter()
            try:
                reply = await poster(view)
            except Exception:
                reply = Reply("unreachable")
            if (call.call_id, post.number) not in self.run.deliveries.posts:
                return  # time is out: the model has gone on without it
            now = self.touch()
            if (call.call_id, post.number) not in self.run.deliveries.posts:
                return
            passed_us = now - post.begun
            if self.begun.handler_time == "scenario":
                latency_us = max(passed_us, post.drawn_us)
            elif self.state == "free":
                latency_us = passed_us
            else:
                wall_s = perf_counter() - began if reply.wall_s is None else reply.wall_s
                latency_us = max(passed_us, round(wall_s * self.speed * SECOND))
            self._take_now(
                Answer(
                    call_id=call.call_id,
                    post=post.number,
                    result=reply.result,
                    latency_ms=max(1, -(-latency_us // 1000)),
                    status=reply.status,
                )
            )
            await self.log.durable()
        finally:
            _current.reset(token)
            self._over(working)

    # What is told.

    def _tell(
        self, kind: EventKind, plan: CampaignPlan, call_id: int, word: str, number: int
    ) -> None:
        self._emit(kind, plan.tenant, plan.name, call_id, word, number)

    def _emit(
        self, kind: EventKind, tenant: str, campaign: str, call_id: int, word: str, number: int
    ) -> None:
        if self._watch is not None:
            self._watch.see(kind, tenant, campaign)
        at = self.now if kind in ("input", "clock") else self.run.platform.events.now
        self._last_event += 1
        self._events.append((self._last_event, at, kind, tenant, campaign, call_id, word, number))
        if self._is_there is not None and self._is_there():
            self.run.stop_asked = True
        if self._told:
            told, self._told = self._told, []
            for waiting in told:
                if not waiting.done():
                    waiting.set_result(None)

    async def listen(self, after: int | None) -> AsyncIterator[Event]:
        """What happens after an event of that number, or from now on."""
        last = self._last_event if after is None else after
        until = perf_counter() + SLICE_S
        while True:
            fresh = [*takewhile(lambda event: event[0] > last, reversed(self._events))]  # noqa: B023
            for event in reversed(fresh):
                last = event[0]
                yield Event(*event)
                # More may come for as long as someone listens: others have their turn too.
                if perf_counter() >= until:
                    await asyncio.sleep(0)
                    until = perf_counter() + SLICE_S
            if not fresh:
                waiting = asyncio.get_running_loop().create_future()
                self._told.append(waiting)
                await waiting
                if self._is_closed:
                    return
