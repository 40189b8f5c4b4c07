"""The same queue as a compiled cimba model: the fast engine that ours is held against.

cimba compiles the methods of a model's classes with numba and runs them on an event queue
written in C. The model is written for speed, with cimba's own parts: Stores for the queue and
for all that waits, events for everything whose length is known when it begins, processes only
where somebody goes through a list (a loader; the calls that wait for a retry), token buckets
worked out when somebody asks, ports that are used again and not spawned for each attempt. With
a process for each port, worker and sender instead, the model is shorter and runs at two fifths
of the speed. It keeps no statistics: the window in which cimba records levels opens when the
run is over.

What it models, by the rules of the model:

1, 2. Lists and requests; a loader for each campaign, in list order; pacing at admission.
3. One FIFO queue.
4. Ports and dial tokens, taken together at dispatch.
5. Workers with two priorities, not preemptive, and constant work.
6. The carrier's token bucket and channels by the minute of the hour.
7. Outcomes by thresholds: profile, local hour and weekday, failures so far; traits; ring
   timeout; post-dial delay, ring and talk.
8. Retries after the interval, at the queue's tail.
9. Expiry, noticed when a call comes to the queue or to its head.
10. Updates (queued, dialing, connected if answered, waiting_retry or final), in one backlog.
11. One final post per call once its final update is visible, by a limited pool of senders.
12. A stop of a campaign, with its retries.
14. Background campaigns, as further loaders.

It draws nothing: all uniforms and durations are read from the plan's tape, in place. So it
makes the attempts that the other engines make, to about one in a thousand: where the carrier
refuses some, it can depend on who comes first at one instant. Left out are:

- records of any kind: it counts attempts, updates and posts, and knows when the last attempt
  ended;
- the order of what happens at one instant, and whole microseconds: its clock is a float;
- lost updates and reconciliation, wedged calls, recorded outcomes, detection of the callee type;
- calls without a caller ID, the redial gap's factor;
- drawn work times; calling windows, suspensions, outages; limits on simultaneous calls, a
  tenant's dial rate, pacing at dispatch; other disciplines than FIFO; what-ifs of the stop;
- time-outs, failures and limits of an endpoint.

`part_of` takes what it leaves out from a scenario, so that all engines do the same work.
"""

from __future__ import annotations

import copy
from typing import Any

import cimba as cb
import numpy as np
from cimba import Array, Output, Param, Ref, Store
from numba import carray, njit, types
from numba.extending import intrinsic
from numpy.typing import ArrayLike, DTypeLike

from outsim.clock import SECOND
from outsim.plan import CampaignPlan, Plan
from outsim.tape.draws import TRAIT_FAX, TRAIT_INVALID
from outsim.vocabulary import BUSY, FAX, HUMAN, INVALID, NO_ANSWER, VOICEMAIL
from outsim.vocabulary import INTERVAL_ORDER as ORDER

CODE_BITS = 32
"""A call's code: its campaign's rank above these bits, its index below."""
INDEX_MASK = (1 << CODE_BITS) - 1

DRAWS = (
    "outcome",
    "post_dial_ms",
    "ring_human_ms",
    "ring_voicemail_ms",
    "talk_human_ms",
    "talk_voicemail_ms",
)
"""Arrays of an attempt's draws, in the order of a tape's addresses."""
UNIFORM, POST_DIAL, RING_HUMAN, RING_VOICEMAIL, TALK_HUMAN, TALK_VOICEMAIL = range(len(DRAWS))

MS = 1e-3
INSTANT = 1e-9
"""Seconds too short to wait for: what rounding leaves of a wait that is over."""


@intrinsic
def _pointer(_: Any, address: Any) -> Any:
    def generate(context: Any, builder: Any, _: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(types.voidptr))

    return types.voidptr(address), generate


# Compiled code reads the tape where it lies, by address: a cimba Array would be a copy, made
# element by element.


@njit
def float_at(address: int, index: int) -> float:
    return carray(_pointer(address), index + 1, np.float64)[index]


@njit
def long_at(address: int, index: int) -> int:
    return carray(_pointer(address), index + 1, np.int64)[index]


@njit
def int_at(address: int, index: int) -> int:
    return carray(_pointer(address), index + 1, np.int32)[index]


@njit
def byte_at(address: int, index: int) -> int:
    return carray(_pointer(address), index + 1, np.uint8)[index]


@njit
def update(platform: Platform, code: int, final: bool) -> None:
    """Put an update of a call's status into the workers' backlog."""
    platform.backlog.put(2 * code + final)
    platform.updates_waiting += 1
    begin_work(platform)


@njit
def begin_work(platform: Platform) -> None:
    """Have free workers begin what waits, dial work first."""
    while platform.workers > 0:
        if platform.dials_waiting > 0:
            platform.dials_waiting -= 1
            port = platform.dials.get()
            cb.schedule(port.dialed, platform.dial_work)
        elif platform.updates_waiting > 0:
            platform.updates_waiting -= 1
            cb.schedule(platform.updated, platform.status_work)
        else:
            return
        platform.workers -= 1


@njit
def enter(platform: Platform, campaign: Campaign, index: int) -> None:
    """Put a call at the tail of the outbound queue, unless it has expired."""
    code = campaign.code + index
    if cb.now() >= campaign.expires:
        update(platform, code, True)
        return
    update(platform, code, False)
    platform.queue.put(code)
    platform.queued += 1
    dispatch(platform)


@njit
def dispatch(platform: Platform) -> None:
    """Dispatch from the head of the queue while port and token allow."""
    while platform.queued > 0 and platform.ports_free > 0:
        now = cb.now()
        wait = platform.token_at - now
        if wait > INSTANT:
            if not platform.awake:
                platform.awake = True
                cb.schedule(platform.wake, wait)
            return
        platform.queued -= 1
        code = platform.queue.get()
        campaign = platform.campaigns[code >> CODE_BITS]
        if now >= campaign.expires:
            update(platform, code, True)
            continue
        earliest = now - platform.burst_time
        platform.token_at = max(platform.token_at, earliest) + platform.token_time
        platform.ports_free -= 1
        platform.attempts += 1
        campaign.number[code & INDEX_MASK] += 1
        port = platform.idle.get()
        port.code = code
        port.dispatched = now
        platform.dials.put(port)
        platform.dials_waiting += 1
        update(platform, code, False)


@njit
def admit(platform: Platform) -> bool:
    """Whether the carrier takes an attempt."""
    now = cb.now()
    minute = int((now + platform.carrier_offset) / 60.0) % 60
    gained = (now - platform.carrier_at) * float_at(platform.carrier_rates, minute)
    platform.carrier_level = min(platform.carrier_burst, platform.carrier_level + gained)
    platform.carrier_at = now
    if platform.channels_busy >= long_at(platform.carrier_channels, minute):
        return False
    if platform.carrier_level < 1.0:
        return False
    platform.carrier_level -= 1.0
    platform.channels_busy += 1
    return True


@njit
def outcome_of(
    platform: Platform, campaign: Campaign, index: int, dispatched: float, uniform: float
) -> int:
    """Outcome of an attempt that the carrier takes."""
    trait = byte_at(campaign.traits, index)
    if trait == TRAIT_INVALID:
        return INVALID
    if trait == TRAIT_FAX:
        return FAX
    zone = long_at(campaign.zones, index)
    segment = long_at(platform.first_segments, zone)
    last = long_at(platform.first_segments, zone + 1) - 1
    while segment < last and float_at(platform.segment_starts, segment + 1) <= dispatched:
        segment += 1
    failures = min(campaign.failures[index], platform.failure_rows - 1)
    bounds = (
        platform.no_gap
        + campaign.profile * platform.profile_stride
        + long_at(platform.segment_factors, segment) * platform.factor_stride
        + failures * platform.failures_stride
    )
    for place in range(len(ORDER) - 1):
        if uniform < float_at(platform.thresholds, bounds + place):
            return ORDER[place]
    return BUSY


class Port(cb.Model):
    """A port, and the attempt that it is busy with."""

    platform: Ref[Platform]
    code: int = 0
    dispatched: float = 0.0
    admitted: bool = False
    outcome: int = 0
    talk: float = 0.0

    @cb.event
    def dialed(self) -> None:
        """The dial work is done: the attempt is at the carrier."""
        platform = self.platform
        platform.workers += 1
        self.admitted = admit(platform)
        if not self.admitted:
            cb.schedule(self.ended, platform.refusal)
            begin_work(platform)
            return
        campaign = platform.campaigns[self.code >> CODE_BITS]
        index = self.code & INDEX_MASK
        tape = campaign.tape + 8 * len(DRAWS) * (campaign.number[index] - 1)
        uniform = float_at(long_at(tape, UNIFORM), index)
        outcome = outcome_of(platform, campaign, index, self.dispatched, uniform)
        length = MS * int_at(long_at(tape, POST_DIAL), index)
        answered = False
        if outcome not in (BUSY, INVALID):
            rings = RING_VOICEMAIL if outcome == VOICEMAIL else RING_HUMAN
            ring = MS * int_at(long_at(tape, rings), index)
            answered = outcome != NO_ANSWER and ring <= platform.ring_timeout
            if answered:
                length += ring
            else:
                outcome = NO_ANSWER
                length += platform.ring_timeout
        self.outcome = outcome
        if answered:
            if outcome == FAX:
                self.talk = platform.fax_talk
            else:
                talks = TALK_HUMAN if outcome == HUMAN else TALK_VOICEMAIL
                self.talk = MS * int_at(long_at(tape, talks), index)
            cb.schedule(self.connected, length)
        else:
            cb.schedule(self.ended, length)
        begin_work(platform)

    @cb.event
    def connected(self) -> None:
        """Somebody, or a machine, has answered."""
        cb.schedule(self.ended, self.talk)
        update(self.platform, self.code, False)

    @cb.event
    def ended(self) -> None:
        """The attempt is over: the port is free, and the call is over or waits for a retry."""
        platform = self.platform
        code, outcome = self.code, self.outcome
        campaign = platform.campaigns[code >> CODE_BITS]
        index = code & INDEX_MASK
        platform.last_end = cb.now()
        over = campaign.number[index] > campaign.max_retry
        over = over or campaign.stopped or cb.now() >= campaign.expires
        if self.admitted:
            platform.channels_busy -= 1
            if outcome in (NO_ANSWER, BUSY):
                campaign.failures[index] += 1
            else:
                over = True
        if not over:
            campaign.due[index] = cb.now() + campaign.retry_interval
            campaign.retries_waiting += 1
            campaign.waiting.put(index)
        update(platform, code, over)
        platform.idle.put(self)
        platform.ports_free += 1
        dispatch(platform)


class Campaign(cb.Model):
    """A campaign: its loader, and its calls that wait for a retry.

    The fields whose names are those of arrays hold their addresses.
    """

    platform: Ref[Platform]
    code: Param[int] = 0
    count: Param[int] = 0
    accepted: Param[int] = 0
    ready: Param[int] = 0
    traits: Param[int] = 0
    zones: Param[int] = 0
    tape: Param[int] = 0
    latencies: Param[int] = 0
    """0 where no results are posted."""
    profile: Param[int] = 0
    max_retry: Param[int] = 0
    retry_interval: Param[float] = 0.0
    expires: Param[float] = 0.0
    stops: Param[float] = 0.0
    pace: Param[float] = 0.0
    """Seconds between admissions; 0 for no pacing."""

    stopped: bool = False
    loaded: int = 0
    next_admission: float = 0.0
    retries_waiting: int = 0
    retry_next: int = -1
    number: Array[int]
    failures: Array[int]
    due: Array[float]
    waiting: Store[int]

    @cb.on_start
    def plan_stop(self) -> None:
        if self.stops <= self.platform.ends:
            cb.schedule(self.stop, self.stops)

    @cb.event
    def stop(self) -> None:
        """The stop takes effect: what is not loaded, and what waits for a retry, is canceled."""
        self.stopped = True
        platform = self.platform
        for place in range(self.loaded, self.count):
            update(platform, self.code + long_at(self.accepted, place), True)
        if self.retry_next >= 0:
            update(platform, self.code + self.retry_next, True)
            self.retry_next = -1
        while self.retries_waiting > 0:
            self.retries_waiting -= 1
            update(platform, self.code + self.waiting.get(), True)

    @cb.process
    def load(self) -> None:
        """Move contacts into the queue in list order."""
        for place in range(self.count):
            hold_until(float_at(self.ready, place))
            keep_pace(self)
            if self.stopped:
                return
            self.loaded = place + 1
            enter(self.platform, self, long_at(self.accepted, place))

    @cb.process
    def retry(self) -> None:
        """Bring calls back when they are due: all wait equally long, so in the order they came."""
        while True:
            index = self.waiting.get()
            self.retries_waiting -= 1
            self.retry_next = index
            hold_until(self.due[index])
            keep_pace(self)
            if self.stopped:
                return
            self.retry_next = -1
            enter(self.platform, self, index)


@njit
def hold_until(instant: float) -> None:
    """Hold the process that asks."""
    wait = instant - cb.now()
    if wait > 0.0:
        cb.hold(wait)


@njit
def keep_pace(campaign: Campaign) -> None:
    """Hold the process that asks until the campaign may admit another call."""
    if campaign.pace > 0.0:
        instant = max(cb.now(), campaign.next_admission)
        campaign.next_admission = instant + campaign.pace
        hold_until(instant)


class Platform(cb.Model):
    """The platform and the carrier; the fields whose names are those of arrays hold addresses."""

    campaigns: list[Campaign]
    ends: Param[float] = 0.0
    ports: Param[int] = 0
    token_time: Param[float] = 0.0
    burst_time: Param[float] = 0.0
    """Seconds in which the bucket gains all its tokens but one."""
    dial_work: Param[float] = 0.0
    status_work: Param[float] = 0.0
    ring_timeout: Param[float] = 0.0
    refusal: Param[float] = 0.0
    fax_talk: Param[float] = 0.0
    carrier_rates: Param[int] = 0
    carrier_channels: Param[int] = 0
    carrier_burst: Param[float] = 0.0
    carrier_offset: Param[float] = 0.0
    thresholds: Param[int] = 0
    profile_stride: Param[int] = 0
    factor_stride: Param[int] = 0
    failures_stride: Param[int] = 0
    failure_rows: Param[int] = 0
    no_gap: Param[int] = 0
    first_segments: Param[int] = 0
    segment_starts: Param[int] = 0
    segment_factors: Param[int] = 0

    workers: int = 0
    """Those that are free."""
    senders: int = 0
    """Those that are free."""
    ports_free: int = 0
    token_at: float = 0.0
    """When there is a token, nothing being taken meanwhile."""
    awake: bool = False
    carrier_level: float = 0.0
    carrier_at: float = 0.0
    channels_busy: int = 0
    queued: int = 0
    dials_waiting: int = 0
    updates_waiting: int = 0
    posts_waiting: int = 0

    attempts: Output[int] = 0
    updates: Output[int] = 0
    posts: Output[int] = 0
    last_end: Output[float] = 0.0

    queue: Store[int]
    idle: Store[Port]
    dials: Store[Port]
    """Ports whose dial work waits."""
    backlog: Store[int]
    """Twice the code of a call, and 1 for a final update. All take equally long, so the update
    that ends is the oldest one here."""
    results: Store[int]

    @cb.on_start
    def open(self) -> None:
        for _ in range(self.ports):
            self.idle.put(cb.spawn(Port, platform=self))
        self.ports_free = self.ports
        self.token_at = -self.burst_time
        self.carrier_level = self.carrier_burst
        cb.schedule(self.close, self.ends)

    @cb.event
    def close(self) -> None:
        cb.end_trial()

    @cb.event
    def wake(self) -> None:
        """There is a token for the head of the queue."""
        self.awake = False
        dispatch(self)

    @cb.event
    def updated(self) -> None:
        """A worker has processed an update: it is visible."""
        self.workers += 1
        self.updates += 1
        item = self.backlog.get()
        if item & 1:
            code = item >> 1
            if self.campaigns[code >> CODE_BITS].latencies != 0:
                self.results.put(code)
                self.posts_waiting += 1
                post(self)
        begin_work(self)

    @cb.event
    def posted(self) -> None:
        """A post has arrived."""
        self.senders += 1
        self.posts += 1
        post(self)


@njit
def post(platform: Platform) -> None:
    """Have free senders post the results that wait."""
    while platform.senders > 0 and platform.posts_waiting > 0:
        platform.senders -= 1
        platform.posts_waiting -= 1
        code = platform.results.get()
        latencies = platform.campaigns[code >> CODE_BITS].latencies
        cb.schedule(platform.posted, MS * int_at(latencies, code & INDEX_MASK))


class CimbaPlatform:
    """A plan as a cimba model.

    Draws the tape as far as a run can need it, so that `run` only simulates.

    Parameters
    ----------
    plan : Plan
        What to run.

    Raises
    ------
    ValueError
        If the plan has rules that are not modelled here; see `part_of`.

    Attributes
    ----------
    updates, posts : int
        Updates that were processed and results that were posted in the last run.
    makespan_s : float
        When the last attempt of the last run ended.
    """

    def __init__(self, plan: Plan) -> None:
        _refuse(plan)
        self._arrays: list[np.ndarray] = []
        self.model = self._platform(plan)
        self.experiment = self._experiment()
        self.updates = self.posts = 0
        self.makespan_s = 0.0

    def warm_up(self) -> None:
        """Compile the model, which is done once in a process."""
        ends, self.model.ends = self.model.ends, 0.0
        self._experiment().run(workers=1, on_failure="raise")
        self.model.ends = ends

    def run(self) -> int:
        """Run to the plan's end; return the attempts made."""
        results = self.experiment.run(workers=1, on_failure="raise")[self.model]
        self.updates = int(results.updates.values[0, 0])
        self.posts = int(results.posts.values[0, 0])
        self.makespan_s = float(results.last_end.values[0, 0])
        return int(results.attempts.values[0, 0])

    def _experiment(self) -> cb.Experiment:
        # cimba records the levels of stores while its window is open: here, never.
        window = cb.Window(warmup=self.model.ends + 1, duration=1)
        return cb.Experiment(self.model, window=window)

    def _address(self, values: ArrayLike, dtype: DTypeLike) -> int:
        """Address of an array with these values, kept as long as this object."""
        array = np.ascontiguousarray(values, dtype=dtype)
        self._arrays.append(array)
        return array.ctypes.data

    def _platform(self, plan: Plan) -> Platform:
        told, answering = plan.platform, plan.answering
        model = Platform()
        model.ends = plan.ends_us / SECOND
        model.ports, model.workers = told.ports, told.workers
        model.senders = told.delivery_pool
        model.token_time = 1e6 / told.dial_rate
        model.burst_time = (told.dial_burst - 1) * model.token_time
        model.dial_work = told.dial_work_us / SECOND
        model.status_work = told.status_work_us / SECOND
        model.ring_timeout = told.ring_timeout_us / SECOND
        model.refusal = told.refusal_us / SECOND
        model.fax_talk = told.detection_machine_us / SECOND
        model.carrier_rates = self._address(told.carrier_rates / 1e6, np.float64)
        model.carrier_channels = self._address(told.carrier_channels, np.int64)
        model.carrier_burst = float(told.carrier_burst)
        model.carrier_offset = told.carrier_minute_offset_us / SECOND
        thresholds = np.ascontiguousarray(answering.thresholds)
        model.thresholds = self._address(thresholds, np.float64)
        profile, factor, failures, gap, _ = (n // thresholds.itemsize for n in thresholds.strides)
        model.profile_stride, model.factor_stride = profile, factor
        model.failures_stride, model.failure_rows = failures, thresholds.shape[2]
        model.no_gap = (thresholds.shape[3] - 1) * gap
        starts = answering.segment_starts_us
        model.first_segments = self._address(np.cumsum([0, *map(len, starts)]), np.int64)
        model.segment_starts = self._address(np.concatenate(starts) / SECOND, np.float64)
        model.segment_factors = self._address(np.concatenate(answering.segment_factors), np.int64)
        model.campaigns = [self._campaign(model, campaign) for campaign in plan.campaigns]
        return model

    def _campaign(self, platform: Platform, campaign: CampaignPlan) -> Campaign:
        rules, accepted = campaign.rules, campaign.accepted
        model = Campaign()
        model.platform = platform
        model.code = campaign.rank << CODE_BITS
        model.count = len(accepted)
        model.accepted = self._address(accepted, np.int64)
        model.ready = self._address(campaign.ready_us[accepted] / SECOND, np.float64)
        model.traits = self._address(campaign.contacts.trait, np.uint8)
        model.zones = self._address(campaign.zones, np.int64)
        addresses = []
        for number in range(1, rules.max_retry + 2):
            draws = campaign.attempts(number)
            arrays = [getattr(draws, name) for name in DRAWS]
            addresses += [self._address(array, array.dtype) for array in arrays]
        model.tape = self._address(addresses, np.int64)
        if campaign.result_url is not None:
            model.latencies = self._address(campaign.posts(1).latency_ms, np.int32)
        model.profile, model.max_retry = campaign.profile, rules.max_retry
        model.retry_interval = rules.retry_interval_us / SECOND
        model.expires = rules.expires_us / SECOND
        model.stops = rules.stop_effect_us / SECOND
        model.pace = 1e6 / rules.pacing_rate if rules.pacing_rate else 0.0
        model.number = model.failures = model.due = Array(campaign.size)
        return model


def _refuse(plan: Plan) -> None:
    told = plan.platform
    rules = [campaign.rules for campaign in plan.campaigns]
    found = {
        "drawn work times": min(told.dial_work_us, told.status_work_us) < 0,
        "queue disciplines": told.queue != "fifo",
        "outages": plan.outages,
        "suspensions": plan.suspensions,
        "limits of tenants": any(t.max_simultaneous or t.dial_rate for t in plan.tenants),
        "limits of campaigns": any(r.max_simultaneous for r in rules),
        "calling windows": any(r.window for r in rules),
        "pacing at dispatch": any(r.pacing_rate and r.paced_at_dispatch for r in rules),
        "calls without a caller ID": any(c.missing_ani.any() for c in plan.campaigns),
        "a factor of the redial gap": np.ptp(plan.answering.thresholds, axis=3).any(),
        "what-ifs of the stop": any(
            r.stop_reaches_queue or not r.stop_cancels_retries for r in rules
        ),
    }
    left_out = [name for name, there in found.items() if there]
    if left_out:
        raise ValueError(f"not modelled with cimba: {', '.join(left_out)}")


def part_of(mapping: dict[str, Any]) -> dict[str, Any]:
    """Take from a scenario what is not modelled here and would change the attempts.

    Parameters
    ----------
    mapping : dict
        A scenario, as a file of it reads.

    Returns
    -------
    dict
        The same scenario without lost updates and wedged calls. Rules that only a file can
        ask for stay in it: `CimbaPlatform` refuses them.
    """
    part = copy.deepcopy(mapping)
    part.setdefault("platform", {}).update(lost_updates=0, wedged_calls=0)
    return part
