"""What the carrier admits and why it refuses."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from outsim.clock import MINUTE, MISSING, TOKEN
from outsim.engine.records import Integers
from outsim.results.invariants.violation import Violation, violation
from outsim.results.run_arrays import RunArrays, came, count_until
from outsim.vocabulary import (
    ANSWERED,
    CARRIER_CHANNELS,
    CARRIER_OUTAGE,
    CARRIER_RATE,
    CONGESTION,
    DROPPED,
    MISSING_ANI,
    NO_CAUSE,
)


def _minute(run: RunArrays, at: Integers) -> Integers:
    minute: Integers = (at + run.plan.platform.carrier_minute_offset_us) // MINUTE
    return minute


def _during(run: RunArrays, of: str, at: Integers, everything: int) -> Integers:
    """How many are out when dial work ends, before the controls of that instant act."""
    return run.out_of_service(of, everything)(at - 1)


def carrier_channels_are_enough(run: RunArrays) -> Iterator[Violation]:
    """The platform never has more channels than are left to it; refused only when it has them.

    An outage and a missing caller ID come before this in the carrier's reasons.
    """
    a, rows = run.attempts, run.at_carrier
    dialed, cause = a["dialed"][rows], a["cause"][rows]
    channels = run.plan.platform.carrier_channels
    everything = int(channels.max())
    left = channels[_minute(run, dialed) % 60] - _during(run, "channels", dialed, everything)
    # An attempt that ends by itself does so before dial work ends at that instant; a drop after.
    carried = run.admitted & came(a["ended"])
    ends = np.sort((2 * a["ended"] + (a["cause"] == DROPPED))[carried])
    begun = np.cumsum(run.admitted[rows])
    busy = begun - run.admitted[rows] - count_until(ends, 2 * dialed)
    full = busy >= np.maximum(0, left)
    yield from violation(run, "no channel was left", "attempts", rows[run.admitted[rows] & full])
    idle = (cause == CARRIER_CHANNELS) & ~full
    yield from violation(run, "refused while channels were left", "attempts", rows[idle])


def carrier_rate_is_kept(run: RunArrays) -> Iterator[Violation]:
    """The carrier never admits faster than its rate and burst, less other traffic's share.

    And it refuses for that reason only when it has no token left.
    """
    a, rows = run.attempts, run.at_carrier
    platform = run.plan.platform
    rates = platform.carrier_rates.tolist()
    metered = np.flatnonzero(run.admitted[rows] | (a["cause"][rows] == CARRIER_RATE))
    dialed = a["dialed"][rows][metered]
    minute = _minute(run, dialed).tolist()
    into = ((dialed + platform.carrier_minute_offset_us) % MINUTE).tolist()
    admitted = run.admitted[rows][metered].tolist()
    capacity = level = platform.carrier_burst * TOKEN
    at_minute, at_into = 0, platform.carrier_minute_offset_us
    broken = []
    for place, (m, t) in enumerate(zip(minute, into, strict=True)):
        if m == at_minute:
            level = min(capacity, level + (t - at_into) * rates[m % 60])
        else:
            level += (MINUTE - at_into) * rates[at_minute % 60] if at_into < MINUTE else 0
            for between in range(at_minute + 1, m):
                if level >= capacity:
                    break
                level += MINUTE * rates[between % 60]
            level = min(capacity, level + t * rates[m % 60])
        at_minute, at_into = m, t
        if (level >= TOKEN) != admitted[place]:
            broken.append(place)
        if admitted[place]:
            level -= TOKEN
    yield from violation(run, "against the carrier's rate", "attempts", rows[metered[broken]])


def carrier_refuses_for_a_reason(run: RunArrays) -> Iterator[Violation]:
    """All is refused while the carrier is out; only a call without a caller ID for lack of one.

    Congestion always has a cause, and nothing else has one.
    """
    a = run.attempts
    dialed = came(a["dialed"])
    out = dialed & (_during(run, "carrier", a["dialed"], 1) > 0)
    wrong = dialed & (out != (a["cause"] == CARRIER_OUTAGE))
    yield from violation(run, "against the outages of the carrier", "attempts", wrong)
    missing = run.of_calls(lambda campaign: campaign.missing_ani, np.bool_)
    wrong = (a["cause"] == MISSING_ANI) & ~missing[a["call_id"]]
    yield from violation(run, "it has a caller ID", "attempts", wrong)
    over = came(a["ended"])
    wrong = over & ((a["outcome"] == CONGESTION) != (a["cause"] != NO_CAUSE))
    yield from violation(run, "congestion without a cause", "attempts", wrong)
    answered = over & (came(a["answered"]) != np.isin(a["outcome"], ANSWERED))
    answered &= a["cause"] != DROPPED
    yield from violation(run, "answered, or not, against its outcome", "attempts", answered)


def drops_take_effect(run: RunArrays) -> Iterator[Violation]:
    """An outage with ``drop`` cuts calls off when it begins, and only then.

    None of those that the carrier carries is left if the carrier is out, and else no more
    than there are channels, or ports. Where another outage of the same kind begins or ends
    at that instant, how many those are depends on their order, and nothing is said.
    """
    a = run.attempts
    drops = [outage for outage in run.plan.outages if outage.drop]
    began = np.array([outage.begins_us for outage in drops], dtype=np.int64)
    stray = (a["cause"] == DROPPED) & ~np.isin(a["ended"], began)
    yield from violation(run, "dropped by no outage", "attempts", stray)
    for outage in drops:
        at = np.array([outage.begins_us])
        others = [o for o in run.plan.outages if o is not outage and o.of == outage.of]
        if any(outage.begins_us in (o.begins_us, o.ends_us) for o in others):
            continue
        lasts = (a["ended"] == MISSING) | (a["ended"] > outage.begins_us)
        carried = run.admitted & (a["dialed"] <= outage.begins_us) & lasts
        busy = carried
        most = 0
        if outage.of == "ports":
            ports = run.plan.platform.ports
            busy = (a["dispatched"] < outage.begins_us) & lasts
            most = max(0, ports - int(run.out_of_service("ports", ports)(at)[0]))
        elif outage.of == "channels":
            channels = run.plan.platform.carrier_channels
            out = run.out_of_service("channels", int(channels.max()))(at)
            most = max(0, int((channels[_minute(run, at) % 60] - out)[0]))
        if busy.sum() > most and outage.begins_us < run.ended_us:
            yield from violation(run, "carried on through an outage", "attempts", carried)
