"""A campaign as the engines see it: integers and arrays of integers, nothing to decide.

Arrays are made when an engine first asks for them, so a campaign that never
gets its turn costs nothing. Draws are kept; what is quickly made again is not:
a plan lives as long as its result.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from outsim.clock import NEVER, RATE_SECONDS, SECOND, local_segments
from outsim.distributions import Distribution
from outsim.plan.own_times import OwnTimes, loaded_us, loading_delays
from outsim.plan.retries import RetryPlan
from outsim.scenario.campaigns import USUAL_PRIORITY, Campaign
from outsim.scenario.contacts import ContactList
from outsim.scenario.model import Scenario
from outsim.scenario.sizes import SizeDistribution
from outsim.tape import Purpose, Tape
from outsim.tape.draws import (
    TRAIT_NONE,
    AttemptDraws,
    CallModel,
    ContactDraws,
    PostDraws,
    UpdateDraws,
    whole_ms,
)
from outsim.text import brief
from outsim.units import WHOLE
from outsim.vocabulary import REFUSED, REJECTED, SCHEDULED

Instants = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class InitialState:
    """What has happened before a snapshot to the calls still to dial, as they become ready."""

    at_us: int
    """The moment. Nothing is dispatched before it."""
    ready_us: Instants
    """When each call is, or will be, ready to enter the queue; ascending."""
    attempts: NDArray[np.int8]
    """Attempts of each that are over, or will be when it is ready."""
    failures: NDArray[np.int8]
    """Those of them that reached the callee and were not answered."""
    last_failure_us: Instants
    """When the last of those ended; `clock.MISSING` where it is not known, or there is none."""
    is_loaded: NDArray[np.bool_]
    """Whether each has been in the queue already: it is not wedged, then."""
    places: Instants = field(repr=False)
    """Index of each call that the snapshot tells of, in the order of `STATES`; -1 where it has
    nothing more to dial."""
    settled_us: Instants
    """When those under way end that have nothing more to dial."""
    settled_out: int
    """Calls with nothing more to dial that have been dialed at least once."""
    settled_undialed: int
    """Calls that expired before they were ever dialed."""

    @property
    def is_out(self) -> NDArray[np.bool_]:
        """Whether the carrier took an attempt of each: none that it took was answered."""
        return np.asarray(self.failures > 0)

    @property
    def out(self) -> int:
        """Calls of which the carrier took an attempt before the moment."""
        return self.settled_out + int(np.count_nonzero(self.is_out))


def _poisson_requests_us(
    scenario: Scenario, campaign: Campaign, tape: Tape, until_us: int
) -> NDArray[np.int64]:
    """Poisson request times by inversion of the mean number of requests up to each instant."""
    requests = campaign.requests
    assert requests is not None
    submitted_us = scenario.instant_us(campaign.submitted)
    until_us = min(until_us, scenario.instant_us(requests.until or scenario.clock.ends))
    starts, hours = local_segments(scenario.clock.begins, until_us, scenario.clock.zone_info)
    rates = np.array([requests.rate_at(hour) for _, hour in hours], np.float64) * scenario.load
    edges = np.clip(np.append(starts, until_us), submitted_us, until_us).astype(np.float64)
    expected = np.concatenate([[0.0], np.cumsum(rates / RATE_SECONDS * np.diff(edges) / SECOND)])
    count = 64
    while True:
        uniforms = tape.uniforms(campaign.tenant, campaign.name, Purpose.REQUEST, count=count)
        arrivals = np.cumsum(-np.log1p(-uniforms))
        if arrivals[-1] > expected[-1]:
            break
        count *= 2
    within = arrivals[arrivals < expected[-1]]
    instants = np.interp(within, expected, edges)
    whole_ms: NDArray[np.int64] = np.rint(instants / 1000).astype(np.int64)
    return np.multiply(whole_ms, 1000)


def requests_us(
    scenario: Scenario, campaign: Campaign, tape: Tape, until_us: int
) -> NDArray[np.int64] | None:
    """When each single-call request comes in; None for a campaign with a list (rule 1)."""
    if campaign.requests is None:
        return None
    if campaign.requests.times_s is None:
        return _poisson_requests_us(scenario, campaign, tape, until_us)
    recorded = np.sort(np.array(campaign.requests.times_s, dtype=np.float64))
    return np.rint(recorded * SECOND).astype(np.int64)


def list_size(scenario: Scenario, campaign: Campaign, tape: Tape) -> int:
    """Contacts of a campaign that is given by a number of them, or by a distribution (rule 15)."""
    contacts = campaign.contacts or 0
    if isinstance(contacts, SizeDistribution):
        uniform = tape.uniforms(campaign.tenant, campaign.name, Purpose.LIST_SIZE, count=1)
        contacts = contacts.sizes(uniform)[0]
    return round(contacts * scenario.load)


REASONS_OF_DUPLICATES = "duplicate"
"""Reason in `calls` for a number that stands in the list again, where the scenario rejects it."""

FICTION = 5_550_100
"""555-0100 to 555-0199 are reserved for fiction in every area code."""


@dataclass(frozen=True)
class CampaignRules:
    """What a campaign's calls are held to; times in microseconds since the scenario begins."""

    max_retry: int
    retry_interval_us: int
    expires_us: int = NEVER
    expires_after_us: int = 0
    """From the submission of each call to its own expiry; 0 for none."""
    stop_requested_us: int = NEVER
    stop_effect_us: int = NEVER
    stop_reaches_queue: bool = False
    stop_cancels_retries: bool = True
    cancel_rate: int = 0
    """Calls that a stop cancels one by one, in tokens per million seconds; 0 where it stops the
    campaign."""
    cancels_newest_first: bool = True
    clear_effect_us: int = NEVER
    """When a cancellation empties the queue of a campaign that was stopped already."""
    pacing_rate: int = 0
    """Tokens per million seconds; 0 for none."""
    paced_at_dispatch: bool = False
    max_simultaneous: int = 0
    """0 for no limit."""
    one_call_per_number: bool = False
    priority: int = USUAL_PRIORITY
    """Those of a lower one go first, in the priority queue."""
    window: tuple[tuple[tuple[int, int], ...], ...] = ()
    """For each of its lanes, the (opens, closes) spans; empty for always open."""
    lane_zones: tuple[int, ...] = ()
    """Zones of the plan whose calls have a lane each; empty where one lane serves all."""

    retries: RetryPlan | None = None
    """How calls are dialed again outcome by outcome; None where `retry_interval_us` is for all."""
    asks_again_us: tuple[tuple[int, int], ...] = ()
    """How long its client waits after each refusal but the last, and the longest that chance adds
    to that; empty where it gives up at the first."""

    @property
    def asks_with_jitter(self) -> bool:
        """Whether chance adds to the waits of a client that asks again."""
        return any(jitter_us for _, jitter_us in self.asks_again_us)

    def first_wait_us(self, outcome: int) -> int:
        """From the end of an attempt to the queue again, jitter left out; -1 for never."""
        if self.retries is None:
            return self.retry_interval_us
        return next(iter(self.retries.intervals_us[outcome]), -1)


@dataclass(frozen=True)
class ResultUrl:
    """Where a campaign's final results are posted."""

    endpoint: int
    """Index of the endpoint in the plan."""
    latency: Distribution
    failure_share: float


@dataclass(frozen=True, eq=False)
class CampaignPlan:
    """One campaign, ready to run.

    The place of a campaign among all, in the order of (tenant name, campaign
    name), is its `rank`: it decides ties. Calls are numbered through the campaigns
    of the scenario in that order, and on through those of background tenants as
    they start: neither a longer run nor another start gives a call another number.
    Campaigns that are handed in while the run is under way have the ranks after all
    others, in the order in which they come, and numbers from that moment on.
    """

    __repr__ = brief

    tenant: str
    name: str
    background: bool
    size: int
    """Calls, rejected rows included."""
    submitted_us: int
    start_us: int
    rules: CampaignRules
    model: CallModel
    profile: int
    """Index of the answering profile in the plan's thresholds."""
    loader_rate: int
    jitter_us: int
    """Longest delay of the loader's beginning."""
    tape: Tape = field(repr=False)
    result_url: ResultUrl | None = None
    contact_list: ContactList | None = field(default=None, repr=False)
    ani: int = 0
    """Caller ID for contacts that bring none; 0 for none."""
    reject_duplicates: bool = False
    requests_us: NDArray[np.int64] | None = field(default=None, repr=False)
    """When each single-call request comes in; None for a list."""
    zone_of_row: NDArray[np.int16] | None = field(default=None, repr=False)
    """Index of each callee's zone in the plan; None where all have `zone`."""
    zone: int = 0
    handed_in_us: int | None = None
    """When it came in, if the run was under way already; None for whatever is known beforehand."""
    wedged_calls: tuple[int, ...] | None = field(default=None, repr=False)
    """Calls that are wedged, whatever is drawn; None leaves it to the tape."""
    refusable_from_us: int = NEVER
    """Requests from here on may be refused; what came before was taken. `clock.NEVER` where
    intake has no limit for it."""
    opening: InitialState | None = field(default=None, repr=False)
    """Where its calls stand when the run begins in the middle; None if nothing has happened."""
    own_times: OwnTimes = field(default=OwnTimes(), repr=False)
    """Schedules and expiries that calls bring with them."""
    patience: Distribution | None = None
    """How long the customer wants each call to be dialed; None for ever."""
    rank: int = 0
    tenant_rank: int = 0
    first_call_id: int = 0

    @property
    def key(self) -> tuple[str, str]:
        """Tenant and name: how people and the tape know it."""
        return self.tenant, self.name

    @property
    def numbered_us(self) -> int:
        """When its calls got their numbers; -1 for those of the scenario, which come first."""
        if self.handed_in_us is not None:
            return self.handed_in_us
        return self.start_us if self.background else -1

    @property
    def full_name(self) -> str:
        """``tenant/name``."""
        return f"{self.tenant}/{self.name}"

    @cached_property
    def reject_reason(self) -> NDArray[np.int8]:
        """Per row, 1 + index into `reject_reasons`; 0 where it is accepted."""
        reasons = np.zeros(self.size, dtype=np.int8)
        if self.contact_list is not None:
            for rejected in self.contact_list.rejected:
                reasons[rejected.row] = 1 + self.reject_reasons.index(rejected.reason)
            if self.reject_duplicates:
                code = 1 + self.reject_reasons.index(REASONS_OF_DUPLICATES)
                reasons[self.contact_list.duplicates] = code
        return reasons

    @cached_property
    def reject_reasons(self) -> tuple[str, ...]:
        """Distinct reasons for which rows of the list were rejected."""
        if self.contact_list is None:
            return ()
        reasons = {rejected.reason for rejected in self.contact_list.rejected}
        return (*sorted(reasons - {REASONS_OF_DUPLICATES}), REASONS_OF_DUPLICATES)

    @property
    def accepted(self) -> NDArray[np.int64]:
        """Indexes of the calls that can be dialed, in list order."""
        return np.flatnonzero(self.reject_reason == 0)

    @property
    def is_list(self) -> bool:
        """Whether its calls were handed in together."""
        return self.requests_us is None

    @property
    def is_refusable_list(self) -> bool:
        """Whether its calls were handed in together, by a request that may be refused."""
        return self.is_list and len(self.refusable) > 0

    @property
    def refusable(self) -> NDArray[np.int64]:
        """Indexes of the calls whose request may be refused, as they come in (rule 18)."""
        if self.refusable_from_us == NEVER:
            return np.empty(0, dtype=np.int64)
        return np.flatnonzero(self.submitted_at_us >= self.refusable_from_us)

    @property
    def first_statuses(self) -> NDArray[np.int8]:
        """Status of each call before anything has happened; what may be refused is not taken."""
        statuses = np.full(self.size, SCHEDULED, dtype=np.int8)
        statuses[self.refusable] = REFUSED
        statuses[self.reject_reason != 0] = REJECTED
        return statuses

    @cached_property
    def asks_again_after_us(self) -> NDArray[np.int64]:
        """Wait after each refusal but the last; shape (refusals, calls), or (refusals, 1)."""
        count = 1 if self.is_list or not self.rules.asks_with_jitter else self.size
        waits = np.empty((len(self.rules.asks_again_us), count), dtype=np.int64)
        for refusal, (wait_us, jitter_us) in enumerate(self.rules.asks_again_us):
            waits[refusal] = wait_us
            if jitter_us:
                added = self.tape.millionths(
                    *self.key, Purpose.ASKS_AGAIN, attempt=refusal + 1, count=count
                )
                waits[refusal] += added * jitter_us // WHOLE
        return waits

    @property
    def submitted_at_us(self) -> NDArray[np.int64]:
        """When each call was handed in."""
        if self.requests_us is not None:
            return self.requests_us
        return np.full(self.size, self.submitted_us, dtype=np.int64)

    @cached_property
    def loading_us(self) -> int:
        """When the loader begins: the start, and up to `jitter_us` later."""
        return self._loading_us(self.submitted_us)

    def _loading_us(self, taken_us: int) -> int:
        return max(self.start_us, taken_us) + self._start_jitter_us

    @cached_property
    def _start_jitter_us(self) -> int:
        if self.jitter_us == 0:
            return 0
        uniform = self.tape.uniforms(*self.key, Purpose.START_JITTER, count=1)[0]
        return round(float(uniform) * self.jitter_us / 1000) * 1000

    @property
    def ready_us(self) -> NDArray[np.int64]:
        """When each call could enter the queue if nothing paced it (rule 2)."""
        if self.opening is not None:
            return self.opening.ready_us
        scheduled = self.own_times.scheduled_us
        if self.requests_us is not None:
            ready = np.maximum(self.requests_us, self.loading_us)
            return ready if scheduled is None else np.maximum(ready, scheduled)
        return self.list_ready_us(self.submitted_us)

    def list_ready_us(self, taken_us: int) -> NDArray[np.int64]:
        """The same for a list that was taken at an instant."""
        loading_us, scheduled = self._loading_us(taken_us), self.own_times.scheduled_us
        ready, accepted = np.full(self.size, NEVER, dtype=np.int64), self.accepted
        if scheduled is None:
            ready[accepted] = loading_us + loading_delays(len(accepted), self.loader_rate)
        else:
            due = np.maximum(scheduled[accepted], loading_us)
            order = np.argsort(due, kind="stable")
            ready[accepted[order]] = loaded_us(due[order], self.loader_rate)
        return ready

    def loading_order(self, ready_us: Instants) -> NDArray[np.int64] | None:
        """Indexes of all calls as they are ready; None for the order of the list."""
        if self.own_times.scheduled_us is None or self.opening is not None:
            return None
        return np.argsort(ready_us, kind="stable")

    def loading_place(self, index: int) -> int:
        """Place of a call in that order."""
        if self.own_times.scheduled_us is None:
            return index
        order = self.loading_order(self.ready_us)
        return index if order is None else int(np.flatnonzero(order == index)[0])

    @cached_property
    def contacts(self) -> ContactDraws:
        """Traits of the contacts: what a call has come through shows which it hasn't."""
        contacts = self.tape.contacts(*self.key, self.model, self.size)
        if self.wedged_calls is not None:
            wedged = np.isin(np.arange(self.size), self.wedged_calls)
            contacts = ContactDraws(contacts.trait, wedged, contacts.missing_ani)
        if self.opening is None:
            return contacts
        return ContactDraws(
            trait=np.where(self.opening.attempts > 0, np.uint8(TRAIT_NONE), contacts.trait),
            wedged=contacts.wedged & ~self.opening.is_loaded,
            missing_ani=contacts.missing_ani,
        )

    @cached_property
    def missing_ani(self) -> NDArray[np.bool_]:
        """Whether each call goes out without a caller ID."""
        if self.contact_list is None:
            return self.contacts.missing_ani
        return np.asarray(self.contact_list.anis == 0) & (self.ani == 0)

    @property
    def numbers(self) -> NDArray[np.int64]:
        """National ten-digit number of each call; 0 where the row has none."""
        if self.contact_list is not None:
            return self.contact_list.numbers
        area, line = np.divmod(np.arange(self.size, dtype=np.int64), 100)
        first = _some_area(self.full_name) - 200
        return (200 + (first + area) % 800) * 10**7 + FICTION + line

    @cached_property
    def shared_number(self) -> NDArray[np.int32] | None:
        """Per call, which of the numbers that several calls have is its own; -1 for none of them.

        None where no call waits for another to its number: made-up numbers are nobody's, and of
        the calls in a snapshot no number is known.
        """
        contacts = self.contact_list
        if not self.rules.one_call_per_number or contacts is None or self.opening is not None:
            return None
        numbers = np.where(self.reject_reason == 0, contacts.numbers, 0)
        values, place, counts = np.unique(numbers, return_inverse=True, return_counts=True)
        is_shared = (counts > 1) & (values != 0)
        if not is_shared.any():
            return None
        return np.where(is_shared, np.cumsum(is_shared) - 1, -1)[place].astype(np.int32)

    @property
    def anis(self) -> NDArray[np.int64]:
        """Caller ID of each call; 0 where it has none."""
        if self.contact_list is not None:
            own = self.contact_list.anis
            return np.where(own == 0, self.ani, own)
        made_up = self.ani or _some_area(self.tenant) * 10**7 + FICTION
        return np.where(self.missing_ani, 0, made_up)

    @property
    def call_expires_us(self) -> Instants:
        """When each call expires; NEVER for one that does not."""
        expires = np.full(self.size, self.rules.expires_us, dtype=np.int64)
        return expires if self.own_expires_us is None else np.minimum(expires, self.own_expires_us)

    @cached_property
    def own_expires_us(self) -> Instants | None:
        """When each call expires by itself; NEVER for one that does not, None if none does."""
        own = self.own_times.expires_us
        if own is None and not self.rules.expires_after_us:
            return None
        submitted = self.submitted_at_us
        if self.rules.expires_after_us:
            after = submitted + self.rules.expires_after_us
            own = after if own is None else np.minimum(own, after)
        assert own is not None
        if self.opening is not None:
            # When calls that stand in a snapshot were handed in is not known.
            own = np.where(submitted > self.opening.at_us, own, NEVER)
        # One that is handed in too late does so at once.
        return np.maximum(own, submitted)

    @property
    def expiry_order(self) -> NDArray[np.int64]:
        """Indexes of the calls that expire by themselves, in the order in which they do."""
        own = self.own_expires_us
        if own is None:
            return np.zeros(0, dtype=np.int64)
        accepted = self.accepted[own[self.accepted] < NEVER]
        return accepted[np.argsort(own[accepted], kind="stable")]

    @property
    def wait_starts_us(self) -> Instants:
        """From when each call is wanted: its start, submission or own schedule, the latest."""
        since = np.maximum(self.submitted_at_us, self.start_us)
        scheduled = self.own_times.scheduled_us
        return since if scheduled is None else np.maximum(since, scheduled)

    @property
    def wanted_until_us(self) -> Instants | None:
        """Until when the customer wants each call (rule 16); None where patience has no end."""
        if self.patience is None:
            return None
        uniforms = self.tape.uniforms(*self.key, Purpose.PATIENCE, count=self.size)
        patience_ms = whole_ms(self.patience.quantile_s(uniforms)).astype(np.int64)
        return self.wait_starts_us + np.maximum(1, patience_ms * 1000)

    @property
    def zones(self) -> NDArray[np.int16]:
        """Index of each callee's zone in the plan."""
        if self.zone_of_row is not None:
            return self.zone_of_row
        return np.full(self.size, self.zone, dtype=np.int16)

    def attempts(self, attempt: int) -> AttemptDraws:
        """Draws of the calls' attempts with this number, from 1."""
        return self.tape.attempts(*self.key, self.model, attempt, self.size)

    def updates(self, attempt: int) -> UpdateDraws:
        """Draws of the updates about attempts with this number; 0 for before the first."""
        return self.tape.updates(*self.key, self.model, attempt, self.size)

    def retry_jitter(self, attempt: int) -> NDArray[np.int64]:
        """Per call, millionths of the longest jitter that its retry after an attempt has."""
        return self.tape.millionths(
            *self.key, Purpose.RETRY_JITTER, attempt=attempt, count=self.size
        )

    def posts(self, post: int) -> PostDraws:
        """Draws of the posts with this number; only where there is a result_url."""
        assert self.result_url is not None
        url = self.result_url
        return self.tape.posts(*self.key, url.latency, url.failure_share, post, self.size)


def _some_area(name: str) -> int:
    """Area code from 200 to 999 that belongs to a name, the same in every run."""
    return 200 + int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "little") % 800
