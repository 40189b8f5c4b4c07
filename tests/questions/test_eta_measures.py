"""When calls go out: from a scenario, and from the queue as it stands."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from outsim.distributions import Exponential
from outsim.errors import ScenarioError, StudyError
from outsim.plan import build_plan
from outsim.plan.calls_in_progress import CallsInState, continue_attempts
from outsim.questions.eta_measures import CAMPAIGN_MEASURES, estimates, find_call, quantiles
from outsim.results.checkpoint import simulate
from outsim.results.invariants import check_invariants
from outsim.results.measures import measure
from outsim.scenario.loading import with_snapshot
from outsim.scenario.snapshot import Snapshot
from outsim.tape import Tape
from outsim.vocabulary import NO_ANSWER
from tests.engine import scenarios
from tests.measured import tell
from tests.studies import etas

MIXED = {"mixed": {"human": 40, "voicemail": 20, "no_answer": 30, "busy": 10}}


def queue(scenario, *campaigns, at=60.0):
    """The scenario with the queue as these campaigns have it, so many seconds after its begin."""
    snapshot = {"at": scenarios.moment(at), "campaign": list(campaigns)}
    return with_snapshot(scenario, Snapshot.model_validate(snapshot))


def standing(name="list", tenant="acme", **states):
    return {"name": name, "tenant": tenant, **states}


def entry(second, **keys):
    return {"since": scenarios.moment(second), **keys}


# Coverage


@pytest.mark.parametrize(
    ("runs", "least", "most"),
    [
        (8, 0.5, 1.0),
        pytest.param(300, 0.86, 0.94, marks=pytest.mark.deep),
    ],
)
def test_the_band_holds_what_then_happens_nine_times_in_ten(runs, least, most):
    """Runs of 5,000 calls and more, each cut at a random moment, others' future unknown."""
    scenario = etas.busy()
    assert len(simulate(scenario, engine="compiled").calls) >= 5_000
    found = etas.coverage(scenario, range(runs))
    assert all(asked >= runs / 4 for _, asked in found.values()), found
    shares = {name: held / asked for name, (held, asked) in found.items()}
    if runs < 100:
        held, asked = (sum(each) for each in zip(*found.values(), strict=True))
        assert least <= held / asked <= most, found
    else:
        assert all(least <= share <= most for share in shares.values()), found


@pytest.mark.parametrize(
    ("runs", "least", "most"),
    [(6, 0.5, 1.0), pytest.param(300, 0.85, 0.95, marks=pytest.mark.deep)],
)
def test_the_band_of_a_small_campaign_holds_what_then_happens_as_often(runs, least, most, request):
    """Where the chance of few calls counts for more than that of others' campaigns."""
    found = etas.coverage(etas.small(), range(runs))
    for name, (held, asked) in found.items():
        tell(request, "bands of a small campaign", f"| {name} | {asked} | {held / asked:.1%} |")
    held, asked = found["finish_time_s"]
    assert least <= held / asked <= most, found


@given(st.lists(st.floats(0, 1e6), min_size=19, max_size=60), st.integers(0, 5))
def test_a_band_is_made_of_order_statistics(values, never):
    found = quantiles([*values, *[math.nan] * never])
    assert found.low <= found.median <= found.high
    assert found.median_low <= found.median <= found.median_high
    assert found.never == never / (len(values) + never)
    if len(values) == 19 and not never:
        assert (found.low, found.high) == (min(values), max(values))


def test_what_never_comes_is_later_than_anything():
    found = quantiles([1.0] * 10 + [math.nan] * 10)
    assert (found.low, found.high, found.median_high) == (1.0, math.inf, math.inf)


# From a scenario


def test_figures_are_the_instants_of_dispatch():
    """One port, 20 s a call, dispatched from 0 s on: the n-th call goes out after n calls."""
    result = scenarios.run(scenarios.campaign(contacts=10), platform={"ports": 1})
    figures = measure(result.measure_view(result.scenario.campaign_under_study), CAMPAIGN_MEASURES)
    out = scenarios.dispatched(result)
    assert figures == {
        "first_out_s": out[0],
        "median_out_s": out[4],
        "p90_out_s": out[8],
        "last_out_s": out[9],
        "finish_time_s": scenarios.seconds(result.attempts["ended_at"])[-1],
    }


# From a queue


def test_queued_calls_go_on_in_the_order_of_the_queue_whoever_they_are_of():
    scenario = scenarios.scenario(
        scenarios.campaign("a", contacts=9),
        scenarios.campaign("b", "bank", contacts=9),
        platform={"ports": 1},
    )
    standing_queue = queue(
        scenario,
        standing("a", queued=[entry(1), entry(3), entry(5)]),
        standing("b", "bank", queued=[entry(2), entry(3), entry(4)]),
    )
    result = simulate(standing_queue, engine="simpy")
    assert scenarios.order_of_dispatch(result) == ["a", "b", "a", "b", "b", "a"]
    assert scenarios.dispatched(result)[0] == 60.0


def test_calls_under_way_hold_their_ports_until_they_end():
    """A call that was dispatched 15 s ago and lasts 20 s holds the only port for another 5 s."""
    scenario = scenarios.scenario(scenarios.campaign(contacts=2), platform={"ports": 1})
    for state, since in (("dialing", 57.0), ("connected", 50.0)):
        # Answered 5 s after the dispatch, over 15 s after the answer.
        ends = since + (20 if state == "dialing" else 15)
        begun = queue(scenario, standing(queued=[entry(10)], **{state: [entry(since)]}))
        result = simulate(begun, engine="simpy")
        assert scenarios.dispatched(result) == [ends]


def test_a_call_that_waits_for_its_retry_is_ready_when_its_interval_is_over():
    scenario = scenarios.scenario(scenarios.campaign(max_retry=2, retry_interval="90 s"))
    begun = queue(scenario, standing(waiting_retry=[entry(20, attempts=2)]))
    result = simulate(begun, engine="simpy")
    assert scenarios.dials(result) == [("list", 0, 3, 110.0)]


def test_a_call_that_the_carrier_has_only_refused_is_not_out_yet():
    """It reached nobody: it goes out with the attempt that the carrier takes."""
    scenario = scenarios.scenario(
        scenarios.campaign(contacts=2, max_retry=2, retry_interval="90 s")
    )
    refused, unanswered = entry(20, attempts=1, failures=0), entry(20, attempts=1, failures=1)
    result = simulate(
        queue(scenario, standing(waiting_retry=[refused, unanswered])), engine="simpy"
    )
    measures = measure(
        result.measure_view(result.scenario.campaign_under_study), CAMPAIGN_MEASURES
    )
    assert measures["first_out_s"] < 60.0
    assert measures["last_out_s"] == 110.0
    assert sorted(result.calls["wait_state"]) == ["before", "complete"]
    check_invariants(result)


def test_a_dial_that_fails_is_dialed_again_after_its_interval():
    scenario = scenarios.scenario(
        scenarios.campaign(profile="nobody", max_retry=1, retry_interval="60 s"),
        profiles={"nobody": {"human": 0, "voicemail": 0, "no_answer": 100, "busy": 0}},
    )
    result = simulate(queue(scenario, standing(dialing=[entry(50)])), engine="simpy")
    # It rings from 52 s to 82 s.
    assert scenarios.dials(result) == [("list", 0, 2, 142.0)]


def test_only_campaigns_that_start_later_are_drawn():
    background = {"tenants": 3, "campaigns_per_hour": 20, "median_size": 5}
    scenario = scenarios.scenario(scenarios.campaign(), background=background)
    begun = queue(scenario, at=1800.0)
    for replication in range(3):
        plan = build_plan(begun, Tape(1, replication))
        starts = [each.start_us / 1e6 for each in plan.campaigns if each.background]
        assert starts
        assert min(starts) > 1800.0


@settings(max_examples=10)
@given(elapsed=st.floats(0.5, 25.0), seed=st.integers(0, 1000))
def test_what_remains_is_drawn_given_what_has_passed(elapsed, seed):
    """Exponential ringing has no memory: however long it has rung, as long remains."""
    callees = {"ring_human": {"distribution": "exponential", "mean": "10 s"}}
    talk = {"message": "1 ms"}
    scenario = scenarios.scenario(
        scenarios.campaign(contacts=1),
        callees=callees | talk | {"post_dial_delay": "1 ms"},
        platform={"ring_timeout": "1000 s", "dial_work": "1 ms", "detection_person": "1 ms"},
    )
    plan = build_plan(scenario, Tape(seed))
    count, at_us = 300, 100_000_000
    in_progress = CallsInState(
        np.full(count, at_us - round(elapsed * 1e6)),
        np.zeros(count, np.int8),
        np.zeros(count, np.int8),
    )
    ends_us, _ = continue_attempts(
        plan.campaigns[0], plan.platform, plan.answering, in_progress, at_us, is_connected=False
    )
    assert (ends_us > at_us).all()
    remaining_s = (ends_us - at_us) / 1e6
    mean_s = Exponential(distribution="exponential", mean=10_000_000).mean_s()
    assert stats.kstest(remaining_s, stats.expon(scale=mean_s).cdf).pvalue > 1e-5


def test_who_rings_for_long_does_not_answer():
    """Everybody who answers does so 5 s after the dispatch."""
    scenario = scenarios.scenario(scenarios.campaign(profile="mixed", max_retry=1), profiles=MIXED)
    plan = build_plan(scenario, Tape(1))
    in_progress = CallsInState(
        np.full(50, 40_000_000), np.zeros(50, np.int8), np.zeros(50, np.int8)
    )
    ends_us, outcomes = continue_attempts(
        plan.campaigns[0],
        plan.platform,
        plan.answering,
        in_progress,
        60_000_000,
        is_connected=False,
    )
    assert set(outcomes) == {NO_ANSWER}
    assert set(ends_us) == {72_000_000}


@settings(max_examples=15)
@given(second=st.integers(1, 400), seed=st.integers(0, 100))
def test_a_cut_run_has_every_call_in_one_place(second, seed):
    """Nobody is lost, and those that wait are ahead of each other as they then go out."""
    scenario = scenarios.scenario(
        scenarios.campaign("a", contacts=30, profile="mixed", max_retry=1),
        scenarios.campaign("b", "bank", start=20, contacts=30, profile="mixed", max_retry=1),
        profiles=MIXED,
        platform={"ports": 5, "loader_rate": "2/s"},
    )
    result = simulate(scenario, seed=seed, engine="simpy")
    begun = with_snapshot(scenario, result.snapshot(scenarios.moment(second)))
    snapshot = begun.snapshot
    for campaign in snapshot.campaign:
        pending = sum(
            campaign.count(state)
            for state in ("scheduled", "queued", "dialing", "connected", "waiting_retry")
        )
        over = campaign.completed + campaign.failed + campaign.canceled + campaign.expired
        assert pending + over == 30
    at = scenarios.moment(second)
    attempts = result.attempts
    waiting = attempts[(attempts["queued_at"] <= at) & (attempts["dispatched_at"] > at)]
    in_queue = waiting.sort_values("dispatched_at", kind="stable")["call_id"].tolist()
    found = [find_call(begun, call_id=call_id) for call_id in in_queue]
    assert [each.ahead for each in found] == list(range(len(in_queue)))
    assert {each.state for each in found} <= {"queued"}


# Files


def test_a_snapshot_is_read_back_as_it_was_written(tmp_path):
    scenario = scenarios.scenario(
        scenarios.campaign(contacts=40, profile="mixed"), profiles=MIXED, platform={"ports": 5}
    )
    snapshot = simulate(scenario, engine="simpy").snapshot("09:00:50")
    file = tmp_path / "queue.json"
    file.write_text(json.dumps(snapshot.to_dict()))
    assert with_snapshot(scenario, file).snapshot == snapshot


def test_what_is_not_said_is_estimated_and_named():
    scenario = scenarios.scenario(scenarios.campaign(contacts=9, max_retry=1))
    begun = queue(
        scenario,
        standing(queued=3, dialing=["1 s"], waiting_retry={"count": 4, "oldest": "09:00:10"})
        | {"waiting_retry": {"count": 4, "oldest": scenarios.moment(10)}},
        standing("other", "bank", connected=2),
    )
    assert estimates(begun) == [
        "acme/list: since when 3 are queued; spread evenly since its start",
        "acme/list: attempts made by 3 that are queued; taken as 0",
        "acme/list: since when 4 are waiting for a retry; spread from the oldest on",
        "acme/list: attempts made by 4 that are waiting for a retry; taken as 1",
        "acme/list: attempts made by 1 that are dialing; taken as 0",
        "bank/other: not in the scenario, its rules are the defaults",
        "bank/other: when it started; taken as 09:00:00",
        "bank/other: since when 2 are connected; spread evenly over the last mean talk",
    ]


WRONG = {
    "no text": ("{", "queue.json:1: is not valid JSON"),
    "no moment": ('{"campaign": []}', "queue.json: at: is missing"),
    "outside the run": ('{"at": "08:00"}', "at: found 2026-03-10 08:00:00, outside of"),
    "an unknown key": (
        '{"at": "09:10", "calls": 3}',
        'calls: unknown key "calls"; allowed: at',
    ),
    "a campaign twice": (
        '{"at": "09:10", "campaign": [{"name": "list", "tenant": "acme"},'
        ' {"name": "list", "tenant": "acme"}]}',
        "campaign[1].name: acme/list is there twice",
    ),
    "later than the moment": (
        '{"at": "09:10", "campaign": [{"name": "list", "tenant": "acme", "queued": ["09:11"]}]}',
        "campaign[acme/list].queued[0].since: found 2026-03-10 09:11:00, after the moment",
    ),
    "before the run": (
        '{"at": "09:10", "campaign": [{"name": "list", "tenant": "acme", "queued": ["08:11"]}]}',
        "campaign[acme/list].queued[0].since: found 2026-03-10 08:11:00, before the scenario",
    ),
    "too many attempts": (
        '{"at": "09:10", "campaign": [{"name": "list", "tenant": "acme", "waiting_retry": 3}]}',
        "campaign[acme/list].waiting_retry[0].attempts: found 1; allowed: at most 0",
    ),
    "more than the ports": (
        '{"at": "09:10", "campaign": [{"name": "list", "tenant": "acme", "dialing": 2000}]}',
        "campaign: found 2000 calls dialing or connected; the scenario's platform.ports is 1000",
    ),
    "two instants": (
        '{"at": "09:10", "campaign": [{"name": "list", "tenant": "acme",'
        ' "queued": [{"since": "09:01", "lasting": "1 s"}]}]}',
        "campaign[acme/list].queued[0].lasting: give one of since, lasting and oldest",
    ),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_a_mistake_in_a_snapshot_is_named_with_its_place(tmp_path, mistake):
    text, message = WRONG[mistake]
    file = tmp_path / "queue.json"
    file.write_text(text)
    with pytest.raises(ScenarioError) as raised:
        with_snapshot(scenarios.scenario(scenarios.campaign()), file)
    assert message in str(raised.value)


def test_a_missing_snapshot_is_named(tmp_path):
    with pytest.raises(ScenarioError, match=r"nil\.json: no such file"):
        with_snapshot(scenarios.scenario(scenarios.campaign()), tmp_path / "nil.json")


def test_a_call_that_is_not_there_is_refused():
    scenario = scenarios.scenario(scenarios.campaign(contacts=3))
    with pytest.raises(StudyError, match="call 7: no such call in the scenario"):
        find_call(scenario, call_id=7)
    assert find_call(scenario, call_id=2).place == 2
