"""Campaigns, the customers whose they are, and the pages that get their results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from enum import Enum
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, PrivateAttr, model_validator

from outsim.clock import DAY, SECOND, format_duration, microseconds_between
from outsim.distributions import Distribution
from outsim.scenario.back_off import AsksAgain, Retries, Retry, WhenRefused, retry_problems
from outsim.scenario.contacts import ContactList, is_frame
from outsim.scenario.defaults import default
from outsim.scenario.parts import (
    WEEKDAYS,
    Name,
    Part,
    Positive,
    TenDigits,
    Weekday,
    check_intake,
    out_of_order,
)
from outsim.scenario.recurrence import days_of, moved, on_day
from outsim.scenario.sizes import SizeDistribution, Sizes
from outsim.units import (
    ContradictionError,
    Duration,
    LocalTime,
    Problem,
    Rate,
    RetryInterval,
    Share,
    TimeOfDay,
    ZoneName,
)

Priority = Annotated[int, Field(ge=1, le=9, strict=True)]
"""Priority class of calls: those of a lower number go first."""
USUAL_PRIORITY = 5
"""That of tenants of whom nothing else is said: some can go before them and some after."""

LATEST_S = 366 * DAY / SECOND
"""Seconds since the scenario begins that a request may come at: no run is longer."""


class Window(Part):
    """Hours in which calls may be dispatched."""

    opens: TimeOfDay
    """Local time of day from which dispatch is allowed."""
    closes: TimeOfDay
    """Local time of day from which it is not; on the next day where that is not after `opens`."""
    days: list[Weekday] = [*WEEKDAYS]
    """Weekdays on which the window opens."""
    zone: Literal["scenario", "callee"] = "scenario"
    """Whose clock the window follows."""

    @property
    def passes_midnight(self) -> bool:
        """Whether it closes on the day after the one on which it opens."""
        return self.closes <= self.opens


def _instant_us(begins: datetime, day: datetime, at: time, zone: ZoneInfo) -> int:
    """Instant of a local time of day; one that summer time skips counts from midnight."""
    if at == time.max:
        day, at = day + timedelta(days=1), time(0)
    return microseconds_between(begins, datetime.combine(day.date(), at, tzinfo=zone))


def window_spans(
    window: Window, begins: datetime, until_us: int, zone: ZoneInfo
) -> tuple[tuple[int, int], ...]:
    """(opens, closes) spans, in microseconds since `begins`, that touch a run until `until_us`."""
    spans: list[tuple[int, int]] = []
    day = begins.astimezone(zone) - timedelta(days=1)
    while True:
        opens = _instant_us(begins, day, window.opens, zone)
        if opens > until_us:
            return tuple(spans)
        closing_day = day + timedelta(days=1) if window.passes_midnight else day
        closes = _instant_us(begins, closing_day, window.closes, zone)
        if closes > 0 and opens < closes and WEEKDAYS[day.weekday()] in window.days:
            if spans and spans[-1][1] >= opens:
                spans[-1] = (spans[-1][0], closes)
            else:
                spans.append((opens, closes))
        day += timedelta(days=1)


class Requests(Part):
    """Single-call requests that come in over time, instead of a list."""

    rate: Rate | None = None
    """Mean requests over time (Poisson), unless `rate_by_hour` has the hour."""
    rate_by_hour: dict[Annotated[int, Field(ge=0, le=23)], Rate] = {}
    """Mean requests over time by local hour of the day."""
    times_s: list[Annotated[float, Field(ge=0, le=LATEST_S)]] | None = None
    """Recorded times in seconds since the scenario begins, instead of a rate."""
    until: LocalTime | None = None
    """Poisson requests end here; default: where the run ends by the clock."""
    scheduled_s: list[Annotated[float, Field(ge=0, le=LATEST_S)]] | None = None
    """For each of `times_s`, seconds since the scenario begins before which the call is not to go
    out; 0 for at once."""
    expires_s: list[Annotated[float, Field(ge=0, le=LATEST_S)]] | None = None
    """For each of `times_s`, seconds since the scenario begins at which the call expires; 0 for
    never."""

    @model_validator(mode="after")
    def _one_kind(self) -> Requests:
        has_rate = self.rate is not None or bool(self.rate_by_hour)
        if has_rate == (self.times_s is not None):
            raise ValueError("give either rate or rate_by_hour, or times_s")
        problems = [*self._own_times()]
        if problems:
            raise ContradictionError(problems)
        return self

    def _own_times(self) -> Iterator[Problem]:
        """Schedules and expiries that can't be those of the requests."""
        times = self.times_s
        for key in ("scheduled_s", "expires_s"):
            own = getattr(self, key)
            if own is not None and len(own) != len(times or ()):
                allowed = "times_s has none" if times is None else f"times_s has {len(times):,}"
                yield (key,), f"found {len(own):,}; {allowed}: give one for each"
                return
        for place, expires in enumerate(self.expires_s or ()):
            at = (times or ())[place]
            scheduled = self.scheduled_s[place] if self.scheduled_s else 0
            if 0 < expires <= max(at, scheduled):
                what = "its schedule" if scheduled >= at else "the request"
                message = f"found {expires:g}; must be later than {what} ({max(at, scheduled):g})"
                yield ("expires_s", place), message

    def later(self, later_s: float) -> Requests:
        """The same recorded requests, with their schedules and expiries, so much later."""
        times = {
            "times_s": [at + later_s for at in self.times_s or ()],
            "scheduled_s": self.scheduled_s and [at and at + later_s for at in self.scheduled_s],
            "expires_s": self.expires_s and [at and at + later_s for at in self.expires_s],
        }
        return self.model_copy(update=times)

    @property
    def is_endless(self) -> bool:
        """Whether they come until the run ends."""
        return self.times_s is None and self.until is None

    def rate_at(self, hour: int) -> int:
        """Mean requests over time in a local hour of the day."""
        return self.rate_by_hour.get(hour, self.rate or 0)


class Campaign(Part):
    """One customer's list of calls, with its rules."""

    name: Name
    """Name, unique within its tenant."""
    tenant: Name
    """The customer that it belongs to."""
    submitted_at: LocalTime | None = None
    """When it was handed in; default: at its start."""
    start: LocalTime
    """From when its calls may be loaded into the queue."""
    repeats: list[Weekday] = []
    """Weekdays on which it comes again, with its stop and its pauses, at the same local times:
    each is a campaign of its own, called by its name and date; default: it comes once."""
    contacts: Sizes | None = None
    """Number of contacts, with made-up numbers; or a distribution, drawn in each replication."""
    contact_list: ContactList | None = None
    """Contacts from a CSV in the platform's format; written as the path of the file."""
    requests: Requests | None = None
    """Single calls that come in over time."""
    duplicates: Literal["dial", "reject"] = default("campaign.duplicates")
    """What becomes of a number that stands in the list again."""
    profile: Name = default("campaign.profile")
    """How its callees answer: a name in `profiles`."""
    ani: TenDigits | None = None
    """Caller ID for contacts that bring none."""
    missing_ani_share: Share = default("campaign.missing_ani_share")
    """Contacts without a caller ID, where the contacts are a count or requests."""
    callee_zone: ZoneName | None = None
    """Time zone of the callees, where the list has none; default: the scenario's."""
    max_retry: Annotated[int, Field(ge=0, le=10, strict=True)] = default("campaign.max_retry")
    """Dials after the first one, 0 to 10."""
    retry_interval: RetryInterval = default("campaign.retry_interval")
    """From the end of an attempt to the queue again, 60 to 172800 s."""
    retry: Retries | None = None
    """What is other than that after some outcomes."""
    expires_at: LocalTime | None = None
    """From here on none of its calls is dispatched; default: never."""
    expires_after: Duration | None = None
    """From the submission of a call to its expiry; the earlier of both counts; default: never."""
    gives_up_after: Distribution | None = None
    """How long the customer wants a call to be dialed, from when it was to go out. It changes
    nothing of what is dialed, and is counted; default: for ever."""
    window: Window | None = None
    """Hours in which its calls may be dispatched; default: always."""
    pacing: Rate | None = None
    """Calls a minute, retries included; default: as fast as they load."""
    pacing_at: Literal["admission", "dispatch"] = default("campaign.pacing_at")
    """Where pacing acts: on entry to the queue, or at dispatch."""
    max_simultaneous: Positive | None = None
    """Its calls that may be up at once; default: no limit."""
    stop_at: LocalTime | None = None
    """When the customer asks to stop it; default: never."""
    stop_reaches: Literal["loading", "queue"] = default("campaign.stop_reaches")
    """How far a stop reaches: what is not loaded, or the queue as well."""
    stop_cancels_retries: bool = default("campaign.stop_cancels_retries")
    """Whether a stop cancels calls that wait for a retry."""
    stop_mode: Literal["campaign", "calls"] = default("campaign.stop_mode")
    """Whether a stop stops the campaign, or cancels its calls one by one."""
    cancel_rate: Rate = default("campaign.cancel_rate")
    """Calls that are canceled over time, where a stop cancels them one by one."""
    cancel_order: Literal["newest", "oldest"] = default("campaign.cancel_order")
    """Which call of those that can be canceled is next, by their place in the list."""
    when_refused: WhenRefused = default("campaign.when_refused")
    """What its client does where intake refuses its list, or one of its calls."""
    asks_again: AsksAgain = default("campaign.asks_again")
    """How the client asks again, if it does."""
    priority: Priority | None = None
    """Priority class of its calls, 1 to 9, lowest first; default: its tenant's."""
    result_url: Name | None = None
    """Endpoint that gets the final POST of each call: a name in `endpoint`; default: none."""
    message: Distribution | None = None
    """Length of its message; default: the callees' `message`."""
    asks_for_key: bool = False
    """Whether people who hear the message to its end then press a key."""
    transfers_to_agent: bool = False
    """Whether people talk to an agent instead of hearing a message."""

    _entry: str | None = PrivateAttr(default=None)

    @model_validator(mode="before")
    @classmethod
    def _contacts_as_table(cls, values: Any) -> Any:
        """Contacts that are a table are the list."""
        if isinstance(values, dict) and is_frame(values.get("contacts")):
            if values.get("contact_list") is not None:
                raise ContradictionError([((), "give one of contacts and contact_list")])
            rest = {key: value for key, value in values.items() if key != "contacts"}
            return rest | {"contact_list": values["contacts"]}
        return values

    @model_validator(mode="after")
    def _makes_sense(self) -> Campaign:
        problems: list[Problem] = []
        sources = [
            k for k in ("contacts", "contact_list", "requests") if getattr(self, k) is not None
        ]
        if len(sources) != 1:
            kinds = " and ".join(sources) if sources else "none of them"
            message = f"give one of contacts, contact_list and requests; found {kinds}"
            problems.append(((), message))
        if self.repeats and self.requests is not None and self.requests.is_endless:
            message = "is missing: requests of a campaign that repeats must end on its day"
            problems.append((("requests", "until"), message))
        problems += out_of_order(
            ("stop_at", self.stop_at, "submitted_at", self.submitted, True),
            ("expires_at", self.expires_at, "submitted_at", self.submitted, True),
            ("expires_at", self.expires_at, "start", self.start, False),
        )
        problems += retry_problems(self.retry, self.retry_interval)
        notice_us = microseconds_between(self.submitted, self.start)
        if self.expires_after and self.requests is None and self.expires_after <= notice_us:
            message = (
                f"found {format_duration(self.expires_after)}; must be longer than from "
                f"submitted_at to start ({format_duration(notice_us)})"
            )
            problems.append((("expires_after",), message))
        if problems:
            raise ContradictionError(problems)
        return self

    @property
    def submitted(self) -> datetime:
        """When it was handed in."""
        return self.submitted_at or self.start

    @property
    def key(self) -> tuple[str, str]:
        """Tenant and name."""
        return self.tenant, self.name

    @property
    def full_name(self) -> str:
        """``tenant/name``: a name that no other campaign has."""
        return f"{self.tenant}/{self.name}"

    @property
    def ever_expires(self) -> bool:
        """Whether all its calls expire, sooner or later."""
        return self.expires_at is not None or self.expires_after is not None

    @property
    def retry_by_outcome(self) -> dict[str, Retry]:
        """Retries after outcomes that have their own, by the name of the outcome."""
        return {} if self.retry is None else self.retry.by_outcome

    @property
    def longest_retry_wait_us(self) -> int:
        """Longest that a call waits from the end of an attempt to the queue again."""
        waits = [
            interval_us + retry.jitter_us(interval_us)
            for retry in self.retry_by_outcome.values()
            for interval_us in retry.intervals_us(self.retry_interval, self.max_retry)
        ]
        return max([self.retry_interval, *waits])

    @property
    def entry(self) -> str:
        """Full name of the scenario's entry that it is of: its own, unless that repeats."""
        return self._entry or self.full_name

    def occurrences(self, until: datetime, zone: ZoneInfo) -> list[Campaign]:
        """Itself; if it repeats, a campaign for each of its days `until` then, by the `zone`."""
        if not self.repeats:
            return [self]
        return [
            self._on_day(days, zone) for days in days_of(self.start, self.repeats, until, zone)
        ]

    def _on_day(self, days: int, zone: ZoneInfo) -> Campaign:
        start = on_day(self.start, days, zone)
        name = f"{self.name} {start.astimezone(zone):%Y-%m-%d}"
        occurrence = moved(self, days, zone, name=name, repeats=[])
        if self.requests is not None and self.requests.times_s is not None:
            later_s = microseconds_between(self.start, start) / SECOND
            requests = self.requests.later(later_s)
            occurrence = occurrence.model_copy(update={"requests": requests})
        occurrence._entry = self.full_name
        return occurrence

    def dialable(self, load: float = 1.0) -> int | None:
        """Contacts that can be dialed at a load; None where chance decides how many come."""
        if self.contact_list is not None:
            contacts = self.contact_list
            repeated = int(contacts.duplicates.sum()) if self.duplicates == "reject" else 0
            return len(contacts) - len(contacts.rejected) - repeated
        if self.requests is not None or isinstance(self.contacts, SizeDistribution):
            return None
        return round((self.contacts or 0) * load)


class Tenant(Part):
    """A customer of the platform, where more than its name is said."""

    name: Name
    """Name, as its campaigns give it."""
    weight: Annotated[int, Field(ge=1, le=1000, strict=True)] = 1
    """Turns in the fair queue, relative to others."""
    priority: Priority = USUAL_PRIORITY
    """Priority class of its calls, 1 to 9, lowest first, in the priority queue."""
    guaranteed_share: Share = 0.0
    """Share of the ports in service that it can count on; others use it while it is idle."""
    max_simultaneous: Positive | None = None
    """Its calls that may be up at once; default: no limit."""
    dial_rate: Rate | None = None
    """Its calls that may start over time; default: no limit of its own."""
    intake_rate: Rate | None = None
    """Requests that it may make over time, a list or a single call each; default: no limit."""
    intake_burst: Positive | None = None
    """Requests that it may make at once after a pause; default: those of a second, at least 1."""
    queue_limit: Positive | None = None
    """Its calls that may wait, those to come by a request included; default: no limit."""

    @model_validator(mode="after")
    def _burst_of_a_rate(self) -> Tenant:
        check_intake(self.intake_rate, self.intake_burst)
        return self


class Endpoint(Part):
    """A customer's result_url: where final results are posted."""

    name: Name
    """Name, as campaigns give it."""
    latency: Distribution = default("endpoint.latency")
    """Time that it takes to answer a post."""
    timeout: Duration = default("endpoint.timeout")
    """A post that is not answered by then has failed."""
    retry_after: Annotated[list[Duration], Field(max_length=10)] = default("endpoint.retry_after")
    """Waits before the first, second ... repetition of a post that failed."""
    failure_share: Share = default("endpoint.failure_share")
    """Posts that it answers with a server error."""
    posts_at_once: Positive = default("endpoint.posts_at_once")
    """Posts that it is sent at once."""


class Everybody(Enum):
    """Stands for all calls, where None may be a campaign that was looked for in vain."""

    CALLS = "all calls"

    def __repr__(self) -> str:
        return self.value


ALL_CALLS = Everybody.CALLS

CampaignNames = str | Campaign | Sequence[str | Campaign]
"""A campaign of several scenarios, or one for each of them."""

Whose = Campaign | str | Everybody
"""A campaign of the scenario, its ``name`` or ``tenant/name``, or all calls."""
