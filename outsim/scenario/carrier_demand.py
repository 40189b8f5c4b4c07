"""What the platform asks of the carrier while calls queue, beside what the carrier takes.

From averages alone, as `outsim.scenario.utilisation`: what the carrier refuses at once comes back
after the retry interval, so a shortage there costs attempts, and completions, and shortens no
queue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from outsim.clock import RATE_SECONDS, SECOND
from outsim.scenario.campaigns import Campaign
from outsim.scenario.model import Scenario
from outsim.scenario.offered_load import all_traffic
from outsim.scenario.platform import Carrier
from outsim.scenario.utilisation import mean_attempt, utilisation

SPIKE_REFUSED = 1 / 3
"""Share of a spike's attempts that is refused from which on it is worth a word, where ports keep
the platform from asking for more than the carrier takes for longer. Dials in a spike are few: by
default a quarter of them is refused, and hardly a call is lost by it."""

_ANY = float("inf")


@dataclass(frozen=True)
class Demand:
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

    @property
    def refused(self) -> float:
        """Share of attempts that is refused for as long as calls queue, for want of rate."""
        return max(0.0, 1 - self.takes / self.lasting)

    @property
    def refused_in_spike(self) -> float:
        """Share that is refused while there are ports for the full dial rate."""
        return max(0.0, 1 - self.takes / self.dial_rate)


def busiest_share(carrier: Carrier) -> float:
    """Share of the carrier that other traffic takes in the minute of the hour with most of it."""
    # The flat share holds in the minutes that are not named.
    shares = [*carrier.other_traffic_peak.values()]
    return max([*shares, carrier.other_traffic] if len(shares) < 60 else shares)


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
    asked: dict[str, float] = {}
    for campaign in scenario.campaign:
        asked[campaign.tenant] = asked.get(campaign.tenant, 0.0) + of(scenario, campaign)
    total = 0.0
    for tenant, together in asked.items():
        limit = limits.get(tenant)
        total += together if limit is None else min(together, limit / unit)
    return total


def _rate(scenario: Scenario, campaign: Campaign) -> float:
    """Attempts a second that a campaign's pacing, loader or requests allow."""
    rates = [scenario.platform.loader_rate]
    if campaign.pacing is not None:
        rates.append(campaign.pacing)
    requests = campaign.requests
    if requests is not None and requests.times_s is None:
        rates = [*requests.rate_by_hour.values(), *([requests.rate] if requests.rate else [])]
        rates = [max(rates, default=0)]
    return min(rates) / RATE_SECONDS


def _at_once(_: Scenario, campaign: Campaign) -> float:
    """Attempts at once that a campaign's limit allows."""
    return _ANY if campaign.max_simultaneous is None else float(campaign.max_simultaneous)


def shortages(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """What the platform asks for and the carrier does not take: key and message."""
    asked = demand(scenario)
    if asked is None:
        return
    carrier = scenario.carrier
    is_peak = busiest_share(carrier) > carrier.other_traffic
    when = " in the minute with most other traffic" if is_peak else ""
    takes = f"{asked.takes:.3g}/s that other traffic leaves{when}"
    is_told = any(
        each.resource == "carrier rate" and each.offered > 1 for each in utilisation(scenario)
    )
    if asked.refused > 0 and not is_told:
        yield (
            "carrier.rate",
            f"while calls queue, the platform makes up to {asked.lasting:.3g} attempts a second, "
            f"{asked.lasting / asked.takes:.0%} of the {takes}: up to {asked.refused:.0%} of "
            "them are refused",
        )
    elif asked.refused_in_spike >= SPIKE_REFUSED and not is_told:
        yield (
            "carrier.rate",
            f"the dial rate of {asked.dial_rate:.3g}/s is {asked.dial_rate / asked.takes:.0%} of "
            f"the {takes}: until the ports are busy, up to {asked.refused_in_spike:.0%} of "
            "attempts are refused",
        )
    channels = int(asked.channels + 1e-9)
    if channels < asked.simultaneous:
        of = f"its {scenario.platform.ports} ports"
        if asked.simultaneous < scenario.platform.ports:
            of = f"the {asked.simultaneous:.0f} simultaneous calls that its limits allow"
        yield (
            "carrier.channels",
            f"{channels} are left to the platform{when}, fewer than {of}: calls on the other "
            "ports are refused",
        )
