"""Ciw, another simulator, asked about the same calls, where it can express their queue.

G. I. Palmer, V. A. Knight, P. R. Harper, A. L. Hawa, Ciw: an open-source discrete event
simulation library, Journal of Simulation 13 (2019).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outsim.clock import MISSING, SECOND
from outsim.display import percent
from outsim.engine.records import Columns
from outsim.errors import StudyError
from outsim.results.checkpoint import simulate
from outsim.scenario.model import Scenario
from outsim.theory.conditions import first, undisturbed

MOST = 20_000
"""Attempts that Ciw is asked about: it takes some seconds for them."""
CLOSE_S = 1e-5
"""Ciw adds up floats, and counts from the begin of the run."""

Seconds = NDArray[np.float64]


def begins_in_ciw(
    classes: Mapping[str, tuple[Seconds, Seconds]],
    servers: int,
    priorities: Mapping[str, int] | None = None,
) -> dict[str, Seconds]:
    """When each customer's service begins in Ciw, by class and in order of arrival; seconds."""
    ciw = _ciw()

    # Each class is served in the order of its arrival: so service times go by that order, too.
    def sequence(values: Seconds) -> Any:
        return ciw.dists.Sequential(values.tolist())

    def gaps(arrives: Seconds) -> Any:
        return sequence(np.append(np.diff(arrives, prepend=0.0), np.inf))

    network = ciw.create_network(
        arrival_distributions={name: [gaps(a)] for name, (a, _) in classes.items()},
        service_distributions={name: [sequence(s)] for name, (_, s) in classes.items()},
        number_of_servers=[servers],
        **({"priority_classes": dict(priorities)} if priorities else {}),
    )
    simulation = ciw.Simulation(network)
    total = sum(len(arrives) for arrives, _ in classes.values())
    simulation.simulate_until_max_customers(total, method="Finish")
    begins: dict[str, list[tuple[float, float]]] = {name: [] for name in classes}
    for record in simulation.get_all_records():
        begins[record.customer_class].append((record.arrival_date, record.service_start_date))
    return {name: np.array([b for _, b in sorted(pairs)]) for name, pairs in begins.items()}


def _ciw() -> Any:
    try:
        import ciw
    except ImportError as error:
        raise StudyError(
            "Ciw is not installed; it comes with outsim's tools for developers: "
            "pip install 'ciw>=3.2'"
        ) from error
    return ciw


@dataclass(frozen=True)
class CiwCheck:
    """What Ciw says of the waits for a port in one run, or why it can't tell."""

    because: str | None
    """Why Ciw can't express the queue; None if it can."""
    attempts: int = 0
    ours_s: float = float("nan")
    """Mean wait here."""
    theirs_s: float = float("nan")
    """Mean wait in Ciw, given the same arrivals and times on a port."""
    apart_s: float = float("nan")
    """Largest difference between both for any one attempt, put in the order of their begin."""

    @property
    def agrees(self) -> bool | None:
        """Whether all attempts begin at the same instants; None where Ciw can't tell."""
        return None if self.because else self.apart_s <= CLOSE_S

    def __str__(self) -> str:
        if self.because:
            return f"no, {self.because}"
        verdict = "agrees" if self.agrees else "DIFFERS"
        return (
            f"{verdict}. Given the same {self.attempts:,} arrivals and times on a port, it has a "
            f"mean wait of {self.theirs_s:.3f} s, outsim of {self.ours_s:.3f} s; no attempt of "
            f"the first run begins more than {self.apart_s * 1e6:.0f} us apart"
        )

    def to_dict(self) -> dict[str, Any]:
        """The answer for machines."""
        return {
            "agrees": self.agrees,
            "because": self.because,
            "attempts": self.attempts,
            "wait_mean_s": self.ours_s,
            "wait_mean_in_ciw_s": self.theirs_s,
            "largest_difference_s": self.apart_s,
        }


def check_with_ciw(scenario: Scenario, seed: int | None = None) -> CiwCheck:
    """Ask Ciw about the waits for a port in the first run of a scenario."""
    _ciw()
    reason = first([_one_queue(scenario), undisturbed(scenario)])
    if reason:
        return CiwCheck(reason)
    a = simulate(scenario, seed=seed).arrays.records.attempts
    reason = _ports_alone(a)
    if reason:
        return CiwCheck(reason)
    order = np.argsort(a["queued"], kind="stable")
    queued_s = a["queued"][order] / SECOND
    held_s = np.where(a["ended"] == MISSING, np.inf, (a["ended"] - a["dispatched"]) / SECOND)
    ours_s = a["dispatched"][order] / SECOND
    finite = np.isfinite(held_s)
    if not finite.all():  # the run ended before they did, and nothing began after
        held_s = np.where(finite, held_s, held_s[finite].max(initial=1.0) + ours_s.max() + 1)
    theirs_s = begins_in_ciw({"attempt": (queued_s, held_s[order])}, scenario.platform.ports)[
        "attempt"
    ]
    return CiwCheck(
        None,
        len(ours_s),
        float((ours_s - queued_s).mean()),
        float((theirs_s - queued_s).mean()),
        float(np.abs(np.sort(ours_s) - np.sort(theirs_s)).max()),
    )


def _one_queue(scenario: Scenario) -> str | None:
    if scenario.snapshot is not None:
        return "the run begins in the middle of a live queue"
    if scenario.platform.queue != "fifo":
        return f"the queue is {scenario.platform.queue}, not first in, first out"
    if any(c.pacing is not None and c.pacing_at == "dispatch" for c in scenario.campaign):
        return "campaigns are paced at dispatch, which Ciw has no rule for"
    return None


def _ports_alone(a: Columns) -> str | None:
    if a.rows == 0:
        return "no call goes out"
    if a.rows > MOST:
        return f"{a.rows:,} attempts are many for Ciw; it is asked about {MOST:,} at most"
    waited = (a["token_free"] > a["port_free"]) & (a["token_free"] > a["queued"])
    if waited.any():
        share = percent(float(waited.mean()), 1)
        return f"calls wait for the dial rate as well ({share} of them), which it has no rule for"
    return None
