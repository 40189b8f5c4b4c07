"""A live queue at a moment: where every campaign's calls stand, and since when.

It is what a forecast begins with. A snapshot is a JSON document, or the table
``snapshot`` of a scenario; what it leaves out is estimated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, Protocol

from pydantic import BeforeValidator, Field, model_validator

from outsim.clock import MINUTE, after, format_duration
from outsim.errors import nearest
from outsim.scenario.background import Background
from outsim.scenario.campaigns import Campaign, Tenant
from outsim.scenario.parts import Count, Name, Part, Positive, TenDigits, written
from outsim.scenario.platform import Carrier, Platform
from outsim.text import plain
from outsim.units import ContradictionError, Duration, LocalTime, shown
from outsim.units import Problem as Contradiction
from outsim.vocabulary import ENDED_STATUSES, UNDER_WAY_STATUSES

STATES = ("queued", "waiting_retry", "dialing", "connected", "scheduled")
"""Statuses of calls that are not over, in the order in which a forecast takes them up."""

_WRITE = (
    'write a count without quotes, such as 30; or a table, such as {"count": 30, "oldest": '
    '"09:02"}; or a list of clock times and durations, such as ["09:02:11", "20 s"]'
)
_DURATION = re.compile(r"\s*[0-9.]+\s*[a-zµ]", re.IGNORECASE)


class Standing(Part):
    """One call that stands in a state, or several of which the same is known."""

    count: Positive = 1
    """How many calls."""
    since: LocalTime | None = None
    """When it came into its state."""
    lasting: Duration | None = None
    """For how long it has been in its state, instead of `since`."""
    oldest: LocalTime | None = None
    """When the first of several calls came into it; the others are spread evenly from there to
    the moment; queued ones of a campaign that was stopped, to the stop."""
    attempts: Annotated[int, Field(ge=0, le=11, strict=True)] | None = None
    """Attempts that are over; default: 1 where it waits for a retry, else 0."""
    failures: Annotated[int, Field(ge=0, le=11, strict=True)] | None = None
    """Those of them that reached the callee and were not answered; default: all."""
    call_id: Count | None = None
    """Number of the call; of several, that of the first, and the others follow it."""
    number: TenDigits | None = None
    """National number that it dials."""

    @model_validator(mode="after")
    def _one_instant(self) -> Standing:
        keys = [k for k in ("since", "lasting", "oldest") if getattr(self, k) is not None]
        if len(keys) > 1:
            message = f"give one of since, lasting and oldest; found {' and '.join(keys)}"
            raise ContradictionError([((keys[1],), message)])
        if (self.failures or 0) > (self.attempts or 0) and self.attempts is not None:
            message = f"found {self.failures}; must not be more than attempts ({self.attempts})"
            raise ContradictionError([(("failures",), message)])
        return self

    @property
    def is_timed(self) -> bool:
        """Whether it is said since when."""
        return any(value is not None for value in (self.since, self.lasting, self.oldest))

    def since_at(self, moment: datetime) -> datetime:
        """When it, or the first of several, came into its state; `moment` if nothing is said."""
        return self.since or self.oldest or after(moment, -(self.lasting or 0))


def _one(value: Any) -> Any:
    if isinstance(value, str):
        return {"lasting" if _DURATION.match(value) else "since": value}
    return value


def _listed(value: Any) -> Any:
    """What stands for a list of calls: a count, a table, or a list of tables and texts."""
    if isinstance(value, int) and not isinstance(value, bool):
        if value < 0:
            raise ValueError(f"found {value}; must be at least 0")
        return [{"count": value}] if value else []
    if isinstance(value, dict):
        return [value]
    if isinstance(value, list):
        return [_one(item) for item in value]
    raise ValueError(f"found {shown(value)}; {_WRITE}")


Standings = Annotated[
    list[Standing],
    BeforeValidator(_listed, json_schema_input_type=int | Standing | list[Standing | str]),
]
"""Calls in one state: a count; or one table, such as ``{"count": 300, "oldest": "09:02"}``; or
a list of tables and of texts, which are clock times (``"09:02:11"``) or durations (``"20 s"``).
Queued ones are in the order of the queue, scheduled ones in that of the list."""


class CampaignSnapshot(Part):
    """Where the calls of one campaign stand."""

    name: Name
    """Its name."""
    tenant: Name
    """The customer that it belongs to."""
    start: LocalTime | None = None
    """When it started; default: as the scenario says, else when its oldest call came in."""
    scheduled: Standings = []
    """Calls that are not loaded into the queue yet."""
    queued: Standings = []
    """Calls in the outbound queue."""
    dialing: Standings = []
    """Calls that are dialed and not answered yet."""
    connected: Standings = []
    """Calls that are answered and not over."""
    waiting_retry: Standings = []
    """Calls that wait for their retry interval to end."""
    completed: Count = 0
    """Calls answered in the end."""
    failed: Count = 0
    """Calls dialed and never answered."""
    canceled: Count = 0
    """Calls canceled."""
    expired: Count = 0
    """Calls expired."""
    undialed: Count = 0
    """Those of the expired calls that were never dialed."""

    @property
    def key(self) -> tuple[str, str]:
        """Tenant and name."""
        return self.tenant, self.name

    @property
    def full_name(self) -> str:
        """``tenant/name``."""
        return f"{self.tenant}/{self.name}"

    @model_validator(mode="after")
    def _of_the_expired(self) -> CampaignSnapshot:
        if self.undialed > self.expired:
            message = f"found {self.undialed}; must not be more than expired ({self.expired})"
            raise ContradictionError([(("undialed",), message)])
        return self

    def standing(self, state: str) -> list[Standing]:
        """Calls in one of `STATES`."""
        standings: list[Standing] = getattr(self, state)
        return standings

    def count(self, state: str) -> int:
        """How many calls stand in one of `STATES`."""
        return sum(standing.count for standing in self.standing(state))

    @property
    def counts(self) -> dict[str, int]:
        """How many calls stand in each of `STATES`, and how many are over by status."""
        over = {status: getattr(self, status) for status in ENDED_STATUSES}
        return {state: self.count(state) for state in STATES} | over

    @cached_property
    def cache(self) -> dict[Any, Any]:
        """What has been worked out of it, for the next replication."""
        return {}


def _utc(instant: datetime) -> datetime:
    """An instant that is in order with others of its zone in the hour that a zone has twice."""
    return instant.astimezone(UTC) if instant.tzinfo else instant


class Snapshot(Part):
    """A live queue: the moment, and where the calls of every campaign stand then."""

    at: LocalTime
    """The moment."""
    campaign: list[CampaignSnapshot] = []
    """Every campaign that has started, of all tenants, as far as it is known."""

    @model_validator(mode="after")
    def _is_of_one_moment(self) -> Snapshot:
        problems: list[Contradiction] = []
        seen: set[tuple[str, str]] = set()
        for i, campaign in enumerate(self.campaign):
            if campaign.key in seen:
                message = f"{campaign.full_name} is there twice; give each campaign once"
                problems.append((("campaign", i, "name"), message))
            seen.add(campaign.key)
            for state in STATES:
                for k, standing in enumerate(campaign.standing(state)):
                    for key in ("since", "oldest"):
                        instant = getattr(standing, key)
                        if instant is not None and _utc(instant) > _utc(self.at):
                            message = f"found {written(instant)}, after the moment"
                            place = ("campaign", i, state, k, key)
                            problems.append((place, f"{message} ({written(self.at)})"))
        if problems:
            raise ContradictionError(problems)
        return self

    def find(self, key: tuple[str, str]) -> CampaignSnapshot | None:
        """The campaign with this key, tenant and name; None if it is not there."""
        return next((campaign for campaign in self.campaign if campaign.key == key), None)

    def to_dict(self) -> dict[str, Any]:
        """The document that `with_snapshot` reads."""
        document: dict[str, Any] = plain(self.model_dump(mode="json", exclude_defaults=True))
        return document


def attempts_of(standing: Standing, state: str) -> int:
    """Attempts of a call that are over, estimated where they are not said."""
    if standing.attempts is not None:
        return standing.attempts
    return 1 if state == "waiting_retry" else 0


# Whether a snapshot fits a scenario, and which rules its campaigns are held to


class _Times(Protocol):
    """When a run begins, and when it ends at the latest."""

    @property
    def begins(self) -> datetime: ...
    @property
    def latest_end(self) -> datetime: ...


class _Setting(Protocol):
    """What a snapshot is held against: a scenario, which holds the snapshot itself."""

    @property
    def clock(self) -> _Times: ...
    @property
    def platform(self) -> Platform: ...
    @property
    def carrier(self) -> Carrier: ...
    @property
    def load(self) -> float: ...
    @property
    def background(self) -> Background | None: ...
    @property
    def campaign(self) -> Sequence[Campaign]: ...
    @property
    def tenant(self) -> Sequence[Tenant]: ...
    def instant_us(self, local: datetime) -> int: ...
    def campaign_or_none(self, name: str) -> Campaign | None: ...


def campaign_of(scenario: _Setting, campaign: CampaignSnapshot) -> Campaign:
    """Rules of a campaign of a snapshot: the scenario's, its background's, or the defaults."""
    known = scenario.campaign_or_none(campaign.full_name)
    if known is not None:
        changed: dict[str, Any] = {"contact_list": None, "requests": None, "contacts": 0}
        if campaign.start is not None:
            changed["start"] = campaign.start
        return known.model_copy(update=changed)
    background = scenario.background
    rules: dict[str, Any] = {}
    if background is not None:
        classes = background.tenant_class
        theirs = (one for one in classes if one.name == campaign.tenant.rpartition("-")[0])
        source = next(theirs, background)
        rules = {
            rule: getattr(source, rule)
            for rule in ("max_retry", "retry_interval", "retry", "profile", "pacing", "result_url")
        }
    return Campaign(
        name=campaign.name,
        tenant=campaign.tenant,
        start=campaign.start or _oldest(campaign) or scenario.clock.begins,
        contacts=0,
        **rules,
    )


def _oldest(campaign: CampaignSnapshot) -> datetime | None:
    """When the oldest call of a campaign came into the queue, if it is said."""
    return min(
        filter(None, (standing.since or standing.oldest for standing in campaign.queued)),
        default=None,
    )


ROUNDED = MINUTE
"""How much a duration in a snapshot may be rounded."""


def snapshot_problems(scenario: _Setting, snapshot: Snapshot) -> Iterator[Contradiction]:
    """What in a snapshot does not fit a scenario, as (key path, message)."""
    clock = scenario.clock
    if not 0 <= scenario.instant_us(snapshot.at) < scenario.instant_us(clock.latest_end):
        yield (
            ("at",),
            f"found {written(snapshot.at)}, outside of the scenario's run "
            f"({written(clock.begins)} to {written(clock.latest_end)}); set its clock.date",
        )
        return
    for i, campaign in enumerate(snapshot.campaign):
        unknown = _unknown(scenario, campaign)
        if unknown is not None:
            key, message = unknown
            yield ("campaign", i, key), message
            continue
        rules = campaign_of(scenario, campaign)
        for place, message in (
            *_instants(scenario, campaign),
            *_before_start(scenario, snapshot, campaign, rules),
            *_beyond_retries(campaign, rules),
            *_beyond_list(scenario, campaign),
        ):
            yield ("campaign", i, *place), message
    yield from _twice(snapshot)
    under_way = tuple(state for state in STATES if state in UNDER_WAY_STATUSES)
    # A call that is dialing need not be at the carrier yet.
    for states, what, limit in (
        (under_way, "platform.ports", scenario.platform.ports),
        (("connected",), "carrier.channels", scenario.carrier.channels),
    ):
        count = sum(campaign.count(state) for campaign in snapshot.campaign for state in states)
        if count > limit:
            words = " or ".join(states)
            yield (("campaign",), f"found {count} calls {words}; the scenario's {what} is {limit}")


def _twice(snapshot: Snapshot) -> Iterator[Contradiction]:
    """Calls that stand in two places."""
    numbered = sorted(
        (standing.call_id, standing.count, ("campaign", i, state, k, "call_id"))
        for i, campaign in enumerate(snapshot.campaign)
        for state in STATES
        for k, standing in enumerate(campaign.standing(state))
        if standing.call_id is not None
    )
    for (first, count, _), (call_id, _, place) in pairwise(numbered):
        if call_id < first + count:
            yield place, f"found {call_id}, which stands in another place too; give each call once"


def _plain(name: str) -> str:
    """A name without what is easily written in another way: case, spaces and hyphens."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _unknown(scenario: _Setting, campaign: CampaignSnapshot) -> tuple[str, str] | None:
    """Why a campaign must be one of the scenario's and is not, as (key, message)."""
    known = scenario.campaign_or_none(campaign.full_name)
    if known is not None:
        if known.key == campaign.key:
            return None
        return "name", f"found {campaign.name!r}, which repeats; write a day's: {known.name!r}"
    tenants: dict[str, list[str]] = {}
    for own in scenario.campaign:
        tenants.setdefault(own.tenant, []).append(own.name)
    if campaign.tenant in tenants:
        names = nearest(campaign.name, tenants[campaign.tenant])
        whose = f"which is not a campaign of {campaign.tenant} in the scenario"
        return "name", f"found {campaign.name!r}, {whose}; {names}"
    customers = [*tenants, *(tenant.name for tenant in scenario.tenant)]
    near = [name for name in customers if _plain(name) == _plain(campaign.tenant)]
    if not near and any(_plain(campaign.name) == _plain(n) for ns in tenants.values() for n in ns):
        near = get_close_matches(campaign.tenant, customers, n=1, cutoff=0.7)
    if near:
        problem = f"found {campaign.tenant!r}, which is not a customer in the scenario"
        return "tenant", f"{problem}; did you mean {near[0]!r}?"
    return None


def _instants(scenario: _Setting, campaign: CampaignSnapshot) -> Iterator[Contradiction]:
    """Instants before the scenario begins."""
    for k, standing in enumerate(campaign.queued):
        for key in ("since", "oldest"):
            instant: datetime | None = getattr(standing, key)
            if instant is not None and scenario.instant_us(instant) < 0:
                yield (
                    ("queued", k, key),
                    f"found {written(instant)}, before the scenario begins "
                    f"({written(scenario.clock.begins)}); set its clock.begins earlier",
                )


def _before_start(
    scenario: _Setting, snapshot: Snapshot, campaign: CampaignSnapshot, rules: Campaign
) -> Iterator[Contradiction]:
    """Calls that are in the queue, or further, before their campaign starts."""
    started_us = scenario.instant_us(snapshot.at) - scenario.instant_us(rules.start)
    starts = f"its campaign's start ({written(rules.start)})"
    if started_us < 0:
        for state, count in campaign.counts.items():
            if count and state not in ("scheduled", "canceled", "expired"):
                problem = f"found {count} at {written(snapshot.at)}, before {starts}"
                yield (state,), f"{problem}; allowed: scheduled, canceled, expired"
        return
    for state in ("queued", "waiting_retry", "dialing", "connected"):
        for k, standing in enumerate(campaign.standing(state)):
            instant = standing.since or standing.oldest
            since_us = scenario.instant_us(standing.since_at(snapshot.at))
            rounded = 0 if instant else ROUNDED
            if since_us + rounded < scenario.instant_us(rules.start):
                key = "since" if standing.since else "oldest" if instant else "lasting"
                value = written(instant) if instant else format_duration(standing.lasting or 0)
                yield (state, k, key), f"found {value}, which is before {starts}"


def _beyond_retries(campaign: CampaignSnapshot, rules: Campaign) -> Iterator[Contradiction]:
    """Calls with more attempts than their campaign allows, or with none before their retry."""
    most = rules.max_retry
    for state in STATES:
        for k, standing in enumerate(campaign.standing(state)):
            if state == "waiting_retry" and standing.attempts == 0:
                yield (
                    (state, k, "attempts"),
                    "found 0; a call that waits for a retry has been dialed: write at least 1",
                )
            if attempts_of(standing, state) > most:
                yield (
                    (state, k, "attempts"),
                    f"found {attempts_of(standing, state)}; allowed: at most {most}, the "
                    "max_retry of its campaign in the scenario",
                )


def _beyond_list(scenario: _Setting, campaign: CampaignSnapshot) -> Iterator[Contradiction]:
    """More calls in one state, or in all, than the campaign's list holds."""
    known = scenario.campaign_or_none(campaign.full_name)
    most = None if known is None else known.dialable(scenario.load)
    if most is None:
        return
    counts = {state: count for state, count in campaign.counts.items() if count}
    total = sum(counts.values())
    if total > most:
        text = ", ".join(f"{count} {state}" for state, count in counts.items())
        text += f", {total} in all" if len(counts) > 1 else ""
        yield (), f"found {text}; its list in the scenario has {most} that can be dialed"
