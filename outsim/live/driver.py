"""Lets time pass: slices of the engine between the other tasks of the caller's loop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter
from typing import Any

from outsim.clock import SECOND, after
from outsim.engine.readable.state import Call
from outsim.errors import SandboxError
from outsim.live.board import Board
from outsim.live.clock import ClockState, Until, why_it_ends
from outsim.live.conditions import Condition, Conditions
from outsim.live.feed import EventFeed
from outsim.live.inputs import AnyInput, Clock
from outsim.live.intake import Intake
from outsim.live.log import InputLog
from outsim.live.pace import Pace
from outsim.live.planning import SessionPlan
from outsim.live.posting import Posting, answer_of
from outsim.live.run import LiveRun, OpenPost
from outsim.live.state import Begun
from outsim.live.views import ClockView, EventKind, Poster, Reply
from outsim.live.waiting import Waiting, Work
from outsim.plan import CampaignPlan, Plan

CLOSED = "the sandbox was closed"
SLICE_S = 0.008
"""Wall time after which the engine lets other tasks go on."""
_IDLE_S = 0.5


@dataclass(eq=False)
class _Advance:
    """An order to advance, from when it is given until the clock stands again."""

    until_us: int
    is_there: Condition | None
    done: asyncio.Future[None]
    is_met: bool

    def is_there_now(self, now: int) -> bool:
        """Whether it has come to its end, at an instant after which nothing has happened yet."""
        self.is_met = self.is_met or (self.is_there is not None and self.is_there())
        return self.is_met or now >= self.until_us


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
        self.session = SessionPlan(begun.scenario, begun.seed, begun.handlers, base)
        self.board = Board(self.session, self._tell)
        self.run = LiveRun(self.session, self.board, self._post_begins)
        self.state: ClockState = "held"
        self.intake = Intake(
            *(self.session, log, self.run, self.board, self._tell_input), self._until_us
        )
        self.conditions = Conditions(self.session, self.board)
        self.pace = Pace()
        self.feed = EventFeed()
        self._changed = asyncio.Event()
        self.waiting = Waiting(self._changed.set)
        self.posting = Posting(
            *(self.session, self.board, self.waiting, poster),
            *(self.committed, log.durable, self._take_answer),
        )
        self._advance: _Advance | None = None
        self._begun_posts: list[OpenPost] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop_task: asyncio.Task[None] | None = None
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

    @property
    def speed(self) -> float:
        """Simulated time for wall-clock time, of a free clock."""
        return self.pace.speed

    def _wall_us(self) -> int:
        """Where a free clock should be."""
        return min(self.latest_us, self.pace.due_us)

    def touch(self) -> int:
        """Let a free clock catch up, if that takes no time, and say where it is."""
        if self.state == "free" and self._loop_task is not None:
            self._stand()
            self._slice(self._limit(self._wall_us()))
        return self.now

    def _limit(self, until_us: int) -> int:
        """Where the clock may go at most before somebody outside has acted."""
        return min(until_us, max(self.now, self.waiting.limit_us))

    def _stand(self) -> None:
        """What a free clock has waited for a handler is not made up for: it is behind."""
        if self.state == "free" and self.waiting.until_us <= self.now:
            self._slow_down(self._lag_s(), has_waited=True)

    def _slice(self, until_us: int) -> None:
        """Let the engine go on, for a slice at most."""
        if until_us > self.now:
            ends = perf_counter() + SLICE_S
            self.run.advance(until_us, lambda: perf_counter() >= ends)
            self._send_posts()
            if self.now >= self.latest_us:
                self._emit_clock("over")

    def view(self) -> ClockView:
        """All there is to say of the clock."""
        now = self.touch()
        return ClockView(
            now=now,
            local=self.local(now).isoformat(),
            state=self.state,
            speed=self.speed,
            behind_s=round(self.pace.behind_s + self._lag_s(), 3),
            handler_time=self.begun.handler_time,
            begins=self.begins.isoformat(),
            ends=self.local(self.latest_us).isoformat(),
            ends_why=why_it_ends(self.begun.scenario),
            is_over=now >= self.latest_us,
            open_posts=len(self.run.deliveries.posts),
            reasons=self.waiting.reasons(now) if self.state == "free" else self.waiting.reasons(),
        )

    def _lag_s(self) -> float:
        lag_s = self.pace.wall_s(self._wall_us() - self.now)
        return max(0.0, lag_s) if self.state == "free" else 0.0

    # The loop.

    def start(self, order: Clock | None) -> None:
        """Replay the log to its moment, and go on from there as ordered, or as it was."""
        last = self.intake.replay()
        if order is not None:
            last = order
            self._take_now(order)
        self.state = "free" if last.state == "free" else "held"
        self.pace.set(last.speed, self.now)
        self._begun_posts = [*self.run.deliveries.unanswered()]
        self._send_posts(is_resent=True)
        self._loop_task = asyncio.create_task(self._go_on(), name="outsim sandbox")

    async def close(self) -> None:
        """Let no more time pass; an advance under way ends here, and says so."""
        with suppress(SandboxError):  # a log that can't be written any more is closed as well
            if self.state == "advancing":
                self._take_now(Clock(state="held", speed=self.speed))
            elif self.state == "free" and self._error is None:
                # It goes on from here, and not from where it might have got to.
                self.take(Clock(state="free", speed=self.speed))
        self._stop(SandboxError(CLOSED, "conflict"))
        tasks = [*self._tasks, *([self._loop_task] if self._loop_task else [])]
        self._loop_task = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        try:
            await self.log.close()
        finally:
            # Last: whoever listened may look for the session that comes next.
            self.feed.close()

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
            self._stop(error)
            raise

    def _stop(self, error: BaseException) -> None:
        """Let no more time pass, and say why to whoever orders something."""
        self._error = self._error or error
        self.state = "held"
        advance, self._advance = self._advance, None
        if advance is not None and not advance.done.done():
            advance.done.set_exception(self._error)

    def _work(self) -> float | None:
        """Let the engine go on for a slice; how long to wait for the next, None for a change."""
        self.waiting.wake(self.now)
        if self.state == "free":
            self._stand()
            wall_us = self._wall_us()
            limit_us = self._limit(wall_us)
            self._slice(limit_us)
            self.waiting.wake(self.now)
            lag_s = self._lag_s()
            if self.now < limit_us:
                self._slow_down(lag_s)
                return 0.0
            if limit_us < wall_us:
                return _IDLE_S if self.waiting.limit_us <= self.now else 0.0
            if self.now >= self.latest_us:
                return None
            coming_s = self.pace.wall_s(self.run.next_us - self.now)
            return min(_IDLE_S, max(0.001, coming_s))
        advance = self._advance
        if advance is None or self.waiting:
            return None
        if not advance.is_there_now(self.now):
            self._slice(self._limit(advance.until_us))
            self.waiting.wake(self.now)
            is_there = advance.is_there_now(self.now)
            if self.waiting:
                return None
            if not is_there:
                return 0.0
        self._emit_clock("ready")
        self._hold()
        self.state = "ready"
        if not advance.done.done():
            advance.done.set_result(None)
        return None

    def _hold(self) -> None:
        """End an advance: the clock is held here, and the log says so."""
        self.state, self._advance = "held", None
        self.conditions.clear()
        self._take_now(Clock(state="held", speed=self.speed))

    def _slow_down(self, lag_s: float, *, has_waited: bool = False) -> None:
        """Give up on a lag that is not made up for: the clock is behind, and says so."""
        if self.pace.slow_down(lag_s, self.now, has_waited=has_waited):
            self._emit_clock("behind")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._stop(error)

    # The clock's orders.

    def _check_ready(self) -> None:
        """Refuse an order while another is being carried out, or none can be any more."""
        if self._error is not None:
            raise self._error
        if self.state == "advancing":
            raise SandboxError("the clock is advancing; wait until it is ready", "conflict")

    async def turn(self, order: Clock) -> None:
        """Hold the clock or set it free; durable when it returns."""
        self.touch()
        self._check_ready()
        self.take(order)
        self.state = order.state
        self.pace.set(order.speed, self.now)
        self._emit_clock(order.state)
        self._changed.set()
        await self.committed()

    async def advance(self, until_us: int, is_there: Condition | None) -> bool:
        """Advance to an instant, or until something is the case; whether it came to be.

        One that is canceled leaves the clock held where it has got to.
        """
        self._check_ready()
        self.touch()
        is_so_already = is_there is not None and is_there()
        done = asyncio.get_running_loop().create_future()
        advance = _Advance(
            self.now if is_so_already else until_us, is_there, done, is_met=is_so_already
        )
        self.state, self._advance = "advancing", advance
        self._emit_clock("advancing")
        self._changed.set()
        try:
            await done
        except asyncio.CancelledError:
            if self._advance is advance:
                self._hold()
            raise
        await self.committed()
        return advance.is_met

    def condition(self, what: Until, tenant: str | None, campaign: str | None) -> Condition:
        """Whether something has come to be since now."""
        self._check_ready()
        return self.conditions.of(what, tenant, campaign)

    async def sleep_until(self, at: int) -> None:
        """Wait until an instant; the clock stops there until whoever waited goes on."""
        await self.waiting.sleep_until(at)

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
        taken = self.intake.take(entry)
        self._changed.set()
        return taken

    async def committed(self) -> None:
        """Wait until all that can be read now is durable, and would be so after a crash."""
        self.touch()
        while True:
            self.intake.lease(self.speed, is_free=self.state == "free")
            await self.log.durable()
            # A disk may take longer than a free clock was given.
            if self.touch() <= self.intake.leased_us:
                return

    # Posts.

    def _post_begins(self, call: Call, number: int) -> None:
        campaign = self.session.campaign_of_call(call.call_id)
        if campaign is None:
            return
        self._tell("delivery_begun", campaign.plan, call.call_id, "", number)
        post = self.run.deliveries.posts.get((call.call_id, number))
        if post is not None:
            self._begun_posts.append(post)
            # Nothing else may happen before the handler has been asked.
            self.run.stop_asked = True

    def _send_posts(self, *, is_resent: bool = False) -> None:
        posts, self._begun_posts = self._begun_posts, []
        for post in posts:
            sending = self.posting.send(
                *(post, self.now, self.limit_s(post.timeout_us), self._until_us(post)),
                is_resent=is_resent,
            )
            if sending is not None:
                self._spawn(sending)

    def _until_us(self, post: OpenPost) -> int:
        """Where time stops until it is known what became of a post."""
        if self.begun.handler_time == "scenario":
            return min(post.begun + post.drawn_us, post.latest_us)
        return post.latest_us

    def limit_s(self, timeout_us: int) -> float:
        """How long a page may take by the wall clock."""
        is_timed = self.begun.handler_time == "real" and self.state == "free"
        return self.pace.limit_s(timeout_us, is_timed=is_timed)

    def _take_answer(self, post: OpenPost, work: Work, reply: Reply, wall_s: float) -> None:
        """Take what became of a post as an input."""
        if not self.run.deliveries.is_open(post):
            return  # it came too late on order, and was given up
        if self.begun.handler_time == "scenario":
            lasted_us = post.drawn_us
        else:
            wall_s = wall_s if reply.wall_s is None else reply.wall_s
            lasted_us = round(wall_s * self.speed * SECOND)
        # What is over can't be changed: it ends now at the earliest.
        latency_us = max(self.now - post.begun, lasted_us)
        self._stand()
        self._take_now(answer_of(post, reply, latency_us))
        self.waiting.pass_by(work)

    # What is told.

    def _tell(
        self, kind: EventKind, plan: CampaignPlan, call_id: int, status: str, attempt: int
    ) -> None:
        at = self.run.platform.events.now
        self._emit(at, kind, plan.tenant, plan.name, call_id, status, attempt)

    def _tell_input(self, entry: AnyInput) -> None:
        tenant, campaign = (getattr(entry, name, None) or "" for name in ("tenant", "campaign"))
        self._emit(self.now, "input", tenant, campaign, status=entry.kind)

    def _emit_clock(self, state: str) -> None:
        self._emit(self.now, "clock", status=state)

    def _emit(
        self,
        at: int,
        kind: EventKind,
        tenant: str = "",
        campaign: str = "",
        call_id: int = -1,
        status: str = "",
        attempt: int = 0,
    ) -> None:
        self.conditions.see(kind, tenant, campaign)
        self.feed.add(at, kind, tenant, campaign, call_id, status, attempt)
        is_there = None if self._advance is None else self._advance.is_there
        if is_there is not None and is_there():
            self.run.stop_asked = True
