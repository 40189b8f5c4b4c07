"""How busy a scenario would keep each resource, from averages alone.

Nothing is simulated: these are the loads that a planner works out on paper. A
load of 1 means busy all the time; above 1 the resource can't keep up, and what
it can't serve waits (ports, workers) or is refused (the carrier).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np

from outsim.clock import RATE_SECONDS
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
    weights = np.array([each.attempts for each in traffic])
    rows = np.array([astuple(each.means) for each in traffic])
    return Means(*np.average(rows, axis=0, weights=weights).tolist())


def share_left_by_others(carrier: Carrier) -> float:
    """Share of the carrier that is the platform's, averaged over the minutes of the hour."""
    shares = [carrier.other_traffic_peak.get(m, carrier.other_traffic) for m in range(60)]
    return 1 - sum(shares) / 60


def utilisation(scenario: Scenario) -> list[Utilisation]:
    """Load of each resource at the full dial rate, and over the run.

    An attempt has these means over the scenario's attempts, all campaigns and
    the background together: it holds a port for H seconds, from dispatch to its
    end without waits (dial work, post-dial delay, ringing up to the ring
    timeout, talk), and a carrier's channel for C of them; it causes U updates
    (queued, dialing, connected if answered, and the one at its end). The mix of
    attempts is that of each profile with its retries, with the human share
    scaled by the run's hours and by failures so far. With the dial rate r, n
    ports, w workers, dial work d and status work s in seconds, and the share q
    of a carrier with rate R and N channels that other traffic leaves, averaged
    over the hour, the loads at the full dial rate are

    - ports: r H / n
    - workers: r (d + U s) / w
    - carrier rate: r / (R q)
    - carrier channels: r C / (N q)
    - dial rate: min(1, n / (H r), w / (d r)), the part of r that ports and
      workers allow; updates don't count, since they give way to dials.

    The offered loads put a / T in the place of r, where a is the number of
    attempts that campaigns starting within the run are expected to make and T
    the length of the run by the clock; the dial rate's is a / (T r). Refusals by
    a carrier at its limit, and the redials that they cause, are left out.

    Returns
    -------
    list of Utilisation
        Empty if the scenario has nothing to dial.
    """
    traffic = all_traffic(scenario)
    if not traffic:
        return []
    platform, carrier = scenario.platform, scenario.carrier
    means = mean_attempt(traffic)
    dial_rate = platform.dial_rate / RATE_SECONDS
    offered_rate = sum(each.attempts for each in traffic) / (hours_of_the_run(scenario) * 3600)
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
