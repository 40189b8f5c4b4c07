"""The plan of a session: that of its scenario, and what its inputs add to it.

A live run and a replay resolve inputs by the same steps, so they run the same plan: one piece
by piece, the other at once. What is handed in while a run is under way has its rank behind all
that was known before, and its calls the numbers that come next at that moment.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Literal
from urllib.parse import urlsplit

from outsim.clock import NEVER, after, parse_rate
from outsim.errors import SandboxError, ScenarioError, unknown_name
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
from outsim.plan import CampaignPlan, EndpointPlan, OutagePlan, Plan, SuspensionPlan, build_plan
from outsim.plan.building import Builder
from outsim.plan.campaigns import FICTION, ResultUrl
from outsim.scenario.campaigns import Campaign, Endpoint
from outsim.scenario.contacts import ContactList
from outsim.scenario.files import read_rows
from outsim.scenario.model import Scenario
from outsim.scenario.platform import Outage, Suspension
from outsim.tape import Tape

Handlers = Literal["real", "drawn"]
"""Whether posts to the result_url of a submission go to a real handler, or are drawn."""


@dataclass(eq=False)
class Handed:
    """A campaign of the scenario, or one that was handed in."""

    campaign: Campaign
    plan: CampaignPlan
    entry: Submit | None = None
    """What handed it in; None for the scenario's own."""
    group: str = "default"
    tape: SessionTape | None = None

    @property
    def is_stopped(self) -> bool:
        """Whether its stop was asked for."""
        return self.plan.rules.stop_requested_us != NEVER

    def variables(self, index: int) -> dict[str, str]:
        """Columns of a row of the list that was handed in, but for the first."""
        header, rows = self._rows
        fields = rows[index] if index < len(rows) else ()
        return dict(zip(header[1:], fields[1:], strict=False))

    @cached_property
    def _rows(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        assert self.entry is not None
        lines = self.entry.contacts.splitlines(keepends=True)
        rows = [row.fields or () for row in read_rows(lines)]
        return tuple(name.strip() for name in rows[0]), [tuple(row) for row in rows[1:]]


@dataclass(eq=False)
class _Disturbance:
    """A suspension or an outage that was ordered, and when it is to end."""

    plan: SuspensionPlan | OutagePlan
    place: int
    fault: Fault | None = None


@dataclass
class Change:
    """What one input has a live run do beside being in the plan."""

    handed: Handed | None = None
    """A campaign that was handed in."""
    endpoint: EndpointPlan | None = None
    """An endpoint that is new with it."""
    stopped: list[tuple[int, int]] = field(default_factory=list)
    """Campaigns that a stop takes effect on, and when."""
    cleared: list[tuple[int, int]] = field(default_factory=list)
    """Campaigns whose queue is emptied, and when."""
    begins: tuple[int, SuspensionPlan | OutagePlan] | None = None
    """A disturbance that begins, with its place."""
    ends: tuple[int, SuspensionPlan | OutagePlan] | None = None
    """A disturbance whose end is now known, with its place."""
    answered: tuple[int, Answer] | None = None
    """What became of a post, and the rank of its campaign."""


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
        own = {(c.tenant, c.name): c for c in scenario.campaign}
        self.handed: dict[tuple[str, str], Handed] = {
            plan.key: Handed(own[plan.key], plan) for plan in self.base.by_call if plan.key in own
        }
        """The scenario's campaigns and those handed in, in the order of their calls' numbers."""
        self.endpoints = list(self.base.endpoints)
        self.pins: dict[int, Pin] = {}
        """Pins that hold, by number."""
        self.faults: dict[int, Fault] = {}
        """Faults that were ordered and have not been ended, by the number of their input."""
        self._by_rank: dict[int, Handed] = {h.plan.rank: h for h in self.handed.values()}
        self._first_call_ids = [h.plan.first_call_id for h in self.handed.values()]
        self._ranks = [h.plan.rank for h in self.handed.values()]
        self._coming = [c for c in self.base.by_call if c.numbered_us >= 0]
        """Campaigns of others that start from here on, in order."""
        self._numbered = sum(c.size for c in self.base.by_call if c.numbered_us < 0)
        self._next_rank = len(self.base.campaigns)
        self._disturbances: dict[int, _Disturbance] = {}
        self._suspended: dict[str, int] = {}
        self._names: dict[str, int] = {}
        self._resolved: tuple[Submit, Campaign] | None = None

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

    def of_rank(self, rank: int) -> Handed:
        """The campaign with this rank."""
        return self._by_rank[rank]

    def find(self, tenant: str, name: str) -> Handed:
        """A campaign of the scenario, or one that was handed in."""
        found = self.handed.get((tenant, name))
        if found is None:
            there = [name for whose, name in self.handed if whose == tenant]
            raise SandboxError(unknown_name("campaign", name, there, f"of {tenant}"), "unknown")
        return found

    def handed_of_call(self, call_id: int) -> Handed | None:
        """The campaign that a call is of; None if it is of somebody else's."""
        place = bisect_right(self._first_call_ids, call_id) - 1
        if place < 0:
            return None
        handed = self.of_rank(self._ranks[place])
        is_its = call_id < handed.plan.first_call_id + handed.plan.size
        return handed if is_its else None

    def named(self, entry: Submit) -> Submit:
        """A submission with the name of its campaign, given or made."""
        if entry.campaign is not None:
            return entry
        count = self._names.get(entry.tenant, 0) + 1
        while (entry.tenant, f"{entry.group} {count:06}") in self.handed:
            count += 1
        return entry.model_copy(update={"campaign": f"{entry.group} {count:06}"})

    def check(self, entry: AnyInput) -> None:
        """Refuse an input that can't be done; nothing is changed.

        Raises
        ------
        SandboxError
            With its reason.
        """
        if entry.at >= self.base.latest_us:
            ends = self._shown(self.base.latest_us)
            raise SandboxError(f"the run is over: it ends at {ends}", "outside")
        tenant = getattr(entry, "tenant", None)
        if tenant is not None and tenant not in self.tenants:
            raise SandboxError(unknown_name("tenant", tenant, self.tenants), "unknown")
        if isinstance(entry, Submit):
            self._check_submission(entry)
        elif isinstance(entry, Stop):
            self.find(entry.tenant, entry.campaign)
        elif isinstance(entry, Suspend | Resume):
            is_on = (entry.tenant or "") in self._suspended
            if is_on == isinstance(entry, Suspend):
                whose = entry.tenant or "everybody"
                state = "suspended already" if is_on else "not suspended"
                raise SandboxError(f"{whose} is {state}", "conflict")
        elif isinstance(entry, Pin):
            self._check_pin(entry)
        elif isinstance(entry, Fault):
            self._check_fault(entry)
        elif isinstance(entry, EndFault) and entry.fault not in self.faults:
            raise SandboxError(unknown_name("fault", entry.fault, self.faults), "unknown")

    def _check_submission(self, entry: Submit) -> None:
        if (entry.tenant, entry.campaign) in self.handed:
            raise SandboxError(
                f"campaign {entry.campaign!r} of {entry.tenant} is there already; give another "
                "name",
                "conflict",
            )
        for name, instant in (("start", entry.start), ("expires", entry.expires)):
            if instant is not None and instant >= self.base.latest_us:
                raise SandboxError(
                    f"{name} {self._shown(instant)} lies outside the run, which ends at "
                    f"{self._shown(self.base.latest_us)}",
                    "outside",
                )
        begins = max(entry.start or 0, entry.at)
        if entry.expires is not None and entry.expires <= begins:
            raise SandboxError(
                f"expires {self._shown(entry.expires)}: must be after {self._shown(begins)}, when "
                "its calls may go out",
                "outside" if entry.expires <= entry.at else "invalid",
            )
        if entry.result_url is not None:
            parts = urlsplit(entry.result_url)
            if parts.scheme not in ("http", "https") or not parts.netloc:
                raise SandboxError(f"result_url {entry.result_url!r}: write http://HOST/PATH")
        self._campaign(entry)

    def _check_pin(self, pin: Pin) -> None:
        for number in pin.numbers:
            digits = number.isdigit() and len(number) == 10
            if not digits or not FICTION <= int(number) % 10**7 < FICTION + 100:
                raise SandboxError(
                    f"number {number!r}: reserved numbers have ten digits, the last seven 5550100 "
                    "to 5550199"
                )
        limit_s = self.base.platform.ring_timeout_us / 1_000_000
        if pin.after_s is not None and pin.after_s > limit_s:
            raise SandboxError(
                f"after {pin.after_s:g} s: it rings {limit_s:g} s at most, and is no answer then"
            )

    def _check_fault(self, fault: Fault) -> None:
        begins = fault.at if fault.begins is None else fault.begins
        if begins < fault.at:
            raise SandboxError(
                f"begins {self._shown(begins)}: it is {self._shown(fault.at)} already", "outside"
            )
        if fault.ends is not None and fault.ends <= begins:
            raise SandboxError(f"ends {self._shown(fault.ends)}: must be after it begins")
        if fault.of == "endpoint" and not fault.endpoint:
            raise SandboxError("a fault of an endpoint names it: give endpoint")

    def _shown(self, at: int) -> str:
        local = after(self.scenario.clock.begins, at)
        return f"{local:%Y-%m-%d %H:%M:%S %Z}"

    def add(self, entry: AnyInput) -> Change:
        """Have an input be a part of the session; `check` has let it pass."""
        if isinstance(entry, Submit):
            return self._submit(entry)
        if isinstance(entry, Stop):
            return self._stop([self.find(entry.tenant, entry.campaign)], entry.at, clears=False)
        if isinstance(entry, Cancel):
            mine = [
                handed
                for handed in self.handed.values()
                if handed.entry is not None
                and (handed.entry.tenant, handed.group) == (entry.tenant, entry.group)
            ]
            return self._stop(mine, entry.at, clears=True)
        if isinstance(entry, Suspend):
            self._suspended[entry.tenant or ""] = entry.number
            suspension = SuspensionPlan(entry.at, entry.tenant or "", NEVER, entry.number)
            return self._disturb(entry.number, suspension)
        if isinstance(entry, Resume):
            return self._end(self._suspended.pop(entry.tenant or ""), entry.at)
        if isinstance(entry, Answer):
            handed = self.handed_of_call(entry.call_id)
            assert handed is not None
            assert handed.tape is not None
            handed.tape.answer(entry.call_id - handed.plan.first_call_id, entry)
            return Change(answered=(handed.plan.rank, entry))
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
            return self._end(entry.fault, entry.at) if fault.of in MODEL_FAULTS else Change()
        return Change()

    def _campaign(self, entry: Submit) -> Campaign:
        """A submission as a campaign of the scenario."""
        if self._resolved is not None and self._resolved[0] == entry:
            return self._resolved[1]
        assert entry.campaign is not None
        begins = self.scenario.clock.begins
        try:
            campaign = Campaign(
                name=entry.campaign,
                tenant=entry.tenant,
                submitted_at=after(begins, entry.at),
                start=after(begins, max(entry.start or 0, entry.at)),
                contact_list=ContactList.from_text(entry.contacts),
                max_retry=entry.max_retry,
                retry_interval=entry.retry_interval_s * 1_000_000,
                expires_at=None if entry.expires is None else after(begins, entry.expires),
                pacing=(
                    None
                    if entry.pacing_per_min is None
                    else parse_rate(f"{entry.pacing_per_min}/min")
                ),
            )
        except (ScenarioError, ValueError) as error:
            raise SandboxError(str(error)) from None
        self._resolved = entry, campaign
        return campaign

    def _submit(self, entry: Submit) -> Change:
        assert entry.campaign is not None
        campaign = self._campaign(entry)
        change = Change()
        result_url = None
        if entry.result_url is not None:
            result_url, change.endpoint = self._endpoint(entry.result_url)
        assert campaign.contact_list is not None
        pinned = (
            {
                index: PinnedCall.of(self.pins[number])
                for index, number in enumerate(campaign.contact_list.numbers.tolist())
                if number in self.pins
            }
            if self.pins
            else {}
        )
        has_handler = entry.result_url is not None and self.handlers == "real"
        tape = SessionTape(self.tape, pinned, has_handler=has_handler)
        base = self._builder.campaign(campaign)
        plan = replace(
            base,
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
        handed = Handed(campaign, plan, entry, entry.group, tape)
        self.handed[plan.key] = self._by_rank[plan.rank] = handed
        self._first_call_ids.append(plan.first_call_id)
        self._ranks.append(plan.rank)
        change.handed = handed
        return change

    def _endpoint(self, url: str) -> tuple[ResultUrl, EndpointPlan | None]:
        """Endpoint of a result_url; and its plan, if it is new."""
        name = origin_of(url)
        said = self._handlers
        names = [endpoint.name for endpoint in self.endpoints]
        made = None
        if name not in names:
            made = EndpointPlan(name, said.timeout, tuple(said.retry_after), said.posts_at_once)
            self.endpoints.append(made)
            names.append(name)
        return ResultUrl(names.index(name), said.latency, said.failure_share), made

    @property
    def _handlers(self) -> Endpoint:
        """How posts to a handler are handled: as the scenario's endpoint ``handlers`` says."""
        said = [each for each in self.scenario.endpoint if each.name == HANDLERS]
        return said[0] if said else Endpoint(name=HANDLERS)

    def _stop(self, mine: Iterable[Handed], at: int, *, clears: bool) -> Change:
        change = Change()
        effect = at + self.scenario.platform.stop_latency
        for handed in mine:
            rules = handed.plan.rules
            if rules.stop_requested_us > at:
                reaches = rules.stop_reaches_queue or clears
                changed = replace(
                    rules,
                    stop_requested_us=at,
                    stop_effect_us=effect,
                    stop_reaches_queue=reaches,
                )
                change.stopped.append((handed.plan.rank, effect))
            elif clears and not rules.stop_reaches_queue and rules.clear_effect_us == NEVER:
                changed = replace(rules, clear_effect_us=effect)
                change.cleared.append((handed.plan.rank, effect))
            else:
                continue
            handed.plan = replace(handed.plan, rules=changed)
        return change

    def _disturb(self, number: int, plan: SuspensionPlan | OutagePlan) -> Change:
        place = len(self.base.disturbances) + len(self._disturbances)
        self._disturbances[number] = _Disturbance(plan, place)
        change = Change(begins=(place, plan))
        if plan.ends_us != NEVER:
            change.ends = (place, plan)
        return change

    def _end(self, number: int, at: int) -> Change:
        """A disturbance ends now, or never begins if that is still to come."""
        found = self._disturbances[number]
        if found.plan.ends_us <= at:
            return Change()
        found.plan = replace(found.plan, ends_us=at)
        return Change(ends=(found.place, found.plan))

    def _fault(self, fault: Fault) -> Change:
        self.faults[fault.number] = fault
        if fault.of not in MODEL_FAULTS:
            return Change()
        endpoint, made = -1, None
        if fault.of == "endpoint":
            assert fault.endpoint is not None
            names = [each.name for each in self.endpoints]
            if fault.endpoint in names:
                endpoint = names.index(fault.endpoint)
            else:
                result_url, made = self._endpoint(fault.endpoint)
                endpoint = result_url.endpoint
        change = self._disturb(
            fault.number,
            OutagePlan(
                begins_us=fault.at if fault.begins is None else fault.begins,
                of=fault.of,
                count=(fault.count or 0) if fault.of in ("ports", "workers", "channels") else 0,
                endpoint=endpoint,
                ends_us=NEVER if fault.ends is None else fault.ends,
                drop=fault.drop,
                order=fault.number,
            ),
        )
        change.endpoint = made
        return change

    def plan(self, ended_us: int) -> Plan:
        """The whole of it, for a run that ends there."""
        numbered, mine = [], {handed.plan.rank: handed.plan for handed in self.handed.values()}
        first = 0
        everybody = [*(mine.pop(c.rank, c) for c in self.base.campaigns), *mine.values()]
        for campaign in sorted(everybody, key=lambda c: (c.numbered_us, c.rank)):
            numbered.append(replace(campaign, first_call_id=first))
            first += campaign.size
        ordered = [each.plan for each in self._disturbances.values()]
        suspensions = [p for p in ordered if isinstance(p, SuspensionPlan)]
        outages = [p for p in ordered if isinstance(p, OutagePlan)]
        return replace(
            self.base,
            campaigns=tuple(sorted(numbered, key=lambda c: c.rank)),
            endpoints=tuple(self.endpoints),
            suspensions=(*self.base.suspensions, *(p for p in suspensions if _happens(p))),
            outages=(*self.base.outages, *(p for p in outages if _happens(p))),
            ends_us=ended_us,
            under_study=-1,
        )

    def saved_scenario(self) -> Scenario:
        """The scenario with all that was handed in and ordered, as if it had been known."""
        begins = self.scenario.clock.begins
        ordered = [each.plan for each in self._disturbances.values() if _happens(each.plan)]
        names = [each.rpartition("/")[2] for each in (e.name for e in self.endpoints)]
        own = {endpoint.name for endpoint in self.scenario.endpoint}
        said = self._handlers.model_dump()
        saved = self.scenario.model_copy(
            update={
                "campaign": [self._saved(handed, names) for handed in self.handed.values()],
                "endpoint": [
                    *self.scenario.endpoint,
                    *(Endpoint(**said | {"name": name}) for name in names if name not in own),
                ],
                "suspension": [
                    *self.scenario.suspension,
                    *(
                        Suspension(
                            tenant=plan.tenant or None,
                            begins=after(begins, plan.begins_us),
                            ends=_local(begins, plan.ends_us),
                        )
                        for plan in ordered
                        if isinstance(plan, SuspensionPlan)
                    ),
                ],
                "outage": [
                    *self.scenario.outage,
                    *(
                        Outage(
                            of=plan.of,
                            count=plan.count or None,
                            begins=after(begins, plan.begins_us),
                            ends=_local(begins, plan.ends_us),
                            drop=plan.drop,
                            endpoint=names[plan.endpoint] if plan.endpoint >= 0 else None,
                        )
                        for plan in ordered
                        if isinstance(plan, OutagePlan)
                    ),
                ],
            }
        )
        saved.__dict__.pop("campaign_under_study", None)
        return saved

    def _saved(self, handed: Handed, endpoints: list[str]) -> Campaign:
        """A campaign with its stop, and the endpoint that stands for its handler."""
        rules, url = handed.plan.rules, handed.plan.result_url
        changes: dict[str, Any] = {}
        if handed.is_stopped:
            changes["stop_at"] = after(self.scenario.clock.begins, rules.stop_requested_us)
            changes["stop_reaches"] = "queue" if rules.stop_reaches_queue else "loading"
        if handed.entry is not None and url is not None:
            changes["result_url"] = endpoints[url.endpoint]
        return handed.campaign.model_copy(update=changes)


HANDLERS = "handlers"
"""Endpoint of a scenario that says how real handlers are treated: time-out, retries, limit."""


def _local(begins: datetime, at: int) -> datetime | None:
    return None if at == NEVER else after(begins, at)


def _happens(disturbance: SuspensionPlan | OutagePlan) -> bool:
    """Whether it begins before it ends: one may be ended before its time comes."""
    return disturbance.begins_us < disturbance.ends_us
