"""What can be read of a sandbox: plain functions of its state as it stands."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Literal

import numpy as np

from outsim.errors import SandboxError, unknown_name
from outsim.live.campaigns import SessionCampaign
from outsim.live.clock import SandboxClock
from outsim.live.driver import CLOSED, Driver
from outsim.live.inputs import MODEL_FAULTS, Fault, Note, Pin
from outsim.live.showing import call_view, campaign_view, delivery_view, page_row
from outsim.live.views import (
    CallView,
    CampaignView,
    DeliveryView,
    Event,
    EventKind,
    PageRow,
)
from outsim.scenario.campaigns import Campaign
from outsim.vocabulary import PENDING_STATUSES

if TYPE_CHECKING:
    from outsim.results.result import Result

ROWS_IN_A_TURN = 5_000
"""Rows of a table that are read without letting others in the loop go on: some milliseconds."""


class Reading(ABC):
    """What a sandbox shows: its clock, calls, campaigns, posts and faults, and what happens."""

    @property
    @abstractmethod
    def _driver(self) -> Driver:
        """The session under way."""

    @property
    def clock(self) -> SandboxClock:
        """Simulated time."""
        return SandboxClock(self._driver)

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
        return call_view(self._driver.board, *self._found(call_id))

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
                    yield call_view(self._driver.board, found, index)

    def attempted(
        self, tenant: str, instant: Literal["dispatched", "dialed"]
    ) -> Iterator[tuple[int, int, int]]:
        """An instant of each attempt of a tenant that came to it, its call_id and its number.

        They come in the order of dispatch.
        """
        return self._driver.board.attempted(tenant, instant)

    def campaigns(
        self, tenant: str | None = None, *, begin: int = 0, size: int | None = None
    ) -> list[CampaignView]:
        """Campaigns of the scenario, and those submitted, in the order of their calls.

        From the one at `begin` on, and `size` at most.
        """
        end = None if size is None else begin + size
        found = self._campaigns(tenant)[begin:end]
        now = self._driver.touch()
        return [campaign_view(self._driver.board, campaign, now) for campaign in found]

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
        now = self._driver.touch()
        return campaign_view(self._driver.board, self._driver.session.find(tenant, name), now)

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
        places = board.places(found, now, are_pending=are_pending)[begin : begin + size]
        return [page_row(board, found, index, now) for index in places]

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
        self,
        tenant: str | None = None,
        call_id: int | None = None,
        *,
        last: int = 1000,
        before: int | None = None,
    ) -> Sequence[DeliveryView]:
        """Posts of final results, the latest last.

        Parameters
        ----------
        tenant : str, optional
            Whose; default: everybody's.
        call_id : int, optional
            About one call.
        last : int
            So many at most.
        before : int, optional
            Only those with a lower number: what comes before a piece that was read already.
        """
        self._driver.touch()
        board = self._driver.board
        rows = board.posts(tenant, call_id)
        end = len(rows) if before is None else bisect_left(rows, board.row_of_post(before))
        return [delivery_view(board, row) for row in rows[max(0, end - last) : end]]

    def pins(self) -> dict[str, Pin]:
        """The table of pinned numbers: ten digits, and the input that pinned each."""
        return {f"{number:010}": pin for number, pin in self._driver.session.pins.items()}

    def faults(self) -> list[Fault]:
        """Faults that are on, or to come."""
        now, strikes = self._driver.touch(), self._driver.intake.strikes
        return [
            fault
            for fault in self._driver.session.faults.values()
            if (fault.ends is None or fault.ends > now)
            and (fault.of in MODEL_FAULTS or not strikes.is_used_up(fault))
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

    def result(self, *, with_now: bool = False) -> Result:
        """The session so far as a result, with all its tables: what replay gives.

        A run does not tell of the instant at which it ends. With `with_now` this one does, as the
        session's pages do: it ends just after the instant at which the clock stands.
        """
        driver = self._driver
        driver.touch()
        from outsim.live.replay import result_of

        return result_of(driver.session, driver.run.records(with_now=with_now), "simpy")

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
                call = call_view(self._driver.board, campaign, index)
                if not is_wedged and call.status in PENDING_STATUSES:
                    found.setdefault(number, call.call_id)
        return {number: found[number] for number in numbers if number in found}

    def notes(self, topic: str) -> list[Note]:
        """What was noted of a topic, in order."""
        return [note for note in self._driver.intake.notes if note.topic == topic]

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
        raise SandboxError(CLOSED)

    def limit_s(self, timeout_us: int) -> float:
        """How long a customer's page may take now by the wall clock, by its timeout."""
        return self._driver.limit_s(timeout_us)

    def busy(self, why: str) -> AbstractContextManager[None]:
        """An advancing clock waits meanwhile: a request is being answered, a page is fetched."""
        return self._driver.waiting.busy(why)
