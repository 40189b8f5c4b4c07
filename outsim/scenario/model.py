"""What a scenario says: the platform, the carrier, the callees, the campaigns.

Models are frozen; unknown keys are refused; every field is documented where it
stands, and its default comes from `outsim.scenario.defaults`. Nothing here is
drawn and nothing is run.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from outsim.clock import DAY, microseconds_between
from outsim.distributions import Distribution
from outsim.quantities import (
    ContradictionError,
    Date,
    Duration,
    LocalTime,
    Problem,
    Rate,
    RetryInterval,
    Share,
    TimeOfDay,
    ZoneName,
)
from outsim.scenario.contacts import ContactList
from outsim.scenario.defaults import DEFAULTS, default
from outsim.scenario.references import NAMES, reference_problems

Name = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[\w][\w .:+-]*$")]
Count = Annotated[int, Field(ge=0, strict=True)]
Positive = Annotated[int, Field(ge=1, le=1_000_000, strict=True)]
LONGEST_RUN = 366 * DAY
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def _written(local: datetime) -> str:
    return f"{local:%Y-%m-%d %H:%M:%S}"


Instants = tuple[str, datetime | None, str, datetime, bool]
"""Key, its instant, the key of its lower bound, that instant, and whether they may be equal."""


def _out_of_order(*pairs: Instants) -> list[Problem]:
    """Instants that lie before their lower bound, as (key path, message)."""
    problems: list[Problem] = []
    for key, instant, other, bound, may_be_equal in pairs:
        elapsed_us = 1 if instant is None else microseconds_between(bound, instant)
        if elapsed_us < 0 or (elapsed_us == 0 and not may_be_equal):
            rule = "not be earlier" if may_be_equal else "be later"
            message = f"found {_written(instant or bound)}; must {rule} than {other}"
            problems.append(((key,), f"{message} ({_written(bound)})"))
    return problems


def _check_order(*pairs: Instants) -> None:
    problems = _out_of_order(*pairs)
    if problems:
        raise ContradictionError(problems)


class Part(BaseModel):
    """A part of a scenario: frozen, and closed to unknown keys.

    A TOML file has no way to write that there is no value. So the word "none"
    turns off what is optional, even if a default or an inherited file sets it.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        arbitrary_types_allowed=True,
        allow_inf_nan=False,
    )

    @model_validator(mode="before")
    @classmethod
    def _none_turns_off(cls, values: Any) -> Any:
        if not isinstance(values, dict) or "none" not in [
            value for value in values.values() if isinstance(value, str)
        ]:
            return values
        return {
            key: cls._nothing(key) if value == "none" and cls._is_optional(key) else value
            for key, value in values.items()
        }

    @classmethod
    def _is_optional(cls, key: str) -> bool:
        field = cls.model_fields.get(key)
        return field is not None and (
            type(None) in get_args(field.annotation) or field.default in ({}, [])
        )

    @classmethod
    def _nothing(cls, key: str) -> Any:
        default_value = cls.model_fields[key].default
        return default_value if default_value in ({}, []) else None


class Clock(Part):
    """When the run begins and ends, in local clock time."""

    zone: ZoneName = "UTC"
    """Time zone of the scenario, such as ``America/New_York``."""
    date: Date
    """Date that clock times without a date fall on."""
    begins: LocalTime
    """Start of the run: simulated time 0."""
    ends: LocalTime
    """End of the run, unless the campaign under study needs longer."""
    latest: LocalTime | None = None
    """A run whose campaign under study is not over at `ends` goes on by whole hours,
    at most to here; default 24 hours after `ends`."""

    @property
    def zone_info(self) -> ZoneInfo:
        """The time zone."""
        return ZoneInfo(self.zone)

    @property
    def latest_end(self) -> datetime:
        """Where a run ends at the latest."""
        return self.latest or self.ends + timedelta(days=1)

    @model_validator(mode="after")
    def _in_order(self) -> Clock:
        _check_order(
            ("ends", self.ends, "begins", self.begins, False),
            ("latest", self.latest, "ends", self.ends, True),
        )
        if microseconds_between(self.begins, self.latest_end) > LONGEST_RUN:
            key = "latest" if self.latest else "ends"
            raise ContradictionError([((key,), "a run may last 366 days at most")])
        return self


class Platform(Part):
    """The calling platform itself."""

    ports: Positive = default("platform.ports")
    """Simultaneous calls that the platform can hold."""
    dial_rate: Rate = default("platform.dial_rate")
    """Calls that the platform starts, at most, over time."""
    dial_burst: Positive = default("platform.dial_burst")
    """Calls that it may start at once after a pause."""
    loader_rate: Rate = default("platform.loader_rate")
    """Contacts that each campaign's loader moves into the queue."""
    workers: Positive = default("platform.workers")
    """Units of processing, shared by dial work and status updates."""
    dial_work: Distribution = default("platform.dial_work")
    """Processing of one dial."""
    status_work: Distribution = default("platform.status_work")
    """Processing of one status update."""
    ring_timeout: Duration = default("platform.ring_timeout")
    """An answer later than this is a no answer."""
    start_jitter: Duration | None = default("platform.start_jitter")
    """A campaign's loader begins up to this much after its start; equally likely anywhere."""
    stop_latency: Duration = default("platform.stop_latency")
    """From the request to stop a campaign to its effect."""
    lost_updates: Share = default("platform.lost_updates")
    """Updates that never become visible."""
    wedged_calls: Share = default("platform.wedged_calls")
    """Calls that are accepted, shown as pending, and never dialled."""
    reconciliation_every: Duration | None = default("platform.reconciliation_every")
    """How often a job repairs lost final updates, from the start of the run; off by default."""
    queue: Literal["fifo", "fair", "first_attempts_first"] = default("platform.queue")
    """Whose call goes next."""
    delivery_pool: Positive = default("platform.delivery_pool")
    """Posts to result_url endpoints that run at once, over all endpoints."""
    detection_person: Duration = default("platform.detection_person")
    """Time after the answer until a person is told from a machine, if it is a person."""
    detection_machine: Duration = default("platform.detection_machine")
    """The same, if it is a machine or a fax."""
    detection_accuracy: Share = default("platform.detection_accuracy")
    """Share of answered calls whose callee type is reported rightly."""


class Carrier(Part):
    """The carrier's trunk, shared with traffic that is not the platform's."""

    rate: Rate = default("carrier.rate")
    """New calls that it admits over time."""
    burst: Positive = default("carrier.burst")
    """New calls that it admits at once after a pause."""
    channels: Positive = default("carrier.channels")
    """Simultaneous calls that it carries."""
    other_traffic: Share = default("carrier.other_traffic")
    """Share of rate and channels that other traffic takes."""
    other_traffic_peak: dict[Annotated[int, Field(ge=0, le=59)], Share] = default(
        "carrier.other_traffic_peak"
    )
    """Share in single minutes of each hour, by minute, instead of `other_traffic`."""
    missing_ani_refusal: Share = default("carrier.missing_ani_refusal")
    """Share of attempts without a caller ID (ANI) that it refuses."""
    refusal_time: Duration = default("carrier.refusal_time")
    """From the dial to the refusal."""


class HourFactors(Part):
    """Factors on the human share by part of the local day."""

    morning: Annotated[float, Field(ge=0, le=3)]
    """9 to 12."""
    afternoon: Annotated[float, Field(ge=0, le=3)]
    """12 to 17."""
    evening: Annotated[float, Field(ge=0, le=3)]
    """17 to 21."""
    night: Annotated[float, Field(ge=0, le=3)]
    """The rest."""

    def at(self, hour: int) -> float:
        """Factor at a local hour, 0 to 23."""
        if 9 <= hour < 12:
            return self.morning
        if 12 <= hour < 17:
            return self.afternoon
        return self.evening if 17 <= hour < 21 else self.night


class Callees(Part):
    """How the people and machines behave that are called."""

    post_dial_delay: Distribution = default("callees.post_dial_delay")
    """From the carrier's acceptance to the first ring."""
    ring_human: Distribution = default("callees.ring_human")
    """Ringing until a person answers."""
    ring_voicemail: Distribution = default("callees.ring_voicemail")
    """Ringing until voicemail answers, with the phone on."""
    phone_off: Share = default("callees.phone_off")
    """Voicemail that answers early, the phone being off."""
    phone_off_ring: Distribution = default("callees.phone_off_ring")
    """Ringing until voicemail answers, with the phone off."""
    message: Distribution = default("callees.message")
    """Length of the spoken message, heard to its end."""
    early_hang_up: Share = default("callees.early_hang_up")
    """People who leave before the message ends, equally likely anywhere in it."""
    key_press: Distribution = default("callees.key_press")
    """Time to press a key after the message, where a campaign asks for one."""
    greeting: Distribution = default("callees.greeting")
    """Voicemail's greeting; the message follows it."""
    agent_talk: Distribution = default("callees.agent_talk")
    """Talk with an agent, where a campaign transfers to one."""
    fax_share: Share = default("callees.fax_share")
    """Contacts that are fax machines."""
    hour_factors: HourFactors = default("callees.hour_factors")
    """Factors on the human share by part of the callee's day."""
    weekday_factors: Annotated[
        list[Annotated[float, Field(ge=0, le=3)]], Field(min_length=7, max_length=7)
    ] = default("callees.weekday_factors")
    """Factors on the human share from Monday to Sunday."""
    redial_factors: Annotated[
        list[Annotated[float, Field(ge=0, le=3)]], Field(min_length=1, max_length=11)
    ] = default("callees.redial_factors")
    """Factors on the human share after 0, 1, 2 ... failed attempts; the last one lasts."""
    gap_factors: bool = default("callees.gap_factors")
    """Whether a short gap since the last failure lowers the human share."""


class Profile(Part):
    """What becomes of dials to a list, as weights; they need not add up to 100."""

    human: Annotated[float, Field(ge=0)]
    """A person answers."""
    voicemail: Annotated[float, Field(ge=0)]
    """Voicemail answers."""
    no_answer: Annotated[float, Field(ge=0)]
    """Nobody answers."""
    busy: Annotated[float, Field(ge=0)]
    """The line is busy."""
    invalid: Annotated[float, Field(ge=0)] = 0
    """The number is not in use: a trait of the contact."""

    @model_validator(mode="after")
    def _some_weight(self) -> Profile:
        if self.human + self.voicemail + self.no_answer + self.busy <= 0:
            raise ValueError("human, voicemail, no_answer and busy can't all be 0")
        return self


class Window(Part):
    """Hours in which calls may be dispatched."""

    opens: TimeOfDay
    """Local time of day from which dispatch is allowed."""
    closes: TimeOfDay
    """Local time of day from which it is not."""
    days: list[Weekday] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    """Weekdays on which the window opens."""
    zone: Literal["scenario", "callee"] = "scenario"
    """Whose clock the window follows."""

    @model_validator(mode="after")
    def _opens_first(self) -> Window:
        if self.opens >= self.closes:
            message = f"found {self.closes}; must be later than opens ({self.opens})"
            raise ContradictionError([(("closes",), message)])
        return self


class Requests(Part):
    """Single-call requests that come in over time, instead of a list."""

    rate: Rate | None = None
    """Mean requests over time (Poisson), unless `rate_by_hour` has the hour."""
    rate_by_hour: dict[Annotated[int, Field(ge=0, le=23)], Rate] = {}
    """Mean requests over time by local hour of the day."""
    times_s: list[Annotated[float, Field(ge=0)]] | None = None
    """Recorded times in seconds since the scenario begins, instead of a rate."""
    until: LocalTime | None = None
    """Poisson requests end here; default: where the run ends at the latest."""

    @model_validator(mode="after")
    def _one_kind(self) -> Requests:
        drawn = self.rate is not None or bool(self.rate_by_hour)
        if drawn == (self.times_s is not None):
            raise ValueError("give either rate or rate_by_hour, or times_s")
        return self


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
    contacts: Annotated[Count, Field(le=100_000_000)] | None = None
    """Number of contacts, with made-up numbers."""
    contact_list: ContactList | None = None
    """Contacts from a CSV in the platform's format; written as the path of the file."""
    requests: Requests | None = None
    """Single calls that come in over time."""
    duplicates: Literal["dial", "reject"] = default("campaign.duplicates")
    """What becomes of a number that stands in the list again."""
    profile: Name = default("campaign.profile")
    """How its callees answer: a name in `profiles`."""
    ani: Annotated[str, Field(pattern=r"^[0-9]{10}$")] | None = None
    """Caller ID for contacts that bring none."""
    missing_ani_share: Share = default("campaign.missing_ani_share")
    """Contacts without a caller ID, where the contacts are a count or requests."""
    callee_zone: ZoneName | None = None
    """Time zone of the callees, where the list has none; default: the scenario's."""
    max_retry: Annotated[int, Field(ge=0, le=10, strict=True)] = default("campaign.max_retry")
    """Dials after the first one, 0 to 10."""
    retry_interval: RetryInterval = default("campaign.retry_interval")
    """From the end of an attempt to the queue again, 60 to 172800 s."""
    expires_at: LocalTime | None = None
    """From here on none of its calls is dispatched; default: never."""
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
    result_url: Name | None = None
    """Endpoint that gets the final POST of each call: a name in `endpoint`; default: none."""
    message: Distribution | None = None
    """Length of its message; default: the callees' `message`."""
    asks_for_key: bool = False
    """Whether people who hear the message to its end then press a key."""
    transfers_to_agent: bool = False
    """Whether people talk to an agent instead of hearing a message."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Campaign:
        problems: list[Problem] = []
        given = [
            k for k in ("contacts", "contact_list", "requests") if getattr(self, k) is not None
        ]
        if len(given) != 1:
            found = " and ".join(given) if given else "none of them"
            message = f"give one of contacts, contact_list and requests; found {found}"
            problems.append(((), message))
        problems += _out_of_order(
            ("stop_at", self.stop_at, "submitted_at", self.submitted, True),
            ("expires_at", self.expires_at, "submitted_at", self.submitted, True),
            ("expires_at", self.expires_at, "start", self.start, False),
        )
        if problems:
            raise ContradictionError(problems)
        return self

    @property
    def submitted(self) -> datetime:
        """When it was handed in."""
        return self.submitted_at or self.start


class Tenant(Part):
    """A customer of the platform, where more than its name is said."""

    name: Name
    """Name, as its campaigns give it."""
    weight: Annotated[int, Field(ge=1, le=1000, strict=True)] = 1
    """Turns in the fair queue, relative to others."""
    max_simultaneous: Positive | None = None
    """Its calls that may be up at once; default: no limit."""
    dial_rate: Rate | None = None
    """Its calls that may start over time; default: no limit of its own."""


class Endpoint(Part):
    """A customer's result_url: where final results are posted."""

    name: Name
    """Name, as campaigns give it."""
    latency: Distribution = default("endpoint.latency")
    """Time that it takes to answer a post."""
    timeout: Duration = default("endpoint.timeout")
    """A post that is not answered by then has failed."""
    retry_after: list[Duration] = default("endpoint.retry_after")
    """Waits before the first, second ... repetition of a post that failed."""
    failure_share: Share = default("endpoint.failure_share")
    """Posts that it answers with a server error."""
    posts_at_once: Positive = default("endpoint.posts_at_once")
    """Posts that it is sent at once."""


class Suspension(Part):
    """A time in which no calls are dispatched."""

    tenant: Name | None = None
    """Whose calls are held back; default: everybody's."""
    begins: LocalTime
    """From here on calls are held back."""
    ends: LocalTime | None = None
    """From here on they are not; default: never."""

    @model_validator(mode="after")
    def _in_order(self) -> Suspension:
        _check_order(("ends", self.ends, "begins", self.begins, False))
        return self


class Outage(Part):
    """A time in which a part of the platform or the carrier is out of service."""

    of: Literal["ports", "workers", "channels", "carrier", "status", "endpoint"]
    """What is out: a number of ports, workers or channels; the carrier; the processing of
    status updates; or a result_url endpoint."""
    count: Positive | None = None
    """How many ports, workers or channels; default: all."""
    endpoint: Name | None = None
    """Which endpoint, where one is out."""
    begins: LocalTime
    """From here on it is out."""
    ends: LocalTime | None = None
    """From here on it is back; default: never."""
    drop: bool = False
    """Whether calls in progress are cut off, as congestion, where ports, channels or the
    carrier are out; else busy ones leave service as their calls end."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Outage:
        _check_order(("ends", self.ends, "begins", self.begins, False))
        if (self.of == "endpoint") != (self.endpoint is not None):
            message = "must be named where, and only where, of = 'endpoint'"
            raise ContradictionError([(("endpoint",), message)])
        if self.count is not None and self.of not in ("ports", "workers", "channels"):
            message = (
                f"has no meaning for an outage of {self.of}; allowed: ports, workers, channels"
            )
            raise ContradictionError([(("count",), message)])
        if self.drop and self.of not in ("ports", "channels", "carrier"):
            message = (
                f"has no meaning for an outage of {self.of}; allowed: ports, channels, carrier"
            )
            raise ContradictionError([(("drop",), message)])
        return self


class StartMinutes(Part):
    """Weights of the minutes at which background campaigns start."""

    top: Annotated[float, Field(ge=0)]
    """At :00."""
    half: Annotated[float, Field(ge=0)]
    """At :30."""
    quarter: Annotated[float, Field(ge=0)]
    """At :15 and :45 together."""
    other: Annotated[float, Field(ge=0)]
    """At any other minute."""

    @model_validator(mode="after")
    def _some_weight(self) -> StartMinutes:
        if self.top + self.half + self.quarter + self.other <= 0:
            raise ValueError("top, half, quarter and other can't all be 0")
        return self


class Background(Part):
    """Other customers' campaigns, drawn anew in each replication."""

    tenants: Positive = default("background.tenants")
    """Customers among whom the campaigns are dealt out in turn."""
    campaigns_per_hour: Annotated[int, Field(ge=1, le=1000, strict=True)] = default(
        "background.campaigns_per_hour"
    )
    """Campaigns that start in each hour."""
    median_size: Positive = default("background.median_size")
    """Median of the contacts of a campaign; sizes are lognormal."""
    size_log_sd: Annotated[float, Field(ge=0, le=3)] = default("background.size_log_sd")
    """Standard deviation of the natural logarithm of the size."""
    start_minutes: StartMinutes = default("background.start_minutes")
    """Minutes of the hour at which they start."""
    profile: Name = default("campaign.profile")
    """How their callees answer."""
    max_retry: Annotated[int, Field(ge=0, le=10, strict=True)] = default("campaign.max_retry")
    """Dials after the first one."""
    retry_interval: RetryInterval = default("campaign.retry_interval")
    """From the end of an attempt to the queue again."""
    pacing: Rate | None = None
    """Calls a minute of each; default: as fast as they load."""
    result_url: Name | None = None
    """Endpoint that gets their final posts; default: none."""


class Study(Part):
    """What a scenario is asked about."""

    campaign: Annotated[str, Field(min_length=1, max_length=161)]
    """The campaign under study, as ``name`` or ``tenant/name``."""
    deadline: LocalTime | None = None
    """Clock time by which completed calls are counted; default: where the run ends."""


class Scenario(Part):
    """Everything that a run is made from, but for the seed and the replication."""

    name: str = "unnamed"
    """What tables and plots call it."""
    seed: Annotated[int, Field(ge=0, lt=2**63, strict=True)] = 1
    """Seed, where none is given."""
    clock: Clock
    """When the run begins and ends."""
    platform: Platform = Field(default_factory=Platform)
    """The platform."""
    carrier: Carrier = Field(default_factory=Carrier)
    """The carrier."""
    callees: Callees = Field(default_factory=Callees)
    """Those who are called."""
    profiles: dict[Name, Profile] = {}
    """Profiles of answering, beside known_list and cold_list."""
    tenant: list[Tenant] = []
    """Customers of whom more than the name is said."""
    campaign: list[Campaign] = []
    """The campaigns."""
    endpoint: list[Endpoint] = []
    """result_url endpoints."""
    suspension: list[Suspension] = []
    """Times in which calls are held back."""
    outage: list[Outage] = []
    """Times in which something is out of service."""
    background: Background | None = None
    """Other customers' campaigns; default: none."""
    study: Study | None = None
    """What the scenario is asked about."""

    _path: Path | None = PrivateAttr(default=None)

    @property
    def path(self) -> Path | None:
        """The file that it was read from, if any."""
        return self._path

    @property
    def campaigns(self) -> tuple[Campaign, ...]:
        """The campaigns, in the file's order."""
        return tuple(self.campaign)

    @cached_property
    def all_profiles(self) -> dict[str, Profile]:
        """Profiles by name: the built-in ones and the scenario's own."""
        built_in = {
            key.removeprefix("profiles."): Profile(**entry.value)
            for key, entry in DEFAULTS.items()
            if key.startswith("profiles.")
        }
        return built_in | self.profiles

    @cached_property
    def campaign_under_study(self) -> Campaign | None:
        """The campaign that the scenario is asked about: the first one if it doesn't say."""
        if self.study is None:
            return self.campaign[0] if self.campaign else None
        return self.find_campaign(self.study.campaign)

    @property
    def deadline(self) -> datetime:
        """Clock time by which completed calls are counted."""
        return self.study.deadline if self.study and self.study.deadline else self.clock.ends

    def find_campaign(self, name: str) -> Campaign | None:
        """Campaign called ``name`` or ``tenant/name``; None if there is none."""
        for campaign in self.campaign:
            if name in (campaign.name, f"{campaign.tenant}/{campaign.name}"):
                return campaign
        return None

    def instant_us(self, local: datetime) -> int:
        """Microseconds from the scenario's begin to an aware datetime."""
        return microseconds_between(self.clock.begins, local)

    @model_validator(mode="after")
    def _fits_together(self) -> Scenario:
        problems = [*reference_problems(self.model_dump(include=NAMES)), *self._early()]
        if problems:
            raise ContradictionError(problems)
        return self

    def _early(self) -> Iterator[Problem]:
        """Instants before the scenario begins, as (key path, message)."""
        instants: list[tuple[tuple[str | int, ...], datetime | None]] = []
        for i, campaign in enumerate(self.campaign):
            key = "submitted_at" if campaign.submitted_at else "start"
            instants.append((("campaign", i, key), campaign.submitted))
        instants += [(("outage", i, "begins"), o.begins) for i, o in enumerate(self.outage)]
        instants += [
            (("suspension", i, "begins"), s.begins) for i, s in enumerate(self.suspension)
        ]
        if self.study is not None:
            instants.append((("study", "deadline"), self.study.deadline))
        for path, instant in instants:
            if instant is not None and self.instant_us(instant) < 0:
                begins = _written(self.clock.begins)
                yield path, f"found {_written(instant)}, before the scenario begins ({begins})"
