"""Why a formula does not apply to a scenario: one line each, or None where nothing is against it.

Conditions are judged from the scenario alone. How much another resource may interfere is a
matter of degree: `TRACE` says how much is let pass.
"""

from __future__ import annotations

from collections.abc import Iterable

from outsim.clock import RATE_SECONDS, SECOND, format_duration
from outsim.display import percent
from outsim.distributions import Exponential
from outsim.scenario.campaigns import Campaign
from outsim.scenario.model import Scenario
from outsim.scenario.offered_load import Means, all_traffic
from outsim.scenario.utilisation import mean_attempt, share_left_by_others
from outsim.theory.formulas import (
    MOST_TOKENS,
    Stream,
    erlang_b,
    erlang_c,
    erlang_c_wait_s,
    first_class_wait_s,
    token_refusals,
    token_wait_s,
)
from outsim.theory.measures import Window
from outsim.vocabulary import DISCIPLINES

TRACE = 0.01
"""Share of a measure that may come from a resource that its formula does not know of."""
BUSY = 0.5
"""Load of the workers up to which they hardly lengthen the time that a call holds a port."""
RELAXATIONS = 10
"""Times that a queue takes to forget how it began, before which its steady state is not asked."""


def first(reasons: Iterable[str | None]) -> str | None:
    """The first reason there is."""
    return next((reason for reason in reasons if reason), None)


def at_random(scenario: Scenario) -> str | None:
    """Whether calls come one by one at random, at a constant rate: a Poisson stream."""
    if scenario.snapshot is not None:
        return "the run begins in the middle of a live queue"
    if scenario.background is not None or any(c.requests is None for c in scenario.campaign):
        return "calls come in lists, not one by one at random"
    requests = [c.requests for c in scenario.campaign if c.requests is not None]
    if not requests:
        return "there is nobody to call"
    if any(stream.times_s is not None for stream in requests):
        return "requests come at recorded times, not at random"
    if any(stream.rate_by_hour for stream in requests):
        return "the rate of requests changes with the hour"
    if any(c.repeats for c in scenario.campaign):
        return "requests come again on other days, and not between"
    if any(c.max_retry > 0 for c in scenario.campaign):
        return "calls are retried, and retries don't come at random"
    return None


def undisturbed(scenario: Scenario, *others: str) -> str | None:
    """Whether nothing holds calls back, or takes them away, but what is scarce."""
    for name, events in (
        ("outages", scenario.outage),
        ("suspensions", scenario.suspension),
        ("pauses", scenario.pause),
    ):
        if events:
            return f"there are {name}"
    for campaign in scenario.campaign:
        for key in ("stop_at", "expires_at", "window", "max_simultaneous", *others):
            if getattr(campaign, key) is not None:
                return f"{campaign.full_name} has {key}"
    for tenant in scenario.tenant:
        if tenant.dial_rate is not None or tenant.max_simultaneous is not None:
            return f"tenant {tenant.name} has limits of its own"
    return None


def requests_per_s(scenario: Scenario) -> float:
    """Rate at which all requests come in together."""
    rates = (c.requests.rate or 0 for c in scenario.campaign if c.requests is not None)
    return sum(rates) / RATE_SECONDS * scenario.load


def means(scenario: Scenario) -> Means | None:
    """Means of an attempt, over all that are to be expected; None if there are none."""
    traffic = all_traffic(scenario)
    return mean_attempt(traffic) if traffic else None


def settled_window(scenario: Scenario) -> Window:
    """Second half of the time in which requests come in; for requests at a rate only."""
    begins = max(scenario.instant_us(campaign.start) for campaign in scenario.campaign)
    ends = min(
        scenario.instant_us((c.requests.until if c.requests else None) or scenario.clock.ends)
        for c in scenario.campaign
    )
    return (begins + ends) // 2, ends


def settles(scenario: Scenario, servers: int, load: float, mean_s: float) -> str | None:
    """Whether a queue has a steady state, and time to come to it."""
    if load >= 1:
        return f"{percent(load)} of what there is would be asked for: there is no steady state"
    # It forgets at the rate (sqrt(servers / mean) - sqrt(arrivals))^2 (P. M. Morse 1955).
    forgets_s = mean_s / (servers * (1 - load**0.5) ** 2) + mean_s
    begins, ends = settled_window(scenario)
    if ends - begins < RELAXATIONS * forgets_s * SECOND:
        needs = format_duration(2 * RELAXATIONS * round(forgets_s) * SECOND)
        return f"requests come for too short a time: a steady state takes {needs}"
    return None


def _token_wait_s(scenario: Scenario) -> float:
    """Mean wait for the dial rate alone; of a larger bucket less than this."""
    platform = scenario.platform
    tokens, rate = platform.dial_rate / RATE_SECONDS, requests_per_s(scenario)
    if rate >= tokens:
        return float("inf")
    return token_wait_s(rate, tokens, min(platform.dial_burst, MOST_TOKENS))


def _offered_to_ports(scenario: Scenario) -> float:
    attempt = means(scenario)
    return requests_per_s(scenario) * attempt.port_s if attempt else 0.0


def tokens_to_spare(scenario: Scenario, wait_s: float) -> str | None:
    """Whether waits for the dial rate are a trace of this wait."""
    if _token_wait_s(scenario) > TRACE * wait_s:
        return "calls wait for the dial rate as well"
    return None


def ports_to_spare(scenario: Scenario) -> str | None:
    """Whether calls hardly ever wait for a port."""
    ports, offered = scenario.platform.ports, _offered_to_ports(scenario)
    if offered >= ports or erlang_c(ports, offered) > TRACE / 10:
        return "calls wait for a port as well"
    return None


def _work(scenario: Scenario) -> tuple[Stream, Stream]:
    """Dial work and updates while requests come in, as if each of a kind took equally long."""
    attempt, rate = means(scenario), requests_per_s(scenario)
    dial_s = scenario.platform.dial_work.mean_s()
    status_s = scenario.platform.status_work.mean_s()
    updates = attempt.updates if attempt else 0.0
    return Stream(rate, dial_s, dial_s**2), Stream(updates * rate, status_s, status_s**2)


def worker_load(scenario: Scenario) -> float:
    """Load of the workers while requests come in."""
    return sum(stream.load for stream in _work(scenario)) / scenario.platform.workers


def least_worker_wait_s(scenario: Scenario) -> float:
    """Mean wait of dial work for the only worker, or less: work that varies waits longer."""
    dial, status = _work(scenario)
    return first_class_wait_s(dial, [status])


def workers_to_spare(scenario: Scenario) -> str | None:
    """Whether workers have so little to do that dial work hardly waits."""
    load = worker_load(scenario)
    if load > BUSY:
        return f"dial work waits for workers, {percent(load)} busy, and holds a port meanwhile"
    return None


def comes_as_it_entered(scenario: Scenario, held_s: float) -> str | None:
    """Whether calls that ask for a channel, to hold for this long, still come at random.

    A queue in front evens them out: calls that wait there are not up as well. What comes in
    within a time, A, and the queue's length Q have covariance rate x dE[Q]/d rate, and what
    passes has the variance of A less twice that, or more. For one server with constant service,
    a mean wait W and a load r, the share taken off is at most 4 W / (1 - r) over the time that
    channels are held. Refusals are rare events, and change by more than that.
    """
    platform, load = scenario.platform, worker_load(scenario)
    trace_s = TRACE / 10 * held_s
    dial_load = requests_per_s(scenario) / (platform.dial_rate / RATE_SECONDS)
    if dial_load >= 1 or _token_wait_s(scenario) > trace_s * (1 - dial_load):
        return "calls wait for the dial rate first, which evens them out"
    longest_s = max(stream.mean_s for stream in _work(scenario))
    offered = load * platform.workers
    if load >= 1 or erlang_c_wait_s(platform.workers, offered, longest_s) > trace_s * (1 - load):
        return "dial work waits for workers first, which evens calls out"
    return None


def channels_left(scenario: Scenario) -> int:
    """Channels that other traffic leaves."""
    return int(scenario.carrier.channels * share_left_by_others(scenario.carrier))


def _channels_refuse(scenario: Scenario) -> float:
    attempt, channels = means(scenario), channels_left(scenario)
    if attempt is None or channels >= scenario.platform.ports:
        return 0.0
    return erlang_b(channels, requests_per_s(scenario) * attempt.carrier_s)


def _rate_refuses(scenario: Scenario) -> float:
    carrier = scenario.carrier
    tokens = max(carrier.rate / RATE_SECONDS * share_left_by_others(carrier), 1e-9)
    return token_refusals(requests_per_s(scenario), tokens, min(carrier.burst, MOST_TOKENS))


def no_refusals(scenario: Scenario) -> str | None:
    """Whether the carrier hardly ever refuses a call, which shortens its time on a port."""
    if max(_channels_refuse(scenario), _rate_refuses(scenario)) > TRACE:
        return "the carrier refuses calls when many are up, which frees their ports"
    return None


def carrier_rate_to_spare(scenario: Scenario) -> str | None:
    """Whether the carrier's rate hardly ever refuses a call."""
    if _rate_refuses(scenario) > TRACE / 10:
        return "the carrier's rate refuses calls before its channels do"
    return None


def constant_channels(scenario: Scenario) -> str | None:
    """Whether there are channels that ports can fill, as many at all times."""
    if scenario.carrier.other_traffic_peak:
        return "other traffic takes another share of them in some minutes"
    ports, channels = scenario.platform.ports, channels_left(scenario)
    if channels >= ports:
        return f"{ports:,} ports never fill {channels:,} channels"
    return None


def one_bucket(scenario: Scenario) -> str | None:
    """Whether the dial rate's bucket is one that the formula has digits for."""
    burst = scenario.platform.dial_burst
    return f"for at most {MOST_TOKENS} tokens, found {burst}" if burst > MOST_TOKENS else None


def one_worker(scenario: Scenario) -> str | None:
    """Whether there is one worker."""
    workers = scenario.platform.workers
    return f"the formula is for one worker, and there are {workers:,}" if workers > 1 else None


def alone(scenario: Scenario) -> str | None:
    """Whether a list has the platform to itself, and each of its calls goes out once."""
    if scenario.snapshot is not None:
        return "the run begins in the middle of a live queue"
    if scenario.background is not None or len(scenario.campaign) != 1:
        return "others' calls take turns with this list's"
    campaign: Campaign = scenario.campaign[0]
    if campaign.requests is not None:
        return "calls come in one by one, not as a list"
    if campaign.max_retry > 0:
        return "calls are retried: the last one may end long after all had their turn"
    if campaign.pacing is not None and campaign.pacing_at == "dispatch":
        return "the list is paced at dispatch"
    return None


def expected_port_wait_s(scenario: Scenario, attempt: Means) -> float:
    """Erlang's wait for a port; infinite where there is no steady state."""
    ports, offered = scenario.platform.ports, requests_per_s(scenario) * attempt.port_s
    return erlang_c_wait_s(ports, offered, attempt.port_s) if offered < ports else float("inf")


def order_blind_to_length(scenario: Scenario) -> str | None:
    """Whether the order in which calls go has nothing to do with how long they take.

    Taking turns favours the tenant that asks for less, whose calls may be the short ones. Calls
    that are not retried are all first attempts, so putting these first changes nothing.
    """
    tenants = {campaign.tenant for campaign in scenario.campaign}
    if DISCIPLINES[scenario.platform.queue].tenants_take_turns and len(tenants) > 1:
        return "tenants take turns, which favours calls of some length over others"
    return None


def exponential_times(scenario: Scenario) -> str | None:
    """Whether the time that a call holds a port is exponential, but for a trace of it."""
    attempt = means(scenario)
    for campaign in scenario.campaign:
        message = campaign.message or scenario.callees.message
        profile = scenario.all_profiles[campaign.profile]
        is_talk_alone = (
            profile.in_use == profile.human
            and profile.invalid == 0
            and scenario.callees.early_hang_up == 0
        )
        if (
            not isinstance(message, Exponential)
            or not is_talk_alone
            or attempt is None
            or abs(attempt.port_s / message.mean_s() - 1) > TRACE
        ):
            return "the time that a call holds a port is not exponential"
    return None
