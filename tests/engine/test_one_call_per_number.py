"""Rule 3: a campaign has one call up at most to a number, where the platform sees to that."""

from __future__ import annotations

import pytest

from outsim.results.checkpoint import simulate
from outsim.results.invariants import check_invariants

from .scenarios import (
    campaign,
    contact_list,
    dials,
    part,
    recorded,
    run,
    scenario,
    seconds,
    statuses,
)

A, B, C = "5125550100,5125550199", "5125550101,5125550199", "5125550102,5125550199"


def listed(tmp_path, *rows, name="list", **keys):
    """A campaign with a list of its own."""
    directory = tmp_path / name
    directory.mkdir(exist_ok=True)
    return campaign(name, contact_list=contact_list(directory, *rows), **keys)


def once(**platform):
    return {"one_call_per_number": True} | platform


def test_the_second_call_to_a_number_waits_until_the_first_is_over(tmp_path):
    result = run(listed(tmp_path, A, A, B), platform=once())
    assert dials(result) == [
        ("list", 0, 1, 0.0),
        ("list", 2, 1, 0.002),
        ("list", 1, 1, 20.0),
    ]
    assert seconds(result.attempts["eligible_at"]) == [0.0, 0.002, 20.0]


def test_by_default_nobody_waits_for_that(tmp_path):
    result = run(listed(tmp_path, A, A, B))
    assert [at for *_, at in dials(result)] == [0.0, 0.001, 0.002]


def test_it_keeps_its_place_before_all_that_entered_later(tmp_path):
    """Two ports: the second A is passed over at 0 s, and goes before B and C at 20 s."""
    result = run(listed(tmp_path, A, A, B, B, C), platform=once(ports=2))
    assert [index for _, index, *_ in dials(result)] == [0, 2, 1, 3, 4]
    assert [at for *_, at in dials(result)] == [0.0, 0.002, 20.0, 20.002, 40.0]


def test_several_that_wait_for_one_number_go_in_their_order(tmp_path):
    result = run(listed(tmp_path, A, A, A, B, A), platform=once())
    assert [index for _, index, *_ in dials(result)] == [0, 3, 1, 2, 4]
    assert [at for *_, at in dials(result)] == [0.0, 0.003, 20.0, 40.0, 60.0]


def test_a_call_that_waits_for_its_retry_keeps_nobody_waiting(tmp_path):
    """Busy at 2 s: the other call goes then, and its own retry comes after that one."""
    result = run(
        listed(tmp_path, A, A, max_retry=1),
        platform=once(),
        tape=recorded(list=["busy", "human"]),
    )
    assert dials(result) == [("list", 0, 1, 0.0), ("list", 1, 1, 2.0), ("list", 0, 2, 62.0)]


def test_another_campaign_may_call_the_number_meanwhile(tmp_path):
    result = run(
        listed(tmp_path, A, A, name="one"), listed(tmp_path, A, A, name="two"), platform=once()
    )
    assert [(name, at) for name, _, _, at in dials(result)] == [
        ("one", 0.0),
        ("two", 0.0),
        ("one", 20.0),
        ("two", 20.0),
    ]


def test_made_up_numbers_are_nobodys():
    result = run(campaign(contacts=3), platform=once())
    assert [at for *_, at in dials(result)] == [0.0, 0.001, 0.002]


def test_who_waits_can_be_stopped_expire_and_be_suspended(tmp_path):
    rows = (A, A, B)
    stopped = run(listed(tmp_path, *rows, stop_at=5, stop_reaches="queue"), platform=once())
    assert statuses(stopped) == ["completed", "canceled", "completed"]
    one_by_one = run(listed(tmp_path, *rows, stop_at=5, stop_mode="calls"), platform=once())
    assert statuses(one_by_one) == ["completed", "canceled", "completed"]
    expired = run(listed(tmp_path, *rows, expires_at=5), platform=once())
    assert statuses(expired) == ["completed", "expired", "completed"]
    suspended = run(
        listed(tmp_path, *rows),
        platform=once(),
        suspension=[part(tenant="acme", begins=10, ends=50)],
    )
    assert dials(suspended)[-1] == ("list", 1, 1, 50.0)


def test_the_wait_for_a_number_has_a_cause_of_its_own(tmp_path):
    result = run(listed(tmp_path, A, A, B), platform=once())
    causes = result.time_by_cause(until="first_dispatch")
    assert causes["same_number"].dt.total_seconds().tolist() == [0.0, 19.999, 0.0]


@pytest.mark.parametrize("queue", ["fifo", "fair", "first_attempts_first", "earliest_expiry"])
@pytest.mark.parametrize("ports", [1, 3, 100])
def test_both_engines_agree(queue, ports, tmp_path):
    rows = (A, A, B, A, C, C, B, B, A, C) * 4
    held = scenario(
        listed(tmp_path, *rows, name="mine", max_retry=2, profile="mixed", pacing="30/min"),
        listed(
            tmp_path,
            *rows,
            name="yours",
            tenant="zeta",
            max_retry=2,
            profile="mixed",
            stop_at=60,
            stop_mode="calls",
            cancel_rate="6/min",
            cancel_order="oldest",
        ),
        platform=once(ports=ports, queue=queue),
        profiles={"mixed": {"human": 20, "voicemail": 10, "no_answer": 40, "busy": 30}},
        pause=[part(campaign="mine", begins=30, ends=90)],
    )
    both = [simulate(held, engine=engine) for engine in ("simpy", "compiled")]
    assert both[0].attempts.equals(both[1].attempts)
    assert both[0].updates.equals(both[1].updates)
    for result in both:
        check_invariants(result)
