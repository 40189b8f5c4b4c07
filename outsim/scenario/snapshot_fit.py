"""Whether a snapshot fits a scenario, and which rules its campaigns are held to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from difflib import get_close_matches
from itertools import pairwise
from typing import Any, Protocol

from outsim.clock import MINUTE, format_duration
from outsim.errors import nearest
from outsim.scenario.campaigns import Background, Campaign, Tenant
from outsim.scenario.parts import written
from outsim.scenario.platform import Carrier, Platform
from outsim.scenario.snapshot import STATES, CampaignSnapshot, Snapshot, Standing, attempts_of
from outsim.units import Problem as Contradiction
from outsim.vocabulary import ENDED_STATUSES, UNDER_WAY_STATUSES


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
    def background(self) -> Background | None: ...
    @property
    def campaign(self) -> Sequence[Campaign]: ...
    @property
    def tenant(self) -> Sequence[Tenant]: ...
    def instant_us(self, local: datetime) -> int: ...
    def campaign_or_none(self, name: str) -> Campaign | None: ...


def campaign_of(scenario: _Setting, campaign: CampaignSnapshot) -> Campaign:
    """The rules that a campaign of a snapshot is held to, without any call of its own.

    They are the scenario's where it has this campaign; else they are taken from its
    background, or from the defaults.
    """
    known = scenario.campaign_or_none("/".join(campaign.key))
    if known is not None:
        changed: dict[str, Any] = {"contact_list": None, "requests": None, "contacts": 0}
        if campaign.start is not None:
            changed["start"] = campaign.start
        return known.model_copy(update=changed)
    background = scenario.background
    rules: dict[str, Any] = {}
    if background is not None:
        rules = {
            rule: getattr(background, rule)
            for rule in ("max_retry", "retry_interval", "profile", "pacing", "result_url")
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
    instants = [each.since or each.oldest for each in campaign.queued]
    return min((instant for instant in instants if instant is not None), default=None)


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
    # A call that is dialing need not be at the carrier yet.
    for states, what, limit in (
        (UNDER_WAY_STATUSES, "platform.ports", scenario.platform.ports),
        (("connected",), "carrier.channels", scenario.carrier.channels),
    ):
        found = sum(each.count(state) for each in snapshot.campaign for state in states)
        if found > limit:
            words = " or ".join(states)
            yield (
                ("campaign",),
                f"found {found} calls {words}; the scenario's {what} is {limit}",
            )


def _twice(snapshot: Snapshot) -> Iterator[Contradiction]:
    """Calls that stand in two places."""
    numbered = sorted(
        (each.call_id, each.count, ("campaign", i, state, k, "call_id"))
        for i, campaign in enumerate(snapshot.campaign)
        for state in STATES
        for k, each in enumerate(campaign.standing(state))
        if each.call_id is not None
    )
    for (first, count, _), (call_id, _, place) in pairwise(numbered):
        if call_id < first + count:
            yield place, f"found {call_id}, which stands in another place too; give each call once"


def _plain(name: str) -> str:
    """A name without what is easily written in another way: case, spaces and hyphens."""
    return "".join(each for each in name.casefold() if each.isalnum())


def _unknown(scenario: _Setting, campaign: CampaignSnapshot) -> tuple[str, str] | None:
    """Why a campaign must be one of the scenario's and is not, as (key, message).

    Campaigns of customers of whom the scenario says nothing are allowed: they are those of
    others. One whose name is nearly the scenario's is most likely misspelt.
    """
    if scenario.campaign_or_none("/".join(campaign.key)) is not None:
        return None
    tenants: dict[str, list[str]] = {}
    for each in scenario.campaign:
        tenants.setdefault(each.tenant, []).append(each.name)
    if campaign.tenant in tenants:
        names = nearest(campaign.name, tenants[campaign.tenant])
        whose = f"which is not a campaign of {campaign.tenant} in the scenario"
        return "name", f"found {campaign.name!r}, {whose}; {names}"
    known = [*tenants, *(each.name for each in scenario.tenant)]
    near = [name for name in known if _plain(name) == _plain(campaign.tenant)]
    if not near and any(_plain(campaign.name) == _plain(n) for ns in tenants.values() for n in ns):
        near = get_close_matches(campaign.tenant, known, n=1, cutoff=0.7)
    if near:
        found = f"found {campaign.tenant!r}, which is not a customer in the scenario"
        return "tenant", f"{found}; did you mean {near[0]!r}?"
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
        for state in ("queued", "waiting_retry", "dialing", "connected", "completed", "failed"):
            count = campaign.count(state) if state in STATES else getattr(campaign, state)
            if count:
                found = f"found {count} at {written(snapshot.at)}, before {starts}"
                yield (state,), f"{found}; allowed: scheduled, canceled, expired"
        return
    for state in ("queued", "waiting_retry", "dialing", "connected"):
        for k, standing in enumerate(campaign.standing(state)):
            key, since_us = _since(scenario, snapshot, standing)
            rounded = ROUNDED if key == "lasting" else 0
            if since_us + rounded < scenario.instant_us(rules.start):
                value = getattr(standing, key)
                said = format_duration(value) if key == "lasting" else written(value)
                yield (state, k, key), f"found {said}, which is before {starts}"


def _since(scenario: _Setting, snapshot: Snapshot, standing: Standing) -> tuple[str, int]:
    """The key that says since when calls stand, and that instant; the moment where none does."""
    at_us = scenario.instant_us(snapshot.at)
    for key in ("since", "oldest"):
        if getattr(standing, key) is not None:
            return key, scenario.instant_us(getattr(standing, key))
    return "lasting", at_us - (standing.lasting or 0)


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
    known = scenario.campaign_or_none("/".join(campaign.key))
    most = None if known is None else known.dialable
    if most is None:
        return
    counts = {state: campaign.count(state) for state in STATES}
    counts |= {state: getattr(campaign, state) for state in ENDED_STATUSES}
    total = sum(counts.values())
    if total > most:
        said = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
        all_of_them = f", {total} in all" if sum(map(bool, counts.values())) > 1 else ""
        yield (
            (),
            f"found {said}{all_of_them}; its list in the scenario has {most} that can be dialed",
        )
