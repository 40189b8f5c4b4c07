"""The plan of a session: that of its scenario, and what its inputs add to it.

A live run and a replay resolve inputs by the same steps, so they run the same plan: one piece
by piece, the other at once. What is submitted while a run is under way has its rank behind all
that was known before, and its calls the numbers that come next at that moment.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import urlsplit

from outsim.clock import NEVER
from outsim.errors import SandboxError, unknown_name
from outsim.live.campaigns import SessionCampaign, definition_of
from outsim.live.disturbances import Disturbance, Disturbances
from outsim.live.inputs import (
    MODEL_FAULTS,
    Answer,
    AnyInput,
    Cancel,
    EndFault,
    Fault,
    Pin,
    Resume,
    Stop,
    Submit,
    Suspend,
)
from outsim.live.tape import PinnedCall, SessionTape
from outsim.plan import CampaignPlan, EndpointPlan, Plan, build_plan, numbered
from outsim.plan.building import Builder
from outsim.plan.campaigns import ResultUrl
from outsim.scenario.campaigns import Campaign, Endpoint
from outsim.scenario.model import Scenario
from outsim.tape import Tape

Handlers = Literal["real", "drawn"]
"""Whether posts to the result_url of a submission go to a real handler, or are drawn."""
HANDLERS = "handlers"
"""Endpoint of a scenario that says how real handlers are treated: time-out, retries, limit."""


@dataclass
class Change:
    """What one input has a live run do beside being in the plan."""

    submitted: SessionCampaign | None = None
    """A campaign that was submitted."""
    endpoint: EndpointPlan | None = None
    """An endpoint that is new with it."""
    stopped: list[tuple[int, int]] = field(default_factory=list)
    """Campaigns that a stop takes effect on, and when."""
    cleared: list[tuple[int, int]] = field(default_factory=list)
    """Campaigns whose queue is emptied, and when."""
    begins: Disturbance | None = None
    """A disturbance that begins."""
    ends: Disturbance | None = None
    """A disturbance whose end is now known."""
    answered: Answer | None = None
    """What became of a post."""


def origin_of(url: str) -> str:
    """Scheme, host and port: posts to them are limited together."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class SessionPlan:
    """What a scenario, a seed and the inputs so far mean.

    Parameters
    ----------
    scenario : Scenario
        The platform, its tenants and the load of others.
    seed : int
        Of the tape.
    handlers : str
        ``real`` or ``drawn``.
    base : Plan, optional
        Plan of the scenario and the seed, if it is there already.
    """

    def __init__(
        self, scenario: Scenario, seed: int, handlers: Handlers, base: Plan | None = None
    ) -> None:
        self.scenario = scenario
        self.handlers = handlers
        self.tape = Tape(seed)
        self.tenants = sorted({account.tenant for account in scenario.accounts})
        """Those who may hand in calls."""
        self.base = base or build_plan(scenario, self.tape, self.tenants)
        """Plan of the scenario alone."""
        self._builder = Builder(scenario, self.tape)
        own = {(c.tenant, c.name): c for c in scenario.campaigns}
        self.campaigns: dict[tuple[str, str], SessionCampaign] = {
            plan.key: SessionCampaign(own[plan.key], plan)
            for plan in self.base.by_call
            if plan.key in own
        }
        """The scenario's campaigns and those submitted, in the order of their calls' numbers."""
        self.endpoints = list(self.base.endpoints)
        self.pins: dict[int, Pin] = {}
        """Pins that hold, by number."""
        self.faults: dict[int, Fault] = {}
        """Faults that were ordered and have not been ended, by the number of their input."""
        self.disturbances = Disturbances(len(self.base.disturbances))
        """Suspensions and outages that were ordered."""
        self._by_rank = {found.plan.rank: found for found in self.campaigns.values()}
        self._first_call_ids = [found.plan.first_call_id for found in self.campaigns.values()]
        self._ranks = [found.plan.rank for found in self.campaigns.values()]
        self._coming = [c for c in self.base.by_call if c.numbered_us >= 0]
        """Campaigns of others that start from here on, in order."""
        self._numbered = sum(c.size for c in self.base.by_call if c.numbered_us < 0)
        self._next_rank = len(self.base.campaigns)
        self._names: dict[str, int] = {}
        self._last: tuple[Submit, Campaign] | None = None

    def next_of_others(self) -> int:
        """When the next campaign of others starts; `clock.NEVER` if none does."""
        return self._coming[0].numbered_us if self._coming else NEVER

    def number_others(self, until_us: int) -> list[CampaignPlan]:
        """Campaigns of others that start up to `until_us`, with their numbers: they are due."""
        due = []
        while self._coming and self._coming[0].numbered_us <= until_us:
            due.append(replace(self._coming.pop(0), first_call_id=self._numbered))
            self._numbered += due[-1].size
        return due

    def of_rank(self, rank: int) -> SessionCampaign:
        """The campaign with this rank."""
        return self._by_rank[rank]

    def find(self, tenant: str, name: str) -> SessionCampaign:
        """A campaign of the scenario, or one that was submitted."""
        found = self.campaigns.get((tenant, name))
        if found is None:
            there = [name for whose, name in self.campaigns if whose == tenant]
            raise SandboxError(unknown_name("campaign", name, there, f"of {tenant}"), "unknown")
        return found

    def campaign_of_call(self, call_id: int) -> SessionCampaign | None:
        """The campaign that a call is of; None if it is of somebody else's."""
        place = bisect_right(self._first_call_ids, call_id) - 1
        if place < 0:
            return None
        found = self.of_rank(self._ranks[place])
        is_its = call_id < found.plan.first_call_id + found.plan.size
        return found if is_its else None

    def named(self, entry: Submit) -> Submit:
        """A submission with the name of its campaign, given or made."""
        if entry.campaign is not None:
            return entry
        count = self._names.get(entry.tenant, 0) + 1
        while (entry.tenant, f"{entry.group} {count:06}") in self.campaigns:
            count += 1
        return entry.model_copy(update={"campaign": f"{entry.group} {count:06}"})

    def add(self, entry: AnyInput) -> Change:
        """Have an input be a part of the session; `checks.check_input` has let it pass."""
        if isinstance(entry, Submit):
            return self._submit(entry)
        if isinstance(entry, Stop):
            return self._stop([self.find(entry.tenant, entry.campaign)], entry.at, clears=False)
        if isinstance(entry, Cancel):
            mine = [
                found
                for found in self.campaigns.values()
                if found.entry is not None
                and (found.entry.tenant, found.group) == (entry.tenant, entry.group)
            ]
            return self._stop(mine, entry.at, clears=True)
        if isinstance(entry, Suspend | Resume) and entry.tenant and entry.campaign:
            paused = self.find(entry.tenant, entry.campaign)
            paused.is_paused = isinstance(entry, Suspend)
        if isinstance(entry, Suspend):
            return Change(begins=self.disturbances.suspend(entry))
        if isinstance(entry, Resume):
            return Change(ends=self.disturbances.resume(entry))
        if isinstance(entry, Answer):
            found = self.campaign_of_call(entry.call_id)
            assert found is not None
            assert found.tape is not None
            found.tape.answer(entry.call_id - found.plan.first_call_id, entry)
            return Change(answered=entry)
        if isinstance(entry, Pin):
            for number in map(int, entry.numbers):
                self.pins.pop(number, None)
                if entry.outcome is not None:
                    self.pins[number] = entry
            return Change()
        if isinstance(entry, Fault):
            return self._fault(entry)
        if isinstance(entry, EndFault):
            fault = self.faults.pop(entry.fault)
            is_outage = fault.of in MODEL_FAULTS
            return Change(ends=self.disturbances.end(entry.fault, entry.at) if is_outage else None)
        return Change()

    def definition(self, entry: Submit) -> Campaign:
        """A submission as a campaign of the scenario; the last is kept, as it is asked for twice.

        Raises
        ------
        SandboxError
            If it makes no campaign.
        """
        if self._last is None or self._last[0] != entry:
            self._last = entry, definition_of(entry, self.scenario.clock.begins, self.base.zones)
        return self._last[1]

    def _submit(self, entry: Submit) -> Change:
        definition = self.definition(entry)
        change = Change()
        result_url = None
        if entry.result_url is not None:
            result_url, change.endpoint = self._endpoint(entry.result_url)
        assert definition.contact_list is not None
        pinned = (
            {
                index: PinnedCall.of(self.pins[number])
                for index, number in enumerate(definition.contact_list.numbers.tolist())
                if number in self.pins
            }
            if self.pins
            else {}
        )
        has_handler = entry.result_url is not None and self.handlers == "real"
        tape = SessionTape(self.tape, pinned, has_handler=has_handler)
        plan = replace(
            self._builder.campaign(definition),
            tape=tape,
            result_url=result_url,
            handed_in_us=entry.at,
            rank=self._next_rank,
            tenant_rank=[tenant.name for tenant in self.base.tenants].index(entry.tenant),
            first_call_id=self._numbered,
        )
        self._next_rank += 1
        self._numbered += plan.size
        self._names[entry.tenant] = self._names.get(entry.tenant, 0) + 1
        change.submitted = SessionCampaign(definition, plan, entry, entry.group, tape)
        self.campaigns[plan.key] = self._by_rank[plan.rank] = change.submitted
        self._first_call_ids.append(plan.first_call_id)
        self._ranks.append(plan.rank)
        return change

    def _endpoint(self, url: str) -> tuple[ResultUrl, EndpointPlan | None]:
        """Endpoint of a result_url; and its plan, if it is new."""
        name = origin_of(url)
        handlers = self.handler_defaults
        names = [endpoint.name for endpoint in self.endpoints]
        made = None
        if name not in names:
            made = EndpointPlan(
                name, handlers.timeout, tuple(handlers.retry_after), handlers.posts_at_once
            )
            self.endpoints.append(made)
            names.append(name)
        return ResultUrl(names.index(name), handlers.latency, handlers.failure_share), made

    @property
    def handler_defaults(self) -> Endpoint:
        """How posts to a handler are handled: as the scenario's endpoint ``handlers`` says."""
        named = (endpoint for endpoint in self.scenario.endpoint if endpoint.name == HANDLERS)
        return next(named, Endpoint(name=HANDLERS))

    def _stop(self, mine: Iterable[SessionCampaign], at: int, *, clears: bool) -> Change:
        change = Change()
        effect = at + self.scenario.platform.stop_latency
        for found in mine:
            rules = found.plan.rules
            if rules.stop_requested_us > at:
                reaches = rules.stop_reaches_queue or clears
                changed = replace(
                    rules,
                    stop_requested_us=at,
                    stop_effect_us=effect,
                    stop_reaches_queue=reaches,
                )
                change.stopped.append((found.plan.rank, effect))
            elif clears and not rules.stop_reaches_queue and rules.clear_effect_us == NEVER:
                changed = replace(rules, clear_effect_us=effect)
                change.cleared.append((found.plan.rank, effect))
            else:
                continue
            found.plan = replace(found.plan, rules=changed)
        return change

    def _fault(self, fault: Fault) -> Change:
        self.faults[fault.number] = fault
        if fault.of not in MODEL_FAULTS:
            return Change()
        endpoint, made = -1, None
        if fault.of == "endpoint":
            assert fault.endpoint is not None
            names = [endpoint.name for endpoint in self.endpoints]
            if fault.endpoint in names:
                endpoint = names.index(fault.endpoint)
            else:
                result_url, made = self._endpoint(fault.endpoint)
                endpoint = result_url.endpoint
        begins = self.disturbances.fault(fault, endpoint)
        ends = begins if begins.plan.ends_us != NEVER else None
        return Change(endpoint=made, begins=begins, ends=ends)

    def plan(self, ended_us: int) -> Plan:
        """The whole of it, for a run that ends there."""
        mine = {found.plan.rank: found.plan for found in self.campaigns.values()}
        everybody = [*(mine.pop(c.rank, c) for c in self.base.campaigns), *mine.values()]
        return replace(
            self.base,
            campaigns=numbered(everybody),
            endpoints=tuple(self.endpoints),
            suspensions=(*self.base.suspensions, *self.disturbances.suspensions),
            outages=(*self.base.outages, *self.disturbances.outages),
            ends_us=ended_us,
            under_study=-1,
        )
