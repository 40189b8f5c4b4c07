"""What is asked of a sandbox from outside: calls, stops, outcomes, faults."""

from __future__ import annotations

from dataclasses import replace

from outsim.errors import SandboxError
from outsim.live.inputs import (
    AnyInput,
    Cancel,
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
from outsim.live.reading import Reading
from outsim.live.views import Done, Rejected, Reply, Submitted
from outsim.vocabulary import REFUSAL_TABLE

SHOWN_NUMBERS = 5
"""Numbers that a message names at most."""


class Orders(Reading):
    """What a sandbox takes: each is stamped, logged, applied, and durable when it returns."""

    async def _take(self, entry: AnyInput) -> Done:
        driver = self._driver
        taken = driver.take(entry)
        await driver.committed()
        return Done(taken.number, taken.at)

    async def submit(self, submission: Submit) -> Submitted:
        """Take calls.

        Raises
        ------
        SandboxError
            If they can't be taken: no such tenant, a name that is taken, times that lie outside
            the run, a list that can't be read; or where intake refuses them, by the rate of
            requests or the calls that wait.
        """
        driver = self._driver
        taken = driver.take(submission)
        assert isinstance(taken, Submit)
        assert taken.campaign is not None
        await driver.committed()
        if taken.number in driver.intake.refusals:
            refusal = REFUSAL_TABLE[driver.intake.refusals[taken.number]]
            raise SandboxError(
                f"refused: {refusal.account}; try again later",
                "rate" if refusal.is_rate else "full",
            )
        campaign = driver.session.find(taken.tenant, taken.campaign)
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

    async def pause(self, tenant: str, campaign: str) -> Done:
        """Hold back the calls of one campaign; they keep their places."""
        return await self._take(Suspend(tenant=tenant, campaign=campaign))

    async def unpause(self, tenant: str, campaign: str) -> Done:
        """End a pause of a campaign."""
        return await self._take(Resume(tenant=tenant, campaign=campaign))

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

    async def note(self, note: Note) -> Done:
        """Remember something for the interface; the model is told nothing."""
        return await self._take(note)

    async def order_fault(self, fault: Fault) -> Done:
        """Have something go wrong; the number of what is returned names the fault.

        Raises
        ------
        SandboxError
            If more is to be out than there is, or it can't be ordered so.
        """
        scenario = self._driver.session.scenario
        there = {
            "ports": scenario.platform.ports,
            "workers": scenario.platform.workers,
            "channels": scenario.carrier.channels,
        }.get(fault.of)
        if there is not None and fault.count is not None and fault.count > there:
            raise SandboxError(
                f"count: found {fault.count:,}; there are {there:,} {fault.of}: give at most as "
                "many, or none for all",
                "invalid",
            )
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
        fault = driver.intake.strikes.meet(
            of,
            now,
            tenant=tenant,
            campaign=campaign,
            phone_number=phone_number,
            endpoint=endpoint,
        )
        if fault is not None:
            driver.take(Strike(fault=fault.number))
        return fault

    async def resend(self, call_id: int) -> Reply:
        """Post a call's final result once more, to its real handler; the model is told nothing."""
        driver = self._driver
        poster = driver.posting.poster
        campaign, index = self._found(call_id)
        if poster is None or campaign.entry is None or campaign.entry.result_url is None:
            raise SandboxError(f"call {call_id}: has no handler that could be posted to")
        posts = driver.board.posts(call_id=call_id)
        if not posts:
            raise SandboxError(f"call {call_id}: nothing has been posted about it", "conflict")
        post = driver.posting.view(campaign, index, len(posts), driver.now, is_resent=False)
        return await poster(replace(post, is_ordered=True))
