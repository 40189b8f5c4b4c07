"""What a scenario's dials amount to on average, before anything is run.

Everything here is an expected value. Durations are averaged over the quantiles
of their distributions, so that a ring that outlasts the ring timeout counts as
what it then is: a no answer of exactly that length.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from outsim.clock import HOUR, RATE_SECONDS, SECOND, local_segments, microseconds_between
from outsim.distributions import Distribution
from outsim.scenario.background import Background, TenantClass
from outsim.scenario.callees import Profile
from outsim.scenario.campaigns import Campaign, Requests
from outsim.scenario.model import Scenario
from outsim.scenario.parts import WEEKDAYS
from outsim.scenario.sizes import SizeDistribution, mean_size
from outsim.vocabulary import DRAWN_EACH_ATTEMPT, UPDATE_TABLE

_MIDPOINTS = (np.arange(4000, dtype=np.float64) + 0.5) / 4000
"""Quantiles at which a duration is averaged; together they stand for all of it."""

_FINAL = [row.name for row in DRAWN_EACH_ATTEMPT if not (row.is_answered or row.is_retried)]
"""Outcomes of an attempt that end a call unanswered."""

UPDATES_OF_ANY_ATTEMPT = sum(kind.is_of_every_attempt for kind in UPDATE_TABLE)
"""Those of an answered attempt come on top."""


@dataclass(frozen=True)
class Means:
    """Means of one attempt, weighted over attempts."""

    port_s: float
    """Seconds from dispatch to the end, without any wait for a worker."""
    carrier_s: float
    """Seconds for which it holds one of the carrier's channels."""
    updates: float
    """Status updates that it causes."""
    answered: float
    """Share that a person, voicemail or a fax answers."""
    carried: float
    """Share that is not refused for want of a caller ID."""


@dataclass(frozen=True)
class Traffic:
    """What one campaign, or the background as a whole, asks of the platform."""

    name: str
    """``tenant/name``, or ``background``."""
    contacts: float
    """Contacts that can be dialed."""
    attempts: float
    """Attempts at them in the end, if nothing but the callee decides."""
    means: Means
    """Means of one of these attempts."""


@dataclass(frozen=True)
class _Kind:
    """Contacts that are alike: what share they are, and what a dial to them may become."""

    share: float
    trait: str
    refused: float


@dataclass(frozen=True)
class Rings:
    """How ringing ends within the ring timeout."""

    in_time: float
    """Share that is answered before the timeout."""
    mean_s: float
    """Mean seconds of ringing, cut at the timeout."""


def rings(distribution: Distribution, timeout_us: int) -> Rings:
    """How ringing from this distribution ends."""
    timeout_s = timeout_us / SECOND
    ringing_s = distribution.quantile_s(_MIDPOINTS)
    return Rings(
        float(np.mean(ringing_s <= timeout_s)), float(np.mean(np.minimum(ringing_s, timeout_s)))
    )


def voicemail_rings(scenario: Scenario) -> Rings:
    """How ringing ends at voicemail, with phones on and off together."""
    callees, timeout_us = scenario.callees, scenario.platform.ring_timeout
    on, off = rings(callees.ring_voicemail, timeout_us), rings(callees.phone_off_ring, timeout_us)
    share = callees.phone_off
    return Rings(
        on.in_time + share * (off.in_time - on.in_time),
        on.mean_s + share * (off.mean_s - on.mean_s),
    )


def hours_of_the_run(scenario: Scenario) -> float:
    """Hours from the scenario's begin to its end by the clock."""
    return microseconds_between(scenario.clock.begins, scenario.clock.ends) / HOUR


def human_factor(scenario: Scenario) -> float:
    """Factor on the human share by hour and weekday, averaged over the run's quarter hours."""
    clock, callees = scenario.clock, scenario.callees
    until_us = scenario.instant_us(clock.ends)
    starts, hours = local_segments(clock.begins, until_us - 1, clock.zone_info)
    lengths = np.diff(np.append(np.maximum(starts, 0), until_us))
    factors = [callees.hour_factors.at(hour) * callees.weekday_factors[day] for day, hour in hours]
    return float(np.average(factors, weights=lengths))


def contacts_without_ani(scenario: Scenario, campaign: Campaign) -> float:
    """Share of the contacts that can be dialed which bring no caller ID."""
    if campaign.contact_list is None:
        return campaign.missing_ani_share
    dialed = dialable(scenario, campaign)
    if campaign.ani is not None or dialed == 0:
        return 0.0
    return min(1.0, campaign.contact_list.without_ani / dialed)


def dialable(scenario: Scenario, campaign: Campaign) -> float:
    """Contacts of a campaign that can be dialed; for requests, as many as are expected."""
    if campaign.requests is not None:
        return _expected_requests(scenario, campaign, campaign.requests)
    if isinstance(campaign.contacts, SizeDistribution):
        return campaign.contacts.mean() * scenario.load
    return campaign.dialable(scenario.load) or 0


def _expected_requests(scenario: Scenario, campaign: Campaign, requests: Requests) -> float:
    if requests.times_s is not None:
        return len(requests.times_s)
    begins_us = scenario.instant_us(campaign.submitted)
    until_us = scenario.instant_us(requests.until or scenario.clock.ends)
    if until_us <= begins_us:
        return 0.0
    zone = scenario.clock.zone_info
    starts, hours = local_segments(scenario.clock.begins, until_us, zone)
    edges = np.clip(np.append(starts, until_us), begins_us, until_us)
    rates = np.array([requests.rate_at(hour) for _, hour in hours]) * scenario.load
    return float(np.sum(np.diff(edges) / SECOND * rates / RATE_SECONDS))


def _kinds(scenario: Scenario, profile: Profile, without_ani: float) -> list[_Kind]:
    invalid = profile.invalid_share
    fax = (1 - invalid) * scenario.callees.fax_share
    traits = {"invalid": invalid, "fax": fax, "none": 1 - invalid - fax}
    refused = ((0.0, 1 - without_ani), (scenario.carrier.missing_ani_refusal, without_ani))
    return [
        _Kind(share * ani_share, trait, refusal)
        for (trait, share), (refusal, ani_share) in product(traits.items(), refused)
        if share * ani_share > 0
    ]


class _Dials:
    """Means of a dial by trait and by failures so far, for one kind of campaign."""

    def __init__(
        self,
        scenario: Scenario,
        profile: Profile,
        message: Distribution,
        campaign: Campaign | None,
    ) -> None:
        callees, platform = scenario.callees, scenario.platform
        self.profile = profile
        self.redial_factors = callees.redial_factors
        self.factor = human_factor(scenario)
        self.timeout_s = platform.ring_timeout / SECOND
        self.work_s = platform.dial_work.mean_s()
        self.refusal_s = scenario.carrier.refusal_time / SECOND
        self.post_dial_s = callees.post_dial_delay.mean_s()
        self.human = rings(callees.ring_human, platform.ring_timeout)
        self.voicemail = voicemail_rings(scenario)
        heard_s = message.mean_s()
        key_s = callees.key_press.mean_s() if campaign and campaign.asks_for_key else 0.0
        leave = callees.early_hang_up
        self.human_talk_s = leave * heard_s / 2 + (1 - leave) * (heard_s + key_s)
        if campaign and campaign.transfers_to_agent:
            self.human_talk_s = callees.agent_talk.mean_s()
        self.voicemail_talk_s = callees.greeting.mean_s() + heard_s
        self.fax_talk_s = platform.detection_machine / SECOND

    def outcome(self, trait: str, failures: int) -> tuple[float, float, float]:
        """Share answered, share that may be retried, and mean carrier seconds, if carried."""
        if trait == "invalid":
            return 0.0, 0.0, self.post_dial_s
        if trait == "fax":
            return self._answering(1.0, 0.0, 1.0, self.fax_talk_s)
        weights = self.profile
        total = weights.in_use
        redial = self.redial_factors[min(failures, len(self.redial_factors) - 1)]
        unanswered = (weights.human + weights.no_answer) / total
        human = min(weights.human / total * self.factor * redial, unanswered)
        answered, again, seconds = self._answering(
            human, weights.voicemail / total, unanswered, self.human_talk_s
        )
        return answered, again - sum(getattr(weights, name) for name in _FINAL) / total, seconds

    def _answering(
        self, human: float, voicemail: float, unanswered: float, talk_s: float
    ) -> tuple[float, float, float]:
        """Put an outcome together: `unanswered` holds the human share and its neighbour."""
        answered = human * self.human.in_time + voicemail * self.voicemail.in_time
        seconds = (
            self.post_dial_s
            + human * (self.human.mean_s + self.human.in_time * talk_s)
            + voicemail * (self.voicemail.mean_s + self.voicemail.in_time * self.voicemail_talk_s)
            + (unanswered - human) * self.timeout_s
        )
        return answered, 1 - answered, seconds


def _traffic(
    name: str, contacts: float, dials: _Dials, kinds: list[_Kind], retries: int
) -> Traffic:
    attempts = port_s = carrier_s = answered = carried = 0.0
    for kind in kinds:
        reached = kind.share
        for failures in range(retries + 1):
            share_answered, share_again, seconds = dials.outcome(kind.trait, failures)
            goes_out = reached * (1 - kind.refused)
            attempts += reached
            carried += goes_out
            answered += goes_out * share_answered
            carrier_s += goes_out * seconds
            port_s += reached * (dials.work_s + kind.refused * dials.refusal_s)
            reached = goes_out * share_again + reached * kind.refused
    port_s += carrier_s
    means = Means(
        port_s / attempts,
        carrier_s / attempts,
        UPDATES_OF_ANY_ATTEMPT + answered / attempts,
        answered / attempts,
        carried / attempts,
    )
    return Traffic(name, contacts, contacts * attempts, means)


def campaign_traffic(scenario: Scenario, campaign: Campaign) -> Traffic:
    """What a campaign asks of the platform."""
    profile = scenario.all_profiles[campaign.profile]
    dials = _Dials(scenario, profile, campaign.message or scenario.callees.message, campaign)
    kinds = _kinds(scenario, profile, contacts_without_ani(scenario, campaign))
    name = campaign.full_name
    return _traffic(name, dialable(scenario, campaign), dials, kinds, campaign.max_retry)


def class_means(scenario: Scenario, of: TenantClass) -> list[float]:
    """Mean campaigns, or calls, of a class in each local hour of the run by the clock."""
    clock = scenario.clock
    until_us = scenario.instant_us(clock.ends)
    starts, hours = local_segments(clock.begins, until_us - 1, clock.zone_info)
    lasts = np.diff(np.append(np.maximum(starts, 0), until_us)) / HOUR
    days = {WEEKDAYS.index(day) for day in of.repeats} or {*range(7)}
    return [
        scenario.load * of.rate_at(day, hour) * float(last) * (day in days)
        for (day, hour), last in zip(hours, lasts, strict=True)
    ]


def background_traffic(scenario: Scenario) -> Iterator[Traffic]:
    """What campaigns of the background that start within the run ask of the platform."""
    background = scenario.background
    if background is None:
        return
    contacts = mean_at_all_hours(scenario) * hours_of_the_run(scenario)
    yield _of_others(scenario, "background", background, contacts)
    for of in background.tenant_class:
        each = mean_size(of.contacts) if of.lists_calls else 1.0
        yield _of_others(scenario, of.name, of, sum(class_means(scenario, of)) * each)


def mean_at_all_hours(scenario: Scenario) -> float:
    """Mean contacts an hour of the background, but for its classes."""
    background = scenario.background
    if background is None:
        return 0.0
    campaigns = round(background.campaigns_per_hour * scenario.load)
    return campaigns * background.median_size * math.exp(background.size_log_sd**2 / 2)


def _of_others(
    scenario: Scenario, name: str, caller: Background | TenantClass, contacts: float
) -> Traffic:
    profile = scenario.all_profiles[caller.profile]
    dials = _Dials(scenario, profile, scenario.callees.message, None)
    return _traffic(name, contacts, dials, _kinds(scenario, profile, 0.0), caller.max_retry)


def all_traffic(scenario: Scenario) -> tuple[Traffic, ...]:
    """Traffic of every campaign that starts within the run, and of the background."""
    ends_us = scenario.instant_us(scenario.clock.ends)
    traffic = [
        campaign_traffic(scenario, campaign)
        for campaign in scenario.campaigns
        if scenario.instant_us(campaign.start) < ends_us
    ]
    traffic += background_traffic(scenario)
    return tuple(flow for flow in traffic if flow.contacts > 0)
