"""Rule 20: priority classes, earliest expiry first, and guaranteed shares of ports."""

from __future__ import annotations

from typing import Any

import pytest

from outsim.engine import ENGINES
from outsim.errors import ScenarioError
from outsim.results.checkpoint import simulate
from outsim.results.invariants import check_invariants, violations
from outsim.results.result import Result
from outsim.tape import Tape

from .scenarios import (
    campaign,
    dispatched,
    order_of_dispatch,
    part,
    recorded,
    requests,
    scenario,
)

BOTH = [engine for engine in ENGINES if engine != "auto"]


@pytest.fixture(params=BOTH)
def engine(request: pytest.FixtureRequest) -> Any:
    return request.param


def run(
    engine: Any, queue: str, *campaigns: dict[str, Any], tape: Tape | None = None, **parts: Any
) -> Result:
    """Run these campaigns with this queue, and hold the run against the invariants."""
    platform = {"ports": 1} | parts.pop("platform", {}) | {"queue": queue}
    asked = scenario(*campaigns, platform=platform, **parts)
    result = simulate(asked, engine=engine, tape=tape)
    check_invariants(result)
    return result


def tenants(**keys: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"name": name, **values} for name, values in keys.items()]


# Priority classes


def test_calls_of_a_lower_number_go_first(engine):
    result = run(
        engine,
        "priority",
        campaign("bulk", contacts=3, priority=9),
        campaign("usual", tenant="bolt", start=1, contacts=2),
        campaign("alert", tenant="zeta", start=25, contacts=2, priority=1),
    )
    assert order_of_dispatch(result) == [
        "bulk",
        "usual",
        "alert",
        "alert",
        "usual",
        "bulk",
        "bulk",
    ]


def test_a_call_in_progress_is_not_cut_off(engine):
    result = run(
        engine,
        "priority",
        campaign("bulk", priority=9),
        campaign("alert", tenant="zeta", start=1, priority=1),
    )
    assert dispatched(result) == [0.0, 20.0]
    assert set(result.calls["status"]) == {"completed"}


def test_the_oldest_goes_first_within_a_class(engine):
    """Campaigns of one class alternate as their calls came in, retries among first attempts."""
    result = run(
        engine,
        "priority",
        campaign("one", contacts=2, priority=3, max_retry=1),
        campaign("two", tenant="zeta", start=0.0005, contacts=2, priority=3),
        campaign("late", tenant="zeta", start=65, contacts=2, priority=3),
        tape=recorded(one=["busy", "human"]),
    )
    assert order_of_dispatch(result) == ["one", "two", "one", "two", "one", "late", "late"]


def test_a_campaigns_own_priority_counts_before_that_of_its_tenant(engine):
    result = run(
        engine,
        "priority",
        campaign("plug", tenant="plug"),
        campaign("of tenant", tenant="acme", start=1),
        campaign("usual", tenant="bolt", start=2),
        campaign("own", tenant="acme", start=3, priority=2),
        campaign("last", tenant="acme", start=4, priority=6),
        tenant=tenants(acme={"priority": 4}),
    )
    assert order_of_dispatch(result) == ["plug", "own", "of tenant", "usual", "last"]


def test_what_is_held_back_lets_a_lower_class_by(engine):
    result = run(
        engine,
        "priority",
        campaign("alert", contacts=2, priority=1),
        campaign("bulk", tenant="zeta", contacts=3, priority=9),
        suspension=[part(tenant="acme", begins=0, ends=50)],
    )
    assert order_of_dispatch(result) == ["bulk"] * 3 + ["alert"] * 2
    assert dispatched(result, "alert") == [60.0, 80.0]


# The call that expires first


def test_the_call_that_expires_first_goes_first(engine):
    result = run(
        engine,
        "earliest_expiry",
        campaign("plug", tenant="plug"),
        campaign("never", contacts=2, start=1),
        campaign("noon", tenant="bolt", start=2, contacts=2, expires_at=2000),
        campaign("soon", tenant="zeta", start=3, contacts=2, expires_at=1000),
    )
    assert order_of_dispatch(result) == [
        "plug", "soon", "soon", "noon", "noon", "never", "never"
    ]  # fmt: skip


def test_of_calls_that_expire_together_the_oldest_goes_first(engine):
    """Whoever's they are: two lists that are loaded side by side alternate."""
    result = run(
        engine,
        "earliest_expiry",
        campaign("odd", contacts=3, expires_at=1000),
        campaign("even", tenant="zeta", start=0.0005, contacts=3, expires_at=1000),
    )
    assert order_of_dispatch(result) == ["odd", "even"] * 3


def test_what_comes_later_and_expires_earlier_takes_the_head_at_once(engine):
    result = run(
        engine,
        "earliest_expiry",
        campaign("later", contacts=2, expires_at=2000),
        campaign("sooner", tenant="zeta", start=15, expires_at=1500),
    )
    (sooner,) = result.attempts[result.attempts["campaign"] == "sooner"].to_dict("records")
    assert order_of_dispatch(result) == ["later", "sooner", "later"]
    assert sooner["at_head_at"] == sooner["queued_at"]


# Guaranteed shares


def test_a_tenant_below_its_share_goes_first(engine):
    """Two of four ports are gold's: it gets the first two that come free, then waits its turn."""
    result = run(
        engine,
        "guaranteed",
        campaign("bulk", tenant="bulk", contacts=8),
        campaign("gold", tenant="gold", start=10, contacts=4),
        tenant=tenants(gold={"guaranteed_share": 0.5}),
        platform={"ports": 4},
    )
    assert order_of_dispatch(result) == [
        *["bulk"] * 4, "gold", "gold", "bulk", "bulk", "gold", "gold", "bulk", "bulk"
    ]  # fmt: skip
    assert dispatched(result, "gold")[:2] == [20.0, 20.001]


def test_an_idle_guarantee_is_lent_out(engine):
    """While gold has nothing to dial all four ports are bulk's, and nobody is cut off for it."""
    result = run(
        engine,
        "guaranteed",
        campaign("bulk", tenant="bulk", contacts=8),
        campaign("gold", tenant="gold", start=5),
        tenant=tenants(gold={"guaranteed_share": 0.5}),
        platform={"ports": 4},
    )
    assert dispatched(result, "bulk")[:4] == [0.0, 0.001, 0.002, 0.003]
    assert dispatched(result, "gold") == [20.0]
    assert set(result.calls["status"]) == {"completed"}


def test_who_holds_the_smallest_part_of_its_guarantee_goes_first(engine):
    """Of ten ports gold has 6 and silver 3: they rise together, twice as fast for gold."""
    result = run(
        engine,
        "guaranteed",
        campaign("bulk", tenant="bulk", contacts=30),
        campaign("gold", tenant="gold", start=10, contacts=10),
        campaign("silver", tenant="silver", start=9, contacts=10),
        tenant=tenants(gold={"guaranteed_share": 0.6}, silver={"guaranteed_share": 0.3}),
        platform={"ports": 10},
    )
    names = order_of_dispatch(result)[10:20]
    assert names == ["silver", "gold", "gold", "silver", "gold", "gold", "silver", "gold", "gold",
                     "bulk"]  # fmt: skip


def test_shares_are_of_the_ports_in_service(engine):
    """With two of four ports out, half of them is one port."""
    result = run(
        engine,
        "guaranteed",
        campaign("bulk", tenant="bulk", contacts=6),
        campaign("gold", tenant="gold", start=10, contacts=3),
        tenant=tenants(gold={"guaranteed_share": 0.5}),
        platform={"ports": 4},
        outage=[part(of="ports", count=2, begins=5)],
    )
    assert order_of_dispatch(result)[4:] == ["gold", "bulk", "gold", "bulk", "gold"]


def test_a_guarantee_holds_for_what_may_go_only(engine):
    """A tenant at its limit, or suspended, keeps nobody else waiting."""
    result = run(
        engine,
        "guaranteed",
        campaign("bulk", tenant="bulk", contacts=4),
        campaign("gold", tenant="gold", contacts=3, max_simultaneous=1),
        tenant=tenants(gold={"guaranteed_share": 1.0}),
        platform={"ports": 2},
    )
    assert dispatched(result, "gold") == [0.0, 20.0, 40.0]
    assert dispatched(result, "bulk") == [0.0, 20.0, 40.0, 60.0]


def test_guarantees_add_up_to_all_ports_at_most():
    shares = tenants(gold={"guaranteed_share": 0.6}, silver={"guaranteed_share": 0.5})
    said = "found 50.0 %, which makes 110.0 % with those before it; must be 100 % at most in all"
    with pytest.raises(ScenarioError, match=rf"tenant\[silver\].guaranteed_share: {said}"):
        scenario(campaign(), tenant=shares)
    scenario(
        campaign(), tenant=tenants(**{name: {"guaranteed_share": 1 / 6} for name in "abcdef"})
    )


# Nothing of this in the other queues


@pytest.mark.parametrize("queue", ["fifo", "fair", "first_attempts_first"])
def test_other_queues_know_nothing_of_it(engine, queue):
    lists = (
        campaign("one", contacts=3, priority=9),
        campaign("two", tenant="zeta", start=1, contacts=3, priority=1, expires_at=3000),
    )
    plain = (
        campaign("one", contacts=3),
        campaign("two", tenant="zeta", start=1, contacts=3, expires_at=3000),
    )
    shares = tenants(zeta={"guaranteed_share": 1.0, "priority": 1})
    with_keys = run(engine, queue, *lists, tenant=shares)
    assert dispatched(with_keys) == dispatched(run(engine, queue, *plain))
    assert order_of_dispatch(with_keys) == order_of_dispatch(run(engine, queue, *plain))


def test_a_request_of_a_better_class_waits_for_one_call_only(engine):
    result = run(
        engine,
        "priority",
        campaign("list", contacts=10),
        campaign("single", tenant="zeta", requests=requests(30, 90), priority=1),
    )
    assert dispatched(result, "single") == [40.0, 100.0]


@pytest.mark.parametrize(
    ("queue", "broken"),
    [
        ("priority", {"queue order is kept"}),
        ("earliest_expiry", {"queue order is kept"}),
        ("guaranteed", {"guaranteed shares come first"}),
    ],
)
def test_a_run_that_went_first_in_first_out_breaks_the_invariants_of_the_others(queue, broken):
    lists = (
        campaign("bulk", tenant="bulk", contacts=6),
        campaign("gold", tenant="gold", start=5, contacts=3, priority=1, expires_at=3000),
    )
    shares = tenants(gold={"guaranteed_share": 0.5})
    fifo, other = (
        simulate(
            scenario(*lists, tenant=shares, platform={"ports": 2, "queue": name}), engine="simpy"
        )
        for name in ("fifo", queue)
    )
    check_invariants(fifo)
    object.__setattr__(fifo.arrays, "plan", other.arrays.plan)  # as if the queue had been another
    assert {one.invariant for one in violations(fifo)} == broken
