"""The sandbox: the model in the caller's asyncio loop, with an input log and a clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

import numpy as np

from outsim.errors import SandboxError, unknown_name
from outsim.live import state as states
from outsim.live.beginning import beginning_at
from outsim.live.campaigns import SessionCampaign
from outsim.live.clock import SandboxClock
from outsim.live.driver import Driver
from outsim.live.inputs import (
    MODEL_FAULTS,
    AnyInput,
    Cancel,
    Clock,
    EndFault,
    Fault,
    FaultKind,
    Note,
    Pin,
    Resume,
    Stop,
    Strike,
    Submit,
    Suspend,
)
from outsim.live.log import InputLog
from outsim.live.planning import Handlers
from outsim.live.state import Begins, Begun, HandlerTime, Options
from outsim.live.views import (
    CallView,
    CampaignView,
    DeliveryView,
    Done,
    Event,
    EventKind,
    PageRow,
    Poster,
    Rejected,
    Reply,
    Submitted,
)
from outsim.plan import Plan
from outsim.scenario.campaigns import Campaign
from outsim.scenario.loading import load
from outsim.scenario.model import Scenario
from outsim.tape import Purpose
from outsim.vocabulary import PENDING_STATUSES

if TYPE_CHECKING:
    from outsim.live.saving import LeftOut
    from outsim.results.result import Result

SHOWN_NUMBERS = 5
"""Numbers that a message names at most."""

ROWS_IN_A_TURN = 5_000
"""Rows of a table that are read without letting others in the loop go on: some milliseconds."""


class Sandbox:
    """A platform that lives: it takes calls, dials them, and shows and posts what becomes of them.

    Open one with ``await Sandbox(...).open()`` and close it, or use ``async with Sandbox(...)``;
    all its methods belong to the loop that it was opened in. Reading methods are plain functions
    of the state as it stands; whoever answers somebody outside awaits `committed` first, so that
    the answer stays true over a crash.

    Parameters
    ----------
    scenario : Scenario or path
        The platform, its tenants and the load of others.
    seed : int, optional
        Default: the scenario's.
    state : path, optional
        Directory of the session: begun anew, or gone on with. None keeps nothing.
    speed : float, optional
        Of a free clock. None begins with the clock held, and goes on with a session as it was.
    held : bool
        Holds the clock of a session that is gone on with from the first instant.
    handler_time : str, optional
        Whether a real handler's latency counts as wall-clock time times the speed (``real``) or
        as the scenario's distribution has it (``scenario``). Default: ``real``.
    poster : callable, optional
        Posts a final result to a real handler, and says what became of it. Without one, handlers
        behave as the scenario's endpoints do.
    begins : str, optional
        ``now`` has the scenario begin now: all its clock times are moved by as much. Default:
        ``scenario``, which leaves them as they are.

    Raises
    ------
    SandboxError
        If the directory has a session of another scenario, or of another
        seed, handler time or beginning than was given.
    """

    def __init__(
        self,
        scenario: Scenario | str | Path,
        *,
        seed: int | None = None,
        state: str | Path | None = None,
        speed: float | None = None,
        held: bool = False,
        handler_time: HandlerTime | None = None,
        poster: Poster | None = None,
        begins: Begins | None = None,
    ) -> None:
        self._given = scenario if isinstance(scenario, Scenario) else load(scenario)
        self._options = Options(seed, handler_time, begins)
        self._state = None if state is None else Path(state)
        self._speed = speed
        self._held = held
        self._poster = poster
        self._is_resumed, self._begun = self._beginning()
        self._asked: dict[int, int] = {}
        self._driver_: Driver | None = None

    def _beginning(self) -> tuple[bool, Begun]:
        """Whether there is a session already, and what it was begun with, or is to be."""
        given = self._given
        handlers: Handlers = "drawn" if self._poster is None else "real"
        if self._state is not None and (self._state / states.SESSION).exists():
            begun = states.read(self._state)
            states.check_same(self._state, begun, given, self._options, handlers)
            return True, begun
        options = self._options
        if options.begins == "now":
            given = beginning_at(given, datetime.now(UTC))
        return False, Begun(
            scenario=given,
            base=given,
            seed=given.seed if options.seed is None else options.seed,
            handlers=handlers,
            handler_time=options.handler_time or "real",
            begins=options.begins or "scenario",
        )

    @property
    def _driver(self) -> Driver:
        if self._driver_ is None:
            raise SandboxError("the sandbox is not open; use `async with` or open()")
        return self._driver_

    @property
    def scenario(self) -> Scenario:
        """The platform, its tenants and the load of others."""
        return self._begun.scenario

    @property
    def base(self) -> Scenario:
        """The scenario without what is varied from day to day."""
        return self._begun.base

    @property
    def is_resumed(self) -> bool:
        """Whether its directory had the session already."""
        return self._is_resumed

    @property
    def seed(self) -> int:
        """Seed of all that is drawn."""
        return self._begun.seed

    @property
    def clock(self) -> SandboxClock:
        """Simulated time."""
        return SandboxClock(self._driver)

    @property
    def log(self) -> InputLog:
        """All that came from outside."""
        return self._driver.log

    async def __aenter__(self) -> Self:
        return await self.open()

    async def open(self) -> Self:
        """Start it: a session in the state directory is replayed to its moment first."""
        path = None
        if self._state is not None:
            self._is_resumed, self._begun = self._beginning()
            if not self._is_resumed:
                states.write(self._state, self._begun)
            path = self._state / states.INPUTS
        await self._start(InputLog(path))
        return self

    async def _start(self, log: InputLog, base: Plan | None = None) -> None:
        self._driver_ = Driver(self._begun, log, self._poster, base)
        self._driver_.start(self._clock_order)
        await self._driver_.committed()

    @property
    def _clock_order(self) -> Clock | None:
        """What the clock is told as it starts; None goes on as it was."""
        if self._held:
            return Clock(state="held", speed=self._speed or 1.0)
        return None if self._speed is None else Clock(state="free", speed=self._speed)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it: the log is durable, open posts are given up (and sent again at a restart)."""
        await self.close()

    async def close(self) -> None:
        """Close it."""
        if self._driver_ is not None:
            await self._driver_.close()
            self._driver_ = None

    async def reset(self, seed: int | None = None, scenario: Scenario | None = None) -> None:
        """Begin anew: an empty log, simulated time 0, and the same seed and scenario by default.

        Another scenario has the same tenants: it is the same platform on another day.
        """
        await self._driver.close()
        begun = replace(
            self._begun,
            seed=self.seed if seed is None else seed,
            scenario=scenario or self.scenario,
        )
        is_same = begun.seed == self.seed and begun.scenario is self.scenario
        base = self._driver.session.base if is_same else None
        self._begun = begun
        path = None
        if self._state is not None:
            path = self._state / states.INPUTS
            path.unlink(missing_ok=True)
            states.write(self._state, self._begun)
        self._asked.clear()
        await self._start(InputLog(path), base)

    async def committed(self) -> None:
        """Wait until all that can be read now is durable; await it before answering anybody."""
        await self._driver.committed()

    # What comes from outside. Each is stamped, logged, applied and durable when it returns.

    async def _take(self, entry: AnyInput) -> Done:
        taken = self._driver.take(entry)
        await self._driver.committed()
        return Done(taken.number, taken.at)

    async def submit(self, submission: Submit) -> Submitted:
        """Take calls.

        Raises
        ------
        SandboxError
            If they can't be taken: no such tenant, a name that is taken, times that lie outside
            the run, a list that can't be read.
        """
        taken = self._driver.take(submission)
        assert isinstance(taken, Submit)
        assert taken.campaign is not None
        await self._driver.committed()
        campaign = self._driver.session.find(taken.tenant, taken.campaign)
        contacts = campaign.definition.contact_list
        assert contacts is not None
        first = campaign.plan.first_call_id
        return Submitted(
            number=taken.number,
            at=taken.at,
            tenant=taken.tenant,
            campaign=taken.campaign,
            call_ids=range(first, first + campaign.plan.size),
            rejected=tuple(Rejected(r.row, r.text, r.reason) for r in contacts.rejected),
        )

    async def stop(self, tenant: str, campaign: str) -> Done:
        """Stop a campaign, the scenario's own as well."""
        return await self._take(Stop(tenant=tenant, campaign=campaign))

    async def cancel(self, tenant: str, group: str) -> Done:
        """Cancel what is pending of a group: scheduled, queued, waiting for a retry."""
        return await self._take(Cancel(tenant=tenant, group=group))

    async def suspend(self, tenant: str | None = None) -> Done:
        """Hold back the calls of a tenant, or of all."""
        return await self._take(Suspend(tenant=tenant))

    async def resume(self, tenant: str | None = None) -> Done:
        """End a suspension."""
        return await self._take(Resume(tenant=tenant))

    async def pin(self, pin: Pin) -> Done:
        """Give reserved numbers an outcome, for calls submitted from now on.

        Raises
        ------
        SandboxError
            If one is not reserved, or has a call already that is not over: the outcome of that
            stands. Nothing is pinned then.
        """
        pending = {} if pin.outcome is None else self.pending(pin.numbers)
        if pending:
            there = ", ".join(list(pending)[:SHOWN_NUMBERS])
            more = len(pending) - SHOWN_NUMBERS
            raise SandboxError(
                f"{there}{f' and {more:,} more' if more > 0 else ''}: queued already, and no "
                "outcome can be given to a call that is queued, so nothing was pinned; give it "
                "before the number is queued, or once its call is over",
                "conflict",
            )
        return await self._take(pin)

    def pending(self, numbers: Collection[str]) -> dict[str, int]:
        """Those of some ten-digit numbers that have a call which is not over, and its call_id.

        Of the calls that were handed in, but those that never go out because they were given that.
        """
        whole = [number for number in numbers if number.isdecimal() and len(number) == 10]
        wanted = np.array(list(map(int, whole)), np.int64)
        found: dict[str, int] = {}
        for campaign in self._campaigns(None):
            if campaign.entry is None or campaign.tape is None:
                continue
            there = np.flatnonzero(np.isin(campaign.plan.numbers, wanted))
            pinned = campaign.tape.pinned
            for index in there.tolist():
                number = f"{int(campaign.plan.numbers[index]):010}"
                is_wedged = index in pinned and pinned[index].outcome == "wedged"
                call = self._driver.board.call(campaign, index)
                if not is_wedged and call.status in PENDING_STATUSES:
                    found.setdefault(number, call.call_id)
        return {number: found[number] for number in numbers if number in found}

    async def note(self, note: Note) -> Done:
        """Remember something for the interface; the model is told nothing."""
        return await self._take(note)

    def notes(self, topic: str) -> list[Note]:
        """What was noted of a topic, in order."""
        return [note for note in self._driver.intake.notes if note.topic == topic]

    async def order_fault(self, fault: Fault) -> Done:
        """Have something go wrong; the number of what is returned names the fault."""
        return await self._take(fault)

    async def end_fault(self, end: EndFault) -> Done:
        """End a fault before its time."""
        return await self._take(end)

    def strikes(
        self,
        of: FaultKind,
        *,
        tenant: str | None = None,
        campaign: str | None = None,
        phone_number: str | None = None,
        endpoint: str | None = None,
    ) -> Fault | None:
        """The fault of the interface that strikes this request or post, if one does.

        Counts and shares are kept: each time that a fault strikes is in the log, and whether it
        does is drawn by the seed, so asking twice is two requests.
        """
        driver = self._driver
        now = driver.touch()
        met = {
            "tenant": tenant,
            "campaign": campaign,
            "phone_number": phone_number,
            "endpoint": endpoint,
        }
        for number, fault in driver.session.faults.items():
            begins = fault.at if fault.begins is None else fault.begins
            if fault.of != of or now < begins or (fault.ends is not None and now >= fault.ends):
                continue
            if fault.count is not None and driver.intake.strikes.get(number, 0) >= fault.count:
                continue
            wanted = {name: getattr(fault, name) for name in met}
            if any(said is not None and said != met[name] for name, said in wanted.items()):
                continue
            asked = self._asked[number] = self._asked.get(number, 0) + 1
            drawn = driver.session.tape.uniforms(
                "", f"fault {number}", Purpose.POST_FAILURE, count=asked
            )
            if drawn[-1] < fault.share:
                driver.take(Strike(fault=number))
                return fault
        return None

    async def resend(self, call_id: int) -> Reply:
        """Post a call's final result once more, to its real handler; the model is told nothing."""
        driver = self._driver
        campaign, index = self._found(call_id)
        if self._poster is None or campaign.entry is None or campaign.entry.result_url is None:
            raise SandboxError(f"call {call_id}: has no handler that could be posted to")
        posts = driver.board.posts(call_id)
        if not posts:
            raise SandboxError(f"call {call_id}: nothing has been posted about it", "conflict")
        post = driver.posting.view(campaign, index, len(posts), driver.now, is_resent=False)
        return await self._poster(replace(post, is_ordered=True))

    # What can be read.

    def _found(self, call_id: int) -> tuple[SessionCampaign, int]:
        self._driver.touch()
        campaign = self._driver.session.campaign_of_call(call_id)
        if campaign is None:
            raise SandboxError(f"call {call_id}: there is no such call", "unknown")
        return campaign, call_id - campaign.plan.first_call_id

    def call(self, call_id: int) -> CallView:
        """A call.

        Raises
        ------
        SandboxError
            If there is none, or it is of a background tenant.
        """
        return self._driver.board.call(*self._found(call_id))

    def _campaigns(self, tenant: str | None) -> list[SessionCampaign]:
        self._driver.touch()
        everything = self._driver.session.campaigns.values()
        return [found for found in everything if tenant in (None, found.plan.tenant)]

    def calls(
        self, tenant: str | None = None, campaign: str | None = None, group: str | None = None
    ) -> Iterator[CallView]:
        """Calls of the scenario's and the submitted campaigns, by call_id."""
        for found in self._campaigns(tenant):
            if campaign in (None, found.plan.name) and group in (None, found.group):
                for index in range(found.plan.size):
                    yield self._driver.board.call(found, index)

    def attempted(
        self, tenant: str, instant: Literal["dispatched", "dialed"]
    ) -> Iterator[tuple[int, int, int]]:
        """An instant of each attempt of a tenant that came to it, its call_id and its number.

        They come in the order of dispatch.
        """
        return self._driver.board.attempted(tenant, instant)

    def campaigns(self, tenant: str | None = None) -> list[CampaignView]:
        """Campaigns of the scenario, and those submitted, in the order of their calls."""
        return [self._driver.board.campaign(found) for found in self._campaigns(tenant)]

    def campaign_names(self, tenant: str) -> list[str]:
        """Names of a tenant's campaigns, in the order of their calls."""
        return [found.plan.name for found in self._campaigns(tenant)]

    def campaign(self, tenant: str, name: str) -> CampaignView:
        """One of them.

        Raises
        ------
        SandboxError
            If there is none.
        """
        self._driver.touch()
        return self._driver.board.campaign(self._driver.session.find(tenant, name))

    def page_rows(
        self, tenant: str, campaign: str, *, are_pending: bool, begin: int = 0, size: int = 50
    ) -> list[PageRow]:
        """A piece of the customer's table of a campaign, each call beside the truth.

        Parameters
        ----------
        are_pending : bool
            Calls that the customer sees as pending, in the order of the list; else those seen as
            over, which came to their end last first.
        begin, size : int
            Which of them.
        """
        now = self._driver.touch()
        board, found = self._driver.board, self._driver.session.find(tenant, campaign)
        places = board.places(found, are_pending=are_pending)[begin : begin + size]
        return [board.page_row(found, index, now) for index in places]

    def dialed_after_stop(
        self, tenant: str, campaign: str, *, begin: int = 0, size: int = 1_000
    ) -> list[int]:
        """Calls dispatched after the stop of their campaign was asked for, as often as they were.

        They come in the order of dispatch, from the one at `begin` on and `size` at most.
        """
        self._driver.touch()
        found, board = self._driver.session.find(tenant, campaign), self._driver.board
        after = board.after_stop(found)[begin : begin + size] if found.is_stopped else ()
        return [board.call_of(row) for row in after]

    def definition(self, tenant: str, campaign: str) -> Campaign:
        """A campaign as a scenario says it, also one that was submitted."""
        return self._driver.session.find(tenant, campaign).definition

    def deliveries(
        self, tenant: str | None = None, call_id: int | None = None, *, last: int = 1000
    ) -> Sequence[DeliveryView]:
        """Posts of final results, the latest last."""
        self._driver.touch()
        board = self._driver.board
        found: list[DeliveryView] = []
        for place in reversed(board.posts(call_id)):
            post = board.post(place)
            if post is not None and tenant in (None, post.tenant):
                found.append(post)
            if len(found) == last:
                break
        return found[::-1]

    def pins(self) -> dict[str, Pin]:
        """The table of pinned numbers: ten digits, and the input that pinned each."""
        return {f"{number:010}": pin for number, pin in self._driver.session.pins.items()}

    def faults(self) -> list[Fault]:
        """Faults that are on, or to come."""
        now, struck = self._driver.touch(), self._driver.intake.strikes
        return [
            fault
            for number, fault in self._driver.session.faults.items()
            if (fault.ends is None or fault.ends > now)
            and (
                fault.of in MODEL_FAULTS
                or fault.count is None
                or struck.get(number, 0) < fault.count
            )
        ]

    @property
    def tenants(self) -> list[str]:
        """Names of the scenario's tenants: those who may hand in calls."""
        return self._driver.session.tenants

    def check_tenant(self, tenant: str) -> None:
        """Refuse a tenant that there is none of."""
        if tenant not in self.tenants:
            raise SandboxError(unknown_name("tenant", tenant, self.tenants), "unknown")

    async def read_ahead(self) -> None:
        """Read what has happened since, taking turns with others: `result` is quick then."""
        while self._driver.run.read_ahead(ROWS_IN_A_TURN):
            await asyncio.sleep(0)

    def result(self) -> Result:
        """The session so far as a result, with all its tables: what replay gives."""
        driver = self._driver
        driver.touch()
        from outsim.live.replay import result_of

        return result_of(driver.session, driver.run.records(), "simpy")

    def save(self, path: str | Path) -> LeftOut:
        """Write the session to a scenario file, its contact lists into ``contacts`` beside it.

        What was submitted and ordered is in it as if it had been known. What a scenario has no
        words for is left out, and counted: that is in the log only.
        """
        from outsim.live.saving import save_scenario

        return save_scenario(self._driver.session, self._begun, self.log, Path(path))

    def check_save(self, path: str | Path) -> None:
        """Refuse a file that `save` can't write, or that holds anything but this session."""
        from outsim.live.saving import check_place

        check_place(Path(path), self._begun, self.log)

    # Waiting.

    @property
    def last_event(self) -> int:
        """Number of the last event: whatever was read before holds as long as it stays."""
        self._driver.touch()
        return self._driver.feed.last

    def events(self, after: int | None = None) -> AsyncIterator[Event]:
        """What happens from now on, or after an event of that number (the last 10,000 are kept).

        Only of the scenario's and submitted campaigns, never of background tenants.
        """
        return self._driver.feed.listen(after)

    async def wait_for(
        self,
        kind: EventKind,
        *,
        tenant: str | None = None,
        campaign: str | None = None,
        call_id: int | None = None,
        status: str | None = None,
        after: int | None = None,
    ) -> Event:
        """The next event of this kind; it moves no clock."""
        async for event in self.events(after):
            if (
                event.kind == kind
                and tenant in (None, event.tenant)
                and campaign in (None, event.campaign)
                and call_id in (None, event.call_id)
                and status in (None, event.status)
            ):
                return event
        raise SandboxError("the sandbox was closed")

    def limit_s(self, timeout_us: int) -> float:
        """How long a customer's page may take now by the wall clock, by its timeout."""
        return self._driver.limit_s(timeout_us)

    def busy(self, why: str) -> AbstractContextManager[None]:
        """An advancing clock waits meanwhile: a request is being answered, a page is fetched."""
        return self._driver.waiting.busy(why)
