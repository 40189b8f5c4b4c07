"""Who goes next (rule 20): Cobham's priorities, Ciw call by call, and the rules said plainly.

Ports are the servers. What is said plainly is a loop over free ports and waiting calls that
knows nothing of sub-queues, heaps or offers.
"""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pytest

from outsim.clock import SECOND
from outsim.results.checkpoint import simulate
from outsim.results.result import Result
from outsim.scenario import Scenario
from outsim.scenario.loading import load
from outsim.theory.ciw_check import begins_in_ciw
from outsim.theory.formulas import erlang_c
from tests.theory.bare import BEGINS, OVERHEAD_US, bare
from tests.theory.estimation import Comparison, assert_agrees, compare

TALK_S = 10.0
PORTS = 4
ENGINES = ("simpy", "compiled")
TALK = {"distribution": "exponential", "mean": "10 s"}


def scenario(
    seconds: float, talk: Any, queue: str, lists: dict[str, dict[str, Any]], **parts: Any
) -> Scenario:
    """Several campaigns of the same names as their tenants, where only ports are scarce."""
    tables = bare(seconds, {"contacts": 1}, talk, ports=parts.pop("ports", PORTS))
    mapping = tables.model_dump(mode="json", exclude_unset=True)
    mapping["platform"]["queue"] = queue
    (usual,) = mapping["campaign"]
    del usual["contacts"]
    mapping["campaign"] = [
        usual | {"name": name, "tenant": name} | keys for name, keys in lists.items()
    ]
    return load(mapping | parts)


def of_campaign(result: Result, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Seconds at which its calls come, how long each holds a port, and when each is begun."""
    (plan,) = (plan for plan in result.arrays.plan.campaigns if plan.name == name)
    a = result.arrays.records.attempts
    begun = np.full(plan.size, np.nan)
    mine = (a["call_id"] >= plan.first_call_id) & (a["call_id"] < plan.first_call_id + plan.size)
    begun[a["call_id"][mine] - plan.first_call_id] = a["dispatched"][mine] / SECOND
    lasts = (plan.attempts(1).talk_human_ms * 1000 + OVERHEAD_US) / SECOND
    return plan.submitted_at_us / SECOND, lasts, begun


def by_class(seconds: float, first: float, second: float) -> Scenario:
    """Requests of two classes that offer so many erlangs of load each."""

    def offered(load: float) -> dict[str, str]:
        return {"rate": f"{load / TALK_S * 3600:.6f} / hour"}

    return scenario(
        seconds,
        TALK,
        "priority",
        {
            "urgent": {"requests": offered(first), "priority": 1},
            "other": {"requests": offered(second), "priority": 9},
        },
    )


# Priority classes


@pytest.mark.parametrize("engine", ENGINES)
def test_calls_of_two_classes_wait_as_long_as_ciw_says(engine: Any) -> None:
    result = simulate(by_class(9_000, 1.2, 2.0), seed=3, engine=engine)
    theirs = {name: of_campaign(result, name) for name in ("urgent", "other")}
    begins = begins_in_ciw(
        {name: (arrives, lasts) for name, (arrives, lasts, _) in theirs.items()},
        PORTS,
        {"urgent": 0, "other": 1},
    )
    for name, (arrives, _, begun) in theirs.items():
        made = ~np.isnan(begun)
        assert made.sum() > 500
        assert (begun - arrives)[made].max() > 10
        np.testing.assert_allclose(begun[made], begins[name][made], rtol=0, atol=1e-6)


def cobham_s(first: float, second: float) -> tuple[float, float]:
    """Mean waits of two classes at several servers that are as quick for both (Cobham 1954)."""
    whole = first + second
    least = erlang_c(PORTS, whole) * TALK_S / PORTS
    left = 1 - first / PORTS
    return least / left, least / (left * (1 - whole / PORTS))


def waits_by_class(first: float, second: float, count: int) -> tuple[Comparison, Comparison]:
    """Mean waits of both classes beside the formula."""
    waits: dict[str, list[float]] = {"urgent": [], "other": []}
    known: list[list[float]] = []
    for replication in range(count):
        asked = by_class(30_000, first, second)
        result = simulate(asked, seed=5, replication=replication, engine="compiled")
        controls = []
        for (name, found), offered in zip(waits.items(), (first, second), strict=True):
            arrives, lasts, begun = of_campaign(result, name)
            kept = (arrives > 500) & ~np.isnan(begun)
            found.append(float((begun - arrives)[kept].mean()))
            controls += [
                float(np.diff(arrives).mean()) - TALK_S / offered,
                float(lasts[kept].mean()) - TALK_S,
            ]
        known.append(controls)
    urgent_s, other_s = cobham_s(first, second)
    return compare(urgent_s, waits["urgent"], known), compare(other_s, waits["other"], known)


def test_mean_waits_of_two_classes_are_those_of_cobham() -> None:
    """At a load of 0.7; an error of 15 % would show, and one queue for both is a third off."""
    urgent, other = waits_by_class(1.2, 1.6, count=24)
    assert_agrees(urgent, 0.15)
    assert_agrees(other, 0.15)
    together = erlang_c(PORTS, 2.8) * TALK_S / (PORTS - 2.8)
    for found in (urgent, other):
        assert not Comparison(together, found.mean, found.error, found.freedom).agrees


# The rules said plainly


class Call(NamedTuple):
    """A call of one of the lists, in the order of entry."""

    at: int
    tenant: str
    priority: int
    expires: int
    share: int


def plainly(queue: str, calls: list[Call], ports: int, lasts: int) -> list[int]:
    """When each call is dispatched: whoever is first of all that wait takes a free port."""
    begun: dict[int, int] = {}
    now, waiting = 0, list(range(len(calls)))
    while waiting:
        up = [number for number, at in begun.items() if at + lasts > now]
        here = [number for number in waiting if calls[number].at <= now]
        if not here or len(up) == ports:
            ends = [begun[number] + lasts for number in up]
            comes = [calls[number].at for number in waiting if calls[number].at > now]
            now = min(ends if here else ends + comes)
            continue

        def place(number: int, up: list[int] = up) -> Any:
            call = calls[number]
            held = sum(calls[other].tenant == call.tenant for other in up)
            is_below = 100 * held < call.share * ports
            return {
                "priority": (call.priority, number),
                "earliest_expiry": (call.expires, number),
                "guaranteed": (
                    not is_below,
                    Fraction(held, call.share) if is_below else 0,
                    number,
                ),
            }[queue]

        first = min(here, key=place)
        waiting.remove(first)
        begun[first] = now
    return [begun[number] for number in range(len(calls))]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("queue", ["priority", "earliest_expiry", "guaranteed"])
def test_every_call_goes_when_the_rule_says(queue: str, engine: Any) -> None:
    """Random small queues, with arrivals and ends at the same instants on purpose."""
    dice = random.Random(20)
    lasts, served_out_of_turn = 10 * SECOND + OVERHEAD_US, 0
    for _ in range(25):
        ports = dice.randint(1, 5)
        names = ["a", "b", "c", "d"][: dice.randint(2, 4)]
        keys = {
            name: Call(0, name, dice.choice((1, 2, 2, 9)), dice.choice((5000, 6000, 7000)), share)
            for name, share in zip(names, dice.choices((0, 10, 25, 25), k=4), strict=False)
        }
        # An entry takes its place at once, in the order of tenants at one instant.
        calls = sorted(
            (keys[dice.choice(names)]._replace(at=lasts * dice.randint(0, 8)) for _ in range(25)),
            key=lambda call: (call.at, call.tenant),
        )
        asked = scenario(
            7_200,
            "10 s",
            queue,
            {
                name: {
                    "requests": {"times_s": [c.at / SECOND for c in calls if c.tenant == name]},
                    "priority": of.priority,
                    "expires_at": f"{BEGINS.hour + of.expires // 3600:02d}:"
                    f"{of.expires % 3600 // 60:02d}:{of.expires % 60:02d}",
                }
                for name, of in keys.items()
            },
            ports=ports,
            tenant=[
                {"name": name, "guaranteed_share": of.share / 100} for name, of in keys.items()
            ],
        )
        said = plainly(queue, calls, ports, lasts)
        result = simulate(asked, engine=engine)
        for name in names:
            mine = [
                at / SECOND for at, call in zip(said, calls, strict=True) if call.tenant == name
            ]
            assert of_campaign(result, name)[2].tolist() == mine, (queue, name, calls)
        served_out_of_turn += said != sorted(said)
    assert served_out_of_turn >= 8
