"""How busy a scenario would keep each resource, from averages alone.

Nothing is simulated: these are the loads that a planner works out on paper. A
load of 1 means busy all the time; above 1 the resource can't keep up, and what
it can't serve waits (ports, workers) or is refused (the carrier).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass
from typing import NamedTuple

import numpy as np

from outsim.clock import RATE_SECONDS, SECOND
from outsim.display import percent
from outsim.scenario.campaigns import Campaign
from outsim.scenario.model import Scenario
from outsim.scenario.offered_load import Means, Traffic, all_traffic, hours_of_the_run
from outsim.scenario.platform import Carrier


@dataclass(frozen=True)
class Utilisation:
    """How busy one resource would be."""

    resource: str
    """``ports``, ``dial rate``, ``workers``, ``carrier rate`` or ``carrier channels``."""
    load: float
    """At the full dial rate; for the dial rate itself, how much of it the rest allows."""
    offered: float
    """Over the run by the clock, from the attempts that its campaigns are expected to ask for."""
    explanation: str
    """The figures behind `load`, in one line."""


def mean_attempt(traffic: Sequence[Traffic]) -> Means:
    """Means over the attempts of several campaigns together."""
    weights = np.array([flow.attempts for flow in traffic])
    rows = np.array([astuple(flow.means) for flow in traffic])
    return Means(*np.average(rows, axis=0, weights=weights).tolist())


def share_left_by_others(carrier: Carrier) -> float:
    """Share of the carrier that is the platform's, averaged over the minutes of the hour."""
    return 1 - sum(carrier.other_traffic_by_minute) / 60


def utilisation(scenario: Scenario) -> list[Utilisation]:
    """Load of each resource at the full dial rate, and over the run.

    It is worked out from an attempt's means over the scenario's attempts (`Means`): those of each
    profile with its retries, the human share scaled by the run's hours and by failures so far.
    Of the full dial rate ports and workers allow a part; updates don't count in it, since they
    give way to dials. Offered are the attempts that campaigns starting within the run by the clock
    are expected to make, over its length. Refusals by a carrier at its limit are left out.
    """
    traffic = all_traffic(scenario)
    if not traffic:
        return []
    platform, carrier = scenario.platform, scenario.carrier
    means = mean_attempt(traffic)
    dial_rate = platform.dial_rate / RATE_SECONDS
    offered_rate = sum(flow.attempts for flow in traffic) / (hours_of_the_run(scenario) * 3600)
    dial_s, status_s = platform.dial_work.mean_s(), platform.status_work.mean_s()
    work_s = dial_s + means.updates * status_s
    left = share_left_by_others(carrier)
    carrier_rate = max(carrier.rate / RATE_SECONDS * left, 1e-9)
    channels = max(carrier.channels * left, 1e-9)
    allowed = min(dial_rate, platform.ports / means.port_s, platform.workers / dial_s)

    def at(rate: float) -> dict[str, float]:
        return {
            "ports": rate * means.port_s / platform.ports,
            "workers": rate * work_s / platform.workers,
            "carrier rate": rate / carrier_rate,
            "carrier channels": rate * means.carrier_s / channels,
        }

    full, offered = at(dial_rate), at(offered_rate)
    explanations = {
        "ports": f"{dial_rate:g}/s x {means.port_s:.1f} s a call, of {platform.ports} ports",
        "workers": f"{dial_rate:g}/s x ({dial_s * 1000:g} ms dial work + {means.updates:.2f} "
        f"updates x {status_s * 1000:g} ms), of {platform.workers} workers",
        "carrier rate": f"{dial_rate:g}/s, of {carrier_rate:.3g}/s that other traffic leaves",
        "carrier channels": f"{dial_rate:g}/s x {means.carrier_s:.1f} s a call, of "
        f"{channels:.0f} channels that other traffic leaves",
    }
    return [
        Utilisation(
            "dial rate",
            allowed / dial_rate,
            offered_rate / dial_rate,
            f"ports and workers allow {allowed:.3g}/s, of {dial_rate:g}/s",
        ),
        *(Utilisation(name, full[name], offered[name], explanations[name]) for name in full),
    ]


SPIKE_REFUSED = 1 / 3
"""Share of a spike's attempts that is refused from which on it is worth a word, where ports keep
the platform from asking for more than the carrier takes for longer. Dials in a spike are few: by
default a quarter of them is refused, and hardly a call is lost by it."""

_ANY = float("inf")


class Demand(NamedTuple):
    """What the platform can ask of the carrier, and what the carrier takes of it."""

    dial_rate: float
    """Attempts a second that dial rate, workers, and limits of tenants and campaigns allow."""
    simultaneous: float
    """Attempts at once that ports, and limits of tenants and campaigns allow."""
    takes: float
    """Attempts a second that the carrier takes in the minute with most other traffic."""
    channels: float
    """Channels that are left in that minute."""
    lasting: float
    """Attempts a second that come to the carrier for as long as calls queue."""


def busiest_share(carrier: Carrier) -> float:
    """Share of the carrier that other traffic takes in the minute of the hour with most of it."""
    return max(carrier.other_traffic_by_minute)


def demand(scenario: Scenario) -> Demand | None:
    """What a scenario asks of the carrier while calls queue; None if it dials nobody.

    While nothing is refused an attempt holds a port for H seconds, so n ports make n / H attempts
    a second at most. A refused one holds it only for h, the dial work and the refusal. If the
    carrier takes R attempts a second, and n > R H, the other ports make (n - R H) / h more.
    """
    traffic = all_traffic(scenario)
    if not traffic:
        return None
    platform, carrier = scenario.platform, scenario.carrier
    port_s = mean_attempt(traffic).port_s
    work_s = platform.dial_work.mean_s()
    left = 1 - busiest_share(carrier)
    takes = max(carrier.rate / RATE_SECONDS * left, 1e-9)
    rate = min(
        platform.dial_rate / RATE_SECONDS,
        platform.workers / work_s,
        _by_tenants(scenario, _rate, {t.name: t.dial_rate for t in scenario.tenant}, RATE_SECONDS),
    )
    ports = min(
        float(platform.ports),
        _by_tenants(scenario, _at_once, {t.name: t.max_simultaneous for t in scenario.tenant}, 1),
    )
    lasting = min(rate, ports / port_s)
    if lasting > takes:
        refusal_s = max(work_s + carrier.refusal_time / SECOND, 1e-9)
        lasting = min(rate, takes + (ports - takes * port_s) / refusal_s)
    return Demand(rate, ports, takes, carrier.channels * left, lasting)


def _by_tenants(
    scenario: Scenario,
    of: Callable[[Scenario, Campaign], float],
    limits: dict[str, int | None],
    unit: int,
) -> float:
    """What all campaigns together may ask for, each within its own limit and its tenant's."""
    if scenario.background is not None:
        return _ANY
    together: dict[str, float] = defaultdict(float)
    for campaign in scenario.campaigns:
        together[campaign.tenant] += of(scenario, campaign)
    return sum(min(load, (limits.get(t) or _ANY) / unit) for t, load in together.items())


def _rate(scenario: Scenario, campaign: Campaign) -> float:
    """Attempts a second that a campaign's pacing, loader or requests allow."""
    rates = [scenario.platform.loader_rate]
    if campaign.pacing is not None:
        rates.append(campaign.pacing)
    requests = campaign.requests
    if requests is not None and requests.times_s is None:
        rates = [*requests.rate_by_hour.values(), *([requests.rate] if requests.rate else [])]
        rates = [round(scenario.load * max(rates, default=0))]
    return min(rates) / RATE_SECONDS


def _at_once(_: Scenario, campaign: Campaign) -> float:
    """Attempts at once that a campaign's limit allows."""
    return _ANY if campaign.max_simultaneous is None else float(campaign.max_simultaneous)


def shortages(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """What the platform asks for and the carrier does not take: key and message."""
    needs = demand(scenario)
    if needs is None:
        return
    is_peak = busiest_share(scenario.carrier) > scenario.carrier.other_traffic
    when = " in the minute with most other traffic" if is_peak else ""
    takes = f"{needs.takes:.3g}/s that other traffic leaves{when}"
    is_busy = any(
        load.resource == "carrier rate" and load.offered > 1 for load in utilisation(scenario)
    )
    refused, in_spike = (1 - needs.takes / rate for rate in (needs.lasting, needs.dial_rate))
    if refused > 0 and not is_busy:
        yield (
            "carrier.rate",
            f"while calls queue, the platform makes up to {needs.lasting:.3g} attempts a second, "
            f"{percent(needs.lasting / needs.takes)} of the {takes}: up to {percent(refused)} of "
            "them are refused",
        )
    elif in_spike >= SPIKE_REFUSED and not is_busy:
        yield (
            "carrier.rate",
            f"the dial rate of {needs.dial_rate:.3g}/s is "
            f"{percent(needs.dial_rate / needs.takes)} of "
            f"the {takes}: until the ports are busy, up to {percent(in_spike)} of attempts are "
            "refused",
        )
    channels = int(needs.channels + 1e-9)
    if channels < needs.simultaneous:
        of = f"its {scenario.platform.ports} ports"
        if needs.simultaneous < scenario.platform.ports:
            of = f"the {needs.simultaneous:.0f} simultaneous calls that its limits allow"
        yield (
            "carrier.channels",
            f"{channels} are left to the platform{when}, fewer than {of}: calls on the other "
            "ports are refused",
        )
