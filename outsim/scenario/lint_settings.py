"""Values, times and lists that are allowed, and make everything fail, or nothing happen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from itertools import combinations

import numpy as np

from outsim.clock import SECOND, format_duration, format_rate, microseconds_between
from outsim.display import percent
from outsim.distributions import Constant, Distribution
from outsim.scenario.back_off import BackOff
from outsim.scenario.campaigns import Campaign, Endpoint, Tenant, Window
from outsim.scenario.contacts import ContactList
from outsim.scenario.keys import keys_of, parts
from outsim.scenario.model import Scenario
from outsim.scenario.offered_load import human_factor
from outsim.scenario.platform import Outage, Pause, Platform, Suspension
from outsim.scenario.utilisation import share_left_by_others
from outsim.units import PLACES, near_zone

Advised = Iterator[tuple[str, str]]
"""Key paths and messages."""

MOST = 0.5
"""Share from which on a fault is the rule and no longer the exception."""
NEARLY_ALL = 0.9
STRONG = 1.5
"""Factor from which on a factor is more than a nuance."""
_MIDPOINTS = (np.arange(1000) + 0.5) / 1000


def values(scenario: Scenario) -> Advised:
    """What can't be meant of single values, as (key, message)."""
    yield from _shares(scenario)
    yield from _durations(scenario)
    yield from _answering(scenario)
    yield from _names_alike(scenario)
    yield from _intake(scenario)
    for endpoint in scenario.endpoint:
        for key, message in _endpoint(endpoint):
            yield f"endpoint[{endpoint.name}].{key}", message
    for campaign in scenario.campaign:
        if campaign.pacing is None and campaign.pacing_at != "admission":
            yield f"campaign[{campaign.full_name}].pacing_at", "has no effect without pacing"
        if campaign.stop_at is None or campaign.stop_mode != "calls":
            for name in ("cancel_rate", "cancel_order"):
                if name in campaign.model_fields_set:
                    why = 'has no effect without stop_at and stop_mode = "calls"'
                    yield f"campaign[{campaign.full_name}].{name}", why


def _intake(scenario: Scenario) -> Advised:
    """Limits of intake that a scenario's own requests are beyond, and clients that ask in vain."""
    platform, tenants = scenario.platform, {tenant.name: tenant for tenant in scenario.tenant}
    length_us = microseconds_between(scenario.clock.begins, scenario.clock.latest_end)
    everybody: list[Platform | Tenant] = [platform, *scenario.tenant]
    is_limited = any(limits.intake_rate or limits.queue_limit for limits in everybody)
    for campaign in scenario.campaign:
        own = tenants.get(campaign.tenant)
        for key, limits in (("platform", platform), (f"tenant[{campaign.tenant}]", own)):
            if limits is not None:
                yield from _beyond(scenario, campaign, key, limits)
        key, again = f"campaign[{campaign.full_name}]", campaign.asks_again
        asks = campaign.when_refused == "asks again"
        if asks and not is_limited:
            yield f"{key}.when_refused", "has no effect: nothing limits what is requested"
        if not asks and "asks_again" in campaign.model_fields_set:
            yield f"{key}.asks_again", 'has no effect unless when_refused = "asks again"'
        if asks:
            for name, message in wide_jitter(again, again.interval):
                yield f"{key}.asks_again.{name}", message
        if asks and sum(again.waits_us) >= length_us:
            lasts = format_duration(sum(again.waits_us))
            yield (
                f"{key}.asks_again",
                f"asks for {lasts}, longer than the run: it never gives up",
            )


def wide_jitter(back_off: BackOff, interval_us: int) -> Advised:
    """Whether chance may add more to a wait than its first interval is."""
    longest_us = back_off.jitter_us(interval_us)
    if longest_us > interval_us:
        interval = format_duration(interval_us)
        message = f"is up to {format_duration(longest_us)}, longer than the interval of {interval}"
        yield "jitter", message


def _beyond(
    scenario: Scenario, campaign: Campaign, key: str, limits: Platform | Tenant
) -> Advised:
    requests, calls = campaign.requests, campaign.dialable(scenario.load)
    if limits.queue_limit is not None and calls is not None and calls > limits.queue_limit:
        yield (
            f"{key}.queue_limit",
            f"is less than the {calls:,} calls of {campaign.full_name}: they are always refused",
        )
    if limits.intake_rate is not None and requests is not None:
        most = max(map(requests.rate_at, range(24)), default=0)
        most = round(most * scenario.load)
        if most > limits.intake_rate:
            yield (
                f"{key}.intake_rate",
                f"is less than the {format_rate(most)} that {campaign.full_name} asks for: "
                f"{percent(1 - limits.intake_rate / most)} of its requests are refused at least",
            )


def _shares(scenario: Scenario) -> Advised:
    platform, callees = scenario.platform, scenario.callees
    if platform.wedged_calls >= MOST:
        yield (
            "platform.wedged_calls",
            f"{percent(platform.wedged_calls)} of calls are never dialed",
        )
    if platform.lost_updates >= MOST:
        yield (
            "platform.lost_updates",
            f"{percent(platform.lost_updates)} of updates are never visible",
        )
    if platform.detection_accuracy < MOST:
        yield (
            "platform.detection_accuracy",
            f"is {percent(platform.detection_accuracy)}: people and machines are told apart "
            "wrongly more often than rightly",
        )
    if share_left_by_others(scenario.carrier) == 0:
        yield ("carrier.other_traffic", "leaves nothing to the platform: every call is refused")
    if callees.phone_off >= MOST:
        yield (
            "callees.phone_off",
            f"{percent(callees.phone_off)} of phones are off at every attempt",
        )
    if callees.fax_share >= MOST:
        yield ("callees.fax_share", f"{percent(callees.fax_share)} of contacts are fax machines")
    if callees.early_hang_up >= NEARLY_ALL:
        leave = f"{percent(callees.early_hang_up)} of people leave before the message ends"
        yield "callees.early_hang_up", leave


def _durations(scenario: Scenario) -> Advised:
    """Times that are longer, on average, than the run is by the clock."""
    length_us = microseconds_between(scenario.clock.begins, scenario.clock.ends)
    platform, callees = scenario.platform, scenario.callees
    durations: dict[str, int | float | None] = {
        "carrier.refusal_time": scenario.carrier.refusal_time,
        **{f"platform.{key}": getattr(platform, key) for key in ("ring_timeout", "start_jitter")},
    }
    if any(campaign.stop_at is not None for campaign in scenario.campaign):
        durations["platform.stop_latency"] = platform.stop_latency
    for part in parts(scenario):
        if part.path[0] in ("platform", "callees", "campaign"):
            for key, _, value, _ in keys_of(part):
                if hasattr(value, "mean_s"):
                    durations[key] = value.mean_s() * SECOND
    for key, duration_us in durations.items():
        if duration_us is not None and duration_us >= length_us:
            yield (
                key,
                f"is {format_duration(duration_us)}, longer than the run "
                f"({format_duration(length_us)})",
            )
    talks = {
        "detection_person": callees.message.quantile_s(_MIDPOINTS),
        "detection_machine": (callees.message.mean_s() + callees.greeting.quantile_s(_MIDPOINTS)),
    }
    for key, talk_s in talks.items():
        detection_us = getattr(platform, key)
        late = float(np.mean(talk_s * SECOND < detection_us))
        if late >= NEARLY_ALL:
            yield (
                f"platform.{key}",
                f"is {format_duration(detection_us)}: {percent(late)} of such calls are over "
                "before",
            )


def _answering(scenario: Scenario) -> Advised:
    callees = scenario.callees
    hours = callees.hour_factors.model_dump().values()
    factors = {
        "callees.hour_factors": (max(hours), max(hours)),
        "callees.weekday_factors": (max(callees.weekday_factors), max(callees.weekday_factors)),
        "callees.redial_factors": (callees.redial_factors[0], max(callees.redial_factors)),
    }
    for key, (most, _) in factors.items():
        if most == 0:
            yield key, "no person ever answers: the factors are 0"
    if all(most > 0 for _, most in factors.values()) and human_factor(scenario) == 0:
        at_work = "weekday_factors" if min(callees.weekday_factors) == 0 else "hour_factors"
        yield f"callees.{at_work}", "no person answers in the run: its factors are 0 then"
    for name in scenario.profiles_in_use:
        profile = scenario.all_profiles[name]
        if not profile.ever_answers:
            yield f"profiles.{name}", "neither a person nor voicemail ever answers"
        for key, (_, most) in factors.items():
            if most >= STRONG and profile.human * most > profile.human + profile.no_answer:
                yield (
                    key,
                    f"a factor of {most:g} on the human share of {name} takes more than its "
                    "no_answer has: it is cut there",
                )


def _endpoint(endpoint: Endpoint) -> Advised:
    late = _share_beyond(endpoint.latency, endpoint.timeout)
    if late >= MOST:
        yield (
            "timeout",
            f"is {format_duration(endpoint.timeout)}: {percent(late)} of posts take longer, and "
            "fail",
        )
    if endpoint.failure_share >= MOST:
        yield (
            "failure_share",
            f"{percent(endpoint.failure_share)} of posts are answered with an error",
        )
    if endpoint.retry_after and sum(endpoint.retry_after) < SECOND:
        within = format_duration(sum(endpoint.retry_after))
        yield "retry_after", f"all repetitions come within {within} of each other"


def _share_beyond(distribution: Distribution, limit_us: int) -> float:
    if isinstance(distribution, Constant):
        return float(distribution.value > limit_us)
    return float(np.mean(distribution.quantile_s(_MIDPOINTS) * SECOND > limit_us))


def _names_alike(scenario: Scenario) -> Advised:
    """Names that differ in nothing but case, spaces and hyphens."""
    tenants = {c.tenant for c in scenario.campaign} | {t.name for t in scenario.tenant}
    named: dict[str, Iterable[str]] = {
        "tenant": tenants,
        "endpoint": [endpoint.name for endpoint in scenario.endpoint],
        "profiles": scenario.all_profiles,
    }
    for tenant in sorted(tenants):
        own = [campaign.name for campaign in scenario.campaign if campaign.tenant == tenant]
        named[f"campaign[{tenant}/*].name"] = own
    for key, names in named.items():
        alike: dict[str, list[str]] = {}
        for name in sorted(names):
            alike.setdefault("".join(c for c in name.casefold() if c.isalnum()), []).append(name)
        for one, other, *_ in (same for same in alike.values() if len(same) > 1):
            message = f"{one!r} and {other!r} are two: they differ in case or spaces only"
            yield key.replace("*", other), message


def events(scenario: Scenario) -> Advised:
    """What can't be meant of the times of outages, suspensions, pauses, stops and requests."""
    latest_us = scenario.instant_us(scenario.clock.latest_end)
    for part in parts(scenario):
        is_event = isinstance(part.value, Suspension | Pause | Outage)
        if is_event and scenario.instant_us(part.value.begins) >= latest_us:
            yield f"{part.key}.begins", "is not before the latest end of the run"
    for i, suspension in enumerate(scenario.suspension):
        begins_us = scenario.instant_us(suspension.begins)
        if begins_us < latest_us <= _ends_us(scenario, suspension):
            whom = "everybody" if suspension.tenant is None else suspension.tenant
            yield (
                f"suspension[{i}].ends",
                f"is not before the latest end of the run: {whom} is not dialed from "
                f"{suspension.begins:%H:%M} on",
            )
    for i, entry in enumerate(scenario.pause):
        for key, message in _pause(scenario, *scenario.paused(entry)[0]):
            yield f"pause[{i}].{key}", message
    yield from _suspended_twice(scenario)
    yield from _outages(scenario)
    every_us = scenario.platform.reconciliation_every
    if every_us is not None and every_us >= latest_us:
        yield (
            "platform.reconciliation_every",
            f"is {format_duration(every_us)}, and the run is over by then: nothing is repaired",
        )
    for campaign in scenario.campaign:
        night = [] if campaign.window is None else _window(campaign.window)
        for key, message in (*night, *_stop(scenario, campaign), *_requests(scenario, campaign)):
            yield f"campaign[{campaign.full_name}].{key}", message


def _pause(scenario: Scenario, campaign: Campaign, pause: Pause) -> Advised:
    """A pause of which the campaign never notices anything, or after which nothing comes."""
    whose, begins_us = pause.campaign, scenario.instant_us(pause.begins)
    latest_us = scenario.instant_us(scenario.clock.latest_end)
    expires_us = None if campaign.expires_at is None else scenario.instant_us(campaign.expires_at)
    if expires_us is not None and expires_us <= begins_us:
        yield "begins", f"is not before the expiry of {whose}: nothing is left to pause"
    elif pause.ends is not None and pause.ends <= campaign.start:
        yield "ends", f"is not after the start of {whose}: nothing is held back"
    elif expires_us is not None and expires_us <= _ends_us(scenario, pause):
        yield "ends", f"is not before the expiry of {whose}: what the pause holds back expires"
    elif begins_us < latest_us <= _ends_us(scenario, pause):
        yield (
            "ends",
            f"is not before the latest end of the run: {whose} is not dialed from "
            f"{pause.begins:%H:%M} on",
        )


def _overlaps(
    scenario: Scenario, events: Sequence[Suspension | Outage]
) -> Iterator[tuple[int, int]]:
    """Pairs of numbers of events that are at the same time."""
    spans = [(scenario.instant_us(e.begins), _ends_us(scenario, e)) for e in events]
    for (i, one), (j, other) in combinations(enumerate(spans[:MOST_COMPARED]), 2):
        if max(one[0], other[0]) < min(one[1], other[1]):
            yield i, j


def _suspended_twice(scenario: Scenario) -> Advised:
    for i, j in _overlaps(scenario, scenario.suspension):
        one, other = scenario.suspension[i].tenant, scenario.suspension[j].tenant
        if one == other or None in (one, other):
            whom = one or other or "everybody"
            yield f"suspension[{j}].begins", f"overlaps suspension[{i}], of {whom} too"


def _ends_us(scenario: Scenario, event: Suspension | Pause | Outage) -> int:
    ends = scenario.clock.latest_end if event.ends is None else event.ends
    return scenario.instant_us(ends)


def _outages(scenario: Scenario) -> Advised:
    there = {
        "ports": scenario.platform.ports,
        "workers": scenario.platform.workers,
        "channels": scenario.carrier.channels,
    }
    ends_us = scenario.instant_us(scenario.clock.ends)
    for i, outage in enumerate(scenario.outage):
        all_of_them = there.get(outage.of, 1)
        if outage.count is not None and outage.count > all_of_them:
            yield (
                f"outage[{i}].count",
                f"is {outage.count}, and there are {all_of_them} {outage.of}",
            )
        is_whole = outage.count is None or outage.count >= all_of_them
        begins_us = scenario.instant_us(outage.begins)
        if is_whole and begins_us < ends_us <= _ends_us(scenario, outage):
            what = outage.endpoint or outage.of
            yield (
                f"outage[{i}].ends",
                f"is not before the end of the run: {what} is out from {outage.begins:%H:%M} on",
            )
    for i, j in _overlaps(scenario, scenario.outage):
        one, other = scenario.outage[i], scenario.outage[j]
        if (one.of, one.endpoint) == (other.of, other.endpoint):
            yield f"outage[{j}].begins", f"overlaps outage[{i}], of {one.of} too"


MOST_COMPARED = 200
"""Outages, or suspensions, of which each is compared with each."""


LONG_NIGHT = timedelta(hours=12)
"""A window that passes midnight and is open for longer is most likely the wrong way round."""


def _window(window: Window) -> Advised:
    for day, count in Counter(window.days).items():
        if count > 1:
            yield "window.days", f"names {day} {count} times"
    if not window.passes_midnight:
        return
    opens, closes = (datetime.combine(date.min, at) for at in (window.opens, window.closes))
    lasts = closes - opens + timedelta(days=1)
    lasts_us = int(lasts.total_seconds()) * SECOND
    if opens == closes:
        yield "window.closes", f"is when it opens, {window.opens:%H:%M}: it is open for 24 hours"
    elif lasts > LONG_NIGHT:
        yield (
            "window.closes",
            f"is on the next day: it is open for {format_duration(lasts_us)}, through "
            f"the night; for one by day write opens {window.closes:%H:%M}, closes "
            f"{window.opens:%H:%M}",
        )


def _stop(scenario: Scenario, campaign: Campaign) -> Advised:
    if campaign.stop_at is None:
        return
    stop_us = scenario.instant_us(campaign.stop_at)
    latest_us = scenario.instant_us(scenario.clock.latest_end)
    latency = scenario.platform.stop_latency
    if stop_us < latest_us <= stop_us + latency:
        yield (
            "stop_at",
            f"takes effect {format_duration(latency)} later, which is not before the latest end "
            "of the run: nothing is stopped",
        )
    if campaign.expires_at is not None and stop_us >= scenario.instant_us(campaign.expires_at):
        yield "stop_at", "is not before expires_at: nothing is left to stop"
    if campaign.stop_mode == "calls" and campaign.stop_reaches == "queue":
        yield "stop_reaches", "has no effect: a stop by calls reaches queued calls anyway"


def _requests(scenario: Scenario, campaign: Campaign) -> Advised:
    requests = campaign.requests
    if requests is None:
        return
    latest_us = scenario.instant_us(scenario.clock.latest_end)
    if requests.times_s is not None:
        late = sum(time_s * SECOND >= latest_us for time_s in requests.times_s)
        if late:
            yield (
                "requests.times_s",
                f"{late:,} of {len(requests.times_s):,} come after the latest end of the run",
            )
    if requests.until is not None:
        until_us = scenario.instant_us(requests.until)
        if until_us > scenario.instant_us(scenario.clock.ends):
            yield "requests.until", "is after the end of the run, where requests end"


SAME_AS = {
    "time_zone": ("timezone", "tz", "zone", "zonename", "localzone", "calleezone", "olson"),
    "ani": ("callerid", "callingnumber", "from", "fromnumber", "cli", "clid", "outboundani"),
}
"""What others call the columns that the model reads, without case, spaces and hyphens."""


def headers(contacts: ContactList) -> Iterator[str]:
    """Headers that are variables of the call, and most likely meant as columns of the model."""
    for column, words in SAME_AS.items():
        if column in contacts.variables:
            continue
        for header in contacts.variables:
            plain = "".join(letter for letter in header.casefold() if letter.isalnum())
            known = [column.replace("_", ""), *words]
            if plain in known or get_close_matches(header[:80], [column], cutoff=0.85):
                yield (
                    f"the column {header!r} is taken as a variable of the call; did you mean "
                    f"{column}?"
                )


def zones(scenario: Scenario) -> Advised:
    """Zones without summer time, in whose place there is one with it."""
    yield from (("clock.zone", message) for message in _fixed(scenario.clock.zone))
    for campaign in scenario.campaign:
        key = f"campaign[{campaign.full_name}]"
        for message in _fixed(campaign.callee_zone or ""):
            yield f"{key}.callee_zone", message
        if campaign.contact_list is not None:
            yield from ((f"{key}.contact_list", text) for text in _of_list(campaign.contact_list))


def _of_list(contacts: ContactList) -> Iterator[str]:
    yield from headers(contacts)
    for zone in contacts.zones:
        yield from _fixed(zone)
    unknown = next((r for r in contacts.rejected if r.reason == "unknown time zone"), None)
    near = near_zone(unknown.text) if unknown is not None else None
    if unknown is not None and near is not None:
        yield f"line {unknown.line}: {unknown.text!r} is not a time zone; did you mean {near}?"


def _fixed(zone: str) -> Iterator[str]:
    """That a zone has no summer time, while that of the place that is probably meant has."""
    if zone in PLACES:
        yield f"the time zone {zone} has no summer time; {PLACES[zone]} has it"
    elif zone.startswith(("Etc/GMT+", "Etc/GMT-")) and zone[8:] != "0":
        yield f"the time zone {zone} has no summer time; write that of a place, if it has"
